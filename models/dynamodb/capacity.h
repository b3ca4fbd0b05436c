/* capacity.h - what a table may consume a second, and each of its partitions.
 *
 * Room:     models, the facts.
 * Callers:  the DynamoDB model alone.
 * Knows nothing of: items.
 *
 * Token buckets: a partition's holds a second of its limit, a provisioned table's what
 * burst_ns of its capacity make. On demand a table takes what it took at its peak twice over,
 * or what a new one takes; beyond that its capacity follows after growth_ns. A call passes
 * while its buckets are not empty, and may leave them in debt. */
#ifndef JOBQ_MODELS_DYNAMODB_CAPACITY_H
#define JOBQ_MODELS_DYNAMODB_CAPACITY_H

#include <stdbool.h>
#include <stdint.h>

/* Units a second; 0: no limit. */
struct capacity_rates {
    double writes_per_s, reads_per_s;
    double partition_writes_per_s, partition_reads_per_s;
    int64_t burst_ns, growth_ns; /* growth 0: a provisioned table, which does not grow */
};

struct capacity_bucket {
    double tokens;
    int64_t at_ns;
};

struct capacity {
    struct capacity_rates rates;
    double writes_per_s, reads_per_s; /* as they are now */
    struct capacity_bucket write, read;
    struct capacity_bucket *partition_write, *partition_read;
    int partitions; /* by the highest bits of the hash; a power of two */
    /* The minute under way and the highest rates of whole minutes. */
    int64_t minute;
    double minute_writes, minute_reads;
    double due_writes_per_s, due_reads_per_s; /* from due_at_ns on */
    int64_t due_at_ns;
};

enum capacity_refusal {
    CAPACITY_TAKEN,
    CAPACITY_TABLE_WRITES,
    CAPACITY_TABLE_READS,
    CAPACITY_PARTITION_WRITES,
    CAPACITY_PARTITION_READS
};
/* "TableWriteProvisionedThroughputExceeded", ... (AWS's ThrottlingReasons). */
const char *capacity_reason(enum capacity_refusal refusal);

/* Zero a capacity before its first use. Later: full buckets of the new size. */
void capacity_set(struct capacity *capacity, const struct capacity_rates *rates,
                  int64_t now_ns);
void capacity_release(struct capacity *capacity);
/* Takes the units of a call about an item of this hash, or refuses and takes nothing. */
enum capacity_refusal capacity_take(struct capacity *capacity, int64_t now_ns,
                                    uint64_t hash, double writes, double reads);
/* Takes reads of a page, which is not refused. */
void capacity_use(struct capacity *capacity, int64_t now_ns, double reads);

#endif
