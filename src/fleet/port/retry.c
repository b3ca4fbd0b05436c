/* retry.c - when to try a call again. See retry.h. */
#include "fleet/port/retry.h"

#include "fiber/fiber.h"
#include "jobq/units.h"

const struct retry_policy RETRY_CALLS = {
    .base_ns = 250 * JOBQ_NS_PER_MS, .cap_ns = 20 * JOBQ_NS_PER_S, .tries_max = 0};

void retry_init(struct retry *r, struct jobq_backend *b,
                const struct retry_policy *policy, const int64_t *deadline_at_ns)
{
    *r = (struct retry){.b = b, .policy = policy, .deadline_at_ns = deadline_at_ns};
}

int64_t retry_delay_ns(struct jobq_backend *b, const struct retry_policy *policy,
                       int attempt)
{
    if (policy->base_ns == 0)
        return 0;
    int64_t top = policy->base_ns;
    for (int i = 1; i < attempt && top < policy->cap_ns; i++)
        top = top > policy->cap_ns / 2 ? policy->cap_ns : 2 * top;
    if (top > policy->cap_ns)
        top = policy->cap_ns;
    return 1 + (int64_t)(jobq_uniform(b) * (double)top);
}

bool retry_again(struct retry *r, int code)
{
    if (code == JOBQ_TIMEOUT || code == JOBQ_UNAVAILABLE)
        r->ambiguous = true;
    if (!jobq_code_is_retryable(code))
        return false;
    r->tries++;
    if (r->policy->tries_max > 0 && r->tries >= r->policy->tries_max)
        return false;
    int64_t at_ns = jobq_now(r->b) + retry_delay_ns(r->b, r->policy, r->tries);
    if (r->deadline_at_ns && at_ns >= *r->deadline_at_ns)
        return false;
    fiber_sleep_until(r->b->sched, at_ns);
    return !r->deadline_at_ns || jobq_now(r->b) < *r->deadline_at_ns;
}
