/* resource.h - what EC2 keeps beside boxes: launch templates, security groups, and which spot
 * requests were cancelled.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/ec2, state/.
 * Knows nothing of: what the parameters mean.
 *
 * Each is a kind, an id and a query string, which its owner reads as a tree. */
#ifndef JOBQ_SIM_MOCK_EC2_RESOURCE_H
#define JOBQ_SIM_MOCK_EC2_RESOURCE_H

#include "sim/mock/server/mock.h"

enum resource_kind { RESOURCE_TEMPLATE, RESOURCE_GROUP, RESOURCE_CANCELLED };
enum { RESOURCES_MAX = 5000 }; /* of a region; AWS: 5,000 templates, 2,500 groups */

struct resource {
    enum resource_kind kind;
    char id[32];
    char *query;
};

int resource_count(const struct mock_region *region);
const struct resource *resource_at(const struct mock_region *region, int index);
/* Of this id; or whose member `Name` is this name. NULL: none. */
const struct resource *resource_find(struct mock_region *region, enum resource_kind kind,
                                     struct jobq_str id);
const struct resource *resource_named(struct mock *mock, struct mock_region *region,
                                      enum resource_kind kind, struct jobq_str name);
const struct tree *resource_read(struct mock *mock, const struct resource *resource);
/* Adds one, or replaces the query of the one with this id. */
void resource_put(struct mock *mock, struct mock_region *region, enum resource_kind kind,
                  const char *id, struct jobq_str query);
void resource_drop(struct mock *mock, struct mock_region *region, enum resource_kind kind,
                   const char *id);
void resource_reset(struct mock_region *region);

#endif
