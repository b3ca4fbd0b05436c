#include "cost/predict/predict.h"

#include "cost/predict/run.h"
#include "cost/predict/wire.h"
#include "cost/fit/basis.h"
#include "jobq/flow.h"
#include "jobq/units.h"
#include "pricing/sheet.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const BINDINGS[PREDICT_BOUND_COUNT] = {"slots", "vcpu",      "domains",
                                                          "table", "in-flight", "launch"};

const char *predict_binding_name(enum predict_binding binding)
{
    return BINDINGS[binding];
}

double predict_vcpus(const struct predict_scenario *sc)
{
    if (sc->vcpus > 0)
        return sc->vcpus;
    int known = sheet_instance_vcpus(sc->instance);
    return known > 0 ? known : 1;
}

/* ---- row and message -------------------------------------------------------------- */

/* How the enqueuer groups jobs: a group of up to 50 jobs (or `batch`, if below 10) and
 * about 768 KiB is written in calls of at most 25 rows and sent in calls of at most
 * `batch` messages; a single remaining row is a single put
 * (src/fleet/enqueue/batch.c). */
static void shape_batches(const struct predict_scenario *sc,
                          const struct predict_params *p, double encoded,
                          struct predict_state *s)
{
    const double group_bytes = 768 * 1024;
    double group = sc->batch >= 10 ? fmin(50, ceil(group_bytes / encoded)) : sc->batch;
    if (sc->arrivals_per_s > 0) /* it never waits: jobs that arrive during one call go
                                 * with the next */
        group = fmin(group, fmax(1, sc->arrivals_per_s * (s->put_s + p->receive_s) /
                                        p->enqueue_calls));
    if (sc->jobs > 0)
        group = fmin(group, sc->jobs);
    double fits =
        fmin(fmin(sc->batch, group), floor(p->message_max_bytes / s->body_bytes));
    double sends = ceil(group / fmax(1, fits) - 1e-9);
    double most = sc->store == PREDICT_DYNAMODB ? 1
                  : sc->batch >= 10             ? JOBQ_FLOW_ROW_BATCH
                                                : sc->batch;
    double rows = fmax(1, fmin(fmin(most, group), floor(group_bytes / encoded)));
    double whole = floor(group / rows + 1e-9), rest = group - whole * rows;
    bool alone = rows < 2 || (rest > 0.5 && rest < 1.5);
    s->group_jobs = group;
    s->group_calls = whole + (rest > 1e-9);
    s->group_first = rows / group;
    s->send_batch = group / sends;
    s->single_rows = rows < 2 ? 1 : alone ? rest / group : 0;
    double calls = rows < 2 ? 0 : whole + (rest > 1e-9 && !alone);
    s->row_batch = calls > 0 ? (group - s->single_rows * group) / calls : 1;
    if (sc->jobs > 0 && group < sc->jobs) { /* the last calls of a run are not full */
        s->send_batch = sc->jobs / ceil(sc->jobs / s->send_batch - 1e-9);
        if (s->single_rows == 0)
            s->row_batch = sc->jobs / ceil(sc->jobs / s->row_batch - 1e-9);
    }
}

double predict_put_s(const struct predict_scenario *sc, const struct predict_params *p)
{
    return sc->store == PREDICT_NO_STORE   ? 0
           : sc->store == PREDICT_DYNAMODB ? p->item_put_s
                                           : p->put_s;
}

double predict_slot_puts(const struct predict_scenario *sc)
{
    return sc->store == PREDICT_NO_STORE ? 0 : sc->rows == PREDICT_ROWS_END ? 1 : 2;
}

/* Which rows are written, and how long they are. A row that the enqueuer does not begin has
 * neither its time nor the payload. */
