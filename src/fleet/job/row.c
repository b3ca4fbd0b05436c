/* row.c - reading a job's row. See job.h for who writes what.
 *
 * Room:     src/fleet, the product. Pure.
 * Callers:  the drainer, the status view, tests that check rows. */
#include "base/arena.h"
#include "base/text.h"
#include "fleet/job/job.h"

#include <string.h>

/* Cuts a word off the front; "" at the end. */
static struct jobq_str word(struct jobq_str *rest)
{
    const char *at = rest->len ? memchr(rest->ptr, ' ', (size_t)rest->len) : NULL;
    struct jobq_str out = {rest->ptr, at ? at - rest->ptr : rest->len};
    int64_t taken = at ? out.len + 1 : out.len;
    rest->ptr += taken;
    rest->len -= taken;
    return out;
}

static int corrupt(struct jobq_str name, struct jobq_str value, struct jobq_error *err)
{
    char shown_name[40], shown[60];
    text_escape(name.ptr, name.len, shown_name, sizeof shown_name);
    text_escape(value.ptr, value.len, shown, sizeof shown);
    return jobq_fail(err, JOBQ_CORRUPT, "row attribute '%s' is '%s'", shown_name, shown);
}

static bool read_claim(struct jobq_str value, struct job_row *out)
{
    struct jobq_str owner = value, state = word(&owner);
    const char *slash = owner.len ? memchr(owner.ptr, '/', (size_t)owner.len) : NULL;
    if (!slash)
        return false;
    out->claim = value;
    out->token = (struct jobq_str){slash + 1, owner.len - (slash + 1 - owner.ptr)};
    return job_state_parse(state, &out->state) &&
           str_to_int((struct jobq_str){owner.ptr, slash - owner.ptr}, &out->attempt);
}

/* "ATTEMPT/TOKEN": the claim without its state. */
static struct jobq_str owner_of(const struct job_row *row)
{
    struct jobq_str owner = row->claim;
    word(&owner);
    return owner;
}

static bool read_run(struct jobq_str value, struct job_row *out)
{
    struct jobq_str started = word(&value);
    out->box = word(&value);
    out->message_id = value;
    return str_to_int(started, &out->started_ms);
}

static bool read_end(struct jobq_str value, struct job_row *out)
{
    struct jobq_str finished = word(&value), code = word(&value), wall = word(&value),
                    cpu = word(&value);
    return str_to_int(finished, &out->finished_ms) && str_to_int(code, &out->exit_code) &&
           str_to_int(wall, &out->wall_ns) && str_to_int(cpu, &out->cpu_ns) &&
           (value.len == 0 || str_to_int(value, &out->printed_bytes));
}

static bool read_progress(struct jobq_str value, struct job_row *out,
                          struct jobq_str *told_by)
{
    *told_by = word(&value);
    return str_to_int(value, &out->progress) && out->progress >= 0 &&
           out->progress <= 100;
}

/* The number behind a one-letter prefix, or behind "tail"; -1 if it is none. */
static int64_t index_behind(struct jobq_str name, int64_t prefix)
{
    int64_t index;
    struct jobq_str digits = {name.ptr + prefix, name.len - prefix};
    return digits.len > 0 && str_to_int(digits, &index) && index >= 0 ? index : -1;
}

static bool read_one(const struct jobq_attr *attr, struct job_row *out,
                     struct jobq_str *told_by)
{
    struct jobq_str name = attr->name, value = attr->value;
    if (name.len > 1 && name.ptr[0] == 'p' && index_behind(name, 1) >= 0) {
        out->piece_count++;
        out->piece_bytes += value.len;
        return true;
    }
    if (!value.ptr)
        return false;
    if (str_is(name, "t"))
        return str_to_int(value, &out->enqueued_ms);
    if (str_is(name, "claim"))
        return read_claim(value, out);
    if (str_is(name, "run"))
        return read_run(value, out);
    if (str_is(name, "end"))
        return read_end(value, out);
    if (str_is(name, "progress"))
        return read_progress(value, out, told_by);
    if (name.len == 5 && memcmp(name.ptr, "tail", 4) == 0) {
        int64_t index = index_behind(name, 4);
        if (index < 0 || index >= JOB_TAIL_PIECES)
            return false;
        out->tail[index] = value;
        if (index >= out->tail_count)
            out->tail_count = (int)index + 1;
        return true;
    }
    return true; /* a later version's attribute is no fault */
}

