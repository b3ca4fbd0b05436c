/* sheet.h - the prices of one region at one date.
 *
 * Room:     pricing, facts.
 * Callers:  src/cost; sim/mock for its bill; tests.
 * Knows nothing of: jobs, ledgers, how much of anything is used. No I/O, no clock.
 *
 * A sheet is a CSV file, pricing/sheets/REGION@DATE.csv:
 *
 *     #: region = us-east-1
 *     #: date = 2012-10
 *     service,item,unit,from,to,usd,source,date,confidence
 *     sqs,standard,request,0,,0.000001,"celery/kombu#96, #109",2012-01-26,H
 *
 * Lines "#: key = value" are properties, other lines that start with # are comments.
 * `usd` is the price of one unit between `from` and `to` of them in a month (`to` empty:
 * no end); the rows of one item are its tiers and must join without a gap. The unit
 * carries the price's grain as UNIT[/GRAIN[/MINIMUM]]:
 *
 *     request         each request                   (SQS until 2013)
 *     request/64KiB   each started 64 KiB of payload (SQS since)
 *     hour/1h         each started hour, per start   (EC2 until 2017)
 *     hour/1s/60s     each started second, at least 60 of them
 *     box-hour, GB-month, GiB-month, GB, hour, unit, GB-second
 *
 * GB is 1e9 bytes (transfer, as in the published costs), GiB 2^30 (volumes, rows kept); a
 * month is 730 hours.
 *
 * Past the last tier's `to` a price is not known and asking for it is an error.
 *
 * A free allowance is a row of item "free" or "free.ITEM" with usd 0; `to` is how much of
 * the unit is free in a month. It is used only when the caller asks for free tiers.
 *
 * Confidence: H primary or two agreeing sources, M one decent one, L weak or recalled. A
 * price that nobody knows has no row: asking for it is an error that names it. */
#ifndef JOBQ_PRICING_SHEET_H
#define JOBQ_PRICING_SHEET_H

#include "jobq/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHEET_HOURS_PER_MONTH 730.0
#define SHEET_ROWS_MAX 200000

enum sheet_unit {
    SHEET_REQUEST,
    SHEET_BOX_HOUR, /* SimpleDB machine hours */
    SHEET_HOUR,     /* instances, addresses */
    SHEET_GB,       /* 1e9 bytes */
    SHEET_GIB,      /* 2^30 bytes */
    SHEET_GB_MONTH,
    SHEET_GIB_MONTH,
    SHEET_UNIT,      /* DynamoDB request units and the like */
    SHEET_GB_SECOND, /* Lambda */
    SHEET_UNIT_COUNT
};

struct sheet_row {
    const char *service, *item;
    enum sheet_unit unit;
    int64_t grain;   /* request: bytes a chunk; hour: seconds; 0: none */
    int64_t minimum; /* hour: seconds billed at least; 0: none */
    double from, to; /* of the unit, a month; to may be INFINITY */
    double usd;      /* of one unit */
    const char *source, *date;
    char confidence; /* 'H', 'M', 'L' */
    int line;        /* in its file; 0: made by a program */
};

struct sheet;

/* Reads a sheet. name stands for it in errors ("NAME:LINE: ..."). Returns JOBQ_OK and a
 * sheet for sheet_free; INVALID: malformed, with the line; LIMIT: over SHEET_ROWS_MAX. */
int sheet_parse(const char *text, size_t len, const char *name, struct sheet **out,
                struct jobq_error *err);
void sheet_free(struct sheet *sheet);

/* Rows are ordered by service, item, from. Strings and rows live as long as the sheet. */
int sheet_row_count(const struct sheet *sheet);
const struct sheet_row *sheet_row_at(const struct sheet *sheet, int index);

const char *sheet_region(const struct sheet *sheet);
const char *sheet_date(const struct sheet *sheet); /* "2012-10" */
/* A property, or "" ("as_of", "offer_version", "publication_date", "offer_code", ...). */
const char *sheet_property(const struct sheet *sheet, const char *key);
const char *sheet_unit_name(enum sheet_unit unit); /* "box-hour" */
/* Reads a unit with its grain into row->unit, grain, minimum; false: malformed. */
bool sheet_unit_parse(const char *text, struct sheet_row *row);
/* The unit with its grain as the file writes it; cut at cap. Returns out. */
char *sheet_unit_text(const struct sheet_row *row, char *out, int cap);

/* Borrow from another sheet what this one does not know. `from` must outlive `sheet`;
 * NULL: stop. Rows found so are not part of sheet_row_count. */
