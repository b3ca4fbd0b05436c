/* ec2_calls.h - EC2's Query parameters and XML replies, as far as a fleet needs them.
 *
 * Room:     src/wire, a tool.
 * Callers:  live/, tests.
 * Knows nothing of: sockets, signatures.
 *
 * API version 2016-11-15. Writers add to a query that request_ec2 signs. */
#ifndef JOBQ_WIRE_EC2_EC2_CALLS_H
#define JOBQ_WIRE_EC2_EC2_CALLS_H

#include "jobq/ports.h"
#include "wire/text/query.h"

/* All or none: MinCount = MaxCount. Instances terminate when they shut down, require
 * IMDSv2 tokens and see their tags in the metadata. */
void ec2_wire_launch(struct query *out, const struct jobq_launch *launch);
void ec2_wire_terminate(struct query *out, const struct jobq_str *id, int count);
/* Pending, running, shutting-down and stopping instances with the tag; a page of
 * 1,000. */
void ec2_wire_describe(struct query *out, struct jobq_tag tag, struct jobq_str token);
void ec2_wire_tag(struct query *out, const struct jobq_str *id, int id_count,
                  const struct jobq_tag *tag, int tag_count);

/* Readers: a count; CORRUPT; LIMIT: more than cap. Strings live in arena. */
int ec2_wire_read_launch(struct jobq_str reply, struct arena *arena, struct jobq_str *out,
                         int cap, struct jobq_error *err);
int ec2_wire_read_describe(struct jobq_str reply, struct arena *arena,
                           struct jobq_box *out, int cap, struct jobq_str *next_token,
                           struct jobq_error *err);

#endif
