/* get.c - GetAttributes.
 *
 * Room:     models, the facts. */
#include "models/simpledb/simpledb.h"

#include "models/simpledb/call.h"
#include "models/simpledb/box_usage.h"

#include <assert.h>

int simpledb_get(struct simpledb *model, int64_t now_ns, double u, int domain,
                 struct jobq_str item, const struct jobq_str *name, int name_count,
                 bool consistent, struct arena *arena, struct jobq_item *out,
                 struct simpledb_reply *reply, struct jobq_error *err)
{
    assert(u > 0 && u < 1 && arena && out && reply && err);
    int code = call_string(model, item, "ItemName", reply, err);
    for (int i = 0; i < name_count && code >= 0; i++)
        code = call_string(model, name[i], "Name", reply, err);
    if (code < 0)
        return code;
    const struct row_domain *d = call_domain(model, domain, reply, err);
    if (!d)
        return err->code;
    int64_t slot = row_find(model, d, item, row_hash(d, item));
    const char *row = NULL;
    if (slot >= 0)
        row = row_visible(model, d->slot[slot].blob, now_ns, consistent ? -1 : u);
    int names = 0;
    if (row) {
        uint32_t only = 0;
        if (name_count > 0) {
            only = call_serial(model);
            for (int i = 0; i < name_count; i++) {
                int32_t id = names_find(&model->names, name[i]);
                if (id >= 0)
                    model->mark[id].seen = only;
            }
        }
        names = call_copy_row(model, row, only, arena, out);
    } else {
        *out = (struct jobq_item){.name = arena_str(arena, item)};
    }
    return call_ok(reply, simpledb_usage_get(&model->params, names));
}