static void shape_row(const struct predict_scenario *sc, const struct predict_params *p,
                      double id, double encoded, struct predict_state *s)
{
    bool begun = sc->store != PREDICT_NO_STORE && sc->rows == PREDICT_ROWS_ALL;
    bool ends = sc->rows == PREDICT_ROWS_END;
    double payload = begun ? encoded : 0;
    s->put_s = predict_put_s(sc, p);
    s->enqueue_row = begun;
    s->slot_puts = predict_slot_puts(sc);
    s->job_puts = ends ? s->slot_puts : s->slot_puts * s->attempts;
    s->get_attrs = JOBQ_FLOW_GET_N(s->payload_attrs);
    if (!begun)
        s->get_attrs = ends ? JOBQ_FLOW_FINAL_N : JOBQ_FLOW_GET_N(-1);
    double values = JOBQ_FLOW_ROW_VALUE_BYTES -
                    (begun ? 0 : JOBQ_FLOW_QUEUED_VALUE_BYTES) -
                    (ends ? JOBQ_FLOW_RUN_VALUE_BYTES : 0);
    if (sc->store == PREDICT_DYNAMODB) {
        /* Names count: id, ttl and its number, t, p0..; claim, run, end. */
        double queued = id + 2 + 3 + 6;
        if (begun)
            queued += JOBQ_FLOW_QUEUED_VALUE_BYTES + 1 + payload + 2 * s->payload_attrs;
        double running =
            queued + JOBQ_FLOW_CLAIM_VALUE_BYTES + 5 + JOBQ_FLOW_RUN_VALUE_BYTES + 3;
        double ended = id + 2 + 3 + 6 + payload + values +
                       (begun ? 1 + 2 * s->payload_attrs : 0) + 5 + 3 + (ends ? 0 : 3);
        double claims = ends ? 0 : s->attempts;
        s->enqueue_units = s->enqueue_row * ceil(queued / 1024);
        s->write_units = s->enqueue_units + claims * ceil(running / 1024) +
                         (s->job_puts - claims) * ceil(ended / 1024);
        s->read_units = s->reads * ceil(ended / p->read_unit_bytes);
        s->row_bytes = ended + 100; /* an item's share of the index */
        s->queued_row_bytes = begun ? queued + 100 : 0;
        return;
    }
    /* Values of all attributes, 45 bytes for each and for the item's name. */
    s->row_bytes = id + payload + values + 45 * (s->get_attrs + 1);
    s->queued_row_bytes =
        begun ? id + encoded + JOBQ_FLOW_QUEUED_VALUE_BYTES + 45 * (s->row_attrs + 1) : 0;
}

static void shape_job(const struct predict_scenario *sc, const struct predict_params *p,
                      struct predict_state *s)
{
    double encoded = sc->payload_bytes + JOBQ_FLOW_MESSAGE_BYTES - 1;
    double id = p->queue_bytes + JOBQ_FLOW_ID_SUFFIX;
    s->payload_attrs = ceil(encoded / JOBQ_FLOW_PIECE_BYTES);
    s->row_attrs = JOBQ_FLOW_ROW_N(s->payload_attrs);
    s->body_bytes = id + 1 + encoded;
    bool fits =
        s->body_bytes <= p->message_max_bytes && sc->payload_in != PREDICT_IN_STORE;
    if (!fits && sc->store != PREDICT_NO_STORE && sc->rows == PREDICT_ROWS_ALL)
        s->body_bytes = id + 1 + 16 + 6; /* "ID KIND NUMBER store" */
    else
        fits = true;
    s->attempts = 1 / (1 - sc->failure_share);
    /* An attempt that is not the first one looks at the row before it writes. */
    s->reads = sc->status_per_job + sc->cancel_checks + (fits ? 0 : 1) + s->attempts - 1;
    shape_row(sc, p, id, encoded, s);
    shape_batches(sc, p, encoded, s);
}

/* ---- processor sharing ------------------------------------------------------------- */

/* Throughput of a closed system of n jobs: think_s away from the processors, then cpu_s
 * of service shared by v processors. The machine-repair model M/M/v//n, which is exact
 * here for any distributions (a processor-sharing station and a delay have a product
 * form): p_k ~ n!/(n-k)! (cpu/think)^k / prod min(i, v); throughput = sum p_k min(k, v)
 * / cpu. */
