#include "sim/mock/control/meter.h"

#include "sim/mock/sqs/actions.h"

#include <stdlib.h>
#include <string.h>

struct mock_meter *meter_new(void)
{
    struct mock_meter *meter = xcalloc(1, sizeof *meter);
    jobq_ledger_init(&meter->ledger);
    jobq_ledger_init(&meter->fifo);
    return meter;
}

void meter_free(struct mock_meter *meter)
{
    if (!meter)
        return;
    jobq_ledger_release(&meter->ledger);
    free(meter);
}

void meter_reset(struct mock_meter *meter)
{
    jobq_ledger_release(&meter->ledger);
    jobq_ledger_init(&meter->ledger);
    jobq_ledger_init(&meter->fifo); /* it has no instances */
    meter->sqs_other[0] = meter->sqs_other[1] = 0;
    meter->other_requests = meter->other_failed = 0;
}

/* The ledger's line of this action, or -1. */
static int meter_find_action(const struct call *call)
{
    static const enum jobq_service service[MOCK_SERVICE_COUNT] = {
        [MOCK_SQS] = JOBQ_SQS,           [MOCK_SDB] = JOBQ_SIMPLEDB,
        [MOCK_DYNAMODB] = JOBQ_DYNAMODB, [MOCK_EC2] = JOBQ_EC2,
        [MOCK_STS] = JOBQ_SERVICE_COUNT,
    };
    for (int i = 0; i < JOBQ_ACTION_COUNT; i++)
        if (jobq_action_service((enum jobq_action)i) == service[call->service] &&
            strcmp(jobq_action_name((enum jobq_action)i), call->action) == 0)
            return i;
    return -1;
}

static void count(struct jobq_ledger *ledger, const struct call *call, int action,
                  int status, int64_t reply_bytes)
{
    bool failed = status >= 400;
    struct jobq_usage *usage = &ledger->action[action];
    usage->requests++;
    usage->entries += call->entries;
    usage->empty += call->empty;
    usage->failed += failed;
    if (failed && (strstr(call->error.code, "Thrott") ||
                   strstr(call->error.code, "Throughput") || status == 503))
        usage->throttled++;
    usage->bytes_out += call->request_bytes;
    usage->bytes_in += reply_bytes;
    usage->box_usage_e10h += call->box_usage_e10h;
    ledger->write_units += call->write_units;
    ledger->read_units += call->read_units;
    if (failed)
        return;
    if (action == JOBQ_ACT_SQS_SEND || action == JOBQ_ACT_SQS_SEND_BATCH)
        ledger->send_kib[jobq_payload_bucket(call->payload_bytes)]++;
    if (action == JOBQ_ACT_SQS_RECEIVE)
        ledger->receive_kib[jobq_payload_bucket(call->payload_bytes)]++;
}

void meter_call(struct mock_meter *meter, const struct call *call, int status,
                int64_t reply_bytes)
{
    int action = meter_find_action(call);
    if (action < 0) {
        meter->other_requests++;
        meter->other_failed += status >= 400;
        if (call->service == MOCK_SQS && mock_sqs_knows(str_of(call->action)))
            meter->sqs_other[call->fifo]++;
        return;
    }
    count(&meter->ledger, call, action, status, reply_bytes);
    if (call->fifo)
        count(&meter->fifo, call, action, status, reply_bytes);
}
