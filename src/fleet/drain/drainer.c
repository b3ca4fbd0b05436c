/* drainer.c - a drainer's options, its beginning and end, and what it shows. See drainer.h.
 *
 * Room:     src/fleet, the product. */
#include "fleet/drain/drainer.h"

#include "base/text.h"
#include "fleet/drain/parts.h"
#include "fleet/enqueue/queues.h"
#include "fleet/housekeeping/housekeeping.h"
#include "jobq/units.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MAX_NS (20 * JOBQ_NS_PER_S)

struct drainer_options drainer_defaults(const char *queue, int slots)
{
    return (struct drainer_options){
        .queue = queue,
        .slots = slots,
        .prefetch = DRAINER_AUTO,
        .batch = JOBQ_BATCH_MAX,
        .receives = 4,
        .deletes = 4,
        .wait_ns = WAIT_MAX_NS,
        .visibility_ns = DRAINER_AUTO,
        .max_attempts = 5,
        .retry_base_ns = 10 * JOBQ_NS_PER_S,
        .retry_cap_ns = 15 * JOBQ_NS_PER_MIN,
        .time_limit_ns = JOBQ_FOREVER,
        .kill_grace_ns = 5 * JOBQ_NS_PER_S,
        .linger_ns = 5 * JOBQ_NS_PER_S,
        .cancel_check_ns = JOBQ_FOREVER,
        .progress_ns = DRAINER_AUTO,
        .notice_ns = JOBQ_FOREVER,
        .notice_margin_ns = 5 * JOBQ_NS_PER_S,
        .stats_ns = JOBQ_NS_PER_MIN,
        .housekeeping_ns = HOUSEKEEPING_EVERY_NS,
        .keep_ns = HOUSEKEEPING_KEEP_NS,
        .idle_exit_ns = JOBQ_FOREVER,
        .retry_for_ns = 10 * JOBQ_NS_PER_MIN,
        .weight = 1,
        .exec = true,
    };
}

static int check_range(const char *what, int64_t value, int64_t low, int64_t high,
                       struct jobq_error *err)
{
    if (value >= low && value <= high)
        return JOBQ_OK;
    return jobq_fail(err, JOBQ_LIMIT, "%lld %s are not in %lld..%lld", (long long)value,
                     what, (long long)low, (long long)high);
}

static int drainer_check_options(const struct drainer_options *o, struct jobq_error *err)
{
    if (job_queue_name_check(o->queue, err) < 0 ||
        check_range("slots", o->slots, 1, DRAINER_SLOTS_MAX, err) < 0 ||
        check_range("prefetched messages", o->prefetch, DRAINER_AUTO,
                    DRAINER_PREFETCH_MAX, err) < 0 ||
        check_range("entries a batch", o->batch, 1, JOBQ_BATCH_MAX, err) < 0 ||
        check_range("receives at once", o->receives, 1, 100, err) < 0 ||
        check_range("deletes at once", o->deletes, 1, 100, err) < 0 ||
        check_range("parts of the slots (its weight)", o->weight, 1, DRAINER_WEIGHT_MAX,
                    err) < 0 ||
        check_range("attempts", o->max_attempts, 1, 1000, err) < 0)
        return err->code;
    if (o->wait_ns < 0 || o->retry_base_ns < 0 || o->retry_cap_ns < 0 ||
        o->time_limit_ns < 0 || o->kill_grace_ns < 0 || o->linger_ns < 0 ||
        o->cancel_check_ns <= 0 || o->progress_ns < DRAINER_AUTO || o->notice_ns <= 0 ||
        o->notice_margin_ns < 0 || o->stats_ns <= 0 || o->housekeeping_ns <= 0 ||
        o->keep_ns < 0 || o->idle_exit_ns < 0 || o->retry_for_ns < 0)
        return jobq_fail(err, JOBQ_INVALID, "an option's duration is out of its range");
    if (o->wait_ns > WAIT_MAX_NS)
        return jobq_fail(err, JOBQ_LIMIT, "a long poll exceeds '20s'");
    if (o->visibility_ns >= 0 && job_visibility_check(o->visibility_ns, err) < 0)
        return err->code;
    return JOBQ_OK;
}

/* How rows name this box: one word. */
static struct jobq_str box_name(struct drainer *d)
{
    struct jobq_self self;
    struct jobq_error err;
    const char *name = d->options.box;
    if (!name && d->b->fleet && jobq_fleet_self(d->b, &self, &err) == JOBQ_OK)
        name = self.id;
    char *copy = arena_zalloc(d->memory, 24);
    if (name)
        memcpy(copy, name, strlen(name) < 23 ? strlen(name) : 23);
    for (char *p = copy; *p; p++)
        if (*p <= ' ' || *p == 0x7f)
            *p = '_';
    return copy[0] ? str_of(copy) : STR("-");
}

