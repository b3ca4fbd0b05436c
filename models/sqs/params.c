/* params.c - the table of SQS's parameters.
 *
 * Room:     models, facts.
 * Callers:  those of sqs.h.
 * Knows nothing of: their values, which are in models/params/. */
#include "models/sqs/sqs.h"

#include "models/params/params.h"

#define FIELD(name, kind, member, low, high)                                             \
    {                                                                                    \
        name, kind, offsetof(struct sqs_params, member), low, high, NULL                 \
    }

static const struct param_field field[] = {
    FIELD("message_bytes_max", PARAM_BYTES, message_bytes_max, 0, 0x1p30),
    FIELD("batch_bytes_max", PARAM_BYTES, batch_bytes_max, 0, 0),
    FIELD("visibility_default", PARAM_NS, visibility_default_ns, 0, 0),
    FIELD("visibility_max", PARAM_NS, visibility_max_ns, 0, 0),
    FIELD("visibility_total_max", PARAM_NS, visibility_total_max_ns, 0, 0),
    FIELD("delay_max", PARAM_NS, delay_max_ns, 0, 0),
    FIELD("retention_default", PARAM_NS, retention_default_ns, 0, 0),
    FIELD("retention_min", PARAM_NS, retention_min_ns, 0, 0),
    FIELD("retention_max", PARAM_NS, retention_max_ns, 0, 0),
    FIELD("retention", PARAM_FLAG, retention, 0, 0),
    FIELD("long_poll_max", PARAM_NS, long_poll_max_ns, 0, 0),
    FIELD("in_flight_max", PARAM_COUNT, in_flight_max, 0, 0),
    FIELD("fifo_in_flight_max", PARAM_COUNT, fifo_in_flight_max, 0, 0),
    FIELD("attributes_max", PARAM_COUNT, attributes_max, 0, 250),
    FIELD("short_poll_servers", PARAM_COUNT, short_poll_servers, 0, 64),
    FIELD("short_poll_sample", PARAM_NUMBER, short_poll_sample, 0, 1),
    FIELD("short_poll_full_at", PARAM_COUNT, short_poll_full_at, 0, 0),
    FIELD("any_waiter", PARAM_FLAG, any_waiter, 0, 0),
    FIELD("duplicate_rate", PARAM_NUMBER, duplicate_rate, 0, 1),
    FIELD("undelete_rate", PARAM_NUMBER, undelete_rate, 0, 1),
    FIELD("reorder_rate", PARAM_NUMBER, reorder_rate, 0, 1),
    FIELD("back_of_queue_receives", PARAM_COUNT, back_of_queue_receives, 0, 0),
    FIELD("stale_change_fails", PARAM_FLAG, stale_change_fails, 0, 0),
    FIELD("fair_share", PARAM_NUMBER, fair_share, 0, 1),
    FIELD("fair_in_flight", PARAM_COUNT, fair_in_flight, 0, 0),
    FIELD("fair_time_share", PARAM_NUMBER, fair_time_share, 0, 1),
    FIELD("fair_quiet_after", PARAM_NS, fair_quiet_after_ns, 0, 0),
    FIELD("fair_recent", PARAM_NS, fair_recent_ns, 0, 0),
    FIELD("counts_window", PARAM_NS, counts_window_ns, 0, 0),
    FIELD("purge_interval", PARAM_NS, purge_interval_ns, 0, 0),
    FIELD("recreate_interval", PARAM_NS, recreate_interval_ns, 0, 0),
    FIELD("dedup_window", PARAM_NS, dedup_window_ns, 0, 0),
    FIELD("throttle_per_s", PARAM_NUMBER, throttle_per_s, 0, 0),
    FIELD("throttle_burst", PARAM_NUMBER, throttle_burst, 1, 1e12),
    FIELD("fifo_throttle_per_s", PARAM_NUMBER, fifo_throttle_per_s, 0, 0),
    FIELD("move_per_s", PARAM_NUMBER, move_per_s, 0, 0),
    FIELD("send_latency", PARAM_DISTRIBUTION, send_latency, 0, 0),
    FIELD("receive_latency", PARAM_DISTRIBUTION, receive_latency, 0, 0),
    FIELD("delete_latency", PARAM_DISTRIBUTION, delete_latency, 0, 0),
    FIELD("other_latency", PARAM_DISTRIBUTION, other_latency, 0, 0),
};
enum { FIELD_COUNT = sizeof field / sizeof *field };

int sqs_params_load(const char *model, struct sqs_params *out, struct jobq_error *err)
{
    return params_load(model, "sqs", field, FIELD_COUNT, out, err);
}

int sqs_params_set(struct sqs_params *params, const char *key, const char *value,
                   struct jobq_error *err)
{
    return params_set(field, FIELD_COUNT, params, key, value, err);
}
