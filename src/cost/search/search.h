/* search.h - the cheapest settings over a set of free variables, under limits.
 *
 * Room:     src/cost, the money.
 * Callers:  jobqcost solve and optimise, the report.
 * Knows nothing of: how results are printed. No I/O, no clock.
 *
 * Each free variable is an axis of texts, as predict_set reads them. Up to
 * SEARCH_GRID_MAX combinations are all evaluated; beyond that each axis in turn is set to
 * its best value until nothing improves (coordinate descent), from several starts, which
 * finds a local best and says so. Costs fall or rise along nearly every axis, so that the
 * local best is usually the best. */
#ifndef JOBQ_COST_SEARCH_SEARCH_H
#define JOBQ_COST_SEARCH_SEARCH_H

#include "cost/bill/evaluate.h"

#include <stdbool.h>

#define SEARCH_AXES_MAX 16
#define SEARCH_VALUES_MAX 2000 /* of one axis */
#define SEARCH_GRID_MAX 60000
#define SEARCH_TEXT 32

struct search_axis {
    char option[24];
    char (*text)[SEARCH_TEXT]; /* owner: the caller (search_axis_release) */
    int count;
};

struct search_limits {
    double max_p95_wait_s; /* INFINITY: none. Needs arrivals in the scenario */
    double deadline_s;     /* INFINITY: none. Needs jobs and boxes */
};

struct search_result {
    int choice[SEARCH_AXES_MAX]; /* index into each axis */
    double per_million;
    double component[BILL_COMPONENT_COUNT]; /* per million */
    double p95_wait_s;                      /* NAN without arrivals */
    double makespan_s;                      /* boot included; NAN when marginal */
    enum predict_binding binding;
    enum predict_store store; /* what becomes of rows: a choice by itself */
    enum predict_rows rows;
};

struct search_summary {
    double combinations; /* there are */
    int64_t evaluated;
    int64_t refused;           /* impossible with this service or sheet */
    int64_t over_limit;        /* a limit was missed */
    bool whole;                /* every combination was evaluated */
    struct jobq_error refusal; /* the reason of the first refusal */
};

/* Fills out with up to cap results, cheapest first, one result per cost (to 1e-6) and per
 * arrangement of rows where these are free, else one per instance type and market
 * where these are; and
 * returns how many there are; NOT_FOUND: no combination is possible and within limits
 * (summary says why). */
int search_run(const struct evaluate_context *context,
               const struct predict_scenario *base, const struct search_axis *axis,
               int axes, const struct search_limits *limits, struct search_result *out,
               int cap, struct search_summary *summary, struct jobq_error *err);

/* The scenario of a result. */
void search_apply(const struct predict_scenario *base, const struct search_axis *axis,
                  int axes, const int *choice, struct predict_scenario *out);

/* Makes an axis from "option", with the usual values of that option, or from
 * "option=v1,v2,..." or "option=LOW..HIGH" (16 values, evenly on a log scale). Instance
 * types are taken from the sheet: for each number of vCPUs up to 16 the four cheapest,
 * or all of them with "instance=all". INVALID: no such option, or it has no usual
 * values. */
int search_axis_parse(const char *text, const struct predict_scenario *base,
                      const struct sheet *sheet, struct search_axis *out,
                      struct jobq_error *err);
void search_axis_release(struct search_axis *axis);

/* Where along a numeric input the cost crosses the target, between low and high: by
 * bisection to 1e-4 of the value (whole inputs to 1). Returns true with *out the value on
 * the side that reaches the target. */
bool search_cross(const struct evaluate_context *context,
                  const struct predict_scenario *base, enum predict_input input,
                  double low, double high, double target, double *out);

/* The 95th percentile of the wait from enqueue to start. Poisson arrivals at
 * arrivals_per_s to boxes x slots servers: Erlang's C with the spread of service times
 * by Allen and Cunneen (half of 1 + cv^2), an exponential tail, one receive, and what
 * may wait in a busy box's prefetch. INFINITY: arrivals exceed capacity; NAN: no
 * arrivals. */
double search_p95_wait_s(const struct predict_scenario *scenario,
                         const struct predict_state *state,
                         const struct predict_params *params);

#endif
