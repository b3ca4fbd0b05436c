/* launch.h - what a launch says: the parameters of RunInstances, a launch template behind
 * them, and how a box shows those that the model does not keep.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/ec2, state/.
 * Knows nothing of: how boxes live.
 *
 * A launch is kept as the query string that said it, and read again as a tree by what
 * shows it: one form for a request, a template, a box and the file of --state. */
#ifndef JOBQ_SIM_MOCK_EC2_LAUNCH_H
#define JOBQ_SIM_MOCK_EC2_LAUNCH_H

#include "sim/mock/ec2/actions.h"

/* What was said at an instance's launch; NULL: nothing. Good until /_jobq/reset. */
const struct tree *launch_said(const struct mock_region *region, int32_t instance);
struct jobq_str launch_text(const struct mock_region *region, int32_t instance);
/* Keeps it for count instances from first on. */
void launch_keep(struct mock_region *region, int32_t first, int32_t count,
                 struct jobq_str query);
void launch_reset(struct mock_region *region);

/* Reads a launch (of RunInstances, or LaunchSpecification of RequestSpotInstances) into run,
 * but for counts, token and dry run. kept: the query string of what is echoed. False:
 * call->error is filled. Views into the call's arena. */
bool launch_read(struct call *call, const struct tree *said, struct ec2_run *run,
                 struct jobq_str *kept);

/* The tags that a launch gives to resources of this type. */
struct jobq_tag *launch_tags(const struct call *call, const struct tree *said,
                             const char *type, int *count);

/* ---- the default VPC, and what a box shows ---------------------------------------------- */

enum { LAUNCH_ID = 32 };
/* An id that belongs to (prefix, of), always the same one. Returns out. */
char *launch_id(const struct mock *mock, const char *prefix, const char *of,
                char out[LAUNCH_ID]);
/* The default subnet of a zone's letter, the VPC and its default security group. */
char *launch_subnet(const struct mock *mock, const struct mock_region *region, char zone,
                    char out[LAUNCH_ID]);
char *launch_vpc(const struct mock *mock, const struct mock_region *region,
                 char out[LAUNCH_ID]);
char *launch_group(const struct mock *mock, const struct mock_region *region,
                   char out[LAUNCH_ID]);
enum { LAUNCH_ZONES = 3 }; /* a, b, c */

/* A box's subnet, and its security groups: id and name of the index-th; false: no more. */
struct jobq_str launch_box_subnet(const struct mock *mock,
                                  const struct mock_region *region, int32_t instance,
                                  char out[LAUNCH_ID]);
bool launch_box_group(struct mock *mock, struct mock_region *region, int32_t instance,
                      int index, char id[LAUNCH_ID], struct jobq_str *name);
/* InstanceMetadataTags=enabled. */
bool launch_metadata_tags(const struct tree *said);
/* The instance profile as given, ARN or name; empty: none. */
struct jobq_str launch_profile(const struct tree *said);

#endif
