#include "fleet/scale/decide.h"

#include <assert.h>
#include <math.h>

/* A launch waits until the backlog would take so much of the target. */
#define TOLERANCE 1.1

static int64_t boxes_short(const struct scale_policy *p, const struct scale_seen *seen)
{
    double jobs = (double)(seen->waiting + seen->running);
    double have = (double)((seen->boxes - seen->deaf) * p->slots);
    double work_s = jobs * seen->job_s;
    if (jobs <= 0 || have >= fmin(jobs, work_s / (TOLERANCE * p->target_s)))
        return 0;
    /* A target that a boot uses up cannot be met: half of it must do. */
    double left_s = fmax(p->target_s - p->boot_s, p->target_s / 2);
    double missing = fmin(jobs - have, (work_s - have * p->target_s) / left_s);
    return (int64_t)ceil(missing / (double)p->slots);
}

void scale_decide(const struct scale_policy *p, const struct scale_seen *seen,
                  struct scale_decision *out)
{
    assert(p->target_s > 0 && p->slots > 0 && seen->job_s > 0 && seen->boxes >= 0 &&
           seen->deaf <= seen->boxes);
    struct scale_decision d = {seen->boxes + boxes_short(p, seen), 0, SCALE_BACKLOG};
    if (d.wanted < p->boxes_min) {
        d.wanted = p->boxes_min;
        d.bound = SCALE_MIN;
    }
    if (d.wanted > p->boxes_max) {
        d.wanted = p->boxes_max;
        d.bound = SCALE_MAX;
    }
    /* A hair more, or three boxes of 0.1 would not fit in 0.3. */
    double paid = isfinite(p->hour_usd_max)
                      ? floor(p->hour_usd_max / p->box_hour_usd * (1 + 1e-9))
                      : HUGE_VAL;
    if ((double)d.wanted > paid) {
        d.wanted = (int64_t)paid;
        d.bound = SCALE_DOLLARS;
    }
    if (d.wanted < seen->boxes)
        d.wanted = seen->boxes;
    d.launch = d.wanted - seen->boxes;
    *out = d;
}

double scale_job_time(struct scale_job_time *t, double dt_s, int64_t held_ns,
                      int64_t ended)
{
    int64_t more = ended - t->ended_before, more_ns = held_ns - t->held_ns_before;
    double fade = exp2(-fmax(dt_s, 0) / t->half_life_s);
    double mean_s = t->ended > 0 ? t->held_s / t->ended : t->guess_s;
    /* What was learnt stays while nothing ends: long jobs end seldom. */
    t->ended = fmax(t->ended * fade, 1);
    t->held_s = mean_s * t->ended;
    if (more > 0 && more_ns >= 0) {
        t->held_s += (double)more_ns / 1e9;
        t->ended += (double)more;
    }
    t->ended_before = ended;
    t->held_ns_before = held_ns;
    return t->held_s / t->ended;
}
