/* run.c - a run in time: boxes that come one by one, puts that are turned away.
 *
 * Room:     src/cost, the money.
 *
 * A domain takes 70 writes a second and has a bucket of as many; what comes above that is
 * refused, and tried again after a delay that is drawn from (0, 250 ms], then (0, 500 ms] and
 * so on to 20 s (src/fleet/port/retry.c). When all callers together ask for more than the domains
 * take, so many of them end up waiting that the rest asks for just what is taken. How many
 * puts that refuses follows from the number of callers n and their time between puts:
 *
 *     n / limit = time between + put / (1 - r) + sum over k of r^k x mean delay k
 *
 * where r is the share refused. A fleet in operation is at that point. A run is on its way
 * there: buckets are full at first, boxes come one after another, and when the limit is
 * reached all callers are awake at once. So a run is integrated: the mean number of callers
 * at each stage, by Euler's rule, in steps of a third of a put, until all jobs are through. */
#include "cost/predict/run.h"

#include <math.h>
#include <string.h>

enum { DELAYS = 8, BOXES_MAX = 64, STEPS_MAX = 40000 };

/* Mean of the delay after refusal k = 1..8: half of 250 ms x 2^(k-1), of 20 s at most. */
static double delay_s(int k)
{
    return fmin(20, 0.25 * ldexp(1, k - 1)) / 2;
}

/* ---- boxes ------------------------------------------------------------------------ */

/* Spread of the two parts of a start, as shares of their means: lognormals whose 99th
 * percentiles are 1.5 and 2.5 medians (models/params/aws-2026.ini). */
#define PENDING_CV 0.18
#define BOOT_CV 0.41

/* The quantile of a standard normal, to 5e-4: Abramowitz and Stegun 26.2.23. */
static double normal_quantile(double u)
{
    double t = sqrt(-2 * log(u < 0.5 ? u : 1 - u));
    double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    return u < 0.5 ? -z : z;
}

/* When box `index` of `boxes` makes its first receive, and how long its boot has taken by
 * then, in seconds from the start of the run: the mean of that order statistic. */
static double predict_ready_s(const struct predict_params *p, double index, double boxes,
                              double *boot_s)
{
    double pending_sd = PENDING_CV * p->pending_s, boot_sd = BOOT_CV * p->boot_s;
    double mean = p->pending_s + p->boot_s;
    double variance = pending_sd * pending_sd + boot_sd * boot_sd;
    if (mean <= 0 || boxes <= 1) {
        *boot_s = p->boot_s;
        return mean;
    }
    /* A lognormal of that mean and variance, at Blom's position of the order statistic. */
    double sigma2 = log1p(variance / (mean * mean));
    double z = normal_quantile((index + 0.625) / (boxes + 0.25));
    double ready = mean * exp(z * sqrt(sigma2) - sigma2 / 2);
    *boot_s = fmax(0, p->boot_s + (ready - mean) * boot_sd * boot_sd / variance);
    return ready;
}

/* ---- callers ---------------------------------------------------------------------- */

/* Callers with a put to make, by their number of refusals k: under way, and waiting. */
struct putting {
    double under_way[DELAYS + 1], waiting[DELAYS + 1];
};

/* A closed system of n callers: each makes `stages` puts, with a pause `away` after
 * each. */
struct flow {
    double put_s, limit_per_s, tokens, tokens_max;
    int stages;
    double away_s[2];
    struct putting putting[2];
    double away[2];
    double fresh_at; /* rounds after which other domains, with full buckets, follow */
    double left;     /* rounds not yet begun */
    double free;     /* callers without a round */
    double ended;    /* rounds */
    double puts, refused; /* so far */
    double busy_s;        /* the integral over time of callers in a round, without the
                           * last pause */
    double refused_share; /* now */
};

static double asked_per_s(const struct flow *f)
{
    double sum = 0;
    for (int i = 0; i < f->stages; i++)
        for (int k = 0; k <= DELAYS; k++)
            sum += f->putting[i].under_way[k];
    return sum / f->put_s;
}

