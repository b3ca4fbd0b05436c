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

enum { DELAYS = 8, STEPS_MAX = 40000 };

/* Mean of the delay after refusal k = 1..8: half of 250 ms x 2^(k-1), of 20 s at most. */
static double delay_s(int k)
{
    return fmin(20, 0.25 * ldexp(1, k - 1)) / 2;
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
        /* From when what is asked for is taken, only those that wait are left. */
        if (end_s <= 0 && f->left <= 0 && f->refused_share < 0.02)
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
    if (s->enqueue_row <= 0 || rounds <= limit ||
        groups / (p->put_s + f.away_s[0]) <= limit)
        return;
    run(&f, rounds, &at_s, 1, groups);
    s->row_tries = 1 + f.refused / rounds;
}

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
    double puts = s->slot_puts, job_s = fmax(0, s->hold_s - puts * p->put_s);
    double slots = sc->boxes * sc->slots, rounds = sc->jobs * s->attempts, all = rounds;
    double ready_s[RUN_BOXES_MAX];
    int count = (int)fmin(sc->boxes, RUN_BOXES_MAX);
    struct flow f = {.put_s = p->put_s,
                     .limit_per_s = limit,
                     .tokens = limit,
                     .tokens_max = limit,
                     .stages = (int)puts,
                     .away_s = {job_s, fetch_s}};
    if (puts < 2) /* the end's alone: what comes before it is after the last one's */
        f.away_s[0] = job_s + fetch_s;
    for (int i = 0; i < count; i++) {
        double boot_s;
        ready_s[i] = predict_ready_s(p, i, count, &boot_s);
    }
    if (sc->arrivals_per_s > 0) {
        /* What waits for the first box comes all at once; later jobs leave less of the limit. */
        rounds = fmin(rounds, sc->arrivals_per_s * s->attempts * ready_s[0]);
        if (rounds < all)
            f.limit_per_s -=
                sc->arrivals_per_s * (s->job_puts + s->enqueue_row * s->single_rows);
        if (rounds < 1 || f.limit_per_s < 0.05 * limit)
            return;
    } else if (s->enqueue_row > 0) {
        run_halve(sc, p, s, rounds, &f);
    }
    if (puts * fmin(slots, rounds) / (s->hold_s + fetch_s) <= f.limit_per_s)
        return;
    s->end_s = run(&f, rounds, ready_s, count, slots / count);
    double busy_s = f.busy_s / rounds + (puts < 2 ? job_s : 0);
    s->put_tries = 1 + f.refused / (puts * all);
    s->refused_s = fmax(0, busy_s - s->hold_s) * rounds / all;
}

/* Mean time until a retry with doubled delays succeeds, over the time until it can: by
 * simulation of the delays, 1.6 to 1.7 from 1 to 8 s. */
#define RETRY_STRETCH 1.6

/* A table that no enqueuer needs is made by who writes the first row, and all others wait. */
static void run_table(const struct predict_scenario *sc, const struct predict_params *p,
                      struct predict_state *s)
{
    double all = sc->jobs * s->attempts, sum_s = 0, boot_s;
    int count = (int)fmin(sc->boxes, RUN_BOXES_MAX);
    double first_s = predict_ready_s(p, 0, count, &boot_s);
    /* With the end's row alone it begins with the first end, and others come later. */
    double before_s = sc->rows == PREDICT_ROWS_END ? s->hold_s * fmin(1, sc->job_cv) : 0;
    for (int i = 0; i < count; i++)
        sum_s += fmax(0, p->table_s - before_s -
                             RETRY_STRETCH *
                                 (predict_ready_s(p, i, count, &boot_s) - first_s));
    double first = fmin(sc->boxes * sc->slots, all);
    if (sc->arrivals_per_s > 0) /* those that have come by then */
        first = fmin(first, sc->arrivals_per_s * (first_s + p->table_s));
    s->table_wait_s = sum_s / count;
    s->refused_s = s->table_wait_s * first / all;
}

void predict_run(const struct predict_scenario *sc, const struct predict_params *p,
                 struct predict_state *s)
{
    s->row_tries = s->put_tries = 1;
    s->refused_s = s->table_wait_s = s->end_s = 0;
    if (sc->store == PREDICT_DYNAMODB && s->enqueue_row <= 0 && sc->jobs > 0)
        run_table(sc, p, s);
    if (sc->store != PREDICT_SIMPLEDB || p->put_s <= 0)
        return;
    if (sc->jobs > 0) {
        if (sc->arrivals_per_s <= 0)
            run_enqueue(sc, p, s);
        run_drain(sc, p, s);
    } else if (sc->utilisation >= 1 && sc->arrivals_per_s <= 0) {
        double puts = s->slot_puts;
        double limit = s->ceiling_per_s[PREDICT_BOUND_DOMAINS] * s->job_puts;
        double fetch_s = s->prefetch > 0 ? 0 : p->receive_s;
        double slots = sc->boxes * sc->slots;
        if (puts * slots / (s->hold_s + fetch_s) <= limit)
            return;
        double r = refused_for_good(slots, fmax(0, s->hold_s - puts * p->put_s) + fetch_s,
                                    puts, p->put_s, limit);
        s->put_tries = s->row_tries = 1 / (1 - r);
        s->refused_s = fmax(0, puts * slots / limit - fetch_s - s->hold_s);
    }
}
