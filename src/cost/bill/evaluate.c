#include "cost/bill/evaluate.h"

#include "base/arena.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLION 1e6

static void scratch_clear(struct jobq_ledger *ledger)
{
    struct jobq_instance_use *instance = ledger->instance;
    int64_t cap = ledger->instance_cap;
    memset(ledger, 0, sizeof *ledger);
    ledger->instance = instance;
    ledger->instance_cap = cap;
}

/* The bill of a usage: for a million jobs, or for a run's jobs on its own instances. */
static int evaluate_price(const struct evaluate_context *c,
                          const struct predict_scenario *sc, const struct usage *usage,
                          struct jobq_ledger *scratch, struct bill *bill,
                          struct jobq_error *err)
{
    double jobs = sc->jobs > 0 ? sc->jobs : MILLION;
    struct bill_options options = *c->bill;
    options.exact_time = !(sc->jobs > 0);
    scratch_clear(scratch);
    predict_ledger(sc, usage, jobs, scratch);
    return bill_ledger(bill, scratch, c->sheet, &options, err);
}

/* Dollars a million jobs for one more unit of each line, by a finite difference. The
 * step is a small part of the line's value (or of its uncertainty, if it is zero), so
 * that the bill stays on the same tier. Rounded instance time has steps, so the exact
 * time is priced there. */
static int evaluate_slope(const struct evaluate_context *c,
                          const struct predict_scenario *sc, const struct usage *usage,
                          enum usage_line line, double step, struct jobq_ledger *scratch,
                          double *out, struct jobq_error *err)
{
    struct predict_scenario flat = *sc;
    struct usage up = *usage;
    struct bill bill;
    double usd[2];
    flat.jobs = 0;
    for (int i = 0; i < 2; i++) {
        up.line[line] = usage->line[line] + (i ? step : 0);
        if (line == USAGE_RECEIVE && i) { /* one more is most likely an empty one */
            up.line[USAGE_RECEIVE_CHUNKS] += step;
            up.line[USAGE_EMPTY] += step;
        }
        if (line == USAGE_BUSY || line == USAGE_IDLE || line == USAGE_BOOT)
            predict_derived(&flat, &up);
        bill_init(&bill);
        int code = evaluate_price(c, &flat, &up, scratch, &bill, err);
        usd[i] = bill.usd;
        bill_release(&bill);
        if (code)
            return code;
    }
    *out = (usd[1] - usd[0]) / step;
    return JOBQ_OK;
}

static bool is_derived(int line)
{
    return line == USAGE_VOLUME || line == USAGE_IPV4 || line == USAGE_WIRE_IN ||
           line == USAGE_WIRE_OUT || line == USAGE_ATTEMPTS || line == USAGE_EMPTY ||
           line == USAGE_CPU;
}

static int evaluate_interval(const struct evaluate_context *c,
                             const struct predict_scenario *sc,
                             struct jobq_ledger *scratch, struct evaluation *out,
                             struct jobq_error *err)
{
    /* What no line's own uncertainty says of a run: addresses, volumes, rounding. */
    double floor_usd = sc->jobs > 0 ? 0.003 * out->usd_per_million : 0;
    double variance = floor_usd * floor_usd;
    const struct formula_value *v = &out->value;
    for (int i = 0; i < USAGE_LINE_COUNT; i++) {
        double own = v->variance[i], per_unit;
        /* Receives and their chunks are off together: what is left is that of chunks alone. */
        if (i == USAGE_RECEIVE_CHUNKS)
            own = fmax(0, own - v->variance[USAGE_RECEIVE]);
        double sd = sqrt(own);
        if (!(sd > 0) || is_derived(i))
            continue;
        /* A formula that was fitted to rows in SimpleDB says nothing of it elsewhere. */
        if (i >= USAGE_PUT && i <= USAGE_BOX_OTHER && sc->store != PREDICT_SIMPLEDB &&
            !(v->usage.line[i] > 0))
            continue;
        int code =
            evaluate_slope(c, sc, &v->usage, (enum usage_line)i,
                           fmax(sd, 1e-3 * v->usage.line[i]), scratch, &per_unit, err);
        if (code)
            return code;
        variance += per_unit * per_unit * own;
    }
    double half = formula_t95(v->dof) * sqrt(variance);
    out->low_per_million = fmax(0, out->usd_per_million - half);
    out->high_per_million = out->usd_per_million + half;
    return JOBQ_OK;
}

