/* record.c - how a journal's record is written and read.
 *
 * Room:     src/fleet, private to the enqueuer but for the reading. */
#include "base/text.h"
#include "fleet/enqueue/parts.h"

#include <assert.h>
#include <string.h>

int enqueue_record_write(char what, struct jobq_str id, int64_t tag, char *out)
{
    out[0] = what;
    out[1] = ' ';
    memcpy(out + 2, id.ptr, (size_t)id.len);
    out[2 + id.len] = ' ';
    return 3 + (int)id.len + text_write_int(out + 3 + id.len, tag);
}

bool enqueuer_record_read(struct jobq_str record, struct enqueuer_record *out)
{
    assert(out);
    if (record.len <= 3 || record.ptr[1] != ' ')
        return false;
    const char *id = record.ptr + 2, *end = record.ptr + record.len;
    const char *blank = memchr(id, ' ', (size_t)(end - id));
    if (!blank || blank - id > JOB_ID_MAX)
        return false;
    out->what = record.ptr[0];
    out->id = (struct jobq_str){id, blank - id};
    return str_to_int((struct jobq_str){blank + 1, end - blank - 1}, &out->tag);
}
