/* bill.h - one function prices a ledger.
 *
 * Room:     src/cost, the money.
 * Callers:  jobqcost, the report, jobqmock's bill, jobq's explain-cost and status page.
 * Knows nothing of: where the ledger came from. No I/O, no clock.
 * Units:    dollars (double); quantities in the sheet's unit.
 *
 * Each line item is a quantity, already rounded to its price's grain (chunks of each
 * request, seconds or hours of each instance), priced through the tiers. The seed's five
 * components, boot and idle are sums of line items, in table order. */
#ifndef JOBQ_COST_BILL_BILL_H
#define JOBQ_COST_BILL_BILL_H

#include "jobq/error.h"
#include "jobq/ledger.h"
#include "pricing/sheet.h"

#include <stdbool.h>

enum bill_component {
    BILL_BANDWIDTH_IN,
    BILL_BANDWIDTH_OUT,
    BILL_SERVICE_CALLS,
    BILL_STORAGE, /* rows, root volumes */
    BILL_CPU,     /* instance time in attempts; surplus credits; public address */
    BILL_BOOT,    /* running, before the first receive */
    BILL_IDLE,    /* the rest of the instance's billed time, rounding included */
    BILL_COMPONENT_COUNT
};
const char *bill_component_name(enum bill_component component); /* "bandwidth_in" */

/* Free tiers, one bit a service; 0: none, the marginal cost. */
#define BILL_FREE_SQS 1u
#define BILL_FREE_SIMPLEDB 2u
#define BILL_FREE_TRANSFER 4u
#define BILL_FREE_DYNAMODB 8u
#define BILL_FREE_LAMBDA 16u
#define BILL_FREE_ALL 31u
/* "none", "all" or "sqs,simpledb,...". INVALID names the word. */
int bill_free_parse(const char *text, unsigned *out, struct jobq_error *err);

/* "$12.24", "$0.0001224": four digits below a dollar, never an exponent. Returns out. */
char *bill_usd_text(double usd, char *out, int cap);

struct bill_options {
    unsigned free;   /* BILL_FREE_... */
    double months;   /* how long the ledger's usage took; tiers and free amounts are a
                        month's; <= 0: one month */
    bool exact_time; /* bill the exact instance time: no rounding, no minimum (marginal
                      * cost) */
    const char *queue_kind; /* "standard" (NULL), "fifo" or "fair" */
    const char *volume; /* EBS kind: NULL: "gp3", or "standard" where that is priced */
};

struct bill_item {
    const char *service, *item; /* of the sheet's price */
    char what[48];              /* "SendMessageBatch", "c7g.large, busy" */
    enum bill_component component;
    double quantity; /* of unit, after the grain */
    enum sheet_unit unit;
    double usd;
    double usd_per_unit; /* of the first tier */
    const char *source, *date;
    char confidence;
    bool assumed;       /* borrowed from another region */
    const char *region; /* the region the price is from */
};

struct bill {
    struct bill_item *item;
    int count, cap;
    double usd;
    double component_usd[BILL_COMPONENT_COUNT];
};

/* A bill by who charges: of each line's service. X(enumerator, name). */
#define BILL_SERVICES(X)                                                                 \
    X(SQS, "SQS")                                                                        \
    X(SIMPLEDB, "SimpleDB")                                                              \
    X(DYNAMODB, "DynamoDB")                                                              \
    X(EC2, "EC2") /* instances, credits, disks and addresses */                          \
    X(TRANSFER, "transfer")                                                              \
    X(OTHER, "other")

enum bill_service {
#define BILL_SERVICE_ENUM(id, name) BILL_BY_##id,
    BILL_SERVICES(BILL_SERVICE_ENUM)
#undef BILL_SERVICE_ENUM
        BILL_SERVICE_COUNT
};
const char *bill_service_name(enum bill_service service); /* "SimpleDB" */
void bill_by_service(const struct bill *bill, double usd[BILL_SERVICE_COUNT]);

void bill_init(struct bill *bill);
void bill_release(struct bill *bill);

/* Prices everything in the ledger: all requests but throttled ones, BoxUsage as
 * reported, each instance from running to its end, and the credits of burstable types: the
 * vCPU hours that an instance used above its baseline. A spot instance that AWS took back
 * does not pay its last started hour where the grain is an hour, nor anything in its first
 * hour where it is a second. Adds to an initialised bill, so
 * that several ledgers make one bill; tiers and free amounts start anew with each call.
 * Owner: items point into the sheet. Returns: JOBQ_OK; NOT_FOUND: a price is missing
 * (the text names it); the bill is then unchanged. Usage of zero needs no price. */
int bill_ledger(struct bill *bill, const struct jobq_ledger *ledger,
                const struct sheet *sheet, const struct bill_options *options,
                struct jobq_error *err);

/* Prices a bare quantity of "SERVICE.ITEM" ("sqs.standard", "lambda.request",
 * "ec2.c7g.large" in hours). Instance hours are billed as one run. */
int bill_quantity(struct bill *bill, const char *what, double quantity,
                  const struct sheet *sheet, const struct bill_options *options,
                  struct jobq_error *err);
/* One hour of an instance type, at its exact price; NAN: not known. */
double bill_box_hour(const struct sheet *sheet, const char *type, bool spot);

#endif