static double closed_throughput(double n, double think_s, double cpu_s, double v)
{
    if (cpu_s <= 0)
        return n / think_s;
    if (think_s <= cpu_s * 1e-9)
        return fmin(n, v) / cpu_s;
    int whole = (int)ceil(n - 1e-9);
    double log_ratio = log(cpu_s / think_s), weight = 0, top = 0;
    /* One pass, scaled by the running maximum to avoid overflow. */
    double sum = 0, busy = 0;
    for (int k = 0; k <= whole; k++) {
        if (k > 0)
            weight += log(fmax(n - k + 1, 1e-12)) + log_ratio - log(fmin(k, v));
        if (weight > top) {
            sum *= exp(top - weight);
            busy *= exp(top - weight);
            top = weight;
        }
        sum += exp(weight - top);
        busy += exp(weight - top) * fmin(k, v);
    }
    return busy / sum / cpu_s;
}

double predict_erlang_c(double c, double rho)
{
    assert(c >= 1 && rho >= 0);
    if (rho >= 1)
        return 1;
    int n = (int)c;
    if (n > 20000)
        return rho < 0.99 ? 0 : 1;
    double b = 1, a = rho * n;
    for (int k = 1; k <= n; k++) /* Erlang's B by its recursion */
        b = a * b / (k + a * b);
    return b / (1 - rho * (1 - b));
}

/* Row writes of an attempt. */
static double slot_puts_s(const struct predict_scenario *sc,
                          const struct predict_params *p)
{
    return predict_slot_puts(sc) * predict_put_s(sc, p);
}

double predict_hold_at(const struct predict_scenario *sc, const struct predict_params *p,
                       double n)
{
    double cpu_s = sc->job_s * sc->cpu_share;
    double think_s = sc->job_s - cpu_s + slot_puts_s(sc, p);
    return n / closed_throughput(n, think_s, cpu_s, predict_vcpus(sc));
}

static void predict_hold(const struct predict_scenario *sc,
                         const struct predict_params *p, double utilisation,
                         struct predict_state *s)
{
    double cpu_s = sc->job_s * sc->cpu_share;
    double think_s = sc->job_s - cpu_s + slot_puts_s(sc, p);
    double n = fmax(1, sc->slots * utilisation);
    if (think_s + cpu_s <= 0) {
        s->stretch = 1;
        s->hold_s = 0;
        return;
    }
    s->hold_s = predict_hold_at(sc, p, n);
    s->stretch = sc->job_s > 0 ? (s->hold_s - slot_puts_s(sc, p)) / sc->job_s : 1;
    if (s->stretch < 1)
        s->stretch = 1; /* rounding of the sum */
}

/* At a rate that leaves processors idle, as many jobs are on a box as come and go: the
 * processor-sharing queue M/G/v, whose mean time is that of M/M/v whatever the distribution
 * (Kelly 1979); at most as long as with all slots at work. */
static void predict_hold_open(const struct predict_scenario *sc,
                              const struct predict_params *p, struct predict_state *s)
{
    double cpu_s = sc->job_s * sc->cpu_share, v = predict_vcpus(sc);
    double per_box = sc->arrivals_per_s * s->attempts / sc->boxes,
           load = per_box * cpu_s / v;
    if (load >= 1 || cpu_s <= 0)
        return;
    double servers = fmax(1, floor(v));
    double waits = predict_erlang_c(servers, fmin(0.999, per_box * cpu_s / servers));
    double hold = predict_hold_at(sc, p, 1) +
                  cpu_s * waits / servers / (1 - fmin(0.999, per_box * cpu_s / servers));
    if (hold >= s->hold_s)
        return;
    s->hold_s = hold;
    s->stretch = fmax(1, sc->job_s > 0 ? (hold - slot_puts_s(sc, p)) / sc->job_s : 1);
}

/* ---- ceilings ----------------------------------------------------------------------- */

