/* boxes.h - with --boxes exec:CMD a launched instance is a local process.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/ec2/actions.c, mock.c, sim/mock/ec2/imds.c.
 * Knows nothing of: protocols.
 * Blocks:   boxes_free only (up to 2 s, for processes to end).
 *
 * When the model says that a box is up (and its boot time has passed), CMD is run by
 * /bin/sh in a process group of its own with the box's user data as standard input, standard
 * output joined to standard error, and in its environment AWS_ENDPOINT_URL and
 * AWS_EC2_METADATA_SERVICE_ENDPOINT (where this box's own metadata is), AWS_REGION,
 * AWS_DEFAULT_REGION and JOBQ_INSTANCE_ID. When the box is terminated or taken back it gets
 * SIGTERM, and 10 s later SIGKILL; when it ends by itself the instance terminates. */
#ifndef JOBQ_SIM_MOCK_EC2_BOXES_H
#define JOBQ_SIM_MOCK_EC2_BOXES_H

#include "sim/mock/server/mock.h"

struct mock_boxes;

struct mock_boxes *boxes_new(struct mock *mock);
/* Ends all of them. NULL: nothing. */
void boxes_free(struct mock_boxes *boxes);
/* Let what is due happen to the region's boxes, and follow it. */
void boxes_follow(struct mock *mock, struct mock_region *region);
/* The models' time at which boxes_follow has something to do; JOBQ_FOREVER: never. */
int64_t boxes_next_at(const struct mock *mock, const struct mock_region *region);
/* Forget a region's boxes: it was reset. Their processes get SIGKILL. */
void boxes_drop(struct mock *mock, const struct mock_region *region);

/* The box's command is ended, and run again when it has. */
void boxes_reboot(struct mock *mock, const struct mock_region *region, int32_t instance);

#endif
