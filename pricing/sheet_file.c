/* sheet_file.c - a sheet's CSV text, read and written, and the choice among sheets.
 *
 * Room:     pricing, facts.
 * Knows nothing of: where the text comes from. No I/O. */
#include "pricing/sheet.h"

#include "base/arena.h"
#include "base/text.h"
#include "pricing/csv.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 4096
#define FIELD_COUNT 9

static const char HEADER[] = "service,item,unit,from,to,usd,source,date,confidence";

struct reader {
    const char *name;
    int line;
    struct sheet *sheet; /* made when region and date are known */
    char region[32], date[16];
    bool header_seen;
    struct jobq_error *err;
};

static int sheet_fail(const struct reader *r, const char *what, const char *subject)
{
    char shown[80];
    text_escape(subject, (int64_t)strlen(subject), shown, sizeof shown);
    return jobq_fail(r->err, JOBQ_INVALID, "%s:%d: %s '%s'", r->name, r->line, what,
                     shown);
}

/* Letters, digits and . _ - so that names need no quoting and can be typed. */
static bool sheet_is_name(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len < 48 &&
           strspn(text,
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               len;
}

static bool sheet_is_date(const char *text)
{
    return strlen(text) >= 4 && strlen(text) <= 10 &&
           strspn(text, "0123456789-") == strlen(text);
}

static int need_sheet(struct reader *r)
{
    if (r->sheet)
        return JOBQ_OK;
    if (!r->region[0] || !r->date[0])
        return jobq_fail(r->err, JOBQ_INVALID,
                         "%s:%d: '#: region = ...' and '#: date = ...' must come first",
                         r->name, r->line);
    r->sheet = sheet_new(r->region, r->date);
    return JOBQ_OK;
}

/* "#: key = value" */
static int read_property(struct reader *r, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals)
        return sheet_fail(r, "malformed property", text);
    char *end = equals;
    while (end > text && end[-1] == ' ')
        end--;
    *end = '\0';
    text += strspn(text, " ");
    char *value = equals + 1 + strspn(equals + 1, " ");
    if (!sheet_is_name(text))
        return sheet_fail(r, "malformed property name", text);
    if (strcmp(text, "region") == 0) {
        if (!sheet_is_name(value) || strlen(value) >= sizeof r->region || r->sheet)
            return sheet_fail(r, "malformed or late region", value);
        strcpy(r->region, value);
    } else if (strcmp(text, "date") == 0) {
        if (!sheet_is_date(value) || r->sheet)
            return sheet_fail(r, "malformed or late date", value);
        strcpy(r->date, value);
    } else {
        if (need_sheet(r))
            return r->err->code;
        if (!sheet_set_property(r->sheet, text, value))
            return sheet_fail(r, "too many properties at", text);
    }
    return JOBQ_OK;
}

static bool parse_amount(const char *text, double *out)
{
    char *end;
    if (!*text || !strchr("0123456789.", *text))
        return false;
    if (strspn(text, "0123456789.eE+-") != strlen(text))
        return false;
    *out = strtod(text, &end);
    return !*end && isfinite(*out) && *out >= 0;
}

static int sheet_read_row(struct reader *r, char *text)
{
    char *field[FIELD_COUNT];
    if (!r->header_seen) {
        if (strcmp(text, HEADER) != 0)
            return sheet_fail(r, "the header is not service,item,unit,... but", text);
        r->header_seen = true;
        return need_sheet(r);
    }
    int count = csv_split(text, field, FIELD_COUNT);
    if (count == CSV_QUOTE)
        return sheet_fail(r, "malformed quoting in", text);
    if (count != FIELD_COUNT)
        return jobq_fail(r->err, JOBQ_INVALID, "%s:%d: %s than 9 fields", r->name,
                         r->line, count == CSV_FIELDS ? "more" : "fewer");
    struct sheet_row row = {.service = field[0],
                            .item = field[1],
                            .source = field[6],
                            .date = field[7],
                            .line = r->line,
                            .to = HUGE_VAL};
    if (!sheet_is_name(row.service))
        return sheet_fail(r, "malformed service", row.service);
    if (!sheet_is_name(row.item))
        return sheet_fail(r, "malformed item", row.item);
    if (!sheet_unit_parse(field[2], &row))
        return sheet_fail(r, "unknown unit", field[2]);
    if (!parse_amount(field[3], &row.from))
        return sheet_fail(r, "malformed lower bound", field[3]);
    if (*field[4] && (!parse_amount(field[4], &row.to) || row.to <= row.from))
        return sheet_fail(r, "malformed upper bound", field[4]);
    if (!parse_amount(field[5], &row.usd) || row.usd > 1e6)
        return sheet_fail(r, "malformed price", field[5]);
    if (!sheet_is_date(row.date))
        return sheet_fail(r, "malformed date", row.date);
    if (strlen(field[8]) != 1 || !strchr("HML", *field[8]))
        return sheet_fail(r, "confidence is not H, M or L but", field[8]);
    row.confidence = *field[8];
    int code = sheet_add(r->sheet, &row, r->err);
    return code ? jobq_wrap(r->err, "%s:%d", r->name, r->line) : JOBQ_OK;
}

static int sheet_read_line(struct reader *r, const char *line, size_t len)
{
    char text[LINE_MAX_BYTES];
    if (len && line[len - 1] == '\r')
        len--;
    if (len >= sizeof text)
        return jobq_fail(r->err, JOBQ_INVALID, "%s:%d: line longer than %d bytes",
                         r->name, r->line, LINE_MAX_BYTES - 1);
    if (memchr(line, '\0', len))
        return jobq_fail(r->err, JOBQ_INVALID, "%s:%d: a zero byte", r->name, r->line);
    if (len)
        memcpy(text, line, len);
    text[len] = '\0';
    if (text[0] == '#' && text[1] == ':')
        return read_property(r, text + 2);
    if (text[0] == '#' || text[0] == '\0')
        return JOBQ_OK;
    return sheet_read_row(r, text);
}

