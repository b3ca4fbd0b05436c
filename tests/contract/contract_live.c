/* contract_live.c - the contract suites on the network: whatever AWS_ENDPOINT_URL or the
 * account of the environment names.
 *
 * usage: contract_live [--budget USD] [--boxes AMI] [--store simpledb|dynamodb]
 * Says first what it will spend at most, and refuses more than the budget (0.05). Boxes are
 * launched only with --boxes. */
#include "tests/contract/contract.h"

#include "live/world/live.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* us-east-1, 2026: pricing/sheets has these with their sources. A domain made and dropped is
 * 0.0111 machine hours; two t4g.nano for their least minute. */
#define SQS_USD 0.0000004
#define SDB_HOUR_USD 0.14
#define BOX_USD (2 * 0.0042 / 60)

struct run {
    struct live *live;
    bool denied;
    struct contract c;
};

static void on_fiber(void *arg)
{
    struct run *r = arg;
    struct wire_keys keys;
    struct jobq_error err;
    if (credentials_get(&r->live->credentials, &keys, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        r->denied = true;
        live_end(r->live);
        return;
    }
    contract_queue(&r->c);
    contract_store(&r->c);
    contract_fleet(&r->c);
    contract_house(&r->c);
    live_end(r->live);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"budget", required_argument, NULL, 'b'},
                                          {"boxes", required_argument, NULL, 'i'},
                                          {"store", required_argument, NULL, 's'},
                                          {NULL, 0, NULL, 0}};
    double budget = 0.05;
    struct live_options options = {0};
    struct jobq_error err;
    struct run *r = xcalloc(1, sizeof *r);
    for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (o == 'i')
            r->c.image = optarg;
        else if (o == 's')
            options.store = strcmp(optarg, "dynamodb") == 0 ? SCENARIO_STORE_DYNAMODB
                                                            : SCENARIO_STORE_SIMPLEDB;
        else if (o != 'b' || jobq_parse_number(optarg, &budget, &err) < 0)
            return 2;
    }
    double usd = CONTRACT_SQS * SQS_USD +
                 (6 * 0.0111 + CONTRACT_SDB * 0.0000220) * SDB_HOUR_USD +
                 (r->c.image ? BOX_USD : 0);
    printf("spends at most $%.4f (%d SQS requests, %d of the store, six tables%s)\n", usd,
           CONTRACT_SQS, CONTRACT_SDB, r->c.image ? ", two boxes" : "");
    if (usd > budget) {
        fprintf(stderr, "that is more than the budget of $%.4f\n", budget);
        return 3;
    }
    r->live = xcalloc(1, sizeof *r->live);
    loop_ignore_pipe();
    if (live_open(r->live, &options, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 77;
    }
    char prefix[40];
    snprintf(prefix, sizeof prefix, "contract-%08llx",
             (unsigned long long)jobq_bits(&r->live->backend) & 0xffffffff);
    r->c.b = &r->live->backend;
    r->c.prefix = prefix;
    arena_init(&r->c.arena, 0);
    live_run(r->live, on_fiber, r, &err);
    int64_t sqs = jobq_ledger_requests(&r->live->ledger, JOBQ_SQS);
    int64_t sdb = jobq_ledger_requests(&r->live->ledger, JOBQ_SIMPLEDB) +
                  jobq_ledger_requests(&r->live->ledger, JOBQ_DYNAMODB);
    if (!r->denied)
        printf("live: %d of %d hold; %lld SQS and %lld requests of the store\n",
               r->c.wants - r->c.failures, r->c.wants, (long long)sqs, (long long)sdb);
    int bad = r->c.failures || r->c.wants < 90;
    if (r->denied)
        bad = 77;
    if (sqs > CONTRACT_SQS || sdb > CONTRACT_SDB) {
        puts("more requests than were announced");
        bad = 1;
    }
    arena_release(&r->c.arena);
    live_close(r->live);
    free(r->live);
    free(r);
    return bad;
}
