#include "pricing/sheet.h"

#include "base/arena.h"
#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROPERTY_MAX 32

struct property {
    const char *key, *value;
};

struct sheet {
    struct arena arena;
    const char *region, *date;
    struct property property[PROPERTY_MAX];
    int property_count;
    struct sheet_row *row;
    int count, cap;
    const struct sheet *assume;
};

static const struct {
    const char *name;
} UNITS[SHEET_UNIT_COUNT] = {
    [SHEET_REQUEST] = {"request"},
    [SHEET_BOX_HOUR] = {"box-hour"},
    [SHEET_HOUR] = {"hour"},
    [SHEET_GB] = {"GB"},
    [SHEET_GIB] = {"GiB"},
    [SHEET_GB_MONTH] = {"GB-month"},
    [SHEET_GIB_MONTH] = {"GiB-month"},
    [SHEET_UNIT] = {"unit"},
    [SHEET_GB_SECOND] = {"GB-second"},
};

const char *sheet_unit_name(enum sheet_unit unit)
{
    assert(unit >= 0 && unit < SHEET_UNIT_COUNT);
    return UNITS[unit].name;
}

struct sheet *sheet_new(const char *region, const char *date)
{
    assert(region && date);
    struct sheet *sheet = xcalloc(1, sizeof *sheet);
    arena_init(&sheet->arena, 0);
    sheet->region = arena_cstr(&sheet->arena, region);
    sheet->date = arena_cstr(&sheet->arena, date);
    return sheet;
}

void sheet_free(struct sheet *sheet)
{
    if (!sheet)
        return;
    arena_release(&sheet->arena);
    free(sheet->row);
    free(sheet);
}

int sheet_row_count(const struct sheet *sheet)
{
    return sheet->count;
}

const struct sheet_row *sheet_row_at(const struct sheet *sheet, int index)
{
    assert(index >= 0 && index < sheet->count);
    return &sheet->row[index];
}

const char *sheet_region(const struct sheet *sheet)
{
    return sheet->region;
}

const char *sheet_date(const struct sheet *sheet)
{
    return sheet->date;
}

const char *sheet_property(const struct sheet *sheet, const char *key)
{
    for (int i = 0; i < sheet->property_count; i++)
        if (strcmp(sheet->property[i].key, key) == 0)
            return sheet->property[i].value;
    return "";
}

void sheet_property_at(const struct sheet *sheet, int index, const char **key,
                       const char **value)
{
    bool there = index >= 0 && index < sheet->property_count;
    *key = there ? sheet->property[index].key : NULL;
    *value = there ? sheet->property[index].value : NULL;
}

bool sheet_set_property(struct sheet *sheet, const char *key, const char *value)
{
    const char *kept = arena_cstr(&sheet->arena, value);
    for (int i = 0; i < sheet->property_count; i++)
        if (strcmp(sheet->property[i].key, key) == 0) {
            sheet->property[i].value = kept;
            return true;
        }
    if (sheet->property_count == PROPERTY_MAX)
        return false;
    sheet->property[sheet->property_count++] =
        (struct property){arena_cstr(&sheet->arena, key), kept};
    return true;
}

void sheet_assume(struct sheet *sheet, const struct sheet *from)
{
    assert(sheet != from);
    sheet->assume = from;
}

/* ---- units with their grain ------------------------------------------------------- */

char *sheet_unit_text(const struct sheet_row *row, char *out, int cap)
{
    struct text text = {0};
    text_puts(&text, UNITS[row->unit].name);
    if (row->unit == SHEET_REQUEST && row->grain)
        text_printf(&text, "/%lldKiB", (long long)(row->grain / 1024));
    if (row->unit == SHEET_HOUR && row->grain) {
        if (row->grain == 3600)
            text_puts(&text, "/1h");
        else
            text_printf(&text, "/%llds", (long long)row->grain);
        if (row->minimum)
            text_printf(&text, "/%llds", (long long)row->minimum);
    }
    size_t len = text.len < (size_t)cap - 1 ? text.len : (size_t)cap - 1;
    memcpy(out, text.ptr, len);
    out[len] = '\0';
    text_release(&text);
    return out;
}

/* "64KiB" or "1s" or "1h", whole and positive. */
static bool parse_grain(const char *text, size_t len, const char *suffix, int64_t scale,
                        int64_t *out)
{
    size_t tail = strlen(suffix);
    if (len <= tail || memcmp(text + len - tail, suffix, tail) != 0)
        return false;
    int64_t value;
    struct jobq_str digits = {text, (int64_t)(len - tail)};
    if (!str_to_int(digits, &value) || value <= 0 || value > 1000000)
        return false;
    *out = value * scale;
    return true;
}

static bool parse_seconds(const char *text, size_t len, int64_t *out)
{
    return parse_grain(text, len, "s", 1, out) || parse_grain(text, len, "h", 3600, out);
}