/* ---- the prices' confidence -------------------------------------------------------- */

static double evaluate_price_range(const struct bill_item *item)
{
    double range = item->confidence == 'H' ? 0 : item->confidence == 'M' ? 0.1 : 0.3;
    return item->assumed ? fmax(range, 0.2) : range;
}

double evaluate_price_half(const struct bill *bill)
{
    double squares = 0;
    for (int i = 0; i < bill->count; i++) {
        double half = 0;
        bool seen = false;
        for (int j = 0; j < bill->count && !seen; j++) {
            if (strcmp(bill->item[j].service, bill->item[i].service) != 0)
                continue;
            seen = j < i; /* the service's sum is taken at its first item */
            half += bill->item[j].usd * evaluate_price_range(&bill->item[j]);
        }
        squares += seen ? 0 : half * half;
    }
    return sqrt(squares);
}

void evaluation_interval(const struct evaluation *e, double *out_low, double *out_high)
{
    double price = e->price_half_per_million, usd = e->usd_per_million;
    *out_low = fmax(0, usd - hypot(usd - e->low_per_million, price));
    *out_high = usd + hypot(e->high_per_million - usd, price);
}

int evaluate(const struct evaluate_context *c, const struct predict_scenario *sc,
             double interval_jobs, struct evaluation *out, struct jobq_error *err)
{
    assert(c->sheet && c->bill && sc && out && err && interval_jobs > 0);
    memset(out, 0, sizeof *out);
    bill_init(&out->bill);
    int code = formula_eval(c->formula, sc, interval_jobs, &out->value, err);
    if (code)
        return code;
    struct jobq_ledger *scratch = xcalloc(1, sizeof *scratch);
    out->jobs = sc->jobs > 0 ? sc->jobs : MILLION;
    code = evaluate_price(c, sc, &out->value.usage, scratch, &out->bill, err);
    if (!code) {
        out->usd_per_job = out->bill.usd / out->jobs;
        out->usd_per_million = out->usd_per_job * MILLION;
        out->price_half_per_million =
            evaluate_price_half(&out->bill) * MILLION / out->jobs;
        code = evaluate_interval(c, sc, scratch, out, err);
    }
    jobq_ledger_release(scratch);
    free(scratch);
    if (code)
        evaluation_release(out);
    return code;
}

void evaluation_release(struct evaluation *evaluation)
{
    bill_release(&evaluation->bill);
}

int evaluate_point(const struct evaluate_context *c, const struct predict_scenario *sc,
                   struct jobq_ledger *scratch, double *out_per_million,
                   double out_component[BILL_COMPONENT_COUNT],
                   struct predict_state *out_state, struct jobq_error *err)
{
    assert(c->sheet && c->bill && sc && scratch && out_per_million && err);
    struct formula_value value;
    struct bill bill;
    int code = formula_eval(c->formula, sc, 0, &value, err);
    if (code)
        return code;
    bill_init(&bill);
    code = evaluate_price(c, sc, &value.usage, scratch, &bill, err);
    double per_million = MILLION / (sc->jobs > 0 ? sc->jobs : MILLION);
    if (!code) {
        *out_per_million = bill.usd * per_million;
        for (int i = 0; out_component && i < BILL_COMPONENT_COUNT; i++)
            out_component[i] = bill.component_usd[i] * per_million;
        if (out_state)
            *out_state = value.state;
    }
    bill_release(&bill);
    return code;
}
