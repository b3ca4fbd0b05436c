/* bench_simpledb.c - ns a put and bytes a row of the SimpleDB model, in the pattern of the
 * fleet: rows written by 25, then claimed and finished one by one in the order of their
 * enqueueing, over 4 domains. Arguments: ROUNDS (medians of so many), JOBS. */
#include "models/simpledb/simpledb.h"

#include "base/arena.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DOMAINS = 4, BATCH = 25, ID_MAX = 48 };

struct run {
    struct simpledb *model;
    struct simpledb_reply reply;
    struct jobq_error err;
    int domain[DOMAINS];
    int jobs;
    int64_t now_ns;
};

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void check(int code, const struct run *r)
{
    if (code < 0) {
        fprintf(stderr, "bench_simpledb: %s\n", r->err.text);
        exit(1);
    }
}

/* As src/fleet's ids: queue, a counter in base 32, then day, shard and process. */
static struct jobq_str id_of(int job, char *out)
{
    static const char digit[] = "0123456789abcdefghijklmnopqrstuv";
    memcpy(out, "jobs-01k8vq7xw00002gv00m4n8pq", 29);
    for (int i = 0; i < 5; i++)
        out[17 - i] = digit[(job >> (5 * i)) & 31];
    out[22] = digit[job / BATCH % DOMAINS];
    return (struct jobq_str){out, 29};
}

static int domain_of(const struct run *r, int job)
{
    return r->domain[job / BATCH % DOMAINS];
}

static void enqueue(struct run *r, int64_t payload)
{
    for (int job = 0; job < r->jobs; job += BATCH) {
        struct jobq_item item[BATCH];
        struct jobq_attr attr[BATCH][3];
        char id[BATCH][ID_MAX], t[24];
        struct jobq_str at = {t, text_write_int(t, 1790000000000 + job)};
        for (int i = 0; i < BATCH; i++) {
            attr[i][0] = (struct jobq_attr){STR("p0"), {NULL, payload}, true};
            attr[i][1] = (struct jobq_attr){STR("t"), at, true};
            item[i] = (struct jobq_item){id_of(job + i, id[i]), attr[i], 2};
        }
        r->now_ns += 1000;
        check(simpledb_put_batch(r->model, r->now_ns, domain_of(r, job), item, BATCH,
                                 &r->reply, &r->err),
              r);
    }
}

static void claim(struct run *r, int job)
{
    char id[ID_MAX];
    const struct jobq_attr attr[2] = {
        {STR("claim"), STR("running 1/3f9ac01d.4211"), true},
        {STR("run"), STR("1790000001234 i-0123456789abcdef0 m-00000000000042"), true}};
    const struct jobq_expect absent = {.name = STR("claim"), .exists = false};
    check(simpledb_put(r->model, r->now_ns += 10, domain_of(r, job), id_of(job, id), attr,
                       2, &absent, &r->reply, &r->err),
          r);
}

static void finish(struct run *r, int job)
{
    char id[ID_MAX];
    const struct jobq_attr attr[2] = {
        {STR("claim"), STR("done 1/3f9ac01d.4211"), true},
        {STR("end"), STR("1790000002345 0 100000000 100"), true}};
    const struct jobq_expect mine = {STR("claim"), STR("running 1/3f9ac01d.4211"), true};
    check(simpledb_put(r->model, r->now_ns += 10, domain_of(r, job), id_of(job, id), attr,
                       2, &mine, &r->reply, &r->err),
          r);
}

static void begin(struct run *r)
{
    simpledb_reset(r->model, NULL);
    r->now_ns = 0;
    for (int i = 0; i < DOMAINS; i++) {
        char name[16];
        snprintf(name, sizeof name, "jobs.2gv0%d", i);
        r->domain[i] = simpledb_domain(r->model, str_of(name));
        check(simpledb_create_domain(r->model, 0, r->domain[i], &r->reply, &r->err), r);
    }
}

static int cmp(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, cmp);
    return x[n / 2];
}

int main(int argc, char **argv)
{
    enum { ROUNDS_MAX = 99 };
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    struct run r = {.jobs = argc > 2 ? atoi(argv[2]) / 100 * 100 : 1000000};
    struct simpledb_params params;
    int code = simpledb_params_load("aws-2026", &params, &r.err);
    check(code, &r);
    params.writes_per_s = 0;
    params.window.points = 0;
    r.model = simpledb_new(&params);
    struct simpledb *little = simpledb_new(&params);
    double queue[ROUNDS_MAX], take[ROUNDS_MAX], end[ROUNDS_MAX], small[ROUNDS_MAX];
    double bytes = 0;
    for (int round = 0; round < rounds; round++) {
        begin(&r);
        double t0 = cpu_ns();
        enqueue(&r, 1024);
        double t1 = cpu_ns();
        if (round == 0)
            bytes = (double)simpledb_memory(r.model) / r.jobs;
        /* A fleet of 1,024 slots: a claim, and the end of the job claimed so long ago. */
        for (int job = 0; job < r.jobs; job++)
            claim(&r, job);
        double t2 = cpu_ns();
        for (int job = 0; job < r.jobs; job++)
            finish(&r, job);
        double t3 = cpu_ns();
        /* The same while few jobs are queued at a time: all of it in the cache. */
        struct simpledb *large = r.model;
        r.model = little;
        begin(&r);
        int jobs = r.jobs;
        r.jobs = 1000;
        double t4 = cpu_ns();
        for (int i = 0; i < jobs / 1000; i++) {
            enqueue(&r, 1024);
            for (int job = 0; job < r.jobs; job++)
                claim(&r, job);
            for (int job = 0; job < r.jobs; job++)
                finish(&r, job);
            if (i < jobs / 1000 - 1)
                begin(&r);
        }
        double t5 = cpu_ns();
        r.jobs = jobs;
        r.model = large;
        queue[round] = (t1 - t0) / jobs;
        take[round] = (t2 - t1) / jobs;
        end[round] = (t3 - t2) / jobs;
        small[round] = (t5 - t4) / jobs / 3;
    }
    printf("simpledb: %d jobs, medians of %d\n", r.jobs, rounds);
    printf("  enqueue, batches of %d   %6.0f ns a row\n", BATCH, median(queue, rounds));
    printf("  claim (conditional)      %6.0f ns\n", median(take, rounds));
    printf("  finish (conditional)     %6.0f ns\n", median(end, rounds));
    printf("  any of them, 1,000 rows  %6.0f ns\n", median(small, rounds));
    printf("  memory                   %6.1f bytes a queued row, index included\n",
           bytes);
    simpledb_free(r.model);
    simpledb_free(little);
    return 0;
}
