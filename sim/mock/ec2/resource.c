#include "sim/mock/ec2/resource.h"

#include "sim/mock/state/state.h"

#include <stdlib.h>
#include <string.h>

int resource_count(const struct mock_region *region)
{
    return region->resource_count;
}

const struct resource *resource_at(const struct mock_region *region, int index)
{
    return &region->resource[index];
}

static int find_index(const struct mock_region *region, enum resource_kind kind,
                      struct jobq_str id)
{
    for (int i = 0; i < region->resource_count; i++)
        if (region->resource[i].kind == kind && str_is(id, region->resource[i].id))
            return i;
    return -1;
}

const struct resource *resource_find(struct mock_region *region, enum resource_kind kind,
                                     struct jobq_str id)
{
    int index = find_index(region, kind, id);
    return index < 0 ? NULL : &region->resource[index];
}

const struct tree *resource_read(struct mock *mock, const struct resource *resource)
{
    struct jobq_error err;
    struct jobq_str query = str_of(resource->query);
    struct tree *tree;
    return tree_from_query(&query, 1, &mock->arena, &tree, &err) < 0 ? NULL : tree;
}

const struct resource *resource_named(struct mock *mock, struct mock_region *region,
                                      enum resource_kind kind, struct jobq_str name)
{
    for (int i = 0; i < region->resource_count; i++)
        if (region->resource[i].kind == kind &&
            str_eq(tree_text(resource_read(mock, &region->resource[i]), "Name"), name))
            return &region->resource[i];
    return NULL;
}

void resource_put(struct mock *mock, struct mock_region *region, enum resource_kind kind,
                  const char *id, struct jobq_str query)
{
    int index = find_index(region, kind, str_of(id));
    if (index < 0) {
        index = region->resource_count++;
        region->resource = xrealloc(region->resource, (size_t)region->resource_count *
                                                          sizeof *region->resource);
        region->resource[index] = (struct resource){.kind = kind};
        strncpy(region->resource[index].id, id, sizeof region->resource[index].id - 1);
    }
    char *copy = xmalloc((size_t)query.len + 1);
    if (query.len > 0)
        memcpy(copy, query.ptr, (size_t)query.len);
    copy[query.len] = '\0';
    free(region->resource[index].query);
    region->resource[index].query = copy;
    state_resource(mock->state, region, (int)kind, id, str_of(copy));
}

void resource_drop(struct mock *mock, struct mock_region *region, enum resource_kind kind,
                   const char *id)
{
    int index = find_index(region, kind, str_of(id));
    if (index < 0)
        return;
    state_resource(mock->state, region, (int)kind, id, (struct jobq_str){NULL, 0});
    free(region->resource[index].query);
    region->resource_count--;
    memmove(&region->resource[index], &region->resource[index + 1],
            (size_t)(region->resource_count - index) * sizeof *region->resource);
}

void resource_reset(struct mock_region *region)
{
    for (int i = 0; i < region->resource_count; i++)
        free(region->resource[i].query);
    free(region->resource);
    region->resource = NULL;
    region->resource_count = 0;
}
