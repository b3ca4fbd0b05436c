/* instances.c - of a run: when boxes come, and when its last job ends.
 *
 * Room:     src/cost, the money.
 *
 * Boxes are asked for at the start, are ready one by one, and run until the last job has ended;
 * so what they cost is when that is. Jobs that are there at once: slots take the next job as
 * soon as they are free (a renewal process each) until the queue is empty; the last end is the
 * longest of the times that are then left (tail.h). Jobs that arrive: the longest of the times
 * left of those that began since, at Poisson times, after the last arrival has had its wait
 * (Allen and Cunneen). A run that arrivals and slots both limit is the larger of the two, by
 * Clark's formula for two normal times (Operations Research 9, 1961). */
#include "cost/predict/run.h"
#include "cost/predict/tail.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979

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

double predict_ready_s(const struct predict_params *p, double index, double boxes,
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

/* ---- a fleet ------------------------------------------------------------------------- */

/* A box of the run: from its first receive on, `slots` jobs every cycle_s. */
struct fleet {
    double ready_s[RUN_BOXES_MAX], boot_s[RUN_BOXES_MAX];
    double each;  /* boxes a place of the arrays */
    double slots; /* of one box */
    int count;
    double jobs;            /* attempts of the run */
    double cycle_s;         /* of a slot, the fetch included */
    double fetch_s;         /* of it: between two jobs */
    double fetch_per_s;     /* messages that a box can fetch */
    double prefetch;        /* held beyond the slots once a box is at work */
    bool explicit_prefetch; /* from the first receive on */
    bool stepped;           /* jobs of one length: slots go in rounds */
    struct tail hold;
    struct renewal renewal;
};

static double fleet_boxes(const struct fleet *f)
{
    return f->each * f->count;
}

/* The spread of a slot's cycle: of the job, of two puts and of a fetch. */
static void fleet_hold(const struct predict_scenario *sc, const struct predict_state *s,
                       struct fleet *f)
{
    double whole = f->cycle_s, job = fmax(0, s->hold_s - s->slot_puts * s->put_s);
    double job_sd = sc->job_cv * job, put_sd = sqrt(s->slot_puts) * PUT_CV * s->put_s;
    double fetch_sd = SEND_CV * f->fetch_s;
    double sd = sqrt(job_sd * job_sd + put_sd * put_sd + fetch_sd * fetch_sd);
    f->stepped = sd < 0.05 * whole;
    if (f->stepped)
        sd = 0.05 * whole;
    if (job_sd > put_sd && sc->family != PREDICT_CONSTANT && !f->stepped)
        tail_init(&f->hold, sc->family, fmax(0, whole - job), job, sd / job);
    else
        tail_init(&f->hold, PREDICT_LOGNORMAL, 0, whole, sd / whole);
}

/* So few jobs that the first boxes hold them all, some of them ahead. */
static bool fleet_hoards(const struct fleet *f)
{
    return f->explicit_prefetch && f->jobs <= (f->slots + f->prefetch) * fleet_boxes(f);
}

/* Messages that a box, ready since age_s, holds beyond its slots: none before it knows how long
 * jobs take, unless it was told a number. Slots in step take whole rounds: what was fetched ahead
 * counts only where it leaves other boxes nothing. */
static double fleet_ahead(const struct fleet *f, double age_s)
{
    if (f->stepped)
        return fleet_hoards(f) ? f->prefetch : 0;
    return f->explicit_prefetch ? f->prefetch
                                : f->prefetch * (1 - tail_survival(&f->hold, age_s));
}

/* Attempts that a box, ready since age_s, has taken from the queue. */
static double fleet_taken(const struct fleet *f, double age_s)
{
    if (age_s < 0)
        return 0;
    double begun =
        f->stepped ? floor(age_s / f->cycle_s + 1e-9) : renewal_count(&f->renewal, age_s);
    return fmin(f->slots * (1 + begun) + fleet_ahead(f, age_s),
                10 + f->fetch_per_s * age_s);
}

static double fleet_all_taken(const struct fleet *f, double t)
{
    double sum = 0;
    for (int i = 0; i < f->count; i++)
        sum += f->each * fleet_taken(f, t - f->ready_s[i]);
    return sum;
}

/* When the queue has been emptied. */
static double fleet_empty_s(const struct fleet *f)
{
    double low = f->ready_s[0];
    double high = f->ready_s[f->count - 1] +
                  2 * f->cycle_s * (2 + f->jobs / (f->slots * fleet_boxes(f))) +
                  f->jobs / f->fetch_per_s;
    if (fleet_all_taken(f, low) >= f->jobs)
        return low;
    for (int i = 0; i < 60; i++) {
        double t = (low + high) / 2;
        *(fleet_all_taken(f, t) >= f->jobs ? &high : &low) = t;
    }
    return high;
}

/* ---- processors that fewer and fewer jobs share --------------------------------------- */

enum { SHARES = 8 };

/* How long an attempt takes with fewer at work on its box, as a share of the time with all
 * slots at work. */
struct shares {
    double at[SHARES], share[SHARES];
    double cpu_part; /* how much later a box is done for a second more of one attempt */
    bool none;
};

static void shares_init(const struct predict_scenario *sc, const struct predict_params *p,
                        double slots, struct shares *out)
{
    double alone = predict_hold_at(sc, p, 1), full = predict_hold_at(sc, p, slots);
    *out = (struct shares){.none = full < 1.001 * alone || alone <= 0};
    if (out->none)
        return;
    out->cpu_part = sc->cpu_share / predict_vcpus(sc) * alone / full;
    for (int i = 0; i < SHARES; i++) {
        out->at[i] = pow(slots, (double)i / (SHARES - 1));
        out->share[i] = fmin(1, predict_hold_at(sc, p, out->at[i]) / full);
    }
}

static double shares_at(const struct shares *c, double n)
{
    if (c->none || n >= c->at[SHARES - 1])
        return 1;
    int i = 0;
    while (i < SHARES - 2 && n > c->at[i + 1])
        i++;
    double width = c->at[i + 1] - c->at[i];
    double part = width > 0 ? fmax(0, (n - c->at[i]) / width) : 0;
    return c->share[i] + part * (c->share[i + 1] - c->share[i]);
}

/* ---- the tail --------------------------------------------------------------------------- */

/* 1 - (1 - s)^n */
static double any_of(double s, double n)
{
    return s >= 1 ? 1 : -expm1(n * log1p(-s));
}

/* The mean of the longest of `boxes` times, each the longest of `slots` residuals plus a normal
 * delay of deviation sd; jobs that share processors speed up as others end. */
static double longest_left_s(const struct tail *left, double slots, double boxes,
                             double sd, const struct shares *shares)
{
    /* Gauss and Hermite's five points. */
    static const double z[] = {-2.8570, -1.3556, 0, 1.3556, 2.8570};
    static const double w[] = {0.011257, 0.222076, 0.533333, 0.222076, 0.011257};
    double sum = 0, before = 1, before_x = 0;
    if (sd > 0) {
        before_x = -3 * sd;
        sum = before_x;
    }
    int steps = sd > 0 ? TAIL_POINTS + 24 : TAIL_POINTS;
    for (int i = 0; i < steps; i++) {
        double x =
            sd > 0 && i < 24 ? -3 * sd + i * sd / 8 : left->x[i - (sd > 0 ? 24 : 0)];
        double s = 0;
        if (x < before_x)
            continue;
        if (sd > 0)
            for (int k = 0; k < 5; k++)
                s += w[k] * any_of(tail_survival(left, x - sd * z[k]), slots);
        else
            s = any_of(tail_survival(left, x), slots);
        double here = any_of(s, boxes);
        double share =
            shares->none
                ? 1
                : shares_at(shares, slots * tail_survival(left, (x + before_x) / 2));
        sum += share * (here + before) / 2 * (x - before_x);
        before = here;
        before_x = x;
    }
    return sum;
}

/* The same where processors are shared: of the mean box, and what the last box is later by: its
 * sum of work, which the processors get through at one rate, or one long job that is alone in
 * the end. */
static double box_left_s(const struct tail *left, double slots, double boxes, double sd,
                         const struct shares *shares)
{
    static const struct shares alone = {.none = true};
    if (shares->none)
        return longest_left_s(left, slots, boxes, sd, shares);
    double one = longest_left_s(left, slots, 1, sd, shares);
    double job = (longest_left_s(left, slots, boxes, sd, &alone) -
                  longest_left_s(left, slots, 1, sd, &alone)) *
                 shares_at(shares, 1);
    double work = boxes > 1 ? normal_quantile((boxes - 0.375) / (boxes + 0.25)) *
                                  sqrt(slots) * tail_sd(left) * shares->cpu_part
                            : 0;
    return one + hypot(job, work);
}

static double mean_ready_s(const struct fleet *f, double by_s, double *out_boxes)
{
    double sum = 0, count = 0;
    for (int i = 0; i < f->count; i++)
        if (i == 0 || f->ready_s[i] <= by_s) {
            sum += f->ready_s[i];
            count++;
        }
    *out_boxes = count * f->each;
    return sum / count;
}

/* The last end of `jobs` attempts of which each is there before a slot is free for it;
 * *empty_s: when the queue is empty. */
static double end_at_once_s(const struct fleet *f, const struct shares *shares,
                            double enqueued_s, double *empty_s)
{
    *empty_s = fmax(fleet_empty_s(f), enqueued_s);
    double boxes, ready_s = mean_ready_s(f, *empty_s, &boxes);
    double age_s = fmax(0, *empty_s - ready_s);
    double ahead = fleet_ahead(f, age_s);
    if (f->stepped) {
        /* The last round may leave slots empty, whose processors the others use. */
        double whole = boxes * f->slots, last = fmod(f->jobs, whole);
        double share =
            last > 0 && f->jobs > whole ? shares_at(shares, ceil(last / boxes)) : 1;
        double end = *empty_s + f->cycle_s * (ahead > 0 ? 1 : share) - f->fetch_s;
        if (ahead > 0)
            return end + ceil(fmin(ahead, f->jobs) / f->slots - 1e-9) * f->cycle_s *
                             shares_at(shares, fmin(ahead, f->slots));
        /* What a box has fetched ahead only it can run, and it begins that when its round
         * ends: the latest of so many moments within a round. */
        return f->prefetch >= 1 && boxes > 1 ? end + boxes / (boxes + 1) * f->cycle_s
                                             : end;
    }
    /* Attempts that begin after the queue is empty, from what was fetched ahead. */
    double more_s = 0, sd = 0;
    if (ahead > 0) {
        double now = renewal_count(&f->renewal, age_s), low = 0,
               high = 2 * f->hold.mean * (2 + ahead / f->slots);
        for (int i = 0; i < 40; i++) {
            double t = (low + high) / 2;
            bool enough =
                f->slots * (renewal_count(&f->renewal, age_s + t) - now) >= ahead;
            *(enough ? &high : &low) = t;
        }
        more_s = high;
        sd = sqrt(ahead) * f->hold.cv * f->hold.mean / f->slots;
    }
    struct tail left;
    renewal_residual(&f->renewal, age_s + more_s, &left);
    double slots = fmin(f->slots, fmax(1, f->jobs / boxes));
    return *empty_s + more_s + box_left_s(&left, slots, boxes, sd, shares) - f->fetch_s;
}

/* ---- arrivals --------------------------------------------------------------------------- */

/* The mean wait of a job that arrives at the end of span_s: Allen and Cunneen's in the long run;
 * before, work in hand grows no faster than its spread, the mean of the maximum of a random
 * walk. */
static double arrival_wait_s(const struct predict_scenario *sc,
                             const struct predict_state *s, const struct fleet *f,
                             double span_s)
{
    double servers = f->slots * fleet_boxes(f), mean = f->hold.mean;
    double rate = sc->arrivals_per_s * s->attempts, load = rate * mean / servers;
    double walk =
        sqrt(2 * rate * (1 + f->hold.cv * f->hold.cv) * span_s / PI) * mean / servers;
    if (load >= 1)
        return walk;
    double spread = (1 + f->hold.cv * f->hold.cv) / 2;
    return fmin(walk,
                predict_erlang_c(servers, load) * mean / servers / (1 - load) * spread);
}

/* The mean time that the last of the jobs in hand ends after the last arrival: jobs that began
 * at even odds over the span_s before it, and those that waited for the first boxes. */
static double arrival_tail_s(const struct tail *hold, double jobs, double waited,
                             double span_s)
{
    double sum = 0, before = 1, before_x = 0;
    for (int i = 1; i < TAIL_POINTS; i++) {
        double x = hold->x[i], gone = 1 - tail_survival(hold, x);
        if (span_s > 0) {
            double left = (tail_rest(hold, x) - tail_rest(hold, x + span_s)) / span_s;
            double others = fmax(0, jobs - 1 - waited);
            gone *= exp(others * log1p(-fmin(1 - 1e-12, left)));
        }
        gone *= exp(waited * log1p(-fmin(1 - 1e-12, tail_survival(hold, span_s + x))));
        double here = 1 - gone;
        sum += (here + before) / 2 * (x - before_x);
        before = here;
        before_x = x;
    }
    return sum;
}

/* The mean of the larger of two independent normal times. */
static double larger_s(double a, double b, double sd)
{
    if (sd <= 0)
        return fmax(a, b);
    double z = (a - b) / sd, up = erfc(-z / sqrt(2)) / 2;
    return a * up + b * (1 - up) + sd * exp(-z * z / 2) / sqrt(2 * PI);
}

/* When the fleet has first taken all that has come by then; boxes come late, jobs do not. */
static double fleet_caught_up_s(const struct fleet *f, double rate, double jobs)
{
    double low = f->ready_s[0], high = fleet_empty_s(f);
    for (int i = 0; i < 40; i++) {
        double t = (low + high) / 2;
        *(fleet_all_taken(f, t) >= fmin(jobs, rate * t) ? &high : &low) = t;
    }
    return high;
}

/* When the first box is through with what had come by the time it was ready, if it takes all of
 * it at once and has not the processors for that. */
static double end_backlog_s(const struct predict_scenario *sc,
                            const struct predict_params *p, const struct fleet *f)
{
    struct tail hold;
    struct shares shares;
    double backlog = fmin(fmin(f->slots, sc->jobs), sc->arrivals_per_s * f->ready_s[0]);
    if (backlog < 2 || f->stepped)
        return 0;
    shares_init(sc, p, backlog, &shares);
    if (shares.none)
        return 0;
    tail_init(&hold, sc->family, 0, predict_hold_at(sc, p, backlog), f->hold.cv);
    return f->ready_s[0] + box_left_s(&hold, backlog, 1, 0, &shares);
}

static double end_arrivals_s(const struct predict_scenario *sc,
                             const struct predict_params *p,
                             const struct predict_state *s, const struct fleet *f,
                             const struct shares *shares, double *empty_s)
{
    double rate = sc->arrivals_per_s, arrived_s = sc->jobs / rate;
    double start_s = fleet_caught_up_s(f, rate, sc->jobs);
    double waited = fmin(sc->jobs, rate * start_s);
    double span_s = fmax(0, arrived_s - start_s);
    double wait_s = arrival_wait_s(sc, s, f, span_s);
    double arrivals_end = fmax(arrived_s, start_s) + wait_s +
                          arrival_tail_s(&f->hold, sc->jobs, waited, span_s);
    double once_empty_s, once = end_at_once_s(f, shares, 0, &once_empty_s);
    double mean = f->hold.mean, servers = f->slots * fleet_boxes(f);
    double work_sd = sqrt(f->jobs) * f->hold.cv * mean / servers;
    double arrived_sd = arrived_s / sqrt(sc->jobs);
    *empty_s = fmax(fmax(arrived_s, start_s) + wait_s, once_empty_s);
    /* Slots that fall behind do so by work, not by the tail, which both have. */
    return fmax(larger_s(arrivals_end, once, hypot(work_sd, arrived_sd)),
                end_backlog_s(sc, p, f));
}

/* How far the instance time of a run may be off, as a standard deviation relative to it: from
 * the residuals of points drawn over the whole domain (make fit-check), by what they have in
 * common. Times that add independently. */
static double boxes_doubt(const struct predict_scenario *sc,
                          const struct predict_state *s, const struct fleet *f,
                          const struct shares *shares)
{
    double square = 0.005 * 0.005;
    bool at_once = sc->arrivals_per_s <= 0;
    if (!shares
             ->none) /* processors that jobs share: the order of their ends is not known */
        square += at_once ? 0.08 * 0.08 : s->backlog > 0.1 ? 0.06 * 0.06 : 0.02 * 0.02;
    if (s->end_s > 0 || s->put_tries > 1.05) /* the domains' limit */
        square += 0.07 * 0.07;
    if (at_once && f->prefetch > 0)
        square += 0.02 * 0.02;
    if (at_once && sc->job_cv > 0 && f->jobs < 2 * f->slots * fleet_boxes(f))
        square += 0.008 * 0.008;
    if (sc->job_cv > 1.5)
        square += at_once ? 0.025 * 0.025 : 0.01 * 0.01;
    if (s->backlog > 0.2 && sc->job_s < 5) /* most of it is the boxes' start */
        square += 0.02 * 0.02;
    return sqrt(square);
}

/* ---- all ---------------------------------------------------------------------------------- */

/* When the last message is on the queue. */
static double enqueued_s(const struct predict_scenario *sc,
                         const struct predict_params *p, const struct predict_state *s)
{
    double group_s = s->enqueue_row * s->put_s * s->group_calls +
                     p->receive_s * s->group_jobs / s->send_batch;
    double per_s = p->enqueue_calls * s->group_jobs / group_s;
    if (sc->store == PREDICT_SIMPLEDB && s->enqueue_row > 0) {
        double writes = s->single_rows + (1 - s->single_rows) / s->row_batch;
        per_s = fmin(per_s, p->domain_writes_per_s * sc->domains / writes);
    }
    return sc->jobs / per_s;
}

static void fleet_init(const struct predict_scenario *sc, const struct predict_params *p,
                       const struct predict_state *s, struct fleet *f)
{
    f->count = (int)fmin(sc->boxes, RUN_BOXES_MAX);
    f->each = sc->boxes / f->count;
    f->slots = sc->slots;
    f->jobs = sc->jobs * s->attempts;
    f->prefetch = s->prefetch;
    f->explicit_prefetch = sc->prefetch > 0;
    f->fetch_s = s->prefetch > 0 ? 0 : p->receive_s;
    f->fetch_per_s =
        p->receives * fmin(sc->batch, sc->slots + s->prefetch) / p->receive_s;
    f->cycle_s = fmax(fmax(s->hold_s + f->fetch_s, sc->slots / f->fetch_per_s), 1e-6);
    for (int i = 0; i < f->count; i++) {
        double late = (i + 0.5) * f->each - p->launch_burst;
        f->ready_s[i] = predict_ready_s(p, i, f->count, &f->boot_s[i]) +
                        fmax(0, late) / p->launches_per_s;
    }
    fleet_hold(sc, s, f);
    double rounds = f->jobs / (f->slots * fleet_boxes(f));
    renewal_init(&f->renewal, &f->hold,
                 f->stepped || rounds > 30 ? 0 : (rounds + 1) * 1.5 * f->hold.mean);
}

double predict_too_long(const struct predict_scenario *sc, const struct predict_state *s)
{
    const double limit_s = 12 * 3600;
    if (sc->job_cv <= 0 || s->hold_s <= 0)
        return s->hold_s > limit_s;
    if (s->hold_s * (1 + 20 * sc->job_cv * (1 + sc->job_cv)) < limit_s / 20)
        return 0; /* not worth a table */
    struct tail *hold = xcalloc(1, sizeof *hold);
    tail_init(hold, sc->family, 0, s->hold_s, sc->job_cv);
    double share = tail_survival(hold, limit_s);
    free(hold);
    return share;
}

void predict_boxes(const struct predict_scenario *sc, const struct predict_params *p,
                   struct predict_state *s)
{
    struct fleet *f = xcalloc(1, sizeof *f); /* larger than a frame should be */
    struct shares shares;
    double empty_s = 0, end_s;
    fleet_init(sc, p, s, f);
    shares_init(sc, p, sc->slots, &shares);
    if (sc->arrivals_per_s > 0)
        end_s = end_arrivals_s(sc, p, s, f, &shares, &empty_s);
    else
        end_s = fmax(end_at_once_s(f, &shares, enqueued_s(sc, p, s), &empty_s) +
                         s->table_wait_s,
                     s->table_wait_s > 0 ? f->ready_s[0] + p->table_s + s->hold_s : 0);
    if (s->end_s >
        end_s) { /* the domains' limit: slots that wait for a row hold their job */
        double later = fmax(0, 1 - f->slots * fleet_boxes(f) / f->jobs);
        empty_s = fmax(empty_s, f->ready_s[0] + (s->end_s - f->ready_s[0]) * later);
        end_s = s->end_s;
    }
    double up_s = 0, boot_s = 0, poll_s = 0, ready_s = f->ready_s[0];
    for (int i = 0; i < f->count; i++) {
        up_s += f->each * fmax(0, end_s - f->ready_s[i]);
        poll_s += f->each * fmax(0, end_s - fmax(empty_s, f->ready_s[i]));
        /* A box that comes too late has still paid for its boot. */
        double running_s = fmax(0, end_s - (f->ready_s[i] - f->boot_s[i]));
        boot_s += f->each * fmin(f->boot_s[i], running_s);
    }
    double each_s = p->receive_s + (p->long_poll > 0 ? sc->wait_s : 0);
    s->polls = poll_s / each_s / sc->jobs;
    s->work_s = fmax(0, empty_s - ready_s) + f->hold.mean;
    s->backlog =
        sc->arrivals_per_s > 0 ? fmin(1, sc->arrivals_per_s * ready_s / sc->jobs) : 1;
    s->makespan_s = fmax(s->hold_s, end_s - p->pending_s - p->boot_s);
    s->idle_s = fmax(0, up_s / sc->jobs - s->busy_s);
    s->boot_s = boot_s / sc->jobs;
    s->doubt = boxes_doubt(sc, s, f, &shares);
    if (sc->queued_s <= 0)
        s->queued_s = sc->arrivals_per_s > 0 ? 0 : (ready_s + empty_s) / 2;
    free(f);
}