static void init(struct drainer *d, struct jobq_backend *b,
                 const struct drainer_options *options)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    d->b = b;
    d->memory = fiber_proc_arena(b->proc);
    d->options = *options;
    d->options.queue = arena_cstr(d->memory, options->queue);
    d->queue_name = str_of(d->options.queue);
    uint64_t bits = jobq_bits(b);
    for (int i = 0; i < 8; i++, bits >>= 5)
        d->token[i] = digits[bits & 31];
    memcpy(d->id, d->token, 9);
    d->prefetch = options->prefetch == DRAINER_AUTO ? 0 : options->prefetch;
    d->give_up_at_ns = JOBQ_FOREVER;
    d->quiet_since_ns = -1;
    d->stats_written = 1;
    rows_tables_init(&d->tables, d->queue_name);
    housekeeping_keep_rows(b, options->keep_ns);
    d->started_wall_ns = jobq_wall(b);
}

/* Finds the queue and how long it hides messages. */
static int open_queues(struct drainer *d, struct jobq_error *err)
{
    struct jobq_backend *b = d->b;
    d->box = box_name(d);
    int64_t deadline_ns = jobq_now(b) + 2 * JOBQ_NS_PER_MIN;
    struct queues_options queues = {.name = d->options.queue,
                                    .visibility_ns = -1,
                                    .max_receive_count = QUEUES_RECEIVES_DEFAULT,
                                    .create = d->options.create};
    if (queues_open(b, &queues, deadline_ns, &d->queue, &d->dead_queue, err) < 0)
        return err->code;
    d->visibility_ns = d->options.visibility_ns;
    bool keeps_house = b->store && d->options.housekeeping_ns < JOBQ_FOREVER;
    if (d->visibility_ns < 0 || keeps_house) {
        struct jobq_queue_depth depth;
        struct retry r;
        retry_init(&r, b, &RETRY_CALLS, &deadline_ns);
        int code;
        do
            code = jobq_queue_depth(b, d->queue, &depth, err);
        while (code < 0 && retry_again(&r, code));
        if (code == JOBQ_OK && keeps_house)
            code = housekeeping_check_keep(d->options.keep_ns, depth.retention_ns, err);
        if (code < 0)
            return jobq_wrap(err, "queue '%s'", d->options.queue);
        d->retention_ns = depth.retention_ns;
        if (d->visibility_ns < 0)
            d->visibility_ns = depth.visibility_ns;
        if (d->visibility_ns <= 0)
            return jobq_fail(err, JOBQ_INVALID,
                             "queue '%s' has a visibility timeout of '0s'",
                             d->options.queue);
    }
    return JOBQ_OK;
}

int drainer_new(struct jobq_backend *b, const struct drainer_options *options,
                struct drainer **out, struct jobq_error *err)
{
    assert(b && options && out && err);
    if (drainer_check_options(options, err) < 0)
        return err->code;
    struct drainer *d = arena_zalloc(fiber_proc_arena(b->proc), sizeof *d);
    init(d, b, options);
    refusal_watch(d);
    int code = open_queues(d, err);
    if (code < 0) {
        health_release(&d->health);
        return code;
    }
    d->linger_ns = options->linger_ns < d->visibility_ns / 4 ? options->linger_ns
                                                             : d->visibility_ns / 4;
    d->progress_ns = options->progress_ns;
    if (d->progress_ns == DRAINER_AUTO)
        d->progress_ns = d->visibility_ns / 2 < JOBQ_NS_PER_MIN ? d->visibility_ns / 2
                                                                : JOBQ_NS_PER_MIN;
    share_join(d, options->share ? options->share : drainer_share_new(b, options->slots));
    *out = d;
    return JOBQ_OK;
}

/* A drainer that is idle has its last deletes to make. One that cannot go on may be unable to
 * extend what it holds, which was covered for half a visibility timeout at least when that
 * was refused: running jobs are over well before others get their messages. */
static int64_t time_to_end(const struct drainer *d)
{
    const int64_t most_ns = 20 * JOBQ_NS_PER_S;
    if (d->fatal.code == JOBQ_OK)
        return d->visibility_ns;
    return d->visibility_ns / 3 < most_ns ? d->visibility_ns / 3 : most_ns;
}

static void say_not_returned(struct drainer *d)
{
    char text[128];
    if (d->not_returned == 0)
        return;
    snprintf(
        text, sizeof text,
        "%lld message%s could not be given back; the queue returns what it hides when "
        "the visibility timeout ends",
        (long long)d->not_returned, d->not_returned == 1 ? "" : "s");
    drain_notice(d, text);
}