/* One step of one stage. Returns the puts that were taken. */
static double step_putting(struct putting *p, double put_s, double refused, double in,
                           double dt)
{
    double done = 0, next = in;
    for (int k = 0; k <= DELAYS; k++) {
        double reply = p->under_way[k] * fmin(1, dt / put_s);
        double wakes = k ? p->waiting[k] * fmin(1, dt / delay_s(k)) : 0;
        done += reply * (1 - refused);
        p->under_way[k] += (k ? wakes : next) - reply;
        /* The last delay repeats. */
        int to = k < DELAYS ? k + 1 : DELAYS;
        p->waiting[k] -= wakes;
        p->waiting[to] += reply * refused;
    }
    return done;
}

static void run_step(struct flow *f, double dt)
{
    double asked = asked_per_s(f) * dt;
    double can = f->tokens + f->limit_per_s * dt;
    f->refused_share = asked > can ? 1 - can / asked : 0;
    f->tokens = fmin(f->tokens_max, can - asked * (1 - f->refused_share));
    f->puts += asked;
    f->refused += asked * f->refused_share;
    double in = fmin(f->free, f->left);
    f->free -= in;
    f->left -= in;
    for (int i = 0; i < f->stages; i++) {
        double taken = step_putting(&f->putting[i], f->put_s, f->refused_share, in, dt);
        double back = f->away_s[i] > 0 ? f->away[i] * fmin(1, dt / f->away_s[i]) : taken;
        if (f->away_s[i] > 0)
            f->away[i] += taken - back;
        if (i == f->stages - 1)
            f->ended += taken;
        in = back;
    }
    f->free += in;
    for (int i = 0; i < f->stages; i++) {
        for (int k = 0; k <= DELAYS; k++)
            f->busy_s += (f->putting[i].under_way[k] + f->putting[i].waiting[k]) * dt;
        if (i < f->stages - 1)
            f->busy_s += f->away[i] * dt;
    }
}

/* Skips the steady middle of a long run. */
static double run_skip(struct flow *f, double rate_per_s, double busy, double for_s)
{
    double rounds = rate_per_s * for_s;
    double tries = f->stages / (1 - f->refused_share);
    f->left -= rounds;
    f->ended += rounds;
    f->puts += rounds * tries;
    f->refused += rounds * (tries - f->stages);
    f->busy_s += busy * for_s;
    return for_s;
}

/* ---- the two flows ------------------------------------------------------------------ */

/* How long the last of the callers that now wait will still do so: of a delay drawn from
 * (0, d] that is under way at a random moment, (1 - x/d)^2 last longer than x. */
static double longest_wait_s(const struct putting *p)
{
    double low = 0, high = 2 * delay_s(DELAYS);
    for (int i = 0; i < 20; i++) {
        double x = (low + high) / 2, more = 0;
        for (int k = 1; k <= DELAYS; k++) {
            double left = fmax(0, 1 - x / (2 * delay_s(k)));
            more += p->waiting[k] * left * left;
        }
        *(more > 0.5 ? &low : &high) = x;
    }
    return high;
}

/* How long the rounds under way still take once no new one begins. */
static double rest_s(const struct flow *f)
{
    double rest = 0;
    for (int i = f->stages - 1; i >= 0; i--) {
        double after = i < f->stages - 1 ? f->away_s[i] + f->put_s : 0;
        rest = fmax(rest, longest_wait_s(&f->putting[i]) + f->put_s + after);
    }
    return rest;
}

/* Integrates until all but half a round are through; callers come at ready_s[0..count - 1],
 * `each` at a time. Returns the time of the end. */
