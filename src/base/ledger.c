/* ledger.c - names and sums of usage. See jobq/ledger.h. */
#include "jobq/ledger.h"

#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum jobq_service service;
} ACTIONS[JOBQ_ACTION_COUNT] = {
#define ACTION_ROW(id, service, name) [JOBQ_ACT_##id] = {name, service},
    JOBQ_ACTIONS(ACTION_ROW)
#undef ACTION_ROW
};

const char *jobq_action_name(enum jobq_action action)
{
    assert(action >= 0 && action < JOBQ_ACTION_COUNT);
    return ACTIONS[action].name;
}

enum jobq_service jobq_action_service(enum jobq_action action)
{
    return ACTIONS[action].service;
}

const char *jobq_service_name(enum jobq_service service)
{
    static const char *const names[JOBQ_SERVICE_COUNT] = {"sqs", "simpledb", "ec2",
                                                          "dynamodb"};
    return names[service];
}

const char *jobq_job_end_name(enum jobq_job_end end)
{
    static const char *const names[JOBQ_JOB_END_COUNT] = {
#define JOB_END_NAME(id, name) name,
        JOBQ_JOB_ENDS(JOB_END_NAME)
#undef JOB_END_NAME
    };
    assert(end >= 0 && end < JOBQ_JOB_END_COUNT);
    return names[end];
}

const char *jobq_instance_end_name(enum jobq_instance_end end)
{
    static const char *const names[JOBQ_INSTANCE_END_COUNT] = {"", "us", "aws"};
    assert(end >= 0 && end < JOBQ_INSTANCE_END_COUNT);
    return names[end];
}

void jobq_ledger_init(struct jobq_ledger *ledger)
{
    memset(ledger, 0, sizeof *ledger);
}

void jobq_ledger_release(struct jobq_ledger *ledger)
{
    free(ledger->instance);
    ledger->instance = NULL;
    ledger->instance_count = ledger->instance_cap = 0;
}

struct jobq_instance_use *jobq_ledger_instance(struct jobq_ledger *ledger)
{
    if (ledger->instance_count == ledger->instance_cap) {
        ledger->instance_cap = ledger->instance_cap ? 2 * ledger->instance_cap : 16;
        ledger->instance = xrealloc(ledger->instance, (size_t)ledger->instance_cap *
                                                          sizeof *ledger->instance);
    }
    struct jobq_instance_use *use = &ledger->instance[ledger->instance_count++];
    memset(use, 0, sizeof *use);
    return use;
}

int jobq_payload_bucket(int64_t payload_bytes)
{
    assert(payload_bytes >= 0);
    int64_t kib = (payload_bytes + 1023) / 1024;
    return kib < 0                       ? 0
           : kib >= JOBQ_PAYLOAD_BUCKETS ? JOBQ_PAYLOAD_BUCKETS - 1
                                         : (int)kib;
}

void jobq_ledger_add(struct jobq_ledger *into, const struct jobq_ledger *from)
{
    assert(into && from && into != from);
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++) {
        struct jobq_usage *a = &into->action[i];
        const struct jobq_usage *b = &from->action[i];
        a->requests += b->requests;
        a->entries += b->entries;
        a->empty += b->empty;
        a->failed += b->failed;
        a->throttled += b->throttled;
        a->bytes_out += b->bytes_out;
        a->bytes_in += b->bytes_in;
        a->box_usage_e10h += b->box_usage_e10h;
    }
    for (int i = 0; i < JOBQ_PAYLOAD_BUCKETS; i++) {
        into->send_kib[i] += from->send_kib[i];
        into->receive_kib[i] += from->receive_kib[i];
    }
    into->store_byte_hours += from->store_byte_hours;
    into->table_byte_hours += from->table_byte_hours;
    into->volume_gib_hours += from->volume_gib_hours;
    into->ipv4_hours += from->ipv4_hours;
    into->internet_out_bytes += from->internet_out_bytes;
    into->internet_in_bytes += from->internet_in_bytes;
    into->write_units += from->write_units;
    into->read_units += from->read_units;
    for (int i = 0; i < JOBQ_JOB_END_COUNT; i++)
        into->jobs[i] += from->jobs[i];
    into->attempts += from->attempts;
    into->span_ns = from->span_ns > into->span_ns ? from->span_ns : into->span_ns;
    for (int64_t i = 0; i < from->instance_count; i++)
        *jobq_ledger_instance(into) = from->instance[i];
}

int64_t jobq_ledger_requests(const struct jobq_ledger *ledger, enum jobq_service service)
{
    int64_t total = 0;
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++)
        if (ACTIONS[i].service == service)
            total += ledger->action[i].requests;
    return total;
}

int64_t jobq_ledger_finished(const struct jobq_ledger *ledger)
{
    return ledger->jobs[JOBQ_JOBS_DONE];
}

int64_t jobq_ledger_unfinished(const struct jobq_ledger *ledger)
{
    int64_t total = 0;
    for (int i = JOBQ_JOBS_DONE + 1; i < JOBQ_JOB_END_COUNT; i++)
        total += ledger->jobs[i];
    return total;
}

char *jobq_ledger_others_text(const struct jobq_ledger *ledger, char *out, int cap)
{
    int len = 0;
    out[0] = '\0';
    for (int i = JOBQ_JOBS_DONE + 1; i < JOBQ_JOB_END_COUNT; i++)
        if (ledger->jobs[i] && len < cap)
            len += snprintf(out + len, (size_t)(cap - len), "%s%lld %s", len ? ", " : "",
                            (long long)ledger->jobs[i],
                            i == JOBQ_JOBS_GIVEN_UP
                                ? "given up"
                                : jobq_job_end_name((enum jobq_job_end)i));
    return out;
}