int drainer_run(struct drainer *d, struct jobq_error *err)
{
    beat_start(d);
    watch_start(d);
    d->begun = true;
    drain_pump(d);
    for (;;) {
        while (d->mode != DRAINER_STOPPING && !d->idle && d->fatal.code == JOBQ_OK)
            fiber_cond_wait(d->b->sched, &d->changed, JOBQ_FOREVER);
        if (d->mode == DRAINER_STOPPING || d->fatal.code != JOBQ_OK ||
            !house_before_end(d))
            break;
        d->idle = false;
        d->quiet_since_ns = -1;
        drain_pump(d);
    }
    if (d->mode != DRAINER_STOPPING)
        d->stop_at_ns = jobq_now(d->b) + time_to_end(d);
    int code = stop_run(d, err);
    watch_write_stats(d);
    say_not_returned(d);
    health_release(&d->health);
    d->mode = DRAINER_STOPPED;
    d->ended = true;
    share_leave(d);
    drain_pump(d); /* its part goes to the others */
    fiber_cond_broadcast(&d->tick);
    fiber_cond_broadcast(&d->watch);
    fiber_cond_broadcast(&d->room);
    if (d->fatal.code != JOBQ_OK) {
        *err = d->fatal;
        return err->code;
    }
    return code;
}

void drainer_stop(struct drainer *d, int64_t deadline_at_ns)
{
    if (d->mode == DRAINER_STOPPING) {
        d->stop_again = true;
        if (deadline_at_ns < d->stop_at_ns)
            d->stop_at_ns = d->give_up_at_ns = deadline_at_ns;
    } else if (d->mode != DRAINER_STOPPED) {
        d->mode = DRAINER_STOPPING;
        d->stop_at_ns = deadline_at_ns;
    }
    d->stopping = true;
    fiber_cond_broadcast(&d->changed);
}

void drainer_quiet(struct drainer *d, bool quiet)
{
    if (quiet && d->mode == DRAINER_RUNNING) {
        d->mode = DRAINER_QUIET;
        jobq_queue_abort_receives(d->b);
    } else if (!quiet && d->mode == DRAINER_QUIET) {
        d->mode = DRAINER_RUNNING;
        drain_pump(d);
    }
}

void drainer_resize(struct drainer *d, int slots)
{
    d->share->slots = slots < 1                   ? 1
                      : slots > DRAINER_SLOTS_MAX ? DRAINER_SLOTS_MAX
                                                  : slots;
    if (d->mode == DRAINER_RUNNING)
        drain_pump(d);
}

bool drainer_cancel(struct drainer *d, struct jobq_str job_id)
{
    for (struct held *h = d->run_first; h; h = h->run_next)
        if (h->body.id.ptr && str_eq(h->body.id, job_id)) {
            h->cancelled = true;
            attempt_end_child(h, d->options.kill_grace_ns);
            return true;
        }
    return false;
}

void drainer_view(const struct drainer *d, struct drainer_view *out)
{
    *out = (struct drainer_view){
        .mode = d->mode,
        .idle = d->idle && !d->stopping,
        .polls = d->receiving > 0 || receive_want(d) > 0,
        .slots = d->share->slots,
        .busy = d->busy,
        .held = d->held_count - d->busy > 0 ? d->buffer.count : 0,
        .deletes_waiting = d->deletes_held,
        .prefetch = d->prefetch,
        .visibility_ns = d->visibility_ns,
        .started_wall_ns = d->started_wall_ns,
        .last_receive_at_ns = d->last_receive_at_ns,
        .waited_ns = d->waited_ns,
        .last_poll_at_ns = d->last_poll_at_ns,
        .notice_wall_ns = d->notice_wall_ns,
        .counters = d->counters,
    };
    enum jobq_action action;
    const struct health_trouble *t = health_worst(&d->health, &action);
    if (t) {
        bool may_pass = jobq_code_is_retryable(t->code) || t->code == JOBQ_LIMIT;
        const struct health_report report = {.kind =
                                                 may_pass ? HEALTH_FAILS : HEALTH_REFUSED,
                                             .action = action,
                                             .failures = t->failures,
                                             .for_ns = jobq_now(d->b) - t->first_at_ns,
                                             .text = t->text};
        health_line(&report, out->trouble);
    }
    memcpy(out->id, d->id, sizeof out->id);
    memcpy(out->box, d->box.ptr, (size_t)d->box.len);
}

int drainer_slots(const struct drainer *d, struct drainer_slot *out, int cap)
{
    int count = 0;
    for (const struct held *h = d->run_first; h && count < cap; h = h->run_next)
        out[count++] = (struct drainer_slot){
            .job_id = h->body.id.ptr ? h->body.id : STR("-"),
            .kind = h->body.kind,
            .attempt = h->attempt,
            .started_at_ns = h->started_at_ns,
            .visible_at_ns = h->covered_at_ns + d->visibility_ns,
            .progress_percent = h->progress,
        };
    return count;
}
