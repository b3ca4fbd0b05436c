/* import.c - an AWS offer file (CSV form) into the rows of a sheet.
 *
 * Room:     pricing, facts.
 *
 * The file has a few lines of metadata ("Version","2026..."), a header line that begins
 * with SKU, then one line a price with all attributes of its product, so that nothing needs
 * to be kept between lines but which product each item's price came from. */
#include "pricing/import.h"

#include "base/arena.h"
#include "base/text.h"
#include "pricing/csv.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 65536
#define FIELDS_MAX 256
#define IMPORT_TEXT 80 /* longer attributes are cut: none that decides is as long */

/* The columns that decide what a line is. Names are compared by their letters and digits
 * alone, in lower case ("Pre Installed S/W" is "preinstalledsw"). */
#define IMPORT_ATTRIBUTES(X)                                                             \
    X(family, "productfamily")                                                           \
    X(code, "servicecode")                                                               \
    X(region, "regioncode")                                                              \
    X(usage, "usagetype")                                                                \
    X(operation, "operation")                                                            \
    X(queue, "queuetype")                                                                \
    X(group, "group")                                                                    \
    X(os, "operatingsystem")                                                             \
    X(tenancy, "tenancy")                                                                \
    X(software, "preinstalledsw")                                                        \
    X(capacity, "capacitystatus")                                                        \
    X(type, "instancetype")                                                              \
    X(volume, "volumeapiname")                                                           \
    X(transfer, "transfertype")                                                          \
    X(from_region, "fromregioncode")

struct import_product {
#define IMPORT_FIELD(field, name) char field[IMPORT_TEXT];
    IMPORT_ATTRIBUTES(IMPORT_FIELD)
#undef IMPORT_FIELD
};

enum import_verdict { IMPORT_ROW, IMPORT_UNUSED, IMPORT_OTHER_REGION };

/* A row without its price. */
struct import_target {
    char service[16], item[48], unit[24];
};

/* Which product an item's price is from; a second product of the same item is left out. */
struct import_taken {
    char sku[32];
    struct import_target target;
};

struct import_reader {
    FILE *file;
    const char *name;
    struct sheet *sheet;
    struct import_counts *counts;
    struct jobq_error *err;
    int64_t line;
    char offer[IMPORT_TEXT], version[IMPORT_TEXT], published[IMPORT_TEXT];
    char column[FIELDS_MAX][40]; /* plain names */
    int columns;                 /* 0 before the header line */
    struct import_taken *taken;
    int taken_count;
    char text[LINE_BYTES];
};

static void import_plain_name(const char *name, char *out, size_t cap)
{
    size_t len = 0;
    for (; *name && len + 1 < cap; name++) {
        char c = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out[len++] = c;
    }
    out[len] = '\0';
}

/* The field of a column's plain name, or NULL. */
static char *import_field(struct import_product *product, const char *plain)
{
#define FIELD_OF(field, text)                                                            \
    if (strcmp(plain, text) == 0)                                                        \
        return product->field;
    IMPORT_ATTRIBUTES(FIELD_OF)
#undef FIELD_OF
    return NULL;
}

static void import_copy(char out[IMPORT_TEXT], const char *text)
{
    size_t len = strlen(text);
    if (len >= IMPORT_TEXT)
        len = IMPORT_TEXT - 1;
    memcpy(out, text, len);
    out[len] = '\0';
}

/* ---- what becomes a row ------------------------------------------------------------------ */

static bool import_is(const char *text, const char *word)
{
    return strcmp(text, word) == 0;
}

static bool import_has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static enum import_verdict import_row(struct import_target *out, const char *service,
                                      const char *item, const char *unit)
{
    if (strlen(item) >= sizeof out->item || *item == '\0')
        return IMPORT_UNUSED;
    strcpy(out->service, service);
    strcpy(out->item, item);
    strcpy(out->unit, unit);
    return IMPORT_ROW;
}

static enum import_verdict import_ec2(const struct import_product *p,
                                      struct import_target *out)
{
    if (import_has(p->family, "Compute Instance") && import_is(p->os, "Linux") &&
        import_is(p->tenancy, "Shared") && import_is(p->software, "NA") &&
        import_is(p->capacity, "Used") && import_is(p->operation, "RunInstances") &&
        import_has(p->usage, "BoxUsage:"))
        return import_row(out, "ec2", p->type, "hour/1s/60s");
    if (import_is(p->family, "Storage") && import_has(p->usage, "EBS:VolumeUsage"))
        return import_row(out, "ebs", p->volume, "GiB-month");
    return IMPORT_UNUSED;
}

