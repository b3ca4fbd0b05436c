#include "cost/bill/engine.h"

#include "base/arena.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GIB 1073741824.0
#define MIB 1048576.0
#define LAMBDA_LIMIT_S 900.0
#define LAMBDA_MB_MIN 128.0
#define LAMBDA_MB_MAX 10240.0
#define LAMBDA_MB_A_VCPU 1769.0
#define LAMBDA_POLLERS 5.0
#define LAMBDA_POLL_S 20.0

static const char *const ENGINES[ENGINE_COUNT] = {"ec2", "fargate", "lambda"};

const char *engine_name(enum engine engine)
{
    assert(engine >= 0 && engine < ENGINE_COUNT);
    return ENGINES[engine];
}

int engine_find(const char *name)
{
    for (int i = 0; i < ENGINE_COUNT; i++)
        if (strcmp(ENGINES[i], name) == 0)
            return i;
    return -1;
}

/* Graviton types have a 'g' behind the generation's number: t4g, c7gn. */
static bool engine_is_arm(const char *instance)
{
    const char *p = instance;
    while (*p && !isdigit((unsigned char)*p))
        p++;
    while (isdigit((unsigned char)*p))
        p++;
    return *p == 'g' || strncmp(instance, "a1.", 3) == 0;
}

/* The part that all engines share: requests, rows and bytes of a scenario without boxes. */
static int engine_base(const struct evaluate_context *c, struct predict_scenario *sc,
                       double interval_jobs, struct evaluation *out,
                       struct jobq_error *err)
{
    strcpy(sc->instance, "none");
    sc->volume_gib = 0;
    sc->public_ip = false;
    return evaluate(c, sc, interval_jobs, out, err);
}

/* Adds `quantity` of a price, already rounded, to the bill of an evaluation. */
static int engine_add(const struct evaluate_context *c, const char *what, double quantity,
                      struct evaluation *out, struct jobq_error *err)
{
    struct bill_options exact = *c->bill;
    exact.exact_time = true;
    return quantity > 0 ? bill_quantity(&out->bill, what, quantity, c->sheet, &exact, err)
                        : JOBQ_OK;
}

/* Dollars and interval after the bill has changed: the requests' interval moves along. */
static void engine_total(struct evaluation *out)
{
    double below = out->usd_per_million - out->low_per_million;
    double above = out->high_per_million - out->usd_per_million;
    out->usd_per_job = out->bill.usd / out->jobs;
    out->usd_per_million = out->usd_per_job * 1e6;
    out->low_per_million = fmax(0, out->usd_per_million - below);
    out->high_per_million = out->usd_per_million + above;
    out->price_half_per_million = evaluate_price_half(&out->bill) * 1e6 / out->jobs;
}

/* ---- Fargate ------------------------------------------------------------------------------ */

struct task {
    double vcpu, gb;
};

/* The sizes that AWS offers: memory from `low` to `high` GB in steps. */
static const struct {
    double vcpu, low, high, step;
} TASKS[] = {{0.25, 0.5, 2, 0.5}, {0.5, 1, 4, 1}, {1, 2, 8, 1},    {2, 4, 16, 1},
             {4, 8, 30, 1},       {8, 16, 60, 4}, {16, 32, 120, 8}};
#define TASK_COUNT (sizeof TASKS / sizeof *TASKS)

static bool engine_task(size_t index, double gb, struct task *out)
{
    if (gb > TASKS[index].high)
        return false;
    double steps = fmax(0, ceil((gb - TASKS[index].low) / TASKS[index].step));
    out->vcpu = TASKS[index].vcpu;
    out->gb = TASKS[index].low + steps * TASKS[index].step;
    if (index == 0 && out->gb > 1)
        out->gb = 2; /* 0.25 vCPU: 0.5, 1 or 2 GB */
    return true;
}

struct engine_fargate {
    struct task task;
    const struct sheet_row *vcpu, *gb; /* prices */
    double task_s;                     /* a job */
};

/* The cheapest size that holds the slots' memory; with few processors jobs take longer. One
 * that cannot keep up with the arrivals is taken only if none can. */
static int engine_fargate_size(const struct evaluate_context *c,
                               const struct predict_scenario *base, double gb,
                               struct engine_fargate *out, struct jobq_error *err)
{
    double least = HUGE_VAL;
    bool keeps_up = false;
    for (size_t i = 0; i < TASK_COUNT; i++) {
        struct predict_scenario sc = *base;
        struct formula_value value;
        struct task task;
        if (!engine_task(i, gb, &task))
            continue;
        sc.vcpus = task.vcpu;
        int code = formula_eval(c->formula, &sc, 0, &value, err);
        if (code)
            return code;
        const double *line = value.usage.line;
        double seconds = line[USAGE_BUSY] + line[USAGE_IDLE] + line[USAGE_BOOT];
        double usd = seconds * (task.vcpu * out->vcpu->usd + task.gb * out->gb->usd);
        bool keeps = value.state.rate_per_s >= base->arrivals_per_s * (1 - 1e-9);
        if (keeps_up && !keeps)
            continue;
        if (usd < least || (keeps && !keeps_up)) {
            least = usd;
            keeps_up = keeps;
            out->task = task;
            out->task_s = seconds;
        }
    }
    return least < HUGE_VAL
               ? JOBQ_OK
               : jobq_fail(err, JOBQ_LIMIT,
                           "%.0f slots of these jobs need %.3g GB; Fargate's largest "
                           "task has 120",
                           base->slots, gb);
}

