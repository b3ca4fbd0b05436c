#include "pricing/import.h"

#include "base/text.h"
#include "pricing/import_row.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void import_plain_name(const char *name, char *out, size_t cap)
{
    size_t len = 0;
    for (; *name && len + 1 < cap; name++) {
        char c = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out[len++] = c;
    }
    out[len] = '\0';
}

char *import_field(struct import_product *product, const char *name)
{
    char plain[40];
    import_plain_name(name, plain, sizeof plain);
#define FIELD_OF(field, text)                                                            \
    if (strcmp(plain, text) == 0)                                                        \
        return product->field;
    IMPORT_ATTRIBUTES(FIELD_OF)
#undef FIELD_OF
    return NULL;
}

void import_copy(char out[IMPORT_TEXT], const char *text)
{
    size_t len = strlen(text);
    if (len >= IMPORT_TEXT)
        len = IMPORT_TEXT - 1;
    memcpy(out, text, len);
    out[len] = '\0';
}

/* ---- what becomes a row ------------------------------------------------------------------ */

static bool is(const char *text, const char *word)
{
    return strcmp(text, word) == 0;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static enum import_verdict row(struct import_target *out, const char *service,
                               const char *item, const char *unit)
{
    if (strlen(item) >= sizeof out->item || *item == '\0')
        return IMPORT_UNUSED;
    strcpy(out->service, service);
    strcpy(out->item, item);
    strcpy(out->unit, unit);
    return IMPORT_ROW;
}

static enum import_verdict ec2(const struct import_product *p, struct import_target *out)
{
    if (has(p->family, "Compute Instance") && is(p->os, "Linux") &&
        is(p->tenancy, "Shared") && is(p->software, "NA") && is(p->capacity, "Used") &&
        is(p->operation, "RunInstances") && has(p->usage, "BoxUsage:"))
        return row(out, "ec2", p->type, "hour/1s/60s");
    if (is(p->family, "Storage") && has(p->usage, "EBS:VolumeUsage"))
        return row(out, "ebs", p->volume, "GiB-month");
    return IMPORT_UNUSED;
}

static enum import_verdict dynamodb(const struct import_product *p,
                                    struct import_target *out)
{
    if (is(p->group, "DDB-WriteUnits") && has(p->family, "PayPerRequest"))
        return row(out, "dynamodb", "write", "unit");
    if (is(p->group, "DDB-ReadUnits") && has(p->family, "PayPerRequest"))
        return row(out, "dynamodb", "read", "unit");
    if (is(p->family, "Database Storage") && has(p->usage, "TimedStorage-ByteHrs"))
        return row(out, "dynamodb", "storage", "GiB-month");
    return IMPORT_UNUSED;
}

static enum import_verdict transfer(const struct import_product *p, const char *region,
                                    struct import_target *out)
{
    if (is(p->transfer, "AWS Inbound"))
        return row(out, "transfer", "in", "GB");
    if (*p->from_region && !is(p->from_region, region))
        return IMPORT_OTHER_REGION;
    if (is(p->transfer, "AWS Outbound"))
        return row(out, "transfer", "out", "GB");
    if (is(p->transfer, "IntraRegion"))
        return row(out, "transfer", "az", "GB");
    return IMPORT_UNUSED;
}

static enum import_verdict lambda(const struct import_product *p,
                                  struct import_target *out)
{
    if (is(p->group, "AWS-Lambda-Requests"))
        return row(out, "lambda", "request", "request");
    if (is(p->group, "AWS-Lambda-Duration"))
        return row(out, "lambda", "gb-second", "GB-second");
    if (is(p->group, "AWS-Lambda-Duration-ARM"))
        return row(out, "lambda", "gb-second-arm", "GB-second");
    return IMPORT_UNUSED;
}

enum import_verdict import_classify(const struct import_product *p, const char *region,
                                    struct import_target *out)
{
    bool data = is(p->code, "AWSDataTransfer");
    if (*p->region && !is(p->region, region) && !(data && is(p->from_region, region)))
        return IMPORT_OTHER_REGION;
    if (is(p->code, "AWSQueueService") && is(p->family, "API Request")) {
        if (is(p->queue, "Standard"))
            return row(out, "sqs", "standard", "request/64KiB");
        if (strncmp(p->queue, "FIFO", 4) == 0)
            return row(out, "sqs", "fifo", "request/64KiB");
        if (is(p->queue, "Fair"))
            return row(out, "sqs", "fair", "request/64KiB");
    }
    if (is(p->code, "AmazonSimpleDB")) {
        if (has(p->usage, "BoxUsage"))
            return row(out, "simpledb", "box", "box-hour");
        if (has(p->usage, "TimedStorage"))
            return row(out, "simpledb", "storage", "GiB-month");
    }
    if (is(p->code, "AmazonEC2"))
        return ec2(p, out);
    if (is(p->code, "AmazonVPC") && is(p->group, "VPCPublicIPv4Address") &&
        has(p->usage, "InUse"))
        return row(out, "ipv4", "public", "hour/1s/60s");
    if (is(p->code, "AmazonDynamoDB"))
        return dynamodb(p, out);
    if (data)
        return transfer(p, region, out);
    if (is(p->code, "AWSLambda"))
        return lambda(p, out);
    return IMPORT_UNUSED;
}

/* ---- tiers ------------------------------------------------------------------------------- */

/* A decimal, or "Inf" for the end. */
static bool amount(const char *text, bool end_allowed, double *out)
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

int import_tier(struct sheet *sheet, const struct import_target *target, const char *from,
                const char *to, const char *usd, const char *date, const char *source,
                struct jobq_error *err)
{
    struct sheet_row row = {.service = target->service,
                            .item = target->item,
                            .source = source,
                            .confidence = 'H'};
    char day[11] = "", shown[60];
    sheet_unit_parse(target->unit, &row);
    const char *bad = !amount(from, false, &row.from)                    ? from
                      : !amount(to, true, &row.to) || row.to <= row.from ? to
                      : !amount(usd, false, &row.usd)                    ? usd
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

void import_property(struct sheet *sheet, const char *key, const char *value)
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

/* ---- which reader ------------------------------------------------------------------------ */

/* Gives back the first piece that was read to look at, then goes on with the source. */
struct again {
    const struct import_source *source;
    char piece[64];
    size_t at, len;
};

static int again_read(void *ctx, char *out, size_t cap, size_t *got,
                      struct jobq_error *err)
{
    struct again *a = ctx;
    if (a->at == a->len)
        return a->source->read(a->source->ctx, out, cap, got, err);
    *got = a->len - a->at < cap ? a->len - a->at : cap;
    memcpy(out, a->piece + a->at, *got);
    a->at += *got;
    return JOBQ_OK;
}

static int again_rewind(void *ctx, struct jobq_error *err)
{
    struct again *a = ctx;
    a->at = a->len = 0;
    return a->source->rewind(a->source->ctx, err);
}

int import_offer(const struct import_source *source, const char *name,
                 struct sheet *sheet, struct import_counts *counts,
                 struct jobq_error *err)
{
    struct again again = {.source = source};
    struct import_source both = {&again, again_read, again_rewind};
    size_t at = 0, got = 1;
    /* The first byte that is no blank tells the form; it is within 64, or it is CSV's. */
    while (at == again.len && got > 0 && at < sizeof again.piece) {
        if (source->read(source->ctx, again.piece + at, sizeof again.piece - at, &got,
                         err))
            return jobq_wrap(err, "%s", name);
        again.len += got;
        while (at < again.len && again.piece[at] && strchr(" \t\r\n", again.piece[at]))
            at++;
    }
    int code;
    int before = sheet_row_count(sheet);
    if (at < again.len && (again.piece[at] == '{' || again.piece[at] == '['))
        code = import_json(&both, name, sheet, counts, err);
    else
        code = import_csv(&both, name, sheet, counts, err);
    counts->rows = sheet_row_count(sheet) - before;
    if (!code)
        sheet_fold_free(sheet);
    return code;
}
