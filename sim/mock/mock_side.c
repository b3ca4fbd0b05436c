#include "sim/mock/mock_side.h"

#include <stdlib.h>
#include <string.h>

struct mock_queues {
    struct mock_queue **at; /* by handle; NULL: nothing beside */
    int cap;
};

static char *heap_copy(struct jobq_str s)
{
    char *copy = xmalloc((size_t)s.len + 1);
    if (s.len > 0)
        memcpy(copy, s.ptr, (size_t)s.len);
    copy[s.len] = '\0';
    return copy;
}

void pairs_release(struct pairs *pairs)
{
    for (int i = 0; i < pairs->count; i++) {
        free(pairs->at[i].key);
        free(pairs->at[i].value);
    }
    free(pairs->at);
    *pairs = (struct pairs){0};
}

static int find_pair(const struct pairs *pairs, struct jobq_str key)
{
    for (int i = 0; i < pairs->count; i++)
        if (str_is(key, pairs->at[i].key))
            return i;
    return -1;
}

void pairs_set(struct pairs *pairs, struct jobq_str key, struct jobq_str value)
{
    int i = find_pair(pairs, key);
    if (i >= 0) {
        free(pairs->at[i].value);
        pairs->at[i].value = heap_copy(value);
        return;
    }
    if (pairs->count == pairs->cap) {
        pairs->cap = pairs->cap ? 2 * pairs->cap : 4;
        pairs->at = xrealloc(pairs->at, (size_t)pairs->cap * sizeof *pairs->at);
    }
    pairs->at[pairs->count].key = heap_copy(key);
    pairs->at[pairs->count++].value = heap_copy(value);
}

const char *pairs_get(const struct pairs *pairs, struct jobq_str key)
{
    int i = find_pair(pairs, key);
    return i < 0 ? NULL : pairs->at[i].value;
}

void pairs_remove(struct pairs *pairs, struct jobq_str key)
{
    int i = find_pair(pairs, key);
    if (i < 0)
        return;
    free(pairs->at[i].key);
    free(pairs->at[i].value);
    pairs->count--;
    memmove(&pairs->at[i], &pairs->at[i + 1],
            (size_t)(pairs->count - i) * sizeof pairs->at[0]);
}

struct mock_queues *mock_side_new(void)
{
    return xcalloc(1, sizeof(struct mock_queues));
}

struct mock_queue *mock_side(struct mock_queues *queues, int queue)
{
    if (queue >= queues->cap) {
        int cap = queue + 16;
        queues->at = xrealloc(queues->at, (size_t)cap * sizeof *queues->at);
        memset(queues->at + queues->cap, 0,
               (size_t)(cap - queues->cap) * sizeof *queues->at);
        queues->cap = cap;
    }
    if (!queues->at[queue])
        queues->at[queue] = xcalloc(1, sizeof **queues->at);
    return queues->at[queue];
}

void mock_side_clear(struct mock_queues *queues, int queue)
{
    if (queue >= queues->cap || !queues->at[queue])
        return;
    pairs_release(&queues->at[queue]->tags);
    pairs_release(&queues->at[queue]->attributes);
    pairs_release(&queues->at[queue]->permissions);
    free(queues->at[queue]);
    queues->at[queue] = NULL;
}

void mock_side_reset(struct mock_queues *queues)
{
    for (int i = 0; i < queues->cap; i++)
        mock_side_clear(queues, i);
}

void mock_side_free(struct mock_queues *queues)
{
    if (!queues)
        return;
    mock_side_reset(queues);
    free(queues->at);
    free(queues);
}