static void predict_ceilings(const struct predict_scenario *sc,
                             const struct predict_params *p, struct predict_state *s)
{
    double *limit = s->ceiling_per_s;
    double slots = sc->boxes * sc->slots;
    /* Without prefetch a slot is empty while the next message is fetched. */
    double cycle_s = s->hold_s + (s->prefetch > 0 ? 0 : p->receive_s);
    double fetched =
        sc->boxes * p->receives * fmin(sc->batch, sc->slots + s->prefetch) / p->receive_s;
    limit[PREDICT_BOUND_SLOTS] =
        fmin(cycle_s > 0 ? slots / cycle_s / s->attempts : (double)INFINITY, fetched);
    double cpu_s = sc->job_s * sc->cpu_share;
    limit[PREDICT_BOUND_VCPU] = cpu_s > 0
                                    ? sc->boxes * predict_vcpus(sc) / cpu_s / s->attempts
                                    : (double)INFINITY;
    double writes =
        s->job_puts +
        s->enqueue_row * (s->single_rows + (1 - s->single_rows) * p->batched_row_writes);
    limit[PREDICT_BOUND_DOMAINS] = sc->store == PREDICT_SIMPLEDB
                                       ? p->domain_writes_per_s * sc->domains / writes
                                       : (double)INFINITY;
    limit[PREDICT_BOUND_TABLE] = sc->store == PREDICT_DYNAMODB && p->table_units_per_s > 0
                                     ? p->table_units_per_s / s->write_units
                                     : (double)INFINITY;
    double held_s = s->hold_s * (1 + s->prefetch / sc->slots) + p->receive_s;
    limit[PREDICT_BOUND_IN_FLIGHT] = p->in_flight_max / held_s;
    /* A run must start its boxes; a standing fleet has them. */
    double wait_s = sc->jobs > 0 && sc->boxes > p->launch_burst
                        ? (sc->boxes - p->launch_burst) / p->launches_per_s
                        : 0;
    limit[PREDICT_BOUND_LAUNCH] = wait_s > 0 ? sc->jobs / wait_s : (double)INFINITY;
    s->binding = PREDICT_BOUND_SLOTS;
    for (int i = 0; i < PREDICT_BOUND_COUNT; i++)
        if (limit[i] < limit[s->binding])
            s->binding = (enum predict_binding)i;
    /* Full processors are already in the slots' limit, as longer job times. */
    if (s->binding == PREDICT_BOUND_SLOTS &&
        limit[PREDICT_BOUND_VCPU] < limit[PREDICT_BOUND_SLOTS] * 1.02)
        s->binding = PREDICT_BOUND_VCPU;
}

/* Jobs a second, and what share of slot time they fill. */
static void predict_rate(const struct predict_scenario *sc, struct predict_state *s)
{
    double most = s->ceiling_per_s[s->binding];
    double slots_rate = s->ceiling_per_s[PREDICT_BOUND_SLOTS];
    double offered =
        sc->arrivals_per_s > 0 ? sc->arrivals_per_s : slots_rate * sc->utilisation;
    s->rate_per_s = fmin(offered, most);
    double filled = s->rate_per_s * s->attempts * s->hold_s / (sc->boxes * sc->slots);
    s->utilisation = s->hold_s > 0 && isfinite(filled) ? fmin(1, filled) : 1;
}

/* ---- batches and polls --------------------------------------------------------------- */

static double gamma_floor(double mean, double cv, double period)
{
    /* The mean of floor(X / period): exact for a constant and for an exponential X,
     * between them by the variance. */
    double constant = floor(mean / period + 1e-9);
    if (mean <= 0)
        return 0;
    double exponential = 1 / expm1(period / mean);
    double w = fmin(1, cv * cv);
    return constant * (1 - w) + exponential * w;
}

