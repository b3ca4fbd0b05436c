/* contract_house.c - dropping old days asks the same of the store in every world, and is
 * billed the same: the counts below are written once and hold in both. */
#include "tests/contract/contract.h"

#include "fleet/drain/drainer.h"
#include "fleet/enqueue/enqueuer.h"
#include "fleet/housekeeping/housekeeping.h"

enum { OLD_TABLES = 3 };

static void make_table(struct contract *c, struct jobq_str queue, int day, int shard,
                       const char *claim)
{
    struct jobq_error err;
    struct jobq_table made = {queue, day, shard};
    struct jobq_attr attr[] = {{STR("t"), STR("1000"), true},
                               {STR("claim"), str_of(claim), true}};
    int table;
    WANT(c, jobq_store_open(c->b, &made, &table, &err) == JOBQ_OK);
    WANT(c, jobq_store_make(c->b, table, &err) == JOBQ_OK);
    WANT(c, jobq_store_put(c->b, table, &(struct jobq_item){STR("job"), attr, 2}, NULL,
                           NULL, &err) == JOBQ_OK);
}

static int64_t requests(const struct jobq_ledger *now, const struct jobq_ledger *then,
                        enum jobq_action action)
{
    return now->action[action].requests - then->action[action].requests;
}

/* A drainer that ends as soon as the queue is empty keeps house before it does: there is a day
 * of before. It asks once, and then does all steps once. */
static void contract_short_drainer(struct contract *c, struct jobq_str queue)
{
    struct jobq_error err;
    struct enqueuer_options options = enqueuer_defaults(queue.ptr);
    struct enqueuer *e;
    struct job_pair pair[] = {{STR("kind"), STR("sleep")}, {STR("seconds"), STR("0")}};
    char id[JOB_ID_MAX + 1];
    options.shards = 1;
    options.max_receive_count = -1;
    WANT(c, enqueuer_new(c->b, &options, &e, &err) == JOBQ_OK);
    WANT(c, enqueuer_add(e, pair, 2, id, &err) == JOBQ_OK);
    struct jobq_ledger *then = arena_alloc(&c->arena, sizeof *then);
    *then = *c->b->ledger;
    struct drainer_options drain = drainer_defaults(queue.ptr, 1);
    struct drainer *d;
    drain.idle_exit_ns = 0;
    drain.stats_ns = JOBQ_FOREVER;
    drain.linger_ns = 0;
    drain.box = "i-0123456789abcdef0";
    WANT(c, drainer_new(c->b, &drain, &d, &err) == JOBQ_OK);
    WANT(c, drainer_run(d, &err) == JOBQ_OK);
    const struct jobq_ledger *now = c->b->ledger;
    static const struct {
        enum jobq_action action;
        int64_t requests;
    } made[] = {
        {JOBQ_ACT_SDB_GET, 1},           /* the note, which is not there */
        {JOBQ_ACT_SDB_LIST_DOMAINS, 3},  /* for want of it; of prune and repair */
        {JOBQ_ACT_SDB_CREATE_DOMAIN, 1}, /* the note's */
        {JOBQ_ACT_SDB_PUT, 2 + 2},       /* claim and end; the note, twice */
        {JOBQ_ACT_SDB_SELECT, 4}, /* live rows, drainers' lines, keys, waiting rows */
        {JOBQ_ACT_SDB_DELETE_DOMAIN, 0}, /* the day has a live row */
    };
    int64_t all = 0, box = 0;
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        int64_t count = requests(now, then, made[i].action);
        WANT(c, count == made[i].requests);
        all += count;
        box += now->action[made[i].action].box_usage_e10h -
               then->action[made[i].action].box_usage_e10h;
    }
    printf("a short drainer: %lld SimpleDB requests, BoxUsage %lld e-10 h\n",
           (long long)all, (long long)box);
    WANT(c, box == CONTRACT_SHORT_E10H);
}

/* A store that keeps all days in one place drops each row by itself: nothing is left to do
 * but to look. */
