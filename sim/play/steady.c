/* steady.c - see steady.h.
 *
 * Room:     sim. */
#include "sim/play/steady.h"

#include "base/arena.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

enum { FIVE = 5, BATCHES = 20, REPS_MIN = 10 };

size_t steady_warm_up(const double *value, size_t count)
{
    size_t fives = count / FIVE;
    if (fives < 4)
        return 0;
    double *mean = xmalloc(fives * sizeof *mean);
    for (size_t i = 0; i < fives; i++) {
        mean[i] = 0;
        for (size_t j = 0; j < FIVE; j++)
            mean[i] += value[i * FIVE + j] / FIVE;
    }
    /* From the end, so that each cut adds one value to the running mean and sum of
     * squares (Welford). */
    double running = 0, squares = 0, best = HUGE_VAL;
    size_t cut = 0;
    for (size_t left = 1; left <= fives; left++) {
        size_t at = fives - left;
        double off = mean[at] - running;
        running += off / (double)left;
        squares += off * (mean[at] - running);
        double score = squares / ((double)left * (double)left);
        /* Of equal scores the earlier cut: it keeps more. */
        if (at <= fives / 2 && score <= best) {
            best = score;
            cut = at;
        }
    }
    free(mean);
    return cut * FIVE;
}

double steady_t95(double dof)
{
    return gsl_cdf_tdist_Pinv(0.975, dof);
}

struct steady_mean steady_replications(const double *value, size_t count)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        double off = value[i] - mean;
        mean += off / (double)(i + 1);
        squares += off * (value[i] - mean);
    }
    struct steady_mean out = {.mean = mean, .half_width = HUGE_VAL};
    if (count >= 2)
        out.half_width = steady_t95((double)count - 1) *
                         sqrt(squares / (double)(count - 1) / (double)count);
    return out;
}

struct steady_mean steady_mean(const double *value, size_t count)
{
    size_t dropped = steady_warm_up(value, count);
    value += dropped;
    count -= dropped;
    double mean = 0;
    for (size_t i = 0; i < count; i++)
        mean += value[i] / (double)count;
    struct steady_mean out = {.mean = mean, .half_width = HUGE_VAL};
    if (count >= 2 * BATCHES) {
        double batch[BATCHES];
        for (size_t b = 0; b < BATCHES; b++) {
            size_t from = b * count / BATCHES, to = (b + 1) * count / BATCHES;
            batch[b] = 0;
            for (size_t i = from; i < to; i++)
                batch[b] += value[i] / (double)(to - from);
        }
        out.half_width = steady_replications(batch, BATCHES).half_width;
    }
    out.dropped = dropped;
    return out;
}

bool steady_is_precise(const double *value, size_t count, double precision)
{
    if (count < REPS_MIN)
        return false;
    struct steady_mean now = steady_replications(value, count);
    return now.half_width <= precision * fabs(now.mean);
}
