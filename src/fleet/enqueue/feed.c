#include "fleet/enqueue/feed.h"

#include "base/arena.h"
#include "base/text.h"
#include "fiber/fiber.h"

#include <assert.h>

/* Jobs a feeder takes at once: two calls of rows (25) and five of messages (10). */
enum { FEED_MAX = 50 };

struct feed {
    struct jobq_backend *b;
    struct enqueuer *enqueuer;
    struct feed_options options;
    struct feed_job ahead; /* the next job, if has_ahead */
    bool has_ahead;
    bool taking; /* a feeder waits for the next arrival; the others wait for it */
    struct fiber_cond turn;
    int feeders; /* that have not ended */
    int64_t next_tag;
};

struct feeder {
    struct feed *feed;
    struct enqueuer_job job[FEED_MAX];
    struct job_pair pair[FEED_MAX][3];
    char seconds[FEED_MAX][24];
    struct feed_job what[FEED_MAX];
};

/* 1500000000 -> "1.5", exact. */
static int64_t feed_write_seconds(int64_t ns, char *out)
{
    int len = text_write_int(out, ns / JOBQ_NS_PER_S);
    int64_t rest = ns % JOBQ_NS_PER_S;
    if (rest) {
        out[len++] = '.';
        for (int64_t scale = JOBQ_NS_PER_S / 10; rest; scale /= 10) {
            out[len++] = (char)('0' + rest / scale);
            rest %= scale;
        }
    }
    return len;
}

static void feed_set_job(struct feeder *f, int at, const struct feed_job *what)
{
    struct feed *feed = f->feed;
    struct enqueuer_job *job = &f->job[at];
    struct job_pair *pair = f->pair[at];
    f->what[at] = *what;
    int64_t job_ns = what->job_ns < JOB_SLEEP_MAX_NS ? what->job_ns : JOB_SLEEP_MAX_NS;
    pair[0] = (struct job_pair){STR("kind"), STR("sleep")};
    pair[1].name = STR("seconds");
    pair[1].value =
        (struct jobq_str){f->seconds[at], feed_write_seconds(job_ns, f->seconds[at])};
    pair[2].name = STR("payload");
    pair[2].value = (struct jobq_str){NULL, feed->options.payload_bytes};
    /* Field by field: its id's bytes, most of it, need not be zero. */
    job->pair = pair;
    job->pair_count = feed->options.payload_bytes > 0 ? 3 : 2;
    job->key = (struct jobq_str){NULL, 0};
    job->limits = (struct job_limits){0};
    job->delay_ns = 0;
    job->tag = feed->next_tag++;
}

static int64_t ahead_at_ns(const struct feed *feed)
{
    return feed->options.origin_ns + feed->ahead.arrival_ns;
}

/* The jobs that have come by now, at least one; waits for it. 0: no more. One feeder at a
 * time, so that jobs are taken in their order. */
static int feed_take(struct feeder *f, int cap)
{
    struct feed *feed = f->feed;
    while (feed->taking)
        fiber_cond_wait(feed->b->sched, &feed->turn, JOBQ_FOREVER);
    int count = 0;
    if (!feed->has_ahead)
        return 0;
    feed->taking = true;
    if (ahead_at_ns(feed) > jobq_now(feed->b))
        fiber_sleep_until(feed->b->sched, ahead_at_ns(feed));
    while (count < cap && feed->has_ahead && ahead_at_ns(feed) <= jobq_now(feed->b)) {
        feed_set_job(f, count++, &feed->ahead);
        feed->has_ahead = feed->options.next(feed->options.ctx, &feed->ahead);
    }
    feed->taking = false;
    if (feed->has_ahead)
        fiber_cond_signal(&feed->turn);
    else
        fiber_cond_broadcast(&feed->turn);
    return count;
}

static void feed_main(void *arg)
{
    struct feed *feed = arg;
    const struct feed_options *o = &feed->options;
    struct feeder *f = arena_alloc(fiber_proc_arena(feed->b->proc), sizeof *f);
    f->feed = feed;
    int cap = o->batch >= JOBQ_BATCH_MAX ? FEED_MAX : o->batch, count;
    while ((count = feed_take(f, cap)) > 0) {
        struct jobq_error err;
        enqueuer_add_many(feed->enqueuer, f->job, count, &err);
        for (int i = 0; i < count; i++)
            o->answered(o->ctx, &f->job[i], &f->what[i]);
    }
    if (--feed->feeders == 0)
        o->fed(o->ctx);
}

struct feed *feed_start(struct jobq_backend *b, struct enqueuer *enqueuer,
                        const struct feed_options *options)
{
    assert(b && enqueuer && options->feeders >= 1 && options->batch >= 1 &&
           options->batch <= JOBQ_BATCH_MAX && options->payload_bytes >= 0);
    struct feed *feed = arena_zalloc(fiber_proc_arena(b->proc), sizeof *feed);
    feed->b = b;
    feed->enqueuer = enqueuer;
    feed->options = *options;
    feed->feeders = options->feeders;
    feed->has_ahead = options->next(options->ctx, &feed->ahead);
    for (int i = 0; i < options->feeders; i++)
        fiber_spawn(b->proc, feed_main, feed);
    return feed;
}
