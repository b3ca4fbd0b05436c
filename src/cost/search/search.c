#include "cost/search/search.h"

#include "base/arena.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- waiting ---------------------------------------------------------------------------- */

double search_p95_wait_s(const struct predict_scenario *sc, const struct predict_state *s,
                         const struct predict_params *p)
{
    assert(sc && s && p);
    if (!(sc->arrivals_per_s > 0))
        return (double)NAN;
    double servers = sc->boxes * sc->slots;
    double most = s->ceiling_per_s[s->binding];
    if (sc->arrivals_per_s >= most * (1 - 1e-9))
        return (double)INFINITY;
    double rho = sc->arrivals_per_s / most;
    double busy = predict_erlang_c(servers, rho), cv = sc->job_cv;
    double mean_if_waits = s->hold_s / (servers * (1 - rho)) * (1 + cv * cv) / 2;
    double tail = busy > 0.05 ? mean_if_waits * log(busy / 0.05) : 0;
    return tail + p->receive_s + busy * s->hold_s * s->prefetch / sc->slots;
}

/* ---- one combination ---------------------------------------------------------------------- */

struct search {
    const struct evaluate_context *context;
    const struct predict_scenario *base;
    const struct search_axis *axis;
    int axes;
    const struct search_limits *limits;
    struct search_result *out;
    int cap, count;
    struct search_summary *summary;
    struct jobq_ledger *scratch;
};

void search_apply(const struct predict_scenario *base, const struct search_axis *axis,
                  int axes, const int *choice, struct predict_scenario *out)
{
    struct jobq_error err;
    *out = *base;
    for (int i = 0; i < axes; i++)
        predict_set(out, axis[i].option, axis[i].text[choice[i]], &err);
}

