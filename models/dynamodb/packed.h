/* packed.h - an item in one block, and the next version of it without taking it to pieces.
 *
 * Room:     models, the facts.
 * Callers:  the DynamoDB model and its rows; tests.
 * Knows nothing of: tables, expressions.
 *
 * A block is the attributes, then the bytes of their names and texts. Where an item has no
 * documents or sets, its next version is a copy of both parts, all pointers moved by as
 * much, with what is new behind them. A replaced text stays where it was until it is more
 * than half of the block; then the item is packed anew. */
#ifndef JOBQ_MODELS_DYNAMODB_PACKED_H
#define JOBQ_MODELS_DYNAMODB_PACKED_H

#include "models/dynamodb/value.h"
#include "models/memory/block.h"

struct dynamodb_packed {
    struct dynamodb_item item;
    int64_t bytes;      /* dynamodb_item_bytes */
    int32_t text_bytes; /* behind the attributes; -1: documents or sets are among them */
    int32_t waste;      /* of them, of texts that were replaced */
};

/* A deep copy, which blocks_give ends. bytes: dynamodb_item_bytes. */
struct dynamodb_packed *dynamodb_pack(const struct dynamodb_item *item, int64_t bytes,
                                      struct blocks *blocks);
/* base's item (base NULL: key) with attributes set as they are, at their place or, new ones,
 * at the end. Names in set differ. The arena is used for a moment. */
struct dynamodb_packed *dynamodb_pack_set(const struct dynamodb_packed *base,
                                          const struct dynamodb_item *key,
                                          const struct dynamodb_attr *set, int set_count,
                                          struct arena *arena, struct blocks *blocks);

#endif