static enum import_verdict import_dynamodb(const struct import_product *p,
                                           struct import_target *out)
{
    if (import_is(p->group, "DDB-WriteUnits") && import_has(p->family, "PayPerRequest"))
        return import_row(out, "dynamodb", "write", "unit");
    if (import_is(p->group, "DDB-ReadUnits") && import_has(p->family, "PayPerRequest"))
        return import_row(out, "dynamodb", "read", "unit");
    if (import_is(p->family, "Database Storage") &&
        import_has(p->usage, "TimedStorage-ByteHrs"))
        return import_row(out, "dynamodb", "storage", "GiB-month");
    return IMPORT_UNUSED;
}

static enum import_verdict import_transfer(const struct import_product *p,
                                           const char *region, struct import_target *out)
{
    if (import_is(p->transfer, "AWS Inbound"))
        return import_row(out, "transfer", "in", "GB");
    if (*p->from_region && !import_is(p->from_region, region))
        return IMPORT_OTHER_REGION;
    if (import_is(p->transfer, "AWS Outbound"))
        return import_row(out, "transfer", "out", "GB");
    if (import_is(p->transfer, "IntraRegion"))
        return import_row(out, "transfer", "az", "GB");
    return IMPORT_UNUSED;
}

static enum import_verdict import_lambda(const struct import_product *p,
                                         struct import_target *out)
{
    if (import_is(p->group, "AWS-Lambda-Requests"))
        return import_row(out, "lambda", "request", "request");
    if (import_is(p->group, "AWS-Lambda-Duration"))
        return import_row(out, "lambda", "gb-second", "GB-second");
    if (import_is(p->group, "AWS-Lambda-Duration-ARM"))
        return import_row(out, "lambda", "gb-second-arm", "GB-second");
    return IMPORT_UNUSED;
}

static enum import_verdict import_classify(const struct import_product *p,
                                           const char *region, struct import_target *out)
{
    bool data = import_is(p->code, "AWSDataTransfer");
    if (*p->region && !import_is(p->region, region) &&
        !(data && import_is(p->from_region, region)))
        return IMPORT_OTHER_REGION;
    if (import_is(p->code, "AWSQueueService") && import_is(p->family, "API Request")) {
        if (import_is(p->queue, "Standard"))
            return import_row(out, "sqs", "standard", "request/64KiB");
        if (strncmp(p->queue, "FIFO", 4) == 0)
            return import_row(out, "sqs", "fifo", "request/64KiB");
        if (import_is(p->queue, "Fair"))
            return import_row(out, "sqs", "fair", "request/64KiB");
    }
    if (import_is(p->code, "AmazonSimpleDB")) {
        if (import_has(p->usage, "BoxUsage"))
            return import_row(out, "simpledb", "box", "box-hour");
        if (import_has(p->usage, "TimedStorage"))
            return import_row(out, "simpledb", "storage", "GiB-month");
    }
    if (import_is(p->code, "AmazonEC2"))
        return import_ec2(p, out);
    if (import_is(p->code, "AmazonVPC") && import_is(p->group, "VPCPublicIPv4Address") &&
        import_has(p->usage, "InUse"))
        return import_row(out, "ipv4", "public", "hour/1s/60s");
    if (import_is(p->code, "AmazonDynamoDB"))
        return import_dynamodb(p, out);
    if (data)
        return import_transfer(p, region, out);
    if (import_is(p->code, "AWSLambda"))
        return import_lambda(p, out);
    return IMPORT_UNUSED;
}

/* ---- tiers ------------------------------------------------------------------------------- */

/* A decimal number, or "Inf" for an open end. */
static bool import_amount(const char *text, bool end_allowed, double *out)
{
    char *end;
    if (end_allowed && (strcmp(text, "Inf") == 0 || !*text)) {
        *out = (double)INFINITY;
        return true;
    }
    if (!*text || strlen(text) > 40 || strspn(text, "0123456789.eE+-") != strlen(text))
        return false;
    *out = strtod(text, &end);
    return !*end && isfinite(*out) && *out >= 0;
}