static double run(struct flow *f, double rounds, const double *ready_s, int count,
                  double each)
{
    double dt = f->put_s / 3, t = ready_s[0], calm_s = 0, before = 0;
    double settle_s = 5 + 3 * (f->away_s[0] + f->away_s[1]);
    double end_s = 0;
    int here = 0;
    f->left = rounds;
    for (int steps = 0; f->ended < rounds - 0.5 && steps < STEPS_MAX; steps++) {
        while (here < count && ready_s[here] <= t) {
            f->free += each;
            here++;
            calm_s = 0;
        }
        double ended = f->ended, busy_s = f->busy_s;
        run_step(f, dt);
        if (ended < f->fresh_at && f->ended >= f->fresh_at)
            f->tokens = f->tokens_max;
        t += dt;
        if (end_s <= 0 && f->left <= 0)
            end_s = t + rest_s(f);
        calm_s = fabs(f->refused_share - before) < 2e-6 ? calm_s + dt : 0;
        before = f->refused_share;
        double rate = (f->ended - ended) / dt;
        double more_s = rate > 0 ? f->left / rate : 0;
        if (here == count && calm_s > settle_s && more_s > 20)
            t += run_skip(f, rate, (f->busy_s - busy_s) / dt, more_s - 10);
    }
    return end_s > 0 ? end_s : t;
}

/* The share refused when n callers, away_s a round apart from their `stages` puts, ask for
 * more than the limit: bisection of the equation above. */
static double refused_for_good(double n, double away_s, double stages, double put_s,
                               double limit_per_s)
{
    double low = 0, high = 1;
    for (int i = 0; i < 50; i++) {
        double r = (low + high) / 2, wait_s = 0, power = 1;
        for (int k = 1; k < DELAYS; k++)
            wait_s += (power *= r) * delay_s(k);
        wait_s += power * r / (1 - r) * delay_s(DELAYS);
        double round_s = away_s + stages * (put_s / (1 - r) + wait_s);
        *(stages * n / round_s > limit_per_s ? &low : &high) = r;
    }
    return (low + high) / 2;
}

static void run_enqueue(const struct predict_scenario *sc, const struct predict_params *p,
                        struct predict_state *s)
{
    double calls = s->single_rows + (1 - s->single_rows) / s->row_batch;
    double limit = p->domain_writes_per_s * sc->domains;
    /* A group puts its rows, then sends its messages: that time is away. */
    double sends = calls > 0 ? fmax(1, 1 / s->send_batch / calls) : 1;
    struct flow f = {.put_s = p->put_s,
                     .limit_per_s = limit,
                     .tokens = limit,
                     .tokens_max = limit,
                     .stages = 1,
                     .away_s = {sends * p->receive_s, 0}};
    double rounds = sc->jobs * calls, at_s = 0;
    double groups = fmin(p->enqueue_calls, rounds);
    if (rounds <= limit || groups / (p->put_s + f.away_s[0]) <= limit)
        return;
    run(&f, rounds, &at_s, 1, groups);
    s->row_tries = 1 + f.refused / rounds;
}

/* Spread of one row put and of one send, as shares of their means: lognormals of median 35 and
 * 9 ms, 99th percentile 150 and 90 ms (models/params/aws-2026.ini). */
#define PUT_CV 0.69
#define SEND_CV 1.29

/* A group's row puts go to one domain each. With two a group and an even number of domains all
 * first ones go to one half of the domains. Groups that start together send the messages of
 * these rows first, of the others after: half of a group's sends later, with the spread that
 * two puts and some sends have by then. So the first half of the messages is mostly for the
 * one half of the domains, and what is left for the other. Later groups are out of step, and
 * only uneven puts are seen: the half with the larger ones is at its limit first. */
