/* shrink.c - which parts of a failing run does its failure need? See shrink.h.
 *
 * Room:     sim. */
#include "sim/torture/shrink.h"

#include "jobq/units.h"

#include <assert.h>
#include <string.h>

enum { PLAYS_MAX = 3000, SEEDS_TRIED = 40, STEPS = 12 };

struct shrink {
    struct torture *torture;
    const struct shrink_options *options;
    struct torture_run best;
    struct torture_result result; /* of best */
    int64_t plays, plays_max;
};

/* Whether `run` fails as the best one does; it is the best one then. A run that cannot be set
 * up does not. */
static bool shrink_fails(struct shrink *s, const struct torture_run *run)
{
    struct torture_result result;
    struct jobq_error err;
    if (s->plays >= s->plays_max)
        return false;
    s->plays++;
    if (torture_play(s->torture, run, s->options->hooks, &result, &err) != JOBQ_OK ||
        !result.check || strcmp(result.check, s->result.check) != 0)
        return false;
    s->best = *run;
    s->result = result;
    if (s->options->progress)
        s->options->progress(s->options->ctx, run, s->plays);
    return true;
}

/* Half of the classes at once, then each alone. */
static bool shrink_faults(struct shrink *s)
{
    bool smaller = false;
    struct torture_run run = s->best;
    run.faults = 0;
    if (s->best.faults && shrink_fails(s, &run))
        return true;
    for (int width = TORTURE_FAULT_COUNT / 2; width >= 1; width /= 2)
        for (int at = 0; at < TORTURE_FAULT_COUNT; at += width) {
            run = s->best;
            for (int i = at; i < at + width && i < TORTURE_FAULT_COUNT; i++)
                run.faults &= ~torture_bit((enum torture_fault)i);
            smaller |= run.faults != s->best.faults && shrink_fails(s, &run);
        }
    return smaller;
}

/* The least value of a field that fails, of some that ascend from `least` to what it is: a
 * small run may fail where a larger one does not. */
static bool shrink_count(struct shrink *s, int64_t *(*field)(struct torture_run *run),
                         int64_t least)
{
    struct torture_run run = s->best;
    int64_t most = *field(&run);
    for (int64_t value = least, step = 1; value < most; value += step) {
        *field(&run) = value;
        if (shrink_fails(s, &run))
            return true;
        step = value < STEPS ? 1 : value / 4;
    }
    return false;
}

static int64_t *shrink_jobs(struct torture_run *run)
{
    return &run->jobs;
}

static int64_t *shrink_boxes(struct torture_run *run)
{
    return &run->boxes;
}

static int64_t *shrink_slots(struct torture_run *run)
{
    return &run->slots;
}

/* Faults end sooner, then begin later, by halves of what is left. */
static bool shrink_time(struct shrink *s)
{
    bool smaller = false;
    if (s->best.faults == 0)
        return false;
    for (int64_t cut_ns = (s->best.until_ns - s->best.from_ns) / 2;
         cut_ns >= JOBQ_NS_PER_S; cut_ns /= 2) {
        struct torture_run run = s->best;
        run.until_ns = (run.until_ns - cut_ns) / JOBQ_NS_PER_S * JOBQ_NS_PER_S;
        while (run.until_ns > run.from_ns && shrink_fails(s, &run)) {
            smaller = true;
            run.until_ns -= cut_ns / JOBQ_NS_PER_S * JOBQ_NS_PER_S;
        }
        run = s->best;
        run.from_ns = (run.from_ns + cut_ns) / JOBQ_NS_PER_S * JOBQ_NS_PER_S;
        while (run.from_ns < run.until_ns && shrink_fails(s, &run)) {
            smaller = true;
            run.from_ns += cut_ns / JOBQ_NS_PER_S * JOBQ_NS_PER_S;
        }
    }
    return smaller;
}

/* The same with another seed and fewer jobs: the first seeds, for each number of jobs. */
static bool shrink_seed(struct shrink *s)
{
    const int64_t most = s->best.jobs;
    for (int64_t jobs = 1; jobs < most; jobs += 1 + jobs / 4)
        for (uint64_t seed = 1; seed <= SEEDS_TRIED; seed++) {
            struct torture_run run = s->best;
            run.seed = seed;
            run.jobs = jobs;
            if (shrink_fails(s, &run))
                return true;
        }
    return false;
}

static void shrink_all(struct shrink *s)
{
    bool smaller = true;
    while (smaller && s->plays < s->plays_max) {
        smaller = shrink_faults(s);
        smaller |= shrink_count(s, shrink_jobs, 1);
        smaller |= shrink_count(s, shrink_boxes, 1);
        smaller |= shrink_count(s, shrink_slots, 1);
        smaller |= shrink_time(s);
    }
}

int64_t shrink(struct torture *torture, const struct torture_run *run,
               const struct shrink_options *options, struct torture_run *out,
               struct torture_result *result, struct jobq_error *err)
{
    assert(torture && run && options && out && result && err);
    struct shrink s = {.torture = torture, .options = options, .best = *run};
    s.plays_max = options->plays_max > 0 ? options->plays_max : PLAYS_MAX;
    int code = torture_play(torture, run, options->hooks, &s.result, err);
    if (code != JOBQ_OK)
        return code;
    s.plays = 1;
    if (!s.result.check)
        return jobq_fail(err, JOBQ_INVALID, "the run does not fail");
    do
        shrink_all(&s);
    while (shrink_seed(&s));
    *out = s.best;
    *result = s.result;
    return s.plays;
}