static int import_tier(struct sheet *sheet, const struct import_target *target,
                       const char *from, const char *to, const char *usd,
                       const char *date, const char *source, struct jobq_error *err)
{
    struct sheet_row row = {.service = target->service,
                            .item = target->item,
                            .source = source,
                            .confidence = 'H'};
    char day[11] = "", shown[60];
    sheet_unit_parse(target->unit, &row);
    const char *bad = !import_amount(from, false, &row.from)                    ? from
                      : !import_amount(to, true, &row.to) || row.to <= row.from ? to
                      : !import_amount(usd, false, &row.usd)                    ? usd
                                                                                : NULL;
    if (bad)
        return jobq_fail(err, JOBQ_INVALID, "%s.%s: malformed number '%s'",
                         target->service, target->item,
                         text_escape(bad, (int64_t)strlen(bad), shown, sizeof shown));
    size_t len = strspn(date, "0123456789-");
    memcpy(day, date, len < 10 ? len : 10);
    row.date = len >= 4 ? day : sheet_date(sheet);
    return sheet_add(sheet, &row, err);
}

/* Joins value to a property by "; ", unless it is there. */
static void import_property(struct sheet *sheet, const char *key, const char *value)
{
    const char *before = sheet_property(sheet, key);
    struct text text = {0};
    if (!*value || strstr(before, value))
        return;
    text_printf(&text, "%s%s", before, *before ? "; " : "");
    text_put_escaped(&text, value, strlen(value) < 100 ? strlen(value) : 100);
    sheet_set_property(sheet, key, text.ptr);
    text_release(&text);
}

/* ---- lines ------------------------------------------------------------------------------- */

static int import_fail(const struct import_reader *r, const char *what)
{
    return jobq_fail(r->err, JOBQ_INVALID, "%s:%lld: %s", r->name, (long long)r->line,
                     what);
}

/* The next line into text, without its end. 1: a line; 0: the end. */
static int import_next_line(struct import_reader *r)
{
    size_t len = 0;
    int c;
    r->line++;
    while ((c = getc(r->file)) != EOF && c != '\n') {
        if (c == '\0')
            return import_fail(r, "a zero byte");
        if (len + 1 == sizeof r->text)
            return jobq_fail(r->err, JOBQ_LIMIT, "%s:%lld: a line over %d bytes", r->name,
                             (long long)r->line, LINE_BYTES - 1);
        r->text[len++] = (char)c;
    }
    if (ferror(r->file))
        return jobq_fail(r->err, JOBQ_INVALID, "%s: cannot read: %s", r->name,
                         strerror(errno));
    if (len && r->text[len - 1] == '\r')
        len--;
    r->text[len] = '\0';
    return len || c != EOF;
}

static int import_split(struct import_reader *r, char **field)
{
    int count = csv_split(r->text, field, FIELDS_MAX);
    if (count == CSV_QUOTE)
        return import_fail(r, "malformed quoting");
    if (count == CSV_FIELDS)
        return import_fail(r, "more than 256 fields");
    return count;
}

static int import_metadata(struct import_reader *r, char **field, int count)
{
    char plain[40];
    import_plain_name(field[0], plain, sizeof plain);
    if (strcmp(plain, "sku") == 0) {
        for (int i = 0; i < count; i++)
            import_plain_name(field[i], r->column[i], sizeof r->column[i]);
        r->columns = count;
        return JOBQ_OK;
    }
    if (r->line > 20)
        return import_fail(r, "no header line that begins with SKU: not an offer file");
    if (count >= 2 && strcmp(plain, "version") == 0)
        import_copy(r->version, field[1]);
    else if (count >= 2 && strcmp(plain, "publicationdate") == 0)
        import_copy(r->published, field[1]);
    else if (count >= 2 && strcmp(plain, "offercode") == 0)
        import_copy(r->offer, field[1]);
    return JOBQ_OK;
}

static const char *import_cell(const struct import_reader *r, char **field,
                               const char *plain)
{
    for (int i = 0; i < r->columns; i++)
        if (strcmp(r->column[i], plain) == 0)
            return field[i];
    return "";
}

/* 1: the row is this SKU's; 0: another SKU has made it. The lines of one SKU follow each
 * other, so the search from the end is short for all but new items. */
