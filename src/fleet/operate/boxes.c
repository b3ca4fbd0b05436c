/* boxes.c - starting boxes, and ending this one. See operate.h.
 *
 * Room:     src/fleet, the product. */
#include "fleet/operate/parts.h"

#include "fiber/fiber.h"
#include "fleet/port/retry.h"
#include "fleet/port/scratch.h"
#include "fleet/status/status.h"
#include "jobq/units.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SPAWN_EVERY_NS (5 * JOBQ_NS_PER_S)
#define LOOK_NS (JOBQ_NS_PER_S / 2)
#define TERMINATE_FOR_NS (60 * JOBQ_NS_PER_S)

static void know_self(struct operate *o)
{
    struct jobq_error no_box;
    if (!o->self.id[0] && (!o->b->fleet || jobq_fleet_self(o->b, &o->self, &no_box) < 0))
        o->self = (struct jobq_self){0};
}

/* ---- spawn ----------------------------------------------------------------------------- */

static bool is_word(const char *text, const char *others)
{
    for (const char *c = text; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || strchr(others, *c)))
            return false;
    return text[0] != '\0';
}

static const char *image_of(const struct operate *o)
{
    return o->options.image             ? o->options.image
           : o->options.launch_template ? ""
                                        : o->self.image;
}

static const char *profile_of(const struct operate *o)
{
    if (o->options.profile || o->options.launch_template)
        return o->options.profile;
    return o->self.profile[0] ? o->self.profile : NULL;
}

int operate_spawn_check(struct operate *o, struct operate_spawn *spawn, double *hour_usd,
                        struct jobq_error *err)
{
    assert(o && spawn && hour_usd && err);
    know_self(o);
    if (!spawn->type[0])
        snprintf(spawn->type, sizeof spawn->type, "%s",
                 o->options.type ? o->options.type : o->self.type);
    if (!o->b->fleet || !o->options.user_data)
        return jobq_fail(err, JOBQ_INVALID, "this page starts no boxes");
    if (!is_word(spawn->type, ".-"))
        return jobq_fail(err, JOBQ_INVALID, "an instance type is wanted, as 'c7g.large'");
    if (spawn->count < 1 || spawn->count > OPERATE_BOXES_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "a launch is of 1 to %d boxes",
                         OPERATE_BOXES_MAX);
    if (!image_of(o)[0] && !o->options.launch_template)
        return jobq_fail(err, JOBQ_INVALID, "no image is known: see --image");
    *hour_usd = o->options.hour_usd
                    ? o->options.hour_usd(o->options.ctx, spawn->type, spawn->spot) *
                          (double)spawn->count
                    : (double)NAN;
    return JOBQ_OK;
}

/* Boxes of the queue that have not ended, those that boot too. */
static int count_boxes(struct operate *o, struct arena *arena, struct jobq_error *err)
{
    struct jobq_box *box = arena_alloc(arena, JOBQ_BOXES_PAGE * sizeof *box);
    const struct jobq_tag tag = {STR(STATUS_TAG), str_of(o->options.queue)};
    struct jobq_str token = {0};
    int total = 0;
    do {
        int count = jobq_fleet_describe(o->b, tag, &token, arena, box, err);
        if (count < 0)
            return count;
        total += count;
    } while (token.len > 0);
    return total;
}

static int launch(struct operate *o, const struct operate_spawn *spawn,
                  struct arena *arena, struct text *user_data, struct text *said,
                  struct jobq_error *err)
{
    const struct jobq_tag tag[] = {{STR(STATUS_TAG), str_of(o->options.queue)},
                                   {STR("Name"), str_of(o->options.queue)}};
    const struct jobq_launch what = {.type = spawn->type,
                                     .image = image_of(o),
                                     .profile = profile_of(o),
                                     .launch_template = o->options.launch_template,
                                     .user_data = text_str(user_data),
                                     .tag = tag,
                                     .tag_count = 2,
                                     .count = (int)spawn->count,
                                     .spot = spawn->spot,
                                     .client_token = spawn->once};
    struct jobq_str *id = arena_zalloc(arena, (size_t)spawn->count * sizeof *id);
    int count = jobq_fleet_launch(o->b, &what, arena, id, (int)spawn->count, err);
    if (count < 0)
        return count;
    o->spawned_at_ns = jobq_now(o->b);
    memcpy(o->spawned_once, spawn->once, sizeof o->spawned_once);
    text_printf(said, "Started %d %s%s:", count, spawn->type,
                spawn->spot ? " (spot)" : "");
    for (int i = 0; i < count; i++) {
        text_putc(said, ' ');
        text_put_str(said, id[i]);
        if (spawn->ids) {
            text_put_str(spawn->ids, id[i]);
            text_putc(spawn->ids, '\n');
        }
    }
    text_putc(said, '.');
    return JOBQ_OK;
}