bool sheet_unit_parse(const char *text, struct sheet_row *row)
{
    size_t len = strcspn(text, "/");
    int unit = 0;
    while (unit < SHEET_UNIT_COUNT &&
           (strlen(UNITS[unit].name) != len || memcmp(UNITS[unit].name, text, len) != 0))
        unit++;
    if (unit == SHEET_UNIT_COUNT)
        return false;
    row->unit = (enum sheet_unit)unit;
    row->grain = row->minimum = 0;
    text += len;
    if (!*text)
        return true;
    len = strcspn(++text, "/");
    if (row->unit == SHEET_REQUEST)
        return !text[len] && parse_grain(text, len, "KiB", 1024, &row->grain);
    if (row->unit != SHEET_HOUR || !parse_seconds(text, len, &row->grain))
        return false;
    text += len;
    return !*text || (strlen(text + 1) && !strchr(text + 1, '/') &&
                      parse_seconds(text + 1, strlen(text + 1), &row->minimum));
}

/* ---- rows --------------------------------------------------------------------------- */

int sheet_add(struct sheet *sheet, const struct sheet_row *row, struct jobq_error *err)
{
    assert(row->service && row->item && row->source && row->date && err);
    if (sheet->count == SHEET_ROWS_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "more than %d rows", SHEET_ROWS_MAX);
    if (sheet->count == sheet->cap) {
        sheet->cap = sheet->cap ? 2 * sheet->cap : 64;
        sheet->row = xrealloc(sheet->row, (size_t)sheet->cap * sizeof *sheet->row);
    }
    struct sheet_row *mine = &sheet->row[sheet->count++];
    *mine = *row;
    mine->service = arena_cstr(&sheet->arena, row->service);
    mine->item = arena_cstr(&sheet->arena, row->item);
    mine->source = arena_cstr(&sheet->arena, row->source ? row->source : "");
    mine->date = arena_cstr(&sheet->arena, row->date ? row->date : "");
    return JOBQ_OK;
}

static int by_name(const char *service, const char *item, const struct sheet_row *row)
{
    int order = strcmp(service, row->service);
    return order ? order : strcmp(item, row->item);
}

