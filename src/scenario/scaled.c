#include "scenario/scaled.h"

#include "jobq/units.h"

#include <math.h>
#include <string.h>

int64_t scenario_idle_exit_ns(const struct scenario *s)
{
    if (scenario_given(s, "idle-exit"))
        return s->idle_exit_ns < 0 ? JOBQ_FOREVER : s->idle_exit_ns;
    return strcmp(s->model, "aws-2012") == 0 ? SCALE_IDLE_HOURLY_NS : SCALE_IDLE_NS;
}

int scenario_scale_options(const struct scenario *s, double box_hour_usd,
                           struct scale_options *out, struct jobq_error *err)
{
    bool capped = s->hour_usd_max > 0;
    if (capped && !(box_hour_usd > 0))
        return jobq_fail(err, JOBQ_INVALID,
                         "--max-dollars-hour cannot be kept: the price of a '%s' is not "
                         "known",
                         s->instance);
    if (s->boxes_min > s->boxes_max)
        return jobq_fail(err, JOBQ_INVALID, "--min-boxes %lld is above --max-boxes %lld",
                         (long long)s->boxes_min, (long long)s->boxes_max);
    out->policy =
        (struct scale_policy){.target_s = jobq_seconds_from_ns(s->target_ns),
                              .boot_s = SCALE_BOOT_S,
                              .slots = s->concurrency,
                              .boxes_min = s->boxes_min,
                              .boxes_max = s->boxes_max,
                              .hour_usd_max = capped ? s->hour_usd_max : HUGE_VAL,
                              .box_hour_usd = box_hour_usd};
    /* A job of no time at all still takes a slot for its two writes. */
    out->job_s = fmax(distribution_mean(&s->job_time) / 1e9, 0.05);
    out->every_ns = s->scale_every_ns;
    out->spot = s->spot;
    return JOBQ_OK;
}
