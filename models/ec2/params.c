/* params.c - the faults' names, and the table of EC2's parameters.
 *
 * Room:     models, the facts.
 * Callers:  as ec2.h.
 * Knows nothing of: the parameters' values, which are in models/params/. */
#include "models/ec2/ec2.h"

#include "models/params/params.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    const char *name;
    int status;
} fault_table[EC2_FAULT_COUNT] = {[EC2_FAULT_NONE] = {"", 200},
#define FAULT_ROW(id, name, status, code) [EC2_FAULT_##id] = {name, status},
                                  EC2_FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

const char *ec2_fault_name(enum ec2_fault fault)
{
    assert((unsigned)fault < EC2_FAULT_COUNT);
    return fault_table[fault].name;
}

int ec2_fault_status(enum ec2_fault fault)
{
    assert((unsigned)fault < EC2_FAULT_COUNT);
    return fault_table[fault].status;
}

#define FIELD(name, kind, member, low, high)                                             \
    {                                                                                    \
        name, kind, offsetof(struct ec2_params, member), low, high, NULL                 \
    }

static const struct param_field field[] = {
    FIELD("pending", PARAM_DISTRIBUTION, pending, 0, 0),
    FIELD("boot", PARAM_DISTRIBUTION, boot, 0, 0),
    FIELD("stopping", PARAM_DISTRIBUTION, stopping, 0, 0),
    FIELD("request_bucket", PARAM_NUMBER, request_bucket, 0, 0),
    FIELD("request_refill_per_s", PARAM_NUMBER, request_refill_per_s, 0, 0),
    FIELD("resource_bucket", PARAM_NUMBER, resource_bucket, 0, 0),
    FIELD("resource_refill_per_s", PARAM_NUMBER, resource_refill_per_s, 0, 0),
    FIELD("capacity_failure_p", PARAM_NUMBER, capacity_failure_p, 0, 1),
    FIELD("spot_capacity_failure_p", PARAM_NUMBER, spot_capacity_failure_p, 0, 1),
    FIELD("vcpu_limit", PARAM_COUNT, vcpu_limit, 0, 0),
    FIELD("spot_vcpu_limit", PARAM_COUNT, spot_vcpu_limit, 0, 0),
    FIELD("instance_limit", PARAM_COUNT, instance_limit, 0, 0),
    FIELD("spot_hazard_per_hour", PARAM_NUMBER, spot_hazard_per_hour, 0, 0),
    FIELD("spot_notice", PARAM_NS, spot_notice_ns, 0, 0),
    FIELD("spot_price_factor", PARAM_NUMBER, spot_price_factor, 0, 1),
    FIELD("visible_after", PARAM_NS, visible_after_ns, 0, 0),
    FIELD("remembered", PARAM_NS, remembered_ns, 0, 0),
    FIELD("run_latency", PARAM_DISTRIBUTION, run_latency, 0, 0),
    FIELD("call_latency", PARAM_DISTRIBUTION, call_latency, 0, 0),
};
enum { FIELD_COUNT = sizeof field / sizeof *field };

int ec2_params_load(const char *model, struct ec2_params *out, struct jobq_error *err)
{
    return params_load(model, "ec2", field, FIELD_COUNT, out, err);
}

void ec2_params_default(struct ec2_params *params)
{
    struct jobq_error err;
    int code = ec2_params_load("ideal", params, &err);
    assert(code == JOBQ_OK);
    (void)code;
}

int ec2_params_set(struct ec2_params *params, const char *key, const char *value,
                   struct jobq_error *err)
{
    return params_set(field, FIELD_COUNT, params, key, value, err);
}