int job_row_read(const struct jobq_item *item, struct job_row *out,
                 struct jobq_error *err)
{
    *out = (struct job_row){
        .claim = STR(""), .token = STR(""), .box = STR(""), .message_id = STR("")};
    for (int i = 0; i < JOB_TAIL_PIECES; i++)
        out->tail[i] = STR("");
    bool known = false; /* as a job's row */
    struct jobq_str told_by = STR("");
    for (int i = 0; i < item->attr_count; i++) {
        const struct jobq_attr *attr = &item->attr[i];
        if (!read_one(attr, out, &told_by))
            return corrupt(attr->name, attr->value.ptr ? attr->value : STR("(phantom)"),
                           err);
        known = known || str_is(attr->name, "t") || str_is(attr->name, "claim");
    }
    /* Another attempt's progress says nothing of this one's, nor of an end. */
    if (out->state != JOB_RUNNING || told_by.len == 0 || !str_eq(told_by, owner_of(out)))
        out->progress = -1;
    out->exists = item->attr_count > 0;
    if (out->exists && !known)
        return jobq_fail(err, JOBQ_CORRUPT, JOB_ROW_IS_NONE);
    return JOBQ_OK;
}

struct jobq_str job_row_encoded(const struct jobq_item *item, struct arena *arena,
                                int64_t *out_phantom)
{
    struct jobq_str piece[JOB_PIECES_MAX];
    int64_t count = 0, bytes = 0;
    memset(piece, 0, sizeof piece);
    *out_phantom = 0;
    for (int i = 0; i < item->attr_count; i++) {
        const struct jobq_attr *attr = &item->attr[i];
        if (attr->name.len < 2 || attr->name.ptr[0] != 'p')
            continue;
        int64_t index = index_behind(attr->name, 1);
        if (index < 0 || index >= JOB_PIECES_MAX)
            continue;
        piece[index] = attr->value;
        if (index >= count)
            count = index + 1;
        if (attr->value.ptr)
            bytes += attr->value.len;
        else
            *out_phantom += attr->value.len;
    }
    char *text = arena_alloc(arena, (size_t)bytes + 1);
    char *p = text;
    for (int64_t i = 0; i < count; i++)
        if (piece[i].ptr) {
            memcpy(p, piece[i].ptr, (size_t)piece[i].len);
            p += piece[i].len;
        }
    *p = '\0';
    return (struct jobq_str){text, bytes};
}

int job_row_message(const struct jobq_item *item, int64_t max_bytes, struct arena *arena,
                    struct jobq_outgoing *out, struct jobq_error *err)
{
    int64_t phantom = 0;
    struct jobq_str encoded = job_row_encoded(item, arena, &phantom);
    struct job_body body;
    if (job_encoded_read(encoded, phantom, &body, err) < 0)
        return jobq_fail(err, JOBQ_CORRUPT, "the row's payload is no job");
    struct job_spec head = {
        .kind = body.kind, .number = body.number, .limits = body.limits};
    int64_t id_bytes = item->name.len + 1, bytes = encoded.len;
    char *text = arena_alloc(arena, (size_t)(id_bytes + bytes) + JOB_HEAD_MAX);
    memcpy(text, item->name.ptr, (size_t)item->name.len);
    text[item->name.len] = ' ';
    if (id_bytes + bytes + phantom <= max_bytes) {
        memcpy(text + id_bytes, encoded.ptr, (size_t)bytes);
    } else {
        bytes = job_encode_stored(&head, text + id_bytes);
        phantom = 0;
    }
    *out = (struct jobq_outgoing){.body = {text, id_bytes + bytes},
                                  .phantom_bytes = phantom};
    return JOBQ_OK;
}