static int import_take(struct import_reader *r, const char *sku,
                       const struct import_target *target)
{
    for (int i = r->taken_count - 1; i >= 0; i--) {
        const struct import_taken *t = &r->taken[i];
        if (strcmp(t->target.item, target->item) == 0 &&
            strcmp(t->target.service, target->service) == 0)
            return strcmp(t->sku, sku) == 0;
    }
    if (strlen(sku) >= sizeof r->taken->sku)
        return import_fail(r, "a SKU that is too long");
    if (r->taken_count == IMPORT_SKUS_MAX)
        return import_fail(r, "too many products that make a row");
    if (r->taken_count % 256 == 0)
        r->taken = xrealloc(r->taken, (size_t)(r->taken_count + 256) * sizeof *r->taken);
    strcpy(r->taken[r->taken_count].sku, sku);
    r->taken[r->taken_count++].target = *target;
    return 1;
}

static int import_price(struct import_reader *r, char **field, int count)
{
    struct import_product product = {0};
    struct import_target target;
    char source[3 * IMPORT_TEXT];
    if (count != r->columns)
        return import_fail(r, "not as many fields as the header has");
    for (int i = 0; i < count; i++) {
        char *to = import_field(&product, r->column[i]);
        if (to)
            import_copy(to, field[i]);
    }
    r->counts->products++;
    if (!*product.code)
        import_copy(product.code, r->offer);
    if (strcmp(import_cell(r, field, "termtype"), "OnDemand") != 0) {
        r->counts->unused++;
        return JOBQ_OK;
    }
    switch (import_classify(&product, sheet_region(r->sheet), &target)) {
    case IMPORT_OTHER_REGION:
        r->counts->other_regions++;
        return JOBQ_OK;
    case IMPORT_UNUSED:
        r->counts->unused++;
        return JOBQ_OK;
    case IMPORT_ROW:
        break;
    }
    const char *currency = import_cell(r, field, "currency");
    if (*currency && strcmp(currency, "USD") != 0)
        return import_fail(r, "a price that is not in USD");
    int mine = import_take(r, import_cell(r, field, "sku"), &target);
    if (mine <= 0) {
        r->counts->unused += mine == 0;
        return mine;
    }
    r->counts->prices++;
    strcpy(source, "AWS Price List ");
    strcat(source, r->offer);
    strcat(source, " ");
    strcat(source, r->version);
    const char *from = import_cell(r, field, "startingrange");
    int code = import_tier(r->sheet, &target, *from ? from : "0",
                           import_cell(r, field, "endingrange"),
                           import_cell(r, field, "priceperunit"),
                           import_cell(r, field, "effectivedate"), source, r->err);
    if (!code)
        return JOBQ_OK;
    struct jobq_error inner = *r->err;
    return import_fail(r, inner.text);
}

static int import_lines(struct import_reader *r)
{
    char *field[FIELDS_MAX];
    int code = JOBQ_OK, more;
    while (!code && (more = import_next_line(r)) != 0) {
        if (more < 0)
            return more;
        if (!*r->text)
            continue;
        if (!r->columns && (*r->text == '{' || *r->text == '['))
            return import_fail(r, "this is JSON: jobq reads the CSV form (index.csv)");
        int fields = import_split(r, field);
        code = fields < 0    ? fields
               : !r->columns ? import_metadata(r, field, fields)
                             : import_price(r, field, fields);
    }
    if (!code && !r->columns)
        code = import_fail(r, "no header line that begins with SKU: not an offer file");
    return code;
}

int import_offer(FILE *file, const char *name, struct sheet *sheet,
                 struct import_counts *counts, struct jobq_error *err)
{
    assert(file && name && sheet && counts && err);
    struct import_reader *r = xcalloc(1, sizeof *r);
    r->file = file;
    r->name = name;
    r->sheet = sheet;
    r->counts = counts;
    r->err = err;
    int before = sheet_row_count(sheet);
    int code = import_lines(r);
    counts->rows = sheet_row_count(sheet) - before;
    if (!code) {
        import_property(sheet, "offer_code", r->offer);
        import_property(sheet, "offer_version", r->version);
        import_property(sheet, "publication_date", r->published);
        sheet_fold_free(sheet);
    }
    free(r->taken);
    free(r);
    return code;
}
