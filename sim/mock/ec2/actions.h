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

/* ---- replies (sim/mock/ec2/show.c) ------------------------------------------------------ */

/* <item> of one instance in an instancesSet. fresh: in the reply to its launch, which always
 * calls it pending. */
void mock_ec2_show_instance(struct call *call, int32_t index, bool fresh);
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

/* "The request must contain the parameter NAME" */
enum call_end mock_ec2_missing(struct call *call, const char *name);
/* The texts of a list parameter; NULL: empty. */
struct jobq_str *mock_ec2_texts(struct call *call, const char *name, int *count);
/* <tagSet>, unless there is none. */
void mock_ec2_show_tags(struct text *out, const struct jobq_tag *tag, int count);

/* Does what is listed pass the filters? text says what a filter of a name looks at; {NULL, 0}:
 * no filter of that name, and the call is refused (false, call->error filled). */
typedef struct jobq_str mock_ec2_text_fn(void *ctx, struct jobq_str filter);
bool mock_ec2_passes(struct call *call, mock_ec2_text_fn *text, void *ctx, bool *passes);

/* Every action: its name is its row here, its function is in one of the files of this folder. */
#define MOCK_EC2_ACTIONS(X)                                                              \
    X(DescribeInstances, mock_ec2_describe)                                              \
    X(RunInstances, mock_ec2_run)                                                        \
    X(TerminateInstances, mock_ec2_terminate)                                            \
    X(StopInstances, mock_ec2_stop)                                                      \
    X(StartInstances, mock_ec2_start)                                                    \
    X(RebootInstances, mock_ec2_reboot)                                                  \
    X(CreateTags, mock_ec2_create_tags)                                                  \
    X(DeleteTags, mock_ec2_delete_tags)                                                  \
    X(DescribeTags, mock_ec2_describe_tags)                                              \
    X(DescribeInstanceStatus, mock_ec2_describe_status)                                  \
    X(DescribeSpotPriceHistory, mock_ec2_describe_prices)                                \
    X(DescribeInstanceTypes, mock_ec2_describe_types)                                    \
    X(RequestSpotInstances, mock_ec2_request_spot)                                       \
    X(DescribeSpotInstanceRequests, mock_ec2_describe_spot)                              \
    X(CancelSpotInstanceRequests, mock_ec2_cancel_spot)                                  \
    X(CreateLaunchTemplate, mock_ec2_create_template)                                    \
    X(CreateLaunchTemplateVersion, mock_ec2_create_version)                              \
    X(DescribeLaunchTemplates, mock_ec2_describe_templates)                              \
    X(DescribeLaunchTemplateVersions, mock_ec2_describe_versions)                        \
    X(DeleteLaunchTemplate, mock_ec2_delete_template)                                    \
    X(CreateSecurityGroup, mock_ec2_create_group)                                        \
    X(DescribeSecurityGroups, mock_ec2_describe_groups)                                  \
    X(AuthorizeSecurityGroupIngress, mock_ec2_authorize_in)                              \
    X(AuthorizeSecurityGroupEgress, mock_ec2_authorize_out)                              \
    X(RevokeSecurityGroupIngress, mock_ec2_revoke_in)                                    \
    X(RevokeSecurityGroupEgress, mock_ec2_revoke_out)                                    \
    X(DeleteSecurityGroup, mock_ec2_delete_group)                                        \
    X(DescribeVpcs, mock_ec2_describe_vpcs)                                              \
    X(DescribeSubnets, mock_ec2_describe_subnets)                                        \
    X(DescribeRegions, mock_ec2_describe_regions)                                        \
    X(DescribeAvailabilityZones, mock_ec2_describe_zones)                                \
    X(DescribeImages, mock_ec2_describe_images)

typedef enum call_end mock_ec2_fn(struct call *call);
#define MOCK_EC2_DECLARE(name, fn) mock_ec2_fn fn;
MOCK_EC2_ACTIONS(MOCK_EC2_DECLARE)
#undef MOCK_EC2_DECLARE

#endif