int operate_spawn(struct operate *o, struct operate_spawn *spawn, struct text *said,
                  struct jobq_error *err)
{
    double hour_usd;
    struct text user_data = {0};
    int code = operate_spawn_check(o, spawn, &hour_usd, err);
    if (code < 0)
        return code;
    if (!is_word(spawn->once, ""))
        return jobq_fail(err, JOBQ_INVALID, "a launch wants a token of its own (once)");
    bool again = strcmp(spawn->once, o->spawned_once) == 0;
    if (!again && o->spawned_at_ns > 0 &&
        jobq_now(o->b) - o->spawned_at_ns < SPAWN_EVERY_NS)
        return jobq_fail(err, JOBQ_LIMIT, "boxes were started less than 5 s ago: wait");
    struct scratch *scratch = scratch_take(o->b);
    int boxes = again ? 0 : count_boxes(o, &scratch->arena, err);
    if (boxes < 0)
        code = boxes;
    else if (!again && boxes + spawn->count > o->options.boxes_max)
        code = jobq_fail(err, JOBQ_LIMIT,
                         "there are %d boxes, and --max-boxes allows %d in all", boxes,
                         o->options.boxes_max);
    if (code == JOBQ_OK)
        code = o->options.user_data(o->options.ctx, spawn->stays, &user_data, err);
    if (code == JOBQ_OK)
        code = launch(o, spawn, &scratch->arena, &user_data, said, err);
    text_release(&user_data);
    scratch_give(o->b, scratch);
    return code;
}

/* ---- seppuku --------------------------------------------------------------------------- */

static void end_fiber(void *arg)
{
    struct operate *o = arg;
    struct jobq_error err;
    if (operate_end(o, &err) < 0 && o->options.audit)
        o->options.audit(o->options.ctx, err.text);
}

int operate_seppuku(struct operate *o, struct text *said, struct jobq_error *err)
{
    know_self(o);
    if (!o->self.id[0])
        return jobq_fail(err, JOBQ_INVALID, "this is no box: there is nothing to end");
    if (o->ending) {
        text_printf(said, "Box %s is ending already.", o->self.id);
        return JOBQ_OK;
    }
    o->ending = true;
    o->end_by_ns = jobq_now(o->b) + o->options.stop_within_ns;
    operate_tell(o, OPERATE_STOP, o->options.stop_within_ns, STR(""));
    if (o->options.drainer)
        drainer_stop(o->options.drainer, o->end_by_ns);
    else
        fiber_spawn(o->b->proc, end_fiber, o);
    text_printf(said,
                "Box %s takes no more work, finishes or gives back what it runs, and is "
                "then terminated.",
                o->self.id);
    return JOBQ_OK;
}

bool operate_is_ending(const struct operate *o)
{
    return o->ending;
}

int operate_end(struct operate *o, struct jobq_error *err)
{
    if (!o->ending || o->ended)
        return JOBQ_OK;
    while (o->options.left && o->options.left(o->options.ctx) > 0 &&
           jobq_now(o->b) < o->end_by_ns)
        fiber_sleep_until(o->b->sched, jobq_now(o->b) + LOOK_NS);
    const struct jobq_str id = str_of(o->self.id);
    int64_t deadline_ns = jobq_now(o->b) + TERMINATE_FOR_NS;
    struct retry r;
    int code;
    retry_init(&r, o->b, &RETRY_CALLS, &deadline_ns);
    do
        code = jobq_fleet_terminate(o->b, &id, 1, err);
    while (code < 0 && retry_again(&r, code));
    o->ended = code == JOBQ_OK;
    return code;
}