static void predict_batches(const struct predict_scenario *sc,
                            const struct predict_params *p, struct predict_state *s)
{
    double per_box = s->rate_per_s * s->attempts / sc->boxes;
    bool busy = s->utilisation >= 1 - 1e-9 ||
                (sc->arrivals_per_s == 0 && (sc->jobs > 0 || sc->utilisation >= 1));
    /* Slots that are filled at once with jobs of equal length stay in step, so that
     * their ends coincide. */
    double in_step = busy ? fmax(0, 1 - sc->job_cv) : 0;
    double waits = busy ? 1 : predict_erlang_c(sc->slots * sc->boxes, s->utilisation);
    /* With a backlog, a receive returns as many messages as there is room for. */
    double full = fmin(sc->batch, s->prefetch + 1);
    if (s->prefetch <= 0)
        full = fmin(fmin(sc->batch, sc->slots),
                    fmax(1, per_box * p->receive_s / p->receives));
    /* Slots in step are free together, but for the receives that filled them one after another:
     * half a batch, from simulation. */
    if (s->prefetch <= 0 && in_step >= 1 && sc->store == PREDICT_NO_STORE &&
        s->hold_s > 10 * p->receive_s)
        full = fmax(full, fmin(sc->batch, sc->slots) / 2);
    /* Without one, the number of waiting messages is geometric with mean 1 / (1 -
     * load). */
    if (!busy)
        full = fmin(full, 1 / (1 - s->utilisation));
    double receives = waits / full + (1 - waits);
    if (sc->jobs > 0) { /* all slots are free at first */
        double first =
            s->prefetch > 0 && busy
                ? 0
                : fmin(s->backlog, sc->boxes * sc->slots / (sc->jobs * s->attempts));
        double room = sc->slots + s->prefetch;
        receives = first / fmin(sc->batch, room) + (1 - first) * receives;
    }
    s->receive_batch = 1 / receives;
    double linger_s = fmin(p->linger_s, sc->visibility_s / 4);
    double ended = per_box; /* a second */
    if (sc->jobs > 0 && s->work_s > 0)
        ended = fmin(ended, sc->jobs * s->attempts / sc->boxes / s->work_s);
    double steady = fmin(sc->batch, 1 + ended * linger_s);
    /* In step, the ends of a round coincide; what does not fill a call waits for the
     * next round, if that is in time. */
    double round_s = s->hold_s + s->refused_s + (s->prefetch > 0 ? 0 : p->receive_s);
    double met = round_s > 0 ? 1 + floor(linger_s / round_s) : 1e9;
    double stepped = met > 1 ? fmin(sc->batch, met * sc->slots)
                             : sc->slots / ceil(sc->slots / sc->batch);
    s->delete_batch = in_step * stepped + (1 - in_step) * steady;
    if (sc->batch <= 1)
        s->delete_batch = s->receive_batch = 1;
    /* A poll that waits w ends empty with probability exp(-rate w): a renewal process. */
    double poll_s = p->long_poll > 0 ? fmax(sc->wait_s, p->receive_s) : p->receive_s;
    s->empty =
        busy || per_box <= 0 ? 0 : (1 - waits) / expm1(fmin(700, per_box * poll_s));
    if (sc->jobs > 0) /* none before the boxes are there */
        s->empty *= 1 - s->backlog;
    /* When the first message is due, those past half their time are extended with it and
     * stay in step from then on: a call covers all messages in step, or about two thirds
     * of those held (0.65: from simulation). */
    double held = sc->slots + s->prefetch;
    double period = fmax(1, sc->visibility_s * p->beat_share);
    double held_s = s->hold_s * (1 + s->prefetch / sc->slots);
    double entries = sc->visibility_s > 0 ? gamma_floor(held_s, sc->job_cv, period) : 0;
    if (sc->visibility_s > 0 && in_step > 0) {
        /* Slots in step: prefetched messages wait for whole rounds. */
        double rounds = floor(s->prefetch / sc->slots);
        double longer = s->prefetch / sc->slots - rounds; /* a part of them waits one
                                                           * more */
        double held_long = (1 - longer) * floor((rounds + 1) * s->hold_s / period) +
                           longer * floor((rounds + 2) * s->hold_s / period);
        entries += in_step * (held_long - entries);
    }
    double apart = fmin(sc->batch, fmax(1, 0.65 * held));
    double full_step =
        held / ceil(held / sc->batch); /* the last call holds what is left */
    double together = in_step * full_step + (1 - in_step) * apart;
    s->beat_batch = together;
    s->beats = s->attempts * entries / together;
}

/* The drainer's own rule (src/fleet/drain/receive.c): one batch and what starts while the next is
 * on its way, if all start within an eighth of the visibility; none for long jobs. */
