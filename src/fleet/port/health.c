/* health.c - which calls fail, since when, and was it reported? See health.h. */
#include "fleet/port/health.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static bool may_pass(int code)
{
    return jobq_code_is_retryable(code) || code == JOBQ_LIMIT;
}

static void health_tell(const struct health *health, enum health_kind kind,
                        enum jobq_action action, int64_t now_ns)
{
    const struct health_trouble *t = &health->action[action];
    struct health_report report = {
        .kind = kind,
        .action = action,
        .refused = !may_pass(t->code),
        .code = t->code,
        .failures = t->failures,
        .for_ns = now_ns - t->first_at_ns,
        .text = kind == HEALTH_OVER ? "" : t->text,
    };
    health->report(health->ctx, &report);
}

static void health_note(struct health_trouble *t, int code, const char *text,
                        int64_t now_ns)
{
    if (t->failures++ == 0)
        t->first_at_ns = now_ns;
    t->last_at_ns = now_ns;
    t->code = code;
    size_t len = strnlen(text, sizeof t->text - 1);
    memcpy(t->text, text, len);
    t->text[len] = '\0';
}

static void health_outcome(void *ctx, enum jobq_action action, int code, const char *text)
{
    struct health *health = ctx;
    struct health_trouble *t = &health->action[action];
    int64_t now_ns = jobq_now(health->b);
    if (code == JOBQ_OK) {
        bool told = t->told_at_ns != 0;
        if (told)
            health_tell(health, HEALTH_OVER, action, now_ns);
        *t = (struct health_trouble){0};
        return;
    }
    health_note(t, code, text, now_ns);
    bool early = may_pass(code) && code != JOBQ_TIMEOUT &&
                 now_ns - t->first_at_ns < HEALTH_PATIENCE_NS;
    if (early || (t->told_at_ns && now_ns - t->told_at_ns < HEALTH_AGAIN_NS))
        return;
    health_tell(health, may_pass(code) ? HEALTH_FAILS : HEALTH_REFUSED, action, now_ns);
    t->told_at_ns = now_ns ? now_ns : 1;
}

void health_init(struct health *health, struct jobq_backend *b, health_fn *report,
                 void *ctx)
{
    assert(health && b && report);
    *health = (struct health){.b = b, .report = report, .ctx = ctx};
    b->outcome = health_outcome;
    b->outcome_ctx = health;
    b->failing = 0;
}

void health_release(struct health *health)
{
    if (health->b && health->b->outcome_ctx == health)
        health->b->outcome = NULL;
}

const struct health *health_of(const struct jobq_backend *b)
{
    return b->outcome == health_outcome ? b->outcome_ctx : NULL;
}

const struct health_trouble *health_trouble(const struct health *health,
                                            enum jobq_action action, int64_t now_ns)
{
    assert(action >= 0 && action < JOBQ_ACTION_COUNT);
    const struct health_trouble *t = &health->action[action];
    return t->told_at_ns && now_ns - t->last_at_ns <= HEALTH_AGAIN_NS ? t : NULL;
}

const struct health_trouble *health_worst(const struct health *health,
                                          enum jobq_action *out_action)
{
    const struct health_trouble *worst = NULL;
    int64_t now_ns = health->b ? jobq_now(health->b) : 0;
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++) {
        const struct health_trouble *t =
            health_trouble(health, (enum jobq_action)i, now_ns);
        if (!t || (worst && worst->first_at_ns <= t->first_at_ns))
            continue;
        worst = t;
        *out_action = (enum jobq_action)i;
    }
    return worst;
}

char *health_line(const struct health_report *report, char out[static HEALTH_LINE_MAX])
{
    char took[32];
    const char *name = jobq_action_name(report->action);
    /* Most texts begin with the action, or with its batch. */
    bool named = strstr(report->text, name) != NULL;
    jobq_format_duration(report->for_ns / JOBQ_NS_PER_S * JOBQ_NS_PER_S, took,
                         sizeof took);
    switch (report->kind) {
    case HEALTH_OVER:
        snprintf(out, HEALTH_LINE_MAX, "%s succeeds again, after %lld failure%s in %s",
                 name, (long long)report->failures, report->failures == 1 ? "" : "s",
                 took);
        break;
    case HEALTH_REFUSED:
        snprintf(out, HEALTH_LINE_MAX, "refused: %s%s%s", named ? "" : name,
                 named ? "" : ": ", report->text);
        break;
    case HEALTH_FAILS:
        snprintf(out, HEALTH_LINE_MAX, "failing for %s, will be tried again: %s%s%s",
                 took, named ? "" : name, named ? "" : ": ", report->text);
        break;
    }
    return out;
}