void sheet_assume(struct sheet *sheet, const struct sheet *from);

/* The tiers of one item, in order. */
struct sheet_price {
    const struct sheet_row *tier;
    int tier_count;
    const char *region, *date; /* whose price it is */
    bool assumed;              /* true: borrowed by sheet_assume */
};
/* Returns JOBQ_OK; NOT_FOUND: no row; the text names service.item, region and date, and the
 * sheet's property "without.SERVICE", which says why. */
int sheet_find(const struct sheet *sheet, const char *service, const char *item,
               struct sheet_price *out, struct jobq_error *err);
/* The same without an error text: false when there is none. */
bool sheet_has(const struct sheet *sheet, const char *service, const char *item);

/* How many units a month the known tiers reach; INFINITY: all. */
double sheet_reach(const struct sheet_price *price);
/* Dollars of `quantity` units in `months` months, through the tiers (whose bounds are a
 * month's, so `months` times as wide), after `free_units` a month that cost nothing.
 * The price's grain is the caller's: quantity is already rounded. */
double sheet_cost(const struct sheet_price *price, double quantity, double free_units,
                  double months);
/* What is free of service.item a month ("free.ITEM", else "free"); 0: nothing. */
double sheet_free_units(const struct sheet *sheet, const char *service, const char *item);

/* Applies an hourly price's grain and minimum: seconds billed for a run of `seconds`.
 * A row without a grain bills the seconds as they are. */
double sheet_billed_seconds(const struct sheet_row *row, double seconds);

/* Writes the sheet as its CSV file. The caller frees *out with free(). */
void sheet_write(const struct sheet *sheet, char **out, size_t *out_len);

/* A sheet built row by row (the importer, tests). Strings are copied. */
struct sheet *sheet_new(const char *region, const char *date);
/* False when there are too many (32). */
bool sheet_set_property(struct sheet *sheet, const char *key, const char *value);
int sheet_add(struct sheet *sheet, const struct sheet_row *row, struct jobq_error *err);
/* Replaces service.item by one tier at usd, of the sheet's date, or adds it: its unit is then
 * that of the other instance types, or the usual one of the service. source says where the
 * price is from. NOT_FOUND: its unit is not known. */
int sheet_override(struct sheet *sheet, const char *service, const char *item, double usd,
                   const char *source, struct jobq_error *err);
/* A first tier that costs nothing, with others behind it, becomes the free allowance of
 * its item, and the next tier starts at 0. Before sheet_finish. */
void sheet_fold_free(struct sheet *sheet);
/* Sorts and checks that tiers join. Must be called after the last sheet_add. */
int sheet_finish(struct sheet *sheet, const char *name, struct jobq_error *err);

/* Properties by index, for listings; key NULL past the last. */
void sheet_property_at(const struct sheet *sheet, int index, const char **key,
                       const char **value);

/* The sheets that are compiled in (pricing/sheets/), ordered by file name. */
struct sheet_file {
    const char *name; /* "us-east-1@2012-10.csv" */
    const unsigned char *bytes;
    size_t len;
};
extern const struct sheet_file sheet_files[];
extern const int sheet_file_count;

/* Splits "REGION@DATE.csv"; false if the name is not of that form. */
bool sheet_name_split(const char *name, char *region, int region_cap, char *date,
                      int date_cap);
/* Of a set of file names, the one of region whose date is `date`, or begins with it
 * ("2026" finds "2026-10"), the latest if several; if none does, the last one before `date`,
 * and the caller says so; date NULL: the latest of the region. Returns its index; NOT_FOUND
 * with what there is. */
int sheet_pick(const char *const *name, int count, const char *region, const char *date,
               struct jobq_error *err);

/* Opens one of them: of the region, at the date as sheet_pick reads it. date NULL or "latest":
 * the latest of the model's year ("aws-2012": 2012) where the region has one, else the
 * latest; model may be NULL. NOT_FOUND with what there is. Owner: sheet_free. */
int sheet_open(const char *region, const char *date, const char *model,
               struct sheet **out, struct jobq_error *err);

/* How a type computes, by AWS's naming rules (sheets price types, they do not describe
 * them): vCPUs, or 0 when the rules do not say. */
int sheet_instance_vcpus(const char *type);
/* Memory of a box of that type in GiB; 0: not known. */
double sheet_instance_gib(const char *type);
/* The share of each vCPU that a burstable type (t2, t3, t3a, t4g) may use for ever, in
 * (0,1]; 1 for all other types. Above it, surplus credits cost ec2.t-surplus. */
double sheet_instance_baseline(const char *type);

#endif