static void run_halve(const struct predict_scenario *sc, const struct predict_params *p,
                      const struct predict_state *s, double rounds, struct flow *f)
{
    if (s->group_calls != 2 || fmod(sc->domains, 2) != 0)
        return;
    bool in_step = sc->jobs <= p->enqueue_calls * s->group_jobs;
    double share = fmax(s->group_first, 1 - s->group_first);
    if (in_step) {
        double sends = s->group_jobs / s->send_batch;
        double put_sd = PUT_CV * p->put_s, send_sd = SEND_CV * p->receive_s;
        double spread_s = sqrt(2 * put_sd * put_sd + (sends + 1) / 2 * send_sd * send_sd);
        double apart_s = sends / 2 * p->receive_s;
        share = fmax(share, 0.5 * erfc(-apart_s / spread_s / 2 / sqrt(2)));
    }
    f->limit_per_s *= 0.5 / share;
    f->tokens = f->tokens_max = f->limit_per_s;
    f->fresh_at = in_step ? rounds * s->group_first : 0;
}

static void run_drain(const struct predict_scenario *sc, const struct predict_params *p,
                      struct predict_state *s)
{
    double limit = p->domain_writes_per_s * sc->domains; /* also the buckets' depth */
    double fetch_s = s->prefetch > 0 ? 0 : p->receive_s;
    double job_s = fmax(0, s->hold_s - 2 * p->put_s);
    double slots = sc->boxes * sc->slots, rounds = sc->jobs * s->attempts;
    double ready_s[BOXES_MAX];
    int count = (int)fmin(sc->boxes, BOXES_MAX);
    struct flow f = {.put_s = p->put_s,
                     .limit_per_s = limit,
                     .tokens = limit,
                     .tokens_max = limit,
                     .stages = 2,
                     .away_s = {job_s, fetch_s}};
    run_halve(sc, p, s, rounds, &f);
    if (2 * slots / (s->hold_s + fetch_s) <= f.limit_per_s)
        return;
    for (int i = 0; i < count; i++) {
        double boot_s;
        ready_s[i] = predict_ready_s(p, i, count, &boot_s);
    }
    s->end_s = run(&f, rounds, ready_s, count, slots / count);
    s->put_tries = 1 + f.refused / (2 * rounds);
    s->refused_s = fmax(0, f.busy_s / rounds - s->hold_s);
}

void predict_run(const struct predict_scenario *sc, const struct predict_params *p,
                 struct predict_state *s)
{
    s->row_tries = s->put_tries = 1;
    s->refused_s = s->end_s = 0;
    if (sc->store != PREDICT_SIMPLEDB || p->put_s <= 0 || sc->arrivals_per_s > 0)
        return;
    if (sc->jobs > 0) {
        run_enqueue(sc, p, s);
        run_drain(sc, p, s);
    } else if (sc->utilisation >= 1) {
        double limit = s->ceiling_per_s[PREDICT_BOUND_DOMAINS] * 2 * s->attempts;
        double fetch_s = s->prefetch > 0 ? 0 : p->receive_s;
        double slots = sc->boxes * sc->slots;
        if (2 * slots / (s->hold_s + fetch_s) <= limit)
            return;
        double r = refused_for_good(slots, fmax(0, s->hold_s - 2 * p->put_s) + fetch_s, 2,
                                    p->put_s, limit);
        s->put_tries = s->row_tries = 1 / (1 - r);
        s->refused_s = fmax(0, 2 * slots / limit - fetch_s - s->hold_s);
    }
}

/* ---- instances ---------------------------------------------------------------------- */

/* A box of the run: from its first receive on, `slots` jobs every round_s. */
struct fleet {
    double ready_s[BOXES_MAX], boot_s[BOXES_MAX];
    double each, slots, round_s; /* boxes a place, slots of all its boxes */
    int count;
};

static double rounds_begun(const struct fleet *f, int box, double t)
{
    return t < f->ready_s[box] ? 0 : floor((t - f->ready_s[box]) / f->round_s + 1e-9) + 1;
}

static double run_jobs_begun(const struct fleet *f, double t)
{
    double sum = 0;
    for (int i = 0; i < f->count; i++)
        sum += f->slots * rounds_begun(f, i, t);
    return sum;
}

