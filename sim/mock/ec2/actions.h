/* actions.h - EC2 as jobqmock serves it, and STS's one action.
 *
 * Room:     sim/mock.
 * Callers:  route.c.
 * Knows nothing of: sockets, signatures, what runs on a box (boxes.h). */
#ifndef JOBQ_SIM_MOCK_EC2_ACTIONS_H
#define JOBQ_SIM_MOCK_EC2_ACTIONS_H

#include "models/ec2/ec2.h"
#include "sim/mock/server/mock.h"

void mock_ec2(struct call *call);
bool mock_ec2_knows(struct jobq_str action);
void mock_sts(struct call *call);

/* What a launch said that the model does not keep: echoed by DescribeInstances. */
struct mock_launch {
    char subnet[32], security_group[32], profile[80];
    bool metadata_tags; /* InstanceMetadataTags=enabled */
};
/* Of an instance; a launch with nothing in it if nothing was said. */
const struct mock_launch *mock_ec2_launch(const struct mock_region *region,
                                          int32_t instance);
/* Keeps it for count instances from first on. */
void mock_ec2_keep(struct mock_region *region, int32_t first, int32_t count,
                   const struct mock_launch *launch);

/* ---- replies (sim/mock/ec2/show.c) ------------------------------------------------------ */

/* <item> of one instance in an instancesSet. fresh: in the reply to its launch, which always
 * calls it pending. */
void mock_ec2_show_instance(struct call *call, int32_t index, bool fresh);
/* What the launch named, or the default VPC's. out: room for 32 bytes. */
const char *mock_ec2_subnet(const struct mock *mock, const struct mock_region *region,
                            const struct mock_launch *launch, char *out);
const char *mock_ec2_group(const struct mock *mock, const struct mock_region *region,
                           const struct mock_launch *launch, char *out);
/* "ip-10-0-0-1.ec2.internal". Returns out. */
char *mock_ec2_dns_name(const struct mock_region *region, const struct ec2_instance *box,
                        char out[80]);
/* The Filter parameters of a Describe call; returns how many. Owner: the call's arena. */
int mock_ec2_filters(struct call *call, const struct ec2_filter **out);
/* "2026-11-24T03:45:00.000Z"; out: 32 bytes. Returns out. */
char *mock_ec2_time(int64_t wall_ns, char *out);
/* call->error from the model's reply. */
enum call_end mock_ec2_fault(struct call *call, const struct ec2_reply *reply,
                             const struct jobq_error *err);
/* DryRun=true. */
bool mock_ec2_is_dry(const struct call *call);

typedef enum call_end mock_ec2_fn(struct call *call);
mock_ec2_fn mock_ec2_describe, mock_ec2_describe_status, mock_ec2_describe_tags,
    mock_ec2_describe_prices, mock_ec2_describe_types;

#endif
