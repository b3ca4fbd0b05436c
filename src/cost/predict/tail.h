/* tail.h - how long jobs last: the survival function of a slot's time, and what follows from
 * it: renewals, residual times, the longest of many.
 *
 * Room:     src/cost, private to predict.
 * Knows nothing of: boxes, requests, prices. Pure.
 * Units:    seconds.
 *
 * Sources: Cox, "Renewal Theory" (1962): the renewal equation, residual times and their limit,
 * whose density is survival over mean. */
#ifndef JOBQ_COST_PREDICT_TAIL_H
#define JOBQ_COST_PREDICT_TAIL_H

#include "cost/predict/predict.h"

enum { TAIL_POINTS = 256, TAIL_STEPS = 128 };

/* A survival function as points with straight lines between them. */
struct tail {
    double mean, cv, shift;
    double x[TAIL_POINTS], s[TAIL_POINTS];
    double rest[TAIL_POINTS]; /* the integral of s from x on */
};

/* shift plus a time of that family, of mean > 0 and coefficient of variation > 0. */
void tail_init(struct tail *tail, enum predict_family family, double shift, double mean,
               double cv);
double tail_survival(const struct tail *tail, double x);
double tail_rest(const struct tail *tail, double x); /* the integral from x on */
double tail_sd(const struct tail *tail);

/* The mean number of ends by time t of a slot that starts a job at 0 and the next one at each
 * end, up to until_s; beyond, its asymptote. */
struct renewal {
    const struct tail *tail;
    double step_s;
    int steps;
    double count[TAIL_STEPS + 1];
};
void renewal_init(struct renewal *renewal, const struct tail *tail, double until_s);
double renewal_count(const struct renewal *renewal, double t);
/* The survival function of the time from t to the end of the job at hand then, as a tail. */
void renewal_residual(const struct renewal *renewal, double t, struct tail *out);

#endif