static int row_order(const void *left, const void *right)
{
    const struct sheet_row *a = left, *b = right;
    int order = by_name(a->service, a->item, b);
    if (order)
        return order;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

void sheet_fold_free(struct sheet *sheet)
{
    if (sheet->count)
        qsort(sheet->row, (size_t)sheet->count, sizeof *sheet->row, row_order);
    for (int i = 0; i + 1 < sheet->count; i++) {
        struct sheet_row *row = &sheet->row[i], *next = row + 1;
        if (row->from != 0 || row->usd != 0 || row->to != next->from ||
            by_name(row->service, row->item, next) != 0)
            continue;
        struct text name = {0};
        text_printf(&name, "free.%s", row->item);
        row->item = arena_cstr(&sheet->arena, name.ptr);
        row->grain = row->minimum = 0;
        next->from = 0;
        text_release(&name);
    }
}

static int row_fail(struct jobq_error *err, const char *name, const struct sheet_row *row,
                    const char *what)
{
    if (!row->line)
        return jobq_fail(err, JOBQ_INVALID, "%s: %s.%s: %s", name, row->service,
                         row->item, what);
    return jobq_fail(err, JOBQ_INVALID, "%s:%d: %s.%s: %s", name, row->line, row->service,
                     row->item, what);
}

int sheet_finish(struct sheet *sheet, const char *name, struct jobq_error *err)
{
    if (sheet->count)
        qsort(sheet->row, (size_t)sheet->count, sizeof *sheet->row, row_order);
    for (int i = 0; i < sheet->count; i++) {
        const struct sheet_row *row = &sheet->row[i];
        bool first = i == 0 || by_name(row->service, row->item, row - 1) != 0;
        if (first && row->from != 0)
            return row_fail(err, name, row, "the first tier does not start at 0");
        if (first)
            continue;
        if (row->from != row[-1].to)
            return row_fail(err, name, row, "its tier does not join the one before");
        if (row->unit != row[-1].unit || row->grain != row[-1].grain ||
            row->minimum != row[-1].minimum)
            return row_fail(err, name, row, "its tiers differ in unit");
    }
    return JOBQ_OK;
}

static const struct sheet_row *first_row(const struct sheet *sheet, const char *service,
                                         const char *item)
{
    int low = 0, high = sheet->count;
    while (low < high) {
        int mid = low + (high - low) / 2;
        if (by_name(service, item, &sheet->row[mid]) > 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < sheet->count && by_name(service, item, &sheet->row[low]) == 0)
        return &sheet->row[low];
    return NULL;
}

static bool sheet_look_up(const struct sheet *sheet, const char *service,
                          const char *item, struct sheet_price *out)
{
    bool assumed = false;
    for (; sheet; sheet = sheet->assume, assumed = true) {
        const struct sheet_row *row = first_row(sheet, service, item);
        if (!row)
            continue;
        int count = 1;
        const struct sheet_row *end = sheet->row + sheet->count;
        while (row + count < end && by_name(service, item, &row[count]) == 0)
            count++;
        *out = (struct sheet_price){row, count, sheet->region, sheet->date, assumed};
        return true;
    }
    return false;
}

bool sheet_has(const struct sheet *sheet, const char *service, const char *item)
{
    struct sheet_price price;
    return sheet_look_up(sheet, service, item, &price);
}

int sheet_find(const struct sheet *sheet, const char *service, const char *item,
               struct sheet_price *out, struct jobq_error *err)
{
    if (sheet_look_up(sheet, service, item, out))
        return JOBQ_OK;
    char key[64];
    snprintf(key, sizeof key, "without.%s", service);
    const char *why = sheet_property(sheet, key);
    return jobq_fail(err, JOBQ_NOT_FOUND, "no price for '%s.%s' in %s at %s%s%s", service,
                     item, sheet->region, sheet->date, *why ? ": " : "", why);
}

/* The unit of an item that the sheet does not have: that of the service's instances, or the
 * one that AWS has always used. */
static bool sheet_usual_unit(const struct sheet *sheet, const char *service,
                             const char *item, struct sheet_row *out)
{
    static const struct {
        const char *service, *item, *unit; /* item "": any */
    } usual[] = {
        {"sqs", "", "request/64KiB"},  {"simpledb", "box", "box-hour"},
        {"simpledb", "", "GiB-month"}, {"dynamodb", "read", "unit"},
        {"dynamodb", "write", "unit"}, {"dynamodb", "storage", "GiB-month"},
        {"ebs", "", "GiB-month"},      {"transfer", "", "GB"},
        {"ipv4", "", "hour/1s/60s"},   {"lambda", "request", "request"},
        {"lambda", "", "GB-second"},   {"fargate", "", "hour/1s/60s"},
    };
    if (strncmp(service, "ec2", 3) == 0)
        for (int i = 0; i < sheet->count; i++)
            if (strcmp(sheet->row[i].service, "ec2") == 0 &&
                sheet->row[i].unit == SHEET_HOUR && strchr(sheet->row[i].item, '.')) {
                *out = sheet->row[i];
                return true;
            }
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (strcmp(usual[i].service, service) == 0 &&
            (!*usual[i].item || strcmp(usual[i].item, item) == 0))
            return sheet_unit_parse(usual[i].unit, out);
    return false;
}

int sheet_override(struct sheet *sheet, const char *service, const char *item, double usd,
                   const char *source, struct jobq_error *err)
{
    assert(service && item && source && err && usd >= 0);
    struct sheet_price like;
    bool spot = strcmp(service, "ec2-spot") == 0;
    struct sheet_row row = {0};
    if (sheet_look_up(sheet, service, item, &like) ||
        (spot && sheet_look_up(sheet, "ec2", item, &like)))
        row = *like.tier;
    else if (!sheet_usual_unit(sheet, service, item, &row))
        return sheet_find(sheet, service, item, &like, err);
    row.date = sheet->date;
    row.service = service;
    row.item = item;
    row.from = 0;
    row.to = (double)INFINITY;
    row.usd = usd;
    row.source = source;
    row.confidence = 'H';
    row.line = 0;
    int kept = 0;
    for (int i = 0; i < sheet->count; i++)
        if (by_name(service, item, &sheet->row[i]) != 0)
            sheet->row[kept++] = sheet->row[i];
    sheet->count = kept;
    int code = sheet_add(sheet, &row, err);
    return code ? code : sheet_finish(sheet, "sheet", err);
}

double sheet_reach(const struct sheet_price *price)
{
    assert(price->tier_count > 0);
    return price->tier[price->tier_count - 1].to;
}

double sheet_cost(const struct sheet_price *price, double quantity, double free_units,
                  double months)
{
    assert(quantity >= 0 && free_units >= 0 && months > 0);
    double usd = 0, done = 0;
    quantity -= free_units * months;
    for (int i = 0; i < price->tier_count && done < quantity; i++) {
        bool last = i + 1 == price->tier_count;
        double end = last ? (double)INFINITY : price->tier[i].to * months;
        double here = (quantity < end ? quantity : end) - done;
        usd += here * price->tier[i].usd;
        done += here;
    }
    return usd;
}

double sheet_free_units(const struct sheet *sheet, const char *service, const char *item)
{
    char name[64];
    struct text text = {0};
    text_printf(&text, "free.%s", item);
    text_escape(text.ptr, (int64_t)text.len, name, sizeof name);
    text_release(&text);
    struct sheet_price price;
    if (sheet_look_up(sheet, service, name, &price) ||
        sheet_look_up(sheet, service, "free", &price))
        return price.tier[0].to;
    return 0;
}

double sheet_billed_seconds(const struct sheet_row *row, double seconds)
{
    assert(seconds >= 0);
    if (seconds <= 0 || row->unit != SHEET_HOUR || !row->grain)
        return seconds > 0 ? seconds : 0;
    if (seconds < (double)row->minimum)
        seconds = (double)row->minimum;
    double grain = (double)row->grain;
    return ceil(seconds / grain) * grain;
}