static void rows_go_alone(struct contract *c, const struct housekeeping *h)
{
    struct jobq_error err;
    struct housekeeping_done done = {0};
    struct jobq_table jobs = {h->queue_name, JOBQ_DAY_ALL, 0};
    const enum jobq_action *action = c->b->store->ops->action;
    int table;
    WANT(c, jobq_store_open(c->b, &jobs, &table, &err) == JOBQ_OK);
    int code;
    while ((code = jobq_store_make(c->b, table, &err)) == JOBQ_UNAVAILABLE)
        contract_sleep(c, JOBQ_NS_PER_S);
    WANT(c, code == JOBQ_OK);
    struct jobq_ledger *then = arena_alloc(&c->arena, sizeof *then);
    *then = *c->b->ledger;
    WANT(c, housekeeping_prune(h, &done, &err) == JOBQ_OK);
    WANT(c, done.tables == 1 && done.dropped == 0 && done.kept == 0);
    WANT(c, requests(c->b->ledger, then, action[JOBQ_STORE_LIST]) == 1);
    WANT(c, requests(c->b->ledger, then, action[JOBQ_STORE_PAGE]) == 1);
    WANT(c, jobq_store_drop(c->b, table, &err) == JOBQ_OK);
}

void contract_house(struct contract *c)
{
    struct jobq_error err;
    struct housekeeping_done done = {0};
    struct jobq_str queue = str_of(contract_name(c, "house"));
    int today = (int)(jobq_wall(c->b) / JOBQ_NS_PER_DAY);
    struct housekeeping h = {.b = c->b,
                             .queue_name = queue,
                             .keep_ns = 21 * JOBQ_NS_PER_DAY,
                             .retention_ns = 14 * JOBQ_NS_PER_DAY,
                             .visibility_ns = 30 * JOBQ_NS_PER_S};
    /* Two old days that are over, one with a job that runs, and today. */
    int old = today - 30;
    WANT(c, old > 0);
    if (c->b->store->ops->batch_max == 1) {
        rows_go_alone(c, &h);
        return;
    }
    make_table(c, queue, old, 0, "done 1/a");
    make_table(c, queue, old, 1, "dead 3/b");
    make_table(c, queue, old + 1, 0, "running 1/c");
    make_table(c, queue, today, 0, "done 1/d");
    struct jobq_ledger *then = arena_alloc(&c->arena, sizeof *then);
    *then = *c->b->ledger;
    WANT(c, housekeeping_prune(&h, &done, &err) == JOBQ_OK);
    WANT(c, done.tables == 4 && done.dropped == 2 && done.kept == 1);
    const struct jobq_ledger *now = c->b->ledger;
    WANT(c, requests(now, then, JOBQ_ACT_SDB_LIST_DOMAINS) == 1);
    WANT(c, requests(now, then, JOBQ_ACT_SDB_DELETE_DOMAIN) == 2);
    /* A look at each old table, and one each at the drainers' lines and the keys, which nobody
     * has written. */
    WANT(c, requests(now, then, JOBQ_ACT_SDB_SELECT) == OLD_TABLES + 2);
    int64_t all = 0, box = 0;
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++) {
        all += requests(now, then, (enum jobq_action)i);
        box += now->action[i].box_usage_e10h - then->action[i].box_usage_e10h;
    }
    WANT(c, all == 1 + 2 + OLD_TABLES + 2);
    printf("prune: %lld requests, BoxUsage %lld e-10 h\n", (long long)all,
           (long long)box);
    WANT(c, box == CONTRACT_PRUNE_E10H);
    contract_short_drainer(c, queue);
    /* Nothing is left behind. */
    for (int i = 0; i < 3; i++) {
        struct jobq_table left = {queue,
                                  i == 2 ? JOBQ_DAY_DRAINERS
                                  : i    ? today
                                         : old + 1,
                                  0};
        int table;
        WANT(c, jobq_store_open(c->b, &left, &table, &err) == JOBQ_OK);
        WANT(c, jobq_store_drop(c->b, table, &err) == JOBQ_OK);
    }
}