static double resolve_prefetch(const struct predict_scenario *sc,
                               const struct predict_params *p,
                               const struct predict_state *s)
{
    if (sc->prefetch >= 0)
        return sc->prefetch;
    if (s->hold_s > sc->visibility_s / 2)
        return 0;
    /* It knows the mean of the last few jobs, which is mostly that of short ones if some are
     * very long: about the median. */
    double few = sc->job_cv > 1 && sc->arrivals_per_s <= 0
                     ? sqrt(2 / (1 + sc->job_cv * sc->job_cv))
                     : 1;
    double hold_s = fmax(s->hold_s * few, 1e-9);
    double in_time = floor(sc->slots * sc->visibility_s / 8 / hold_s);
    double want = sc->batch + floor(2 * sc->slots * p->receive_s / hold_s) + 2;
    return fmin(1000, fmin(want, in_time));
}

/* ---- instances ------------------------------------------------------------------------ */

static void predict_instances(const struct predict_scenario *sc,
                              const struct predict_params *p, struct predict_state *s)
{
    bool none = strcmp(sc->instance, "none") == 0;
    s->busy_s = (s->hold_s + s->refused_s) * s->attempts / sc->slots;
    s->idle_s = fmax(0, sc->boxes / s->rate_per_s - s->busy_s);
    s->queued_s = sc->queued_s;
    if (!isfinite(s->rate_per_s))
        s->idle_s = 0;
    s->doubt = 0.01;
    if (sc->jobs > 0)
        predict_boxes(sc, p, s);
    if (none)
        s->busy_s = s->idle_s = s->boot_s = 0;
}

/* ---- housekeeping --------------------------------------------------------------------- */

/* A drainer asks at a time drawn from the first half of the interval, when a run's own queue is
 * too young for a round, and again half an interval later: so the first of n has asked by a
 * share x of that span with probability 1 - (1 - x)^n, at 1/(n + 1) of it on average; then each
 * time the interval is over, and up to an eighth more. */
static void housekeeping(const struct predict_scenario *sc, struct predict_state *s)
{
    const double every_s = sc->house_s, day_s = 86400;
    if (sc->store != PREDICT_SIMPLEDB)
        return;
    bool kept = every_s > 0;
    if (sc->jobs <= 0) {
        if (sc->arrivals_per_s <= 0)
            return; /* a job more: no day begins for it */
        /* Made and, if the house is kept, dropped. */
        s->tables = (kept ? 2 : 1) * sc->domains / day_s / sc->arrivals_per_s;
        s->house_rounds = kept ? 1 / every_s / sc->arrivals_per_s : 0;
        s->house_asks = sc->boxes * s->house_rounds;
        return;
    }
    double run_s = s->makespan_s, boxes = fmax(1, sc->boxes);
    double x = kept ? fmin(1, fmax(0, 2 * run_s / every_s - 1)) : 0;
    double began = 1 - pow(1 - x, boxes);
    double first_s = every_s / 2 * (1 + 1 / (boxes + 1));
    double period_s = every_s * (1 + 1 / (8 * (boxes + 1)));
    double rounds = kept ? began + fmax(0, floor((run_s - first_s) / period_s)) : 0;
    double looks = kept ? boxes * fmin(1, 2 * run_s / every_s) : 0;
    double asks = kept ? boxes * (x + fmax(0, floor(run_s / every_s - 0.75))) : 0;
    /* Rows come until the last arrival: each day that it reaches has its domains, and those
     * past their keep are dropped. */
    double days = sc->arrivals_per_s > 0 ? sc->jobs / sc->arrivals_per_s / day_s : 0;
    double drops = kept ? fmax(0, floor((run_s - sc->keep_s) / day_s)) : 0;
    s->tables = (sc->domains * (1 + floor(days) + fmin(drops, 1 + floor(days))) + began) /
                sc->jobs;
    s->house_rounds = rounds / sc->jobs;
    s->house_looks = looks / sc->jobs;
    s->house_asks = (asks + looks) / sc->jobs;
}

