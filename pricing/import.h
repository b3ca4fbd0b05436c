/* import.h - an AWS Price List Bulk file (CSV) into a sheet.
 *
 * Room:     pricing, facts.
 * Callers:  jobqcost prices import, fuzzers, tests.
 * Blocks:   while it reads the file.
 *
 * It reads the CSV form (offers/v1.0/aws/CODE/current/REGION/index.csv). AmazonEC2 of one
 * region is some 450 MB, so lines are read one by one and nothing is kept but the rows and
 * which product (SKU) each came from, at most IMPORT_SKUS_MAX; memory does not grow with
 * the file.
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

#include <stdint.h>
#include <stdio.h>

#define IMPORT_SKUS_MAX 200000

struct import_counts {
    int64_t products, prices; /* price lines of the file; those that made a row */
    int64_t unused;           /* products of the region that make no row */
    int64_t other_regions;    /* products of other regions */
    int rows;                 /* added to the sheet */
};

/* Adds the offer's rows to a sheet made by sheet_new for its region, and the offer's code,
 * version and publication date to its properties (joined by "; " over several offers).
 * Call sheet_finish when all offers are in. Returns JOBQ_OK; INVALID: "NAME:LINE: ..." for
 * a malformed file; LIMIT: a line or a file that is too long. On failure the sheet is
 * incomplete: free it. */
int import_offer(FILE *file, const char *name, struct sheet *sheet,
                 struct import_counts *counts, struct jobq_error *err);

#endif
