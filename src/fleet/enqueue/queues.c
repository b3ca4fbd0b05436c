/* queues.c - a queue and its dead-letter queue, found or made. See queues.h. */
#include "fleet/enqueue/queues.h"

#include "fleet/job/job.h"
#include "fleet/port/retry.h"
#include "jobq/units.h"

#include <assert.h>

int queues_open_dead(struct jobq_backend *b, const char *name, bool create, int *out_dead,
                     struct jobq_error *err)
{
    assert(b && name && out_dead && err);
    char dead_name[JOBQ_QUEUE_NAME_MAX + 1];
    job_dead_queue_name(name, dead_name);
    if (!create)
        return jobq_queue_open(b, dead_name, out_dead, err);
    /* As long as the service keeps anything: a person looks at these. */
    struct jobq_queue_options options = {.visibility_ns = 30 * JOBQ_NS_PER_S,
                                         .retention_ns = 14 * JOBQ_NS_PER_DAY};
    int code = jobq_queue_create(b, dead_name, &options, out_dead, err);
    return code == JOBQ_CONFLICT ? jobq_queue_open(b, dead_name, out_dead, err) : code;
}

static int queues_make(struct jobq_backend *b, const struct queues_options *o,
                       int *out_queue, int *out_dead, struct jobq_error *err)
{
    struct jobq_queue_options options = {
        .visibility_ns = o->visibility_ns >= 0 ? o->visibility_ns : 30 * JOBQ_NS_PER_S,
        .retention_ns = o->retention_ns ? o->retention_ns : QUEUES_RETENTION_NS,
    };
    if (o->max_receive_count > 0) {
        int code = queues_open_dead(b, o->name, true, out_dead, err);
        if (code < 0)
            return code;
        options.max_receive_count = o->max_receive_count;
        options.dead_queue = *out_dead;
    }
    int code = jobq_queue_create(b, o->name, &options, out_queue, err);
    if (code != JOBQ_CONFLICT)
        return code;
    /* It is there. A retention that nobody asked for stays as it is. */
    options.retention_ns = o->retention_ns;
    code = jobq_queue_open(b, o->name, out_queue, err);
    return code < 0 ? code : jobq_queue_set_options(b, *out_queue, &options, err);
}

static int open_or_make(struct jobq_backend *b, const struct queues_options *o,
                        int *out_queue, int *out_dead, struct jobq_error *err)
{
    if (o->create && o->visibility_ns >= 0)
        return queues_make(b, o, out_queue, out_dead, err);
    int code = jobq_queue_open(b, o->name, out_queue, err);
    return code == JOBQ_NOT_FOUND && o->create
               ? queues_make(b, o, out_queue, out_dead, err)
               : code;
}

int queues_open(struct jobq_backend *b, const struct queues_options *options,
                int64_t deadline_ns, int *out_queue, int *out_dead,
                struct jobq_error *err)
{
    assert(b && options && options->name && out_queue && out_dead && err);
    struct retry r;
    retry_init(&r, b, &RETRY_CALLS, &deadline_ns);
    *out_queue = *out_dead = -1;
    int code;
    do
        code = open_or_make(b, options, out_queue, out_dead, err);
    while (code < 0 && retry_again(&r, code));
    return code < 0 ? jobq_wrap(err, "queue '%s'", options->name) : JOBQ_OK;
}

/* ---- sending ---------------------------------------------------------------------- */

/* The worst of a sent batch's results; err says why if that is worth trying again. */
static int worst_of(const struct jobq_entry_result *result, int count,
                    struct jobq_error *err)
{
    for (int i = 0; i < count; i++) {
        if (result[i].code == JOBQ_OK)
            continue;
        const char *why =
            result[i].text[0] ? result[i].text : "the queue refused a message";
        jobq_fail(err, (enum jobq_code)result[i].code, "%s", why);
        if (jobq_code_is_retryable(result[i].code))
            return result[i].code;
    }
    return JOBQ_OK;
}

int queues_send(struct jobq_backend *b, int queue, const struct jobq_outgoing *message,
                int count, const int64_t *deadline_ns, int *code,
                struct queues_calls *calls, struct jobq_error *err)
{
    assert(b && message && count >= 1 && count <= JOBQ_BATCH_MAX && code && err);
    struct jobq_outgoing again[JOBQ_BATCH_MAX];
    struct jobq_entry_result result[JOBQ_BATCH_MAX];
    const struct jobq_outgoing *out = message;
    int of[JOBQ_BATCH_MAX], left = count, tries = 0;
    for (int i = 0; i < count; i++)
        of[i] = i;
    struct retry r;
    retry_init(&r, b, &RETRY_CALLS, deadline_ns);
    for (;;) {
        tries++;
        int worst = jobq_queue_send(b, queue, out, left, result, err);
        for (int i = 0; i < left; i++)
            code[of[i]] = worst < 0 ? worst : result[i].code;
        if (worst == JOBQ_OK)
            worst = worst_of(result, left, err);
        if (worst == JOBQ_OK || !retry_again(&r, worst))
            break;
        left = 0;
        for (int i = 0; i < count; i++)
            if (jobq_code_is_retryable(code[i])) {
                again[left] = message[i];
                of[left++] = i;
            }
        out = again;
    }
    if (calls) {
        calls->calls += tries;
        calls->retries += r.tries;
    }
    for (int i = 0; i < count; i++)
        if (code[i] != JOBQ_OK)
            return code[i];
    return JOBQ_OK;
}