void predict_state(const struct predict_scenario *sc, const struct predict_params *p,
                   struct predict_state *out)
{
    memset(out, 0, sizeof *out);
    shape_job(sc, p, out);
    double aimed = sc->arrivals_per_s > 0 ? 1 : sc->utilisation;
    predict_hold(sc, p, aimed, out);
    out->prefetch = resolve_prefetch(sc, p, out);
    predict_ceilings(sc, p, out);
    predict_rate(sc, out);
    if (sc->arrivals_per_s > 0) {
        predict_hold_open(sc, p, out);
        out->prefetch = resolve_prefetch(sc, p, out);
        predict_ceilings(sc, p, out);
        predict_rate(sc, out);
    }
    predict_run(sc, p, out);
    predict_instances(sc, p, out);
    out->too_long = predict_too_long(sc, out);
    predict_batches(sc, p, out);
    housekeeping(sc, out);
    predict_wire(sc, p, out);
}

/* ---- what does not fit ------------------------------------------------------------------ */

/* What the system and the drainer need themselves: assumed. */
#define SYSTEM_GIB 0.25

int predict_fits(const struct predict_scenario *sc, struct jobq_error *err)
{
    const double gib = 1073741824.0;
    double has = sheet_instance_gib(sc->instance), job = sc->memory_bytes / gib;
    double room = fmax(0, has - SYSTEM_GIB), vcpus = predict_vcpus(sc);
    if (has > 0 && job > 0 && sc->slots * job > room)
        return jobq_fail(
            err, JOBQ_LIMIT,
            "%.0f slot%s of %.3g GiB need %.4g GiB, and a %s has %.4g, %.4g of it "
            "for the system: %.0f slot%s fit",
            sc->slots, sc->slots > 1 ? "s" : "", job, sc->slots * job, sc->instance, has,
            SYSTEM_GIB, floor(room / job), floor(room / job) == 1 ? "" : "s");
    bool known = sc->vcpus > 0 || sheet_instance_vcpus(sc->instance) > 0;
    if (known && sc->slots > 1 && sc->slots * sc->cpu_share > vcpus * (1 + 1e-9))
        return jobq_fail(
            err, JOBQ_LIMIT,
            "%.0f slots of jobs that use %.3g of a vCPU need %.4g vCPUs, and a "
            "%s has %.4g: %.0f slots keep them busy",
            sc->slots, sc->cpu_share, sc->slots * sc->cpu_share, sc->instance, vcpus,
            fmax(1, floor(vcpus / sc->cpu_share)));
    return JOBQ_OK;
}

/* ---- what is not served ---------------------------------------------------------------- */

static int predict_refuse(const struct predict_scenario *sc,
                          const struct predict_state *s, enum predict_binding bound,
                          struct jobq_error *err)
{
    double rate = sc->arrivals_per_s, most = s->ceiling_per_s[bound];
    double more = rate / most; /* times what there is */
    char given[80], needed[160];
    snprintf(given, sizeof given, "%.0f box%s of %.0f slot%s", sc->boxes,
             sc->boxes > 1 ? "es" : "", sc->slots, sc->slots > 1 ? "s" : "");
    switch (bound) {
    case PREDICT_BOUND_VCPU:
        snprintf(given, sizeof given, "%.4g vCPUs", sc->boxes * predict_vcpus(sc));
        snprintf(needed, sizeof needed, "needs %.0f vCPUs, %.0f boxes such as these",
                 ceil(sc->boxes * predict_vcpus(sc) * more), ceil(sc->boxes * more));
        break;
    case PREDICT_BOUND_DOMAINS:
        snprintf(given, sizeof given, "%.0f SimpleDB domain%s", sc->domains,
                 sc->domains > 1 ? "s" : "");
        snprintf(needed, sizeof needed, "needs %.0f domains (--domains)",
                 ceil(sc->domains * more));
        break;
    case PREDICT_BOUND_TABLE:
        snprintf(given, sizeof given, "the write units of a new DynamoDB table");
        snprintf(
            needed, sizeof needed,
            "needs a table that has been warmed to %.3g times as many, or %.0f queues",
            more, ceil(more));
        break;
    case PREDICT_BOUND_IN_FLIGHT:
        snprintf(given, sizeof given, "the messages that a queue has in flight at most");
        snprintf(needed, sizeof needed, "needs %.0f queues", ceil(more));
        break;
    case PREDICT_BOUND_SLOTS:
    case PREDICT_BOUND_LAUNCH:
    case PREDICT_BOUND_COUNT:
        snprintf(needed, sizeof needed, "needs %.0f slots, %.0f boxes such as these",
                 ceil(sc->boxes * sc->slots * more), ceil(sc->boxes * more));
        break;
    }
    return jobq_fail(err, JOBQ_LIMIT, "%.4g jobs/s arrive, and %s serve %.4g: that %s",
                     rate, given, most, needed);
}

