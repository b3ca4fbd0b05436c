/* import.h - AWS Price List Bulk files into a sheet, streaming.
 *
 * Room:     pricing, facts.
 * Callers:  jobqcost prices import, fuzzers, tests.
 * Knows nothing of: files: it reads through functions.
 *
 * JSON (offers/v1.0/aws/CODE/current/REGION/index.json) and CSV (index.csv), told apart by
 * the first byte. AmazonEC2 of one region is some 450 MB, so nothing is kept but what makes
 * a row: of the products the SKU and the row that it will be (at most IMPORT_SKUS_MAX,
 * usually a few thousand); everything else is looked at as it goes by. Memory does not grow
 * with the file. In JSON the prices ("terms") name products by SKU. Products come first in
 * AWS's files, so one pass is enough; where terms come first, the source is rewound and
 * read again.
 *
 * What becomes a row (on-demand terms of the sheet's region only):
 *   AWSQueueService  family "API Request", by queueType            sqs.standard|fifo|fair
 *   AmazonSimpleDB   usage types BoxUsage and TimedStorage         simpledb.box|storage
 *   AmazonEC2        Linux, shared, no software, used, RunInstances ec2.TYPE
 *                    volumes by volumeApiName                      ebs.gp3, ...
 *   AmazonVPC        public IPv4 in use                            ipv4.public
 *   AWSDataTransfer  out, in (internet); between zones             transfer.out|in|az
 *   AmazonDynamoDB   on-demand units, storage                      dynamodb.write|read|storage
 *   AWSLambda        requests and duration, x86 and arm            lambda.*
 * A leading tier that costs nothing becomes the free allowance of the item. Source: AWS
 * Price List documentation; usage types as in public code that reads these files. */
#ifndef JOBQ_PRICING_IMPORT_H
#define JOBQ_PRICING_IMPORT_H

#include "jobq/error.h"
#include "pricing/sheet.h"

#include <stddef.h>
#include <stdint.h>

#define IMPORT_SKUS_MAX 200000

struct import_source {
    void *ctx;
    int (*read)(void *ctx, char *out, size_t cap, size_t *got, struct jobq_error *err);
    int (*rewind)(void *ctx, struct jobq_error *err);
};

struct import_counts {
    int64_t products, prices;
    int64_t unused;        /* products of the region that make no row */
    int64_t other_regions; /* products of other regions */
    int rows;              /* added to the sheet */
};

/* Adds the offer's rows to a sheet made by sheet_new for its region, and the offer's code,
 * version and publication date to its properties (joined by "; " over several offers).
 * Call sheet_finish when all offers are in. Returns JOBQ_OK; INVALID: "NAME:LINE: ..." for
 * a malformed file; LIMIT. The sheet is then of no use. */
int import_offer(const struct import_source *source, const char *name,
                 struct sheet *sheet, struct import_counts *counts,
                 struct jobq_error *err);

#endif