static int choice_order(const struct search *s, const int *a, const int *b)
{
    for (int i = 0; i < s->axes; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

static bool same_cost(double a, double b)
{
    return fabs(a - b) <= 1e-6 * fmax(fabs(a), fabs(b));
}

static bool search_is_free(const struct search *s, const char *option)
{
    for (int i = 0; i < s->axes; i++)
        if (strcmp(s->axis[i].option, option) == 0 && s->axis[i].count > 1)
            return true;
    return false;
}

/* Results that a reader sees as one choice: the same rows, which say what is given up, or else
 * the same boxes; of each the best settings are shown. Where neither is free, all that are free
 * are a choice. */
static bool same_choice(const struct search *s, const struct search_result *a,
                        const struct search_result *b)
{
    if (search_is_free(s, "rows"))
        return a->store == b->store &&
               (a->store == PREDICT_NO_STORE || a->rows == b->rows);
    for (int i = 0; i < s->axes; i++) {
        const char *option = s->axis[i].option;
        if ((strcmp(option, "instance") == 0 || strcmp(option, "spot") == 0) &&
            a->choice[i] != b->choice[i])
            return false;
    }
    return search_is_free(s, "instance") || search_is_free(s, "spot");
}

/* Takes a dearer result of the same choice out. False: a cheaper one is there. */
static bool search_replace(struct search *s, const struct search_result *result)
{
    for (int i = 0; i < s->count; i++) {
        if (!same_choice(s, &s->out[i], result))
            continue;
        if (s->out[i].per_million < result->per_million ||
            (s->out[i].per_million == result->per_million &&
             choice_order(s, s->out[i].choice, result->choice) < 0))
            return false;
        s->count--;
        memmove(&s->out[i], &s->out[i + 1], (size_t)(s->count - i) * sizeof *s->out);
        return true;
    }
    return true;
}

/* Keeps the `cap` cheapest results, one a choice; of equal costs the first in the order of the
 * axes. */
static void search_keep(struct search *s, const struct search_result *result)
{
    if (!search_replace(s, result))
        return;
    int at = s->count;
    while (at > 0 && (s->out[at - 1].per_million > result->per_million ||
                      (s->out[at - 1].per_million == result->per_million &&
                       choice_order(s, s->out[at - 1].choice, result->choice) > 0)))
        at--;
    if (at > 0 && same_cost(s->out[at - 1].per_million, result->per_million))
        return; /* a variable without influence here, or a point the descent has seen */
    if (at < s->count && same_cost(s->out[at].per_million, result->per_million)) {
        s->out[at] = *result;
        return;
    }
    if (at == s->cap)
        return;
    int move = s->count < s->cap ? s->count - at : s->cap - 1 - at;
    memmove(&s->out[at + 1], &s->out[at], (size_t)move * sizeof *s->out);
    s->out[at] = *result;
    if (s->count < s->cap)
        s->count++;
}

/* Returns the cost; INFINITY if the combination is impossible or over a limit. */
static double try_one(struct search *s, const int *choice)
{
    struct predict_scenario sc;
    struct predict_state state;
    struct predict_params params;
    struct search_result result = {0};
    struct jobq_error err;
    s->summary->evaluated++;
    search_apply(s->base, s->axis, s->axes, choice, &sc);
    if (predict_fits(&sc, &err) ||
        evaluate_point(s->context, &sc, s->scratch, &result.per_million, result.component,
                       &state, &err) ||
        predict_params_for(sc.era, &params, &err)) {
        if (s->summary->refused++ == 0)
            s->summary->refusal = err;
        return (double)INFINITY;
    }
    memcpy(result.choice, choice, (size_t)s->axes * sizeof *choice);
    result.binding = state.binding;
    result.store = sc.store;
    result.rows = sc.rows;
    result.p95_wait_s = search_p95_wait_s(&sc, &state, &params);
    result.makespan_s =
        sc.jobs > 0 ? state.makespan_s + params.pending_s + params.boot_s : (double)NAN;
    if (result.p95_wait_s > s->limits->max_p95_wait_s ||
        result.makespan_s > s->limits->deadline_s) {
        s->summary->over_limit++;
        return (double)INFINITY;
    }
    search_keep(s, &result);
    return result.per_million;
}

/* ---- the two ways through the grid ---------------------------------------------------------- */

static void search_each(struct search *s)
{
    int choice[SEARCH_AXES_MAX] = {0};
    for (;;) {
        try_one(s, choice);
        int i = s->axes - 1;
        while (i >= 0 && ++choice[i] == s->axis[i].count)
            choice[i--] = 0;
        if (i < 0)
            return;
    }
}

static void search_descend(struct search *s, int *choice)
{
    double best = try_one(s, choice);
    for (int round = 0; round < 20; round++) {
        bool better = false;
        for (int i = 0; i < s->axes; i++) {
            int at = choice[i];
            for (int j = 0; j < s->axis[i].count; j++) {
                choice[i] = j;
                double usd = j == at ? best : try_one(s, choice);
                if (usd < best) {
                    best = usd;
                    at = j;
                    better = true;
                }
            }
            choice[i] = at;
        }
        if (!better)
            return;
    }
}

int search_run(const struct evaluate_context *context,
               const struct predict_scenario *base, const struct search_axis *axis,
               int axes, const struct search_limits *limits, struct search_result *out,
               int cap, struct search_summary *summary, struct jobq_error *err)
{
    assert(axes >= 0 && axes <= SEARCH_AXES_MAX && cap > 0 && summary && err);
    struct search s = {.context = context,
                       .base = base,
                       .axis = axis,
                       .axes = axes,
                       .limits = limits,
                       .out = out,
                       .cap = cap,
                       .summary = summary};
    memset(summary, 0, sizeof *summary);
    s.scratch = xcalloc(1, sizeof *s.scratch);
    summary->combinations = 1;
    for (int i = 0; i < axes; i++)
        summary->combinations *= axis[i].count;
    summary->whole = summary->combinations <= SEARCH_GRID_MAX;
    if (summary->whole)
        search_each(&s);
    for (int start = 0; start < 5 && !summary->whole; start++) {
        int choice[SEARCH_AXES_MAX];
        for (int i = 0; i < axes; i++)
            choice[i] = (axis[i].count - 1) * start / 4;
        search_descend(&s, choice);
    }
    jobq_ledger_release(s.scratch);
    free(s.scratch);
    if (s.count)
        return s.count;
    if (summary->over_limit)
        return jobq_fail(err, JOBQ_NOT_FOUND, "no combination stays within the limits");
    if (summary->refused) {
        *err = summary->refusal;
        return jobq_wrap(err, "no combination is possible");
    }
    return jobq_fail(err, JOBQ_NOT_FOUND, "there is nothing to choose from");
}

bool search_cross(const struct evaluate_context *context,
                  const struct predict_scenario *base, enum predict_input input,
                  double low, double high, double target, double *out)
{
    assert(low < high && out);
    struct predict_scenario sc = *base;
    struct jobq_ledger *scratch = xcalloc(1, sizeof *scratch);
    struct jobq_error err;
    double usd[2], value[2] = {low, high};
    bool found = false, reaches[2];
    for (int i = 0; i < 2; i++) {
        predict_put(&sc, input, value[i]);
        if (evaluate_point(context, &sc, scratch, &usd[i], NULL, NULL, &err))
            usd[i] = (double)INFINITY;
        reaches[i] = usd[i] <= target;
    }
    found = reaches[0] != reaches[1];
    double step = predict_input_whole(input) ? 1 : 1e-4;
    for (int i = 0; i < 200 && found; i++) {
        double gap = fabs(value[1] - value[0]);
        if (gap <=
            (predict_input_whole(input) ? 1 : step * fabs(value[0] + value[1]) / 2))
            break;
        double mid = (value[0] + value[1]) / 2, cost;
        if (predict_input_whole(input))
            mid = floor(mid);
        predict_put(&sc, input, mid);
        if (evaluate_point(context, &sc, scratch, &cost, NULL, NULL, &err))
            cost = (double)INFINITY;
        value[(cost <= target) == reaches[0] ? 0 : 1] = mid;
    }
    *out = value[reaches[0] ? 0 : 1];
    jobq_ledger_release(scratch);
    free(scratch);
    return found;
}