static int engine_fargate(const struct evaluate_context *c,
                          const struct predict_scenario *base, double memory_bytes,
                          double interval_jobs, struct evaluation *out,
                          struct jobq_error *err)
{
    struct predict_scenario sc = *base;
    struct engine_fargate f = {0};
    struct sheet_price price = {0};
    bool arm = engine_is_arm(base->instance);
    int code = sheet_find(c->sheet, "fargate", arm ? "vcpu-arm" : "vcpu", &price, err);
    f.vcpu = price.tier;
    if (!code)
        code = sheet_find(c->sheet, "fargate", arm ? "gb-arm" : "gb", &price, err);
    f.gb = price.tier;
    if (!code)
        code = engine_fargate_size(c, base, base->slots * memory_bytes / GIB, &f, err);
    if (code)
        return code;
    sc.vcpus = f.task.vcpu;
    code = engine_base(c, &sc, interval_jobs, out, err);
    if (code)
        return code;
    double seconds = f.task_s * out->jobs;
    if (base->jobs > 0) /* each task by itself */
        seconds = sheet_billed_seconds(f.vcpu, seconds / base->boxes) * base->boxes;
    code = engine_add(c, arm ? "fargate.vcpu-arm" : "fargate.vcpu",
                      seconds / 3600 * f.task.vcpu, out, err);
    if (!code)
        code = engine_add(c, arm ? "fargate.gb-arm" : "fargate.gb",
                          seconds / 3600 * f.task.gb, out, err);
    if (code)
        evaluation_release(out);
    else
        engine_total(out);
    return code;
}

/* ---- Lambda -------------------------------------------------------------------------------- */

/* SQS's requests as Lambda makes them, instead of the drainer's. */
static void engine_lambda_queue(const struct predict_scenario *sc, double messages,
                                struct usage *usage)
{
    double *line = usage->line, receives = line[USAGE_ATTEMPTS] / messages, empty = 0;
    double full = line[USAGE_RECEIVE] - line[USAGE_EMPTY];
    double chunks = full > 0 ? line[USAGE_RECEIVE_CHUNKS] - line[USAGE_RECEIVE] : 0;
    if (sc->arrivals_per_s > 0)
        empty = LAMBDA_POLLERS / LAMBDA_POLL_S *
                exp(-sc->arrivals_per_s * LAMBDA_POLL_S / LAMBDA_POLLERS) /
                sc->arrivals_per_s;
    line[USAGE_EMPTY] = empty;
    line[USAGE_RECEIVE] = receives + empty;
    line[USAGE_RECEIVE_CHUNKS] = receives + empty + chunks;
    line[USAGE_DELETE] = 1 / messages;
    line[USAGE_VISIBILITY] = 0;
    line[USAGE_BUSY] = line[USAGE_IDLE] = line[USAGE_BOOT] = 0;
}

static int engine_lambda(const struct evaluate_context *c,
                         const struct predict_scenario *base, double memory_bytes,
                         double interval_jobs, struct evaluation *out,
                         struct jobq_error *err)
{
    struct predict_scenario sc = *base;
    double mb = fmax(LAMBDA_MB_MIN, ceil(memory_bytes / MIB));
    bool arm = engine_is_arm(base->instance);
    if (mb > LAMBDA_MB_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "a function has %.0f MB at most, not %.0f",
                         LAMBDA_MB_MAX, mb);
    sc.job_s *= 1 - sc.cpu_share + sc.cpu_share * fmax(1, LAMBDA_MB_A_VCPU / mb);
    sc.vcpus = sc.slots; /* each job has its function's */
    if (sc.job_s >= LAMBDA_LIMIT_S)
        return jobq_fail(err, JOBQ_LIMIT,
                         "Lambda ends a function after 15 minutes; with %.0f MB these "
                         "jobs take %.3g minutes",
                         mb, sc.job_s / 60);
    int code = engine_base(c, &sc, interval_jobs, out, err);
    if (code)
        return code;
    double hold_s = out->value.state.hold_s;
    double messages = sc.arrivals_per_s > 0 ? 1 : sc.batch;
    if (hold_s > 0)
        messages = fmax(1, fmin(messages, floor(LAMBDA_LIMIT_S / hold_s)));
    engine_lambda_queue(&sc, messages, &out->value.usage);
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    jobq_ledger_init(ledger);
    predict_ledger(&sc, &out->value.usage, out->jobs, ledger);
    bill_release(&out->bill);
    bill_init(&out->bill);
    code = bill_ledger(&out->bill, ledger, c->sheet, c->bill, err);
    double runs = out->value.usage.line[USAGE_ATTEMPTS] * out->jobs / messages;
    double run_s = ceil(messages * hold_s * 1e3 - 1e-9) / 1e3;
    if (!code)
        code = engine_add(c, "lambda.request", runs, out, err);
    if (!code)
        code = engine_add(c, arm ? "lambda.gb-second-arm" : "lambda.gb-second",
                          runs * run_s * mb / 1024, out, err);
    jobq_ledger_release(ledger);
    free(ledger);
    if (code)
        evaluation_release(out);
    else
        engine_total(out);
    return code;
}

int engine_evaluate(const struct evaluate_context *c, const struct predict_scenario *sc,
                    enum engine engine, double memory_bytes, double interval_jobs,
                    struct evaluation *out, struct jobq_error *err)
{
    assert(c && sc && memory_bytes > 0 && out && err);
    switch (engine) {
    case ENGINE_FARGATE:
        return engine_fargate(c, sc, memory_bytes, interval_jobs, out, err);
    case ENGINE_LAMBDA:
        return engine_lambda(c, sc, memory_bytes, interval_jobs, out, err);
    case ENGINE_EC2:
    case ENGINE_COUNT:
        break;
    }
    return evaluate(c, sc, interval_jobs, out, err);
}
