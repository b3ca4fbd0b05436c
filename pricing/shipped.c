/* shipped.c - opens a sheet that is compiled in, by region, date and model.
 *
 * Room:     pricing. See pricing/sheet.h. */
#include "pricing/sheet.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int sheet_open(const char *region, const char *date, const char *model,
               struct sheet **out, struct jobq_error *err)
{
    assert(region && out && err);
    struct jobq_error unknown;
    int at = -1;
    const char **name = xcalloc((size_t)sheet_file_count, sizeof *name);
    for (int i = 0; i < sheet_file_count; i++)
        name[i] = sheet_files[i].name;
    if (date && strcmp(date, "latest") != 0) {
        at = sheet_pick(name, sheet_file_count, region, date, err);
    } else {
        if (model && strncmp(model, "aws-", 4) == 0)
            at = sheet_pick(name, sheet_file_count, region, model + 4, &unknown);
        if (at < 0)
            at = sheet_pick(name, sheet_file_count, region, NULL, err);
    }
    free(name);
    if (at < 0)
        return at;
    const struct sheet_file *file = &sheet_files[at];
    return sheet_parse((const char *)file->bytes, file->len, file->name, out, err);
}
