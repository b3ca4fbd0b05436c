#include "scenario/workload.h"

#include "jobq/units.h"

#include <math.h>
#include <string.h>

static int bad(const char *text, const char *why, struct jobq_error *err)
{
    char safe[80];
    text_escape(text, (int64_t)strlen(text), safe, sizeof safe);
    return jobq_fail(err, JOBQ_INVALID, "malformed arrivals '%s': %s", safe, why);
}

/* Poisson arrivals, jobs a second. */
static int parse_rate(const char *text, const char *rate, struct arrivals *out,
                      struct jobq_error *err)
{
    double per_s;
    struct jobq_error why;
    if (jobq_parse_rate(rate, &per_s, &why) != JOBQ_OK)
        return bad(text,
                   "want at-once, 100/s or poisson:100/s (/min /h /day), every:GAP "
                   "or renewal:DISTRIBUTION",
                   err);
    if (!(per_s >= 1e-9 && per_s <= 1e9))
        return bad(text, "the rate is out of range, want 1e-9/s to 1G/s", err);
    out->kind = ARRIVALS_RENEWAL;
    out->rate_per_s = per_s;
    out->gap = (struct distribution){.kind = DISTRIBUTION_EXPONENTIAL,
                                     .a = 1e9 / out->rate_per_s};
    return JOBQ_OK;
}

int arrivals_parse(const char *text, struct arrivals *out, struct jobq_error *err)
{
    struct arrivals parsed = {.kind = ARRIVALS_AT_ONCE};
    int code = JOBQ_OK;
    if (strncmp(text, "every:", 6) == 0) {
        parsed.kind = ARRIVALS_EVERY;
        code = jobq_parse_duration(text + 6, &parsed.every_ns, err);
        /* 1e9 jobs a century apart would leave the clock. */
        if (code == JOBQ_OK && parsed.every_ns > 100 * JOBQ_NS_PER_DAY)
            code = bad(text, "the gap is over 100 days", err);
    } else if (strncmp(text, "poisson:", 8) == 0) {
        code = parse_rate(text, text + 8, &parsed, err);
    } else if (strncmp(text, "renewal:", 8) == 0 || strchr(text, ':')) {
        parsed.kind = ARRIVALS_RENEWAL;
        code = distribution_read(text + (strncmp(text, "renewal:", 8) == 0 ? 8 : 0),
                                 &parsed.gap, err);
    } else if (strcmp(text, "at-once") != 0) {
        code = parse_rate(text, text, &parsed, err);
    }
    if (code == JOBQ_OK)
        *out = parsed;
    return code;
}

void arrivals_release(struct arrivals *arrivals)
{
    distribution_release(&arrivals->gap);
    *arrivals = (struct arrivals){.kind = ARRIVALS_AT_ONCE};
}

void arrivals_copy(struct arrivals *out, const struct arrivals *from)
{
    *out = *from;
    distribution_copy(&out->gap, &from->gap);
}

void arrivals_format(const struct arrivals *arrivals, struct text *out)
{
    char shown[40];
    switch (arrivals->kind) {
    case ARRIVALS_AT_ONCE:
        text_puts(out, "at-once");
        return;
    case ARRIVALS_EVERY:
        text_puts(out, "every:");
        text_puts(out, jobq_format_duration(arrivals->every_ns, shown, sizeof shown));
        return;
    case ARRIVALS_RENEWAL:
        if (arrivals->rate_per_s > 0) {
            text_puts(out, "poisson:");
            text_put_double(out, arrivals->rate_per_s);
            text_puts(out, "/s");
            return;
        }
        text_puts(out, "renewal:");
        distribution_format(&arrivals->gap, out);
        return;
    }
}

double arrivals_rate_per_s(const struct arrivals *arrivals)
{
    double gap_s = arrivals->kind == ARRIVALS_AT_ONCE ? 0
                   : arrivals->kind == ARRIVALS_EVERY
                       ? (double)arrivals->every_ns / 1e9
                       : distribution_mean(&arrivals->gap) / 1e9;
    return gap_s > 0 ? 1 / gap_s : HUGE_VAL;
}

void workload_init(struct workload *w, const struct arrivals *arrivals,
                   const struct distribution *job_time, const struct trace *trace,
                   int64_t count, uint64_t seed)
{
    *w = (struct workload){.arrivals = arrivals,
                           .job_time = job_time,
                           .trace = trace,
                           .count = trace && trace->count < count ? trace->count : count};
    dice_init(&w->arrival_dice, seed, "arrivals", 0);
    dice_init(&w->time_dice, seed, "job-time", 0);
}

static int64_t next_arrival(struct workload *w)
{
    int64_t gap_ns = 0;
    if (w->arrivals->kind == ARRIVALS_RENEWAL)
        gap_ns = distribution_ns(&w->arrivals->gap, dice_u(&w->arrival_dice));
    else if (w->arrivals->kind == ARRIVALS_EVERY && w->next > 0)
        gap_ns = w->arrivals->every_ns;
    /* The far future is as good as any, and leaves room for the jobs themselves. */
    int64_t last_ns = INT64_MAX / 4;
    return gap_ns > last_ns - w->at_ns ? last_ns : w->at_ns + gap_ns;
}

bool workload_next(struct workload *w, struct workload_job *out)
{
    if (w->next == w->count)
        return false;
    if (w->trace) {
        *out = (struct workload_job){w->trace->arrival_ns[w->next],
                                     w->trace->job_ns[w->next]};
    } else {
        w->at_ns = next_arrival(w);
        *out = (struct workload_job){w->at_ns,
                                     distribution_ns(w->job_time, dice_u(&w->time_dice))};
    }
    w->next++;
    return true;
}
