/* bench_sqs.c - what a message costs in the SQS model: nanoseconds and bytes.
 *
 * `make bench-sqs`; argument: rounds (9), of which the median is printed.
 *   cycle      send 10, receive 10, delete 10 on a warm queue, with 0 and with 1e6 queued
 *   beat       the same with one ChangeMessageVisibility of each message between
 *   mixed      the same with ten different visibility timeouts, which go to the heap
 *   wait       send 10 to one long poll, take its grant, delete 10
 *   memory     bytes a queued message beside its body, small and 64 KiB phantom bodies
 * Prepared for the fleet's inner loop: the whole budget is about 1,000 ns a job. */
#include "models/sqs/sqs.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 10, MESSAGES = 200000, QUEUED = 1000000 };

struct rig {
    struct sqs_params params;
    struct sqs *s;
    int queue;
    int64_t now;
    struct sqs_received got;
    struct jobq_error err;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(enum sqs_fault fault, const struct rig *rig)
{
    if (fault != SQS_OK) {
        fprintf(stderr, "bench_sqs: %s\n", rig->err.text);
        exit(1);
    }
}

static void init(struct rig *rig, const char *model)
{
    *rig = (struct rig){0};
    if (sqs_params_load(model, &rig->params, &rig->err) != JOBQ_OK)
        must(SQS_BAD_PARAMETER, rig);
    rig->s = sqs_new(&rig->params);
}

static void reset(struct rig *rig)
{
    struct sqs_settings none = {0};
    sqs_reset(rig->s);
    rig->now = 0;
    must(sqs_create(rig->s, 0, STR("bench"), &none, &rig->queue, &rig->err), rig);
}

static void send_batch(struct rig *rig, int64_t phantom)
{
    static const char body[] = "bench-0001020304050607-000000000000";
    struct sqs_outgoing out[BATCH];
    struct sqs_sent sent[BATCH];
    for (int i = 0; i < BATCH; i++)
        out[i] = (struct sqs_outgoing){.body = {body, sizeof body - 1},
                                       .phantom_bytes = phantom,
                                       .delay_ns = SQS_DEFAULT};
    must(sqs_send(rig->s, rig->now, rig->queue, true, out, BATCH, sent, &rig->err), rig);
}

static void delete_got(struct rig *rig)
{
    struct sqs_receipt receipt[BATCH];
    enum sqs_fault result[BATCH];
    for (int i = 0; i < rig->got.count; i++)
        receipt[i] = rig->got.message[i].receipt;
    must(sqs_delete(rig->s, rig->now, 0.5, rig->queue, receipt, rig->got.count, result,
                    &rig->err),
         rig);
}

static void delete_if_any(struct rig *rig)
{
    if (rig->got.count > 0)
        delete_got(rig);
}

enum kind { CYCLE, BEAT, MIXED, WAIT };

static void one_cycle(struct rig *rig, enum kind kind, double u)
{
    struct sqs_receive r = {.max = BATCH,
                            .wait_ns = 20 * JOBQ_NS_PER_S,
                            .visibility_ns = SQS_DEFAULT,
                            .cookie = 1};
    struct sqs_grant grant;
    rig->now += JOBQ_NS_PER_MS;
    if (kind == WAIT) {
        must(sqs_receive(rig->s, rig->now, u, rig->queue, &r, &rig->got, &rig->err), rig);
        delete_if_any(rig); /* what a reordering receive passed over */
    }
    send_batch(rig, 1024);
    if (kind == WAIT) {
        while (sqs_take_grant(rig->s, &grant)) {
            rig->got = grant.received;
            delete_got(rig);
        }
        return;
    }
    rig->now += JOBQ_NS_PER_MS;
    must(sqs_receive(rig->s, rig->now, u, rig->queue, &r, &rig->got, &rig->err), rig);
    if (kind == BEAT || kind == MIXED) {
        struct sqs_change change[BATCH];
        enum sqs_fault result[BATCH];
        for (int i = 0; i < rig->got.count; i++)
            change[i] = (struct sqs_change){rig->got.message[i].receipt,
                                            kind == BEAT ? 30 * JOBQ_NS_PER_S
                                                         : (60 - 5 * i) * JOBQ_NS_PER_S};
        must(sqs_change_visibility(rig->s, rig->now, rig->queue, change, rig->got.count,
                                   result, &rig->err),
             rig);
    }
    rig->now += JOBQ_NS_PER_MS;
    delete_got(rig);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double cycle_ns(struct rig *rig, enum kind kind, int queued, int rounds)
{
    double ns[64];
    reset(rig);
    for (int i = 0; i < queued; i += BATCH)
        send_batch(rig, 1024);
    for (int round = -1; round < rounds; round++) {
        double begin = seconds();
        for (int i = 0; i < MESSAGES / BATCH; i++)
            one_cycle(rig, kind, (i + 0.5) / (MESSAGES / BATCH));
        if (round >= 0)
            ns[round] = 1e9 * (seconds() - begin) / MESSAGES;
    }
    qsort(ns, (size_t)rounds, sizeof *ns, by_value);
    return ns[rounds / 2];
}

static void memory(const char *model, int64_t phantom)
{
    struct rig rig;
    init(&rig, model);
    reset(&rig);
    int64_t before = sqs_memory_bytes(rig.s);
    double begin = seconds();
    for (int i = 0; i < QUEUED; i += BATCH)
        send_batch(&rig, phantom);
    double first = seconds() - begin;
    int64_t used = sqs_memory_bytes(rig.s) - before;
    reset(&rig);
    begin = seconds();
    for (int i = 0; i < QUEUED; i += BATCH)
        send_batch(&rig, phantom);
    printf(
        "%-10s phantom %6lld B: %4lld bytes a queued message beside its 35 body bytes, "
        "%4.0f ns a send of fresh memory, %4.0f reused\n",
        model, (long long)phantom, (long long)(used / QUEUED - 35), 1e9 * first / QUEUED,
        1e9 * (seconds() - begin) / QUEUED);
    sqs_free(rig.s);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 9;
    static const char *const model[] = {"ideal", "aws-2026"};
    static const char *const name[] = {"cycle", "beat", "mixed", "wait"};
    if (rounds < 1 || rounds > 64)
        rounds = 9;
    for (int m = 0; m < 2; m++) {
        struct rig rig;
        init(&rig, model[m]);
        for (int k = CYCLE; k <= WAIT; k++) {
            printf("%-10s %-6s %6.1f ns a message", model[m], name[k],
                   cycle_ns(&rig, (enum kind)k, 0, rounds));
            if (k != WAIT)
                printf(", %6.1f with 1e6 queued",
                       cycle_ns(&rig, (enum kind)k, QUEUED, rounds));
            printf("\n");
        }
        sqs_free(rig.s);
    }
    memory("ideal", 1024);
    memory("aws-2026", 65000);
    return 0;
}
