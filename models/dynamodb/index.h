/* index.h - secondary indexes: which items are in one, what of them, and in what order.
 *
 * Room:     models, the facts.
 * Callers:  the DynamoDB model alone.
 * Knows nothing of: capacity, pages.
 *
 * An index is not kept: it is worked out from the table's items when it is read. That costs
 * time where AWS's costs write units, which are charged all the same. */
#ifndef JOBQ_MODELS_DYNAMODB_INDEX_H
#define JOBQ_MODELS_DYNAMODB_INDEX_H

#include "models/dynamodb/dynamodb.h"
#include "models/dynamodb/items.h"

/* Copies of indexes in one block for free(). */
struct dynamodb_index *index_copy(const struct dynamodb_index *index, int count);
/* The item has the index's keys, of their types. */
bool index_has(const struct dynamodb_index *index, const struct dynamodb_item *item);
/* What of the item the index holds. Attributes are shared with the item. */
struct dynamodb_item index_project(const struct dynamodb_table *table,
                                   const struct dynamodb_index *index,
                                   const struct dynamodb_item *item, struct arena *arena);
/* Write units of one item's change from before to after (count 0: none), in one index:
 * nothing that is not in it or does not change, two where its keys change. */
double index_units(const struct dynamodb_table *table, const struct dynamodb_index *index,
                   const struct dynamodb_item *before, const struct dynamodb_item *after,
                   struct arena *arena);
/* Below 0, 0 or above 0: the order of two items in the index, then in the table. */
int index_order(const struct dynamodb_table *table, const struct dynamodb_index *index,
                const struct dynamodb_item *a, const struct dynamodb_item *b);

#endif