/* As if jobs flowed: what the slots of all boxes have had time for. */
static double run_jobs_as_flow(const struct fleet *f, double t)
{
    double sum = 0;
    for (int i = 0; i < f->count; i++)
        sum += f->slots * fmax(0, t - f->ready_s[i]) / f->round_s;
    return sum;
}

/* The first moment by which `what` has reached jobs. */
static double reached_s(const struct fleet *f, double jobs,
                        double (*what)(const struct fleet *, double))
{
    double low = f->ready_s[0], high = low + (jobs / f->slots + 1) * f->round_s;
    if (what(f, low) >= jobs)
        return low;
    for (int i = 0; i < 60; i++) {
        double t = (low + high) / 2;
        *(what(f, t) >= jobs ? &high : &low) = t;
    }
    return high;
}

/* The last job's end. With constant jobs a box goes in rounds; with exponential ones the
 * longest of c remaining times is H_c means, of which one would have been worked anyway. */
static double last_end_s(const struct predict_scenario *sc, const struct predict_state *s,
                         const struct fleet *f)
{
    double rounds = sc->jobs * s->attempts;
    double constant = reached_s(f, rounds, run_jobs_begun) + s->hold_s;
    /* What a box has fetched ahead only it can run, and it begins that when its round ends:
     * the latest of so many moments within a round. */
    if (s->prefetch >= 1 && sc->boxes > 1)
        constant += sc->boxes / (sc->boxes + 1) * f->round_s;
    if (sc->job_cv <= 0)
        return constant;
    double slots = fmin(sc->boxes * sc->slots, sc->jobs);
    double harmonic = log(slots) + 0.5772156649 + 1 / (2 * slots);
    double spread =
        reached_s(f, rounds, run_jobs_as_flow) + fmax(0, harmonic - 1) * s->hold_s;
    return constant * fmax(0, 1 - sc->job_cv) + spread * sc->job_cv;
}

void predict_boxes(const struct predict_scenario *sc, const struct predict_params *p,
                   struct predict_state *s)
{
    struct fleet f = {.count = (int)fmin(sc->boxes, BOXES_MAX)};
    f.each = sc->boxes / f.count;
    f.slots = f.each * sc->slots;
    double fetch_s = s->prefetch > 0 ? 0 : p->receive_s;
    /* No faster than messages arrive. */
    double fetched_s =
        sc->slots * p->receive_s / p->receives / fmin(sc->batch, sc->slots + s->prefetch);
    f.round_s = fmax(s->hold_s + s->refused_s + fetch_s, fetched_s);
    for (int i = 0; i < f.count; i++) {
        double late = (i + 0.5) * f.each - p->launch_burst;
        f.ready_s[i] = predict_ready_s(p, i, f.count, &f.boot_s[i]) +
                       fmax(0, late) / p->launches_per_s;
    }
    double end_s = s->end_s > 0 ? s->end_s : last_end_s(sc, s, &f);
    double up_s = 0, boot_s = 0, wait_s = 0, count = 0;
    for (int i = 0; i < f.count; i++) {
        up_s += f.each * fmax(0, end_s - f.ready_s[i]);
        /* A box that comes too late has still paid for its boot. */
        double running_s = fmax(0, end_s - (f.ready_s[i] - f.boot_s[i]));
        boot_s += f.each * fmin(f.boot_s[i], running_s);
        double rounds = rounds_begun(&f, i, end_s - s->hold_s);
        wait_s += rounds * (f.ready_s[i] + fmax(0, rounds - 1) * f.round_s / 2);
        count += rounds;
    }
    s->makespan_s = fmax(s->hold_s, end_s - p->pending_s - p->boot_s);
    s->idle_s = fmax(0, up_s / sc->jobs - s->busy_s);
    s->boot_s = boot_s / sc->jobs;
    if (sc->queued_s <= 0)
        s->queued_s = count > 0 ? wait_s / count : f.ready_s[0];
}
