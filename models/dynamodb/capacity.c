#include "models/dynamodb/capacity.h"

#include "base/arena.h"
#include "jobq/units.h"

#include <math.h>
#include <stdlib.h>

const char *capacity_reason(enum capacity_refusal refusal)
{
    static const char *const reason[] = {
        [CAPACITY_TAKEN] = "",
        [CAPACITY_TABLE_WRITES] = "TableWriteProvisionedThroughputExceeded",
        [CAPACITY_TABLE_READS] = "TableReadProvisionedThroughputExceeded",
        [CAPACITY_PARTITION_WRITES] = "TableWriteKeyRangeThroughputExceeded",
        [CAPACITY_PARTITION_READS] = "TableReadKeyRangeThroughputExceeded"};
    return reason[refusal];
}

static double capacity_depth(double rate, int64_t burst_ns)
{
    return rate * fmax(1, (double)burst_ns * 1e-9);
}

static void bucket_fill(struct capacity_bucket *b, int64_t now_ns, double rate,
                        double depth)
{
    if (now_ns > b->at_ns) {
        b->tokens = fmin(depth, b->tokens + rate * (double)(now_ns - b->at_ns) * 1e-9);
        b->at_ns = now_ns;
    }
}

/* As many partitions as the rates need, each no more than its limit. */
static void capacity_split(struct capacity *c, int64_t now_ns)
{
    double most = 1;
    if (c->rates.partition_writes_per_s > 0)
        most = fmax(most, c->writes_per_s / c->rates.partition_writes_per_s);
    if (c->rates.partition_reads_per_s > 0)
        most = fmax(most, c->reads_per_s / c->rates.partition_reads_per_s);
    int count = 1;
    while (count < most && count < 1 << 16)
        count *= 2;
    if (count == c->partitions)
        return;
    free(c->partition_write);
    free(c->partition_read);
    c->partitions = count;
    c->partition_write = xcalloc((size_t)count, sizeof *c->partition_write);
    c->partition_read = xcalloc((size_t)count, sizeof *c->partition_read);
    for (int i = 0; i < count; i++) {
        c->partition_write[i] =
            (struct capacity_bucket){c->rates.partition_writes_per_s, now_ns};
        c->partition_read[i] =
            (struct capacity_bucket){c->rates.partition_reads_per_s, now_ns};
    }
}

void capacity_set(struct capacity *c, const struct capacity_rates *rates, int64_t now_ns)
{
    c->rates = *rates;
    c->writes_per_s = rates->writes_per_s;
    c->reads_per_s = rates->reads_per_s;
    c->write = (struct capacity_bucket){capacity_depth(c->writes_per_s, rates->burst_ns),
                                        now_ns};
    c->read =
        (struct capacity_bucket){capacity_depth(c->reads_per_s, rates->burst_ns), now_ns};
    c->minute = now_ns / (60 * JOBQ_NS_PER_S);
    c->minute_writes = c->minute_reads = 0;
    c->due_at_ns = 0;
    capacity_split(c, now_ns);
}

void capacity_release(struct capacity *c)
{
    free(c->partition_write);
    free(c->partition_read);
    *c = (struct capacity){0};
}

/* On demand: twice the rate of a minute is there growth_ns later. */
static void capacity_grow(struct capacity *c, int64_t now_ns)
{
    int64_t minute = now_ns / (60 * JOBQ_NS_PER_S);
    if (c->rates.growth_ns == 0)
        return;
    if (minute != c->minute) {
        double writes = 2 * c->minute_writes / 60, reads = 2 * c->minute_reads / 60;
        if (writes > fmax(c->writes_per_s, c->due_writes_per_s) ||
            reads > fmax(c->reads_per_s, c->due_reads_per_s)) {
            c->due_writes_per_s = fmax(writes, c->due_writes_per_s);
            c->due_reads_per_s = fmax(reads, c->due_reads_per_s);
            if (c->due_at_ns == 0)
                c->due_at_ns = now_ns + c->rates.growth_ns;
        }
        c->minute = minute;
        c->minute_writes = c->minute_reads = 0;
    }
    if (c->due_at_ns && now_ns >= c->due_at_ns) {
        c->writes_per_s = fmax(c->writes_per_s, c->due_writes_per_s);
        c->reads_per_s = fmax(c->reads_per_s, c->due_reads_per_s);
        c->due_at_ns = 0;
        c->due_writes_per_s = c->due_reads_per_s = 0;
        capacity_split(c, now_ns);
    }
}

static bool bucket_open(struct capacity_bucket *b, int64_t now_ns, double rate,
                        double depth, double units)
{
    if (!(rate > 0) || units <= 0)
        return true;
    bucket_fill(b, now_ns, rate, depth);
    return b->tokens > 0;
}

enum capacity_refusal capacity_take(struct capacity *c, int64_t now_ns, uint64_t hash,
                                    double writes, double reads)
{
    const struct capacity_rates *r = &c->rates;
    capacity_grow(c, now_ns);
    uint64_t i =
        c->partitions > 1 ? hash / (UINT64_MAX / (uint64_t)c->partitions + 1) : 0;
    if (!bucket_open(&c->write, now_ns, c->writes_per_s,
                     capacity_depth(c->writes_per_s, r->burst_ns), writes))
        return CAPACITY_TABLE_WRITES;
    if (!bucket_open(&c->read, now_ns, c->reads_per_s,
                     capacity_depth(c->reads_per_s, r->burst_ns), reads))
        return CAPACITY_TABLE_READS;
    if (!bucket_open(&c->partition_write[i], now_ns, r->partition_writes_per_s,
                     r->partition_writes_per_s, writes))
        return CAPACITY_PARTITION_WRITES;
    if (!bucket_open(&c->partition_read[i], now_ns, r->partition_reads_per_s,
                     r->partition_reads_per_s, reads))
        return CAPACITY_PARTITION_READS;
    c->write.tokens -= writes;
    c->read.tokens -= reads;
    c->partition_write[i].tokens -= writes;
    c->partition_read[i].tokens -= reads;
    c->minute_writes += writes;
    c->minute_reads += reads;
    return CAPACITY_TAKEN;
}

void capacity_use(struct capacity *c, int64_t now_ns, double reads)
{
    capacity_grow(c, now_ns);
    bucket_fill(&c->read, now_ns, c->reads_per_s,
                capacity_depth(c->reads_per_s, c->rates.burst_ns));
    c->read.tokens -= reads;
    c->minute_reads += reads;
}
