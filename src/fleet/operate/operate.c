/* operate.c - drainers of this box and single jobs. See operate.h.
 *
 * Room:     src/fleet, the product. */
#include "fleet/operate/operate.h"

#include "fiber/fiber.h"
#include "fleet/dead/dead_letters.h"
#include "fleet/operate/parts.h"
#include "fleet/status/status.h"
#include "jobq/units.h"

#include <assert.h>

struct operate *operate_new(struct jobq_backend *b, const struct operate_options *options)
{
    assert(b && options && options->queue);
    struct operate *o = arena_zalloc(fiber_proc_arena(b->proc), sizeof *o);
    o->b = b;
    o->options = *options;
    return o;
}

const struct operate_options *operate_options_of(const struct operate *o)
{
    return &o->options;
}

int operate_tell(struct operate *o, enum operate_word word, int64_t number,
                 struct jobq_str job_id)
{
    return o->options.tell ? o->options.tell(o->options.ctx, word, number, job_id) : 0;
}

static int drainers_told(const struct operate *o, int others, struct jobq_error *err)
{
    int count = others + (o->options.drainer != NULL);
    if (count == 0)
        return jobq_fail(err, JOBQ_NOT_FOUND, "no drainer of '%s' is on this box",
                         o->options.queue);
    return count;
}

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

int operate_quiet(struct operate *o, bool quiet, struct text *said,
                  struct jobq_error *err)
{
    int count = drainers_told(
        o, operate_tell(o, quiet ? OPERATE_QUIET : OPERATE_RESUME, 0, STR("")), err);
    if (count < 0)
        return count;
    if (o->options.drainer)
        drainer_quiet(o->options.drainer, quiet);
    text_printf(said,
                quiet ? "%d drainer%s take%s no more work; what runs goes on."
                      : "%d drainer%s take%s work again.",
                count, plural(count), count == 1 ? "s" : "");
    return JOBQ_OK;
}

int operate_slots(struct operate *o, int64_t by, struct text *said,
                  struct jobq_error *err)
{
    if (by == 0 || by < -1000 || by > 1000)
        return jobq_fail(err, JOBQ_INVALID,
                         "a change of slots is a number from -1000 to 1000, not 0");
    int count = drainers_told(o, operate_tell(o, OPERATE_SLOTS, by, STR("")), err);
    if (count < 0)
        return count;
    if (o->options.drainer) {
        struct drainer_view view;
        drainer_view(o->options.drainer, &view);
        drainer_resize(o->options.drainer, view.slots + (int)by);
    }
    text_printf(said, "%d drainer%s: %lld slot%s %s, at least 1.", count, plural(count),
                (long long)(by < 0 ? -by : by), by == 1 || by == -1 ? "" : "s",
                by < 0 ? "fewer" : "more");
    return JOBQ_OK;
}

int operate_cancel(struct operate *o, struct jobq_str id, struct text *said,
                   struct jobq_error *err)
{
    enum job_state state;
    if (!o->b->store)
        return jobq_fail(err, JOBQ_INVALID, "without a store no job can be cancelled");
    int code = status_cancel(o->b, id, &state, err);
    if (code < 0)
        return code;
    bool here = o->options.drainer && drainer_cancel(o->options.drainer, id);
    operate_tell(o, OPERATE_CANCEL, 0, id);
    text_printf(said, "Cancelled; %s.",
                here ? "it ran here and is being stopped"
                     : "where it runs, it is stopped when its drainer next looks, and "
                       "its result is not kept");
    return JOBQ_OK;
}

int operate_retry(struct operate *o, struct jobq_str id, struct text *said,
                  struct jobq_error *err)
{
    if (!o->b->store)
        return jobq_fail(err, JOBQ_INVALID, "without a store no job can be found by id");
    int code = dead_retry(o->b, o->options.queue, id, err);
    if (code == JOBQ_OK)
        text_puts(said, "It is on the queue again.");
    return code;
}
