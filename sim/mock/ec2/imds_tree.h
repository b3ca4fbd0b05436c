/* imds_tree.h - what a box can read of itself, by path.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/ec2/imds.c.
 * Knows nothing of: tokens, HTTP. */
#ifndef JOBQ_SIM_MOCK_EC2_IMDS_TREE_H
#define JOBQ_SIM_MOCK_EC2_IMDS_TREE_H

#include "sim/mock/server/mock.h"

/* Appends what stands at a path behind "meta-data" or "dynamic": a text, or the names of a
 * folder, one a line, those of folders with a '/'. False: nothing stands there. */
bool imds_entry(struct mock *mock, struct mock_region *region, int32_t instance,
                struct jobq_str path, struct text *out);
bool imds_dynamic(struct mock *mock, struct mock_region *region, int32_t instance,
                  struct jobq_str path, struct text *out);

#endif