int sheet_parse(const char *text, size_t len, const char *name, struct sheet **out,
                struct jobq_error *err)
{
    assert(name && out && err && (text || len == 0));
    struct reader r = {.name = name, .err = err};
    int code = JOBQ_OK;
    for (size_t at = 0; at < len && !code;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line_len = end ? (size_t)(end - (text + at)) : len - at;
        r.line++;
        code = sheet_read_line(&r, text + at, line_len);
        at += line_len + 1;
    }
    if (!code && !r.header_seen)
        code = jobq_fail(err, JOBQ_INVALID, "%s:%d: no header line", name, r.line);
    if (!code)
        code = sheet_finish(r.sheet, name, err);
    if (code) {
        sheet_free(r.sheet);
        return code;
    }
    *out = r.sheet;
    return JOBQ_OK;
}

/* ---- writing ---------------------------------------------------------------------- */

static void put_field(struct text *text, const char *field)
{
    if (!strpbrk(field, ",\"")) {
        text_puts(text, field);
        return;
    }
    text_putc(text, '"');
    for (; *field; field++) {
        if (*field == '"')
            text_putc(text, '"');
        text_putc(text, *field);
    }
    text_putc(text, '"');
}

void sheet_write(const struct sheet *sheet, char **out, size_t *out_len)
{
    assert(out && out_len);
    struct text text = {0};
    text_printf(&text, "#: region = %s\n#: date = %s\n", sheet_region(sheet),
                sheet_date(sheet));
    const char *key, *value;
    for (int i = 0; sheet_property_at(sheet, i, &key, &value), key; i++)
        text_printf(&text, "#: %s = %s\n", key, value);
    text_printf(&text, "%s\n", HEADER);
    for (int i = 0; i < sheet_row_count(sheet); i++) {
        const struct sheet_row *row = sheet_row_at(sheet, i);
        char unit[32], confidence[2] = {row->confidence, '\0'};
        text_printf(&text, "%s,%s,%s,", row->service, row->item,
                    sheet_unit_text(row, unit, sizeof unit));
        text_put_double(&text, row->from);
        text_putc(&text, ',');
        if (isfinite(row->to))
            text_put_double(&text, row->to);
        text_putc(&text, ',');
        text_put_double(&text, row->usd);
        text_putc(&text, ',');
        put_field(&text, row->source);
        text_printf(&text, ",%s,%s\n", row->date, confidence);
    }
    *out = text.ptr;
    *out_len = text.len;
}

/* ---- the choice among sheets ------------------------------------------------------ */

bool sheet_name_split(const char *name, char *region, int region_cap, char *date,
                      int date_cap)
{
    assert(region_cap > 0 && date_cap > 0);
    const char *at = strchr(name, '@'), *dot = strstr(name, ".csv");
    if (!at || !dot || dot < at || dot[4] || at == name || dot == at + 1)
        return false;
    if (at - name >= region_cap || dot - at - 1 >= date_cap)
        return false;
    memcpy(region, name, (size_t)(at - name));
    region[at - name] = '\0';
    memcpy(date, at + 1, (size_t)(dot - at - 1));
    date[dot - at - 1] = '\0';
    return sheet_is_name(region) && sheet_is_date(date);
}

static int nothing_picked(const char *const *name, int count, const char *region,
                          const char *date, struct jobq_error *err)
{
    struct text there = {0};
    char shown[80], this_region[32], this_date[16];
    bool known = false;
    for (int i = 0; i < count; i++) {
        if (!sheet_name_split(name[i], this_region, sizeof this_region, this_date,
                              sizeof this_date))
            continue;
        bool same = strcmp(this_region, region) == 0;
        if (same && !known)
            text_clear(&there);
        known |= same;
        if (known && !same)
            continue;
        const char *word = known ? this_date : this_region;
        if (!there.len || !strstr(there.ptr, word))
            text_printf(&there, "%s%s", there.len ? ", " : "", word);
    }
    text_escape(known ? date : region, (int64_t)strlen(known ? date : region), shown, 80);
    int code =
        jobq_fail(err, JOBQ_NOT_FOUND, "no price sheet of %s '%s'; there is %s",
                  known ? "date" : "region", shown, there.len ? there.ptr : "none");
    text_release(&there);
    return code;
}

int sheet_pick(const char *const *name, int count, const char *region, const char *date,
               struct jobq_error *err)
{
    assert(region && err && count >= 0);
    char this_region[32], this_date[16], best_date[16] = "", before_date[16] = "";
    int best = -1, before = -1;
    size_t len = date ? strlen(date) : 0;
    bool is_date = len >= 4 && strspn(date, "0123456789-") == len;
    for (int i = 0; i < count; i++) {
        if (!sheet_name_split(name[i], this_region, sizeof this_region, this_date,
                              sizeof this_date) ||
            strcmp(this_region, region) != 0)
            continue;
        if (is_date && strcmp(this_date, date) < 0 &&
            strcmp(this_date, before_date) > 0) {
            before = i;
            memcpy(before_date, this_date, sizeof before_date);
        }
        if (date && strncmp(this_date, date, len) != 0)
            continue;
        if (strcmp(this_date, best_date) > 0) {
            best = i;
            memcpy(best_date, this_date, sizeof best_date);
        }
    }
    if (best < 0)
        best = before;
    return best >= 0 ? best : nothing_picked(name, count, region, date ? date : "", err);
}
