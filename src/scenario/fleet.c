#include "scenario/fleet.h"

#include "jobq/units.h"

/* The scenario says "none" and "never" by words of its own, all negative. */
static int64_t fleet_or_never(int64_t value)
{
    return value < 0 ? JOBQ_FOREVER : value;
}

static enum job_rows fleet_rows(const struct scenario *s)
{
    return s->rows == SCENARIO_ROWS_CLAIM ? JOB_ROWS_CLAIM
           : s->rows == SCENARIO_ROWS_END ? JOB_ROWS_END
                                          : JOB_ROWS_ALL;
}

void scenario_drainer_options(const struct scenario *s, struct drainer_options *out)
{
    out->slots = (int)s->concurrency;
    out->prefetch = s->prefetch == SCENARIO_AUTO ? DRAINER_AUTO : (int)s->prefetch;
    out->batch = (int)s->batch;
    out->receives = (int)s->receives;
    out->wait_ns = s->wait_ns;
    out->visibility_ns = s->visibility_ns;
    out->max_attempts = (int)s->attempts;
    out->retry_base_ns = s->backoff_ns;
    out->time_limit_ns = fleet_or_never(s->time_limit_ns);
    out->kill_grace_ns = s->kill_grace_ns;
    out->linger_ns = s->linger_ns;
    out->cancel_check_ns = fleet_or_never(s->cancel_check_ns);
    out->progress_ns =
        s->progress_ns == SCENARIO_AUTO ? DRAINER_AUTO : fleet_or_never(s->progress_ns);
    out->notice_ns = fleet_or_never(s->notice_ns);
    out->stats_ns = fleet_or_never(s->stats_ns);
    out->housekeeping_ns = fleet_or_never(s->housekeeping_ns);
    out->keep_ns = s->keep_ns;
    out->rows = fleet_rows(s);
    out->idle_exit_ns = fleet_or_never(s->idle_exit_ns);
    out->idle_alone = s->idle_alone;
}

void scenario_enqueuer_options(const struct scenario *s, struct enqueuer_options *out)
{
    out->visibility_ns = s->visibility_ns;
    out->retention_ns = s->retention_ns;
    out->keep_ns = s->keep_ns;
    out->rows = fleet_rows(s);
    out->shards = (int)s->domains;
    out->payload_in = s->payload_in == SCENARIO_PAYLOAD_MESSAGE ? ENQUEUER_IN_MESSAGE
                      : s->payload_in == SCENARIO_PAYLOAD_STORE ? ENQUEUER_IN_STORE
                                                                : ENQUEUER_AUTO;
    out->batch = (int)s->batch;
    out->pipeline = (int)s->pipeline;
}

void scenario_job_options(const struct scenario *s, struct enqueuer_job *out)
{
    out->delay_ns = s->delay_ns;
    out->limits.attempts = scenario_given(s, "attempts") ? s->attempts : 0;
    out->limits.time_limit_ns = s->time_limit_ns < 0 ? 0 : s->time_limit_ns;
    out->limits.has_backoff = scenario_given(s, "backoff");
    out->limits.backoff_ns = out->limits.has_backoff ? s->backoff_ns : 0;
}
