/* params.c - the faults' names, and the table of DynamoDB's parameters.
 *
 * Room:     models, the facts.
 * Callers:  as dynamodb.h.
 * Knows nothing of: items; the parameters' values, which are in models/params/. */
#include "models/dynamodb/dynamodb.h"

#include "models/params/params.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    const char *name;
    int status;
} FAULT[DYNAMODB_FAULT_COUNT] = {[DYNAMODB_FAULT_NONE] = {"", 200},
#define FAULT_ROW(id, name, status, code) [DYNAMODB_FAULT_##id] = {name, status},
                                 DYNAMODB_FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

const char *dynamodb_fault_name(enum dynamodb_fault fault)
{
    assert((unsigned)fault < DYNAMODB_FAULT_COUNT);
    return FAULT[fault].name;
}

int dynamodb_fault_status(enum dynamodb_fault fault)
{
    assert((unsigned)fault < DYNAMODB_FAULT_COUNT);
    return FAULT[fault].status;
}

#define FIELD(name, kind, member, low, high)                                             \
    {                                                                                    \
        name, kind, offsetof(struct dynamodb_params, member), low, high, NULL            \
    }

static const struct param_field FIELDS[] = {
    FIELD("item_bytes_max", PARAM_BYTES, item_bytes_max, 1, 1e9),
    FIELD("partition_key_bytes_max", PARAM_BYTES, partition_key_bytes_max, 1, 2048),
    FIELD("sort_key_bytes_max", PARAM_BYTES, sort_key_bytes_max, 1, 1024),
    FIELD("page_bytes_max", PARAM_BYTES, page_bytes_max, 1, 1e9),
    FIELD("tables_max", PARAM_COUNT, tables_max, 1, 1e9),
    FIELD("throttle", PARAM_FLAG, throttle, 0, 0),
    FIELD("partition_writes_per_s", PARAM_NUMBER, partition_writes_per_s, 0, 0),
    FIELD("partition_reads_per_s", PARAM_NUMBER, partition_reads_per_s, 0, 0),
    FIELD("new_table_writes_per_s", PARAM_NUMBER, new_table_writes_per_s, 0, 0),
    FIELD("new_table_reads_per_s", PARAM_NUMBER, new_table_reads_per_s, 0, 0),
    FIELD("growth", PARAM_NS, growth_ns, 0, 0),
    FIELD("burst", PARAM_NS, burst_ns, 0, 0),
    FIELD("create", PARAM_NS, create_ns, 0, 0),
    FIELD("ttl_sweep", PARAM_NS, ttl_sweep_ns, 1, 1e18),
    FIELD("stale", PARAM_NS, stale_ns, 0, 0),
    FIELD("stale_p", PARAM_NUMBER, stale_p, 0, 1),
    FIELD("read_latency", PARAM_DISTRIBUTION, read_latency, 0, 0),
    FIELD("write_latency", PARAM_DISTRIBUTION, write_latency, 0, 0),
    FIELD("scan_latency", PARAM_DISTRIBUTION, scan_latency, 0, 0),
};
enum { FIELD_COUNT = sizeof FIELDS / sizeof *FIELDS };

int dynamodb_params_load(const char *model, struct dynamodb_params *out,
                         struct jobq_error *err)
{
    return params_load(model, "dynamodb", FIELDS, FIELD_COUNT, out, err);
}

void dynamodb_params_default(struct dynamodb_params *params)
{
    struct jobq_error err;
    int code = dynamodb_params_load("ideal", params, &err);
    assert(code == JOBQ_OK);
    (void)code;
}

int dynamodb_params_set(struct dynamodb_params *params, const char *key,
                        const char *value, struct jobq_error *err)
{
    return params_set(FIELDS, FIELD_COUNT, params, key, value, err);
}