int predict_serves(const struct predict_scenario *sc, const struct predict_state *s,
                   struct jobq_error *err)
{
    if (sc->jobs > 0 || sc->arrivals_per_s <= 0)
        return JOBQ_OK;
    /* Full processors are in the slots' limit too, as longer job times: the cause is named. */
    static const enum predict_binding order[] = {
        PREDICT_BOUND_VCPU, PREDICT_BOUND_DOMAINS, PREDICT_BOUND_TABLE,
        PREDICT_BOUND_SLOTS, PREDICT_BOUND_IN_FLIGHT};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (sc->arrivals_per_s > s->ceiling_per_s[order[i]])
            return predict_refuse(sc, s, order[i], err);
    return JOBQ_OK;
}

/* ---- usage and ledger ------------------------------------------------------------------ */

void predict_derived(const struct predict_scenario *sc, struct usage *usage)
{
    double *line = usage->line;
    double hours = (line[USAGE_BUSY] + line[USAGE_IDLE] + line[USAGE_BOOT]) / 3600;
    line[USAGE_VOLUME] = hours * sc->volume_gib;
    line[USAGE_IPV4] = sc->public_ip ? hours : 0;
    line[USAGE_CPU] = sc->job_s * sc->cpu_share * line[USAGE_ATTEMPTS];
}

int predict_usage(const struct predict_scenario *sc, const struct predict_params *params,
                  struct usage *out, struct predict_state *out_state,
                  struct jobq_error *err)
{
    assert(sc && out && err);
    struct predict_params own;
    struct predict_state state;
    int code = JOBQ_OK;
    if (params)
        own = *params;
    else
        code = predict_params_for(sc->era, &own, err);
    params = &own;
    if (!code)
        predict_params_of(sc, &own);
    if (!code)
        code = predict_check(sc, params, err);
    if (code)
        return code;
    predict_state(sc, params, &state);
    code = predict_serves(sc, &state, err);
    if (code)
        return code;
    for (int i = 0; i < USAGE_LINE_COUNT; i++) {
        int term[TERMS_LINE_MAX];
        double coefficient[TERMS_LINE_MAX];
        int count = terms_closed((enum usage_line)i, term, coefficient);
        out->line[i] = 0;
        for (int j = 0; j < count; j++)
            out->line[i] += coefficient[j] * terms_at(term[j])->value(sc, &state, params);
    }
    predict_derived(sc, out);
    if (out_state)
        *out_state = state;
    return JOBQ_OK;
}

void predict_ledger(const struct predict_scenario *sc, const struct usage *usage,
                    double jobs, struct jobq_ledger *ledger)
{
    assert(sc && usage && ledger && jobs > 0);
    /* Nanoseconds of one instance fit into 64 bits for 292 years. */
    const double longest_s = 4e9;
    double instance_s = jobs * (usage->line[USAGE_BUSY] + usage->line[USAGE_IDLE] +
                                usage->line[USAGE_BOOT]);
    double instances = sc->jobs > 0 ? sc->boxes : 1;
    instances = fmin(1e6, fmax(instances, ceil(instance_s / longest_s)));
    struct usage_shape shape = {.batch_sends = sc->batch > 1,
                                .batch_deletes = sc->batch > 1,
                                .batch_beats = sc->batch > 1,
                                .table = sc->store == PREDICT_DYNAMODB,
                                .instance = sc->instance,
                                .spot = sc->spot,
                                .slots = (int64_t)sc->slots,
                                .instances = (int64_t)instances};
    usage_to_ledger(usage, jobs, &shape, ledger);
}
