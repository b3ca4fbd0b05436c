/* rows.c - how do rows come into a domain that may not be there?
 *
 * Room:     src/fleet, private to the enqueuer.
 * Blocks:   at store calls, and behind another lane that asks about the same domain.
 *
 * Nobody pays for a domain that is there: the first put of a process into each domain is the
 * question, and the others wait for its answer. If the domain is missing, the lane that
 * asked makes it and tells the rest. So many lanes that begin on a new queue together make
 * each domain once, and only one put a domain is refused. A domain that is dropped later,
 * under a running process, is made again once, too. */
#include "base/text.h"
#include "fleet/enqueue/parts.h"

#include <assert.h>

static struct enqueue_domain *of_day(struct enqueuer *e, int day, int shard)
{
    assert(shard >= 0 && shard < JOB_SHARDS_MAX);
    if (day != e->day) {
        e->day = day;
        for (int i = 0; i < JOB_SHARDS_MAX; i++)
            e->domain[i] = (struct enqueue_domain){.handle = -1};
    }
    return &e->domain[shard];
}

int enqueue_domain(struct enqueuer *e, int day, int shard, struct jobq_error *err)
{
    /* An id may name a shard that no enqueuer of ours writes to. */
    struct enqueue_domain *d = shard < JOB_SHARDS_MAX ? of_day(e, day, shard) : NULL;
    if (d && d->handle >= 0)
        return d->handle;
    char name[JOB_DOMAIN_MAX + 1];
    int handle = -1;
    job_domain_name(e->queue_name, day, shard, name);
    int code = jobq_store_open(e->b, name, &handle, err);
    if (code < 0)
        return code;
    if (d)
        d->handle = handle;
    return handle;
}

/* Waits while another lane asks or makes. True: the caller is the one who asks. */
static bool enter(struct enqueuer *e, int day, int shard, int64_t deadline_ns)
{
    struct enqueue_domain *d;
    while ((d = of_day(e, day, shard))->asked_now)
        if (fiber_cond_wait(e->b->sched, &e->domain_news, deadline_ns) == FIBER_TIMED_OUT)
            return false;
    if (d->answered)
        return false;
    d->asked_now = true;
    return true;
}

/* Any answer but NOT_FOUND lets the others go on: a throttle must not queue them up. */
static void leave(struct enqueuer *e, int day, int shard)
{
    if (day == e->day) {
        e->domain[shard].asked_now = false;
        e->domain[shard].answered = true;
    }
    fiber_cond_broadcast(&e->domain_news);
}

static int make(struct enqueuer *e, int day, int shard, const int64_t *deadline_ns,
                struct jobq_error *err)
{
    char name[JOB_DOMAIN_MAX + 1];
    struct retry r;
    int code;
    job_domain_name(e->queue_name, day, shard, name);
    retry_init(&r, e->b, &RETRY_CALLS, deadline_ns);
    do
        code = jobq_store_create_domain(e->b, name, err);
    while (code < 0 && retry_again(&r, code));
    e->counters.retries += r.tries;
    if (code == JOBQ_OK && day == e->day)
        e->domain[shard].makings++;
    return code;
}

static int put(struct enqueuer *e, int domain, const struct jobq_item *item, int count,
               struct jobq_error *err)
{
    e->counters.row_calls++;
    return count == 1 ? jobq_store_put(e->b, domain, item, NULL, err)
                      : jobq_store_put_batch(e->b, domain, item, count, err);
}

/* One put, and if the domain is not there another behind its making. */
static int put_or_make(struct enqueuer *e, int day, int shard,
                       const struct jobq_item *item, int count,
                       const int64_t *deadline_ns, struct jobq_error *err)
{
    bool asks = enter(e, day, shard, *deadline_ns);
    int domain = enqueue_domain(e, day, shard, err);
    int makings = of_day(e, day, shard)->makings;
    int code = domain < 0 ? domain : put(e, domain, item, count, err);
    if (code == JOBQ_NOT_FOUND && domain >= 0 && e->options.create) {
        if (!asks) {
            /* It was there, and is dropped: the first to hear of it makes it. */
            of_day(e, day, shard)->answered = false;
            asks = enter(e, day, shard, *deadline_ns);
        }
        code = makings == of_day(e, day, shard)->makings
                   ? make(e, day, shard, deadline_ns, err)
                   : JOBQ_OK;
        if (asks)
            leave(e, day, shard);
        return code < 0 ? code : put(e, domain, item, count, err);
    }
    if (asks)
        leave(e, day, shard);
    return code;
}

int enqueue_store(struct enqueuer *e, int day, int shard, const struct jobq_item *item,
                  int count, const int64_t *deadline_ns, struct jobq_error *err)
{
    struct retry r;
    retry_init(&r, e->b, &RETRY_CALLS, deadline_ns);
    int code;
    do
        code = put_or_make(e, day, shard, item, count, deadline_ns, err);
    while (code < 0 && retry_again(&r, code));
    e->counters.retries += r.tries;
    return code;
}

int enqueuer_make_domains(struct enqueuer *e, struct jobq_error *err)
{
    int code = JOBQ_OK;
    if (!e->b->store)
        return JOBQ_OK;
    int day = job_day(jobq_wall(e->b), e->options.rotate_days);
    for (int shard = 0; shard < e->options.domains && code >= 0; shard++) {
        of_day(e, day, shard)->asked_now = true;
        code = make(e, day, shard, NULL, err);
        leave(e, day, shard);
    }
    return code;
}
