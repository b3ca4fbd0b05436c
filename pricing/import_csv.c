/* import_csv.c - the CSV form of an AWS offer file.
 *
 * Room:     pricing, facts.
 *
 * Five lines of metadata ("Version","2026..."), the header on the sixth, then one line a
 * price with its product's attributes: nothing needs to be kept between lines. */
#include "pricing/import_row.h"

#include "base/arena.h"
#include "pricing/csv.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 65536
#define FIELDS_MAX 256

/* Which product an item's price is from: another that makes the same row is left out. */
struct taken {
    char sku[32];
    struct import_target target;
};

struct reader {
    const struct import_source *source;
    const char *name;
    struct sheet *sheet;
    struct import_counts *counts;
    struct jobq_error *err;
    int64_t line;
    bool ended;
    size_t at, len;
    char offer[IMPORT_TEXT], version[IMPORT_TEXT], published[IMPORT_TEXT];
    char column[FIELDS_MAX][40]; /* plain names; "" before the header */
    int columns;
    struct taken *taken;
    int taken_count;
    char buffer[LINE_BYTES];
    char text[LINE_BYTES];
};

static int fail(const struct reader *r, const char *what)
{
    return jobq_fail(r->err, JOBQ_INVALID, "%s:%lld: %s", r->name, (long long)r->line,
                     what);
}

/* The next line into text, without its end. 1: a line; 0: the end. */
static int next_line(struct reader *r)
{
    size_t len = 0;
    if (r->ended && r->at == r->len)
        return 0;
    r->line++;
    for (;;) {
        if (r->at == r->len) {
            r->at = r->len = 0;
            int code = r->ended ? JOBQ_OK
                                : r->source->read(r->source->ctx, r->buffer,
                                                  sizeof r->buffer, &r->len, r->err);
            if (code)
                return jobq_wrap(r->err, "%s", r->name);
            if (r->len == 0) {
                r->ended = true;
                break;
            }
        }
        char c = r->buffer[r->at++];
        if (c == '\n')
            break;
        if (c == '\0')
            return fail(r, "a zero byte");
        if (len + 1 == sizeof r->text)
            return jobq_fail(r->err, JOBQ_LIMIT, "%s:%lld: a line over %d bytes", r->name,
                             (long long)r->line, LINE_BYTES - 1);
        r->text[len++] = c;
    }
    if (len && r->text[len - 1] == '\r')
        len--;
    r->text[len] = '\0';
    return len || !r->ended;
}

static int split(struct reader *r, char **field)
{
    int count = csv_split(r->text, field, FIELDS_MAX);
    if (count == CSV_QUOTE)
        return fail(r, "malformed quoting");
    if (count == CSV_FIELDS)
        return fail(r, "more than 256 fields");
    return count;
}

static int read_metadata(struct reader *r, char **field, int count)
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
        return fail(r, "no header line that begins with SKU: not an offer file");
    if (count >= 2 && strcmp(plain, "version") == 0)
        import_copy(r->version, field[1]);
    else if (count >= 2 && strcmp(plain, "publicationdate") == 0)
        import_copy(r->published, field[1]);
    else if (count >= 2 && strcmp(plain, "offercode") == 0)
        import_copy(r->offer, field[1]);
    return JOBQ_OK;
}

static const char *cell(const struct reader *r, char **field, const char *plain)
{
    for (int i = 0; i < r->columns; i++)
        if (strcmp(r->column[i], plain) == 0)
            return field[i];
    return "";
}

/* 1: this SKU's row; 0: another's already. Lines of one SKU stand together, so that the
 * walk backwards is short for all but new items. */
static int take(struct reader *r, const char *sku, const struct import_target *target)
{
    for (int i = r->taken_count - 1; i >= 0; i--) {
        const struct taken *t = &r->taken[i];
        if (strcmp(t->target.item, target->item) == 0 &&
            strcmp(t->target.service, target->service) == 0)
            return strcmp(t->sku, sku) == 0;
    }
    if (strlen(sku) >= sizeof r->taken->sku)
        return fail(r, "a SKU that is too long");
    if (r->taken_count == IMPORT_SKUS_MAX)
        return fail(r, "more products of use than there can be");
    if (r->taken_count % 256 == 0)
        r->taken = xrealloc(r->taken, (size_t)(r->taken_count + 256) * sizeof *r->taken);
    strcpy(r->taken[r->taken_count].sku, sku);
    r->taken[r->taken_count++].target = *target;
    return 1;
}

static int read_price(struct reader *r, char **field, int count)
{
    struct import_product product = {0};
    struct import_target target;
    char source[3 * IMPORT_TEXT];
    if (count != r->columns)
        return fail(r, "not as many fields as the header has");
    for (int i = 0; i < count; i++) {
        char *to = import_field(&product, r->column[i]);
        if (to)
            import_copy(to, field[i]);
    }
    r->counts->products++;
    if (!*product.code)
        import_copy(product.code, r->offer);
    if (strcmp(cell(r, field, "termtype"), "OnDemand") != 0) {
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
    const char *currency = cell(r, field, "currency");
    if (*currency && strcmp(currency, "USD") != 0)
        return fail(r, "a price that is not in USD");
    int mine = take(r, cell(r, field, "sku"), &target);
    if (mine <= 0) {
        r->counts->unused += mine == 0;
        return mine;
    }
    r->counts->prices++;
    strcpy(source, "AWS Price List ");
    strcat(source, r->offer);
    strcat(source, " ");
    strcat(source, r->version);
    const char *from = cell(r, field, "startingrange");
    int code = import_tier(r->sheet, &target, *from ? from : "0",
                           cell(r, field, "endingrange"), cell(r, field, "priceperunit"),
                           cell(r, field, "effectivedate"), source, r->err);
    if (!code)
        return JOBQ_OK;
    struct jobq_error inner = *r->err;
    return fail(r, inner.text);
}

int import_csv(const struct import_source *source, const char *name, struct sheet *sheet,
               struct import_counts *counts, struct jobq_error *err)
{
    struct reader *r = xcalloc(1, sizeof *r);
    char **field = xcalloc(FIELDS_MAX, sizeof *field);
    r->source = source;
    r->name = name;
    r->sheet = sheet;
    r->counts = counts;
    r->err = err;
    int code = JOBQ_OK, more;
    while (!code && (more = next_line(r)) != 0) {
        if (more < 0) {
            code = more;
            break;
        }
        if (!*r->text)
            continue;
        int fields = split(r, field);
        code = fields < 0    ? fields
               : !r->columns ? read_metadata(r, field, fields)
                             : read_price(r, field, fields);
    }
    if (!code && !r->columns)
        code = fail(r, "no header line that begins with SKU: not an offer file");
    if (!code) {
        import_property(sheet, "offer_code", r->offer);
        import_property(sheet, "offer_version", r->version);
        import_property(sheet, "publication_date", r->published);
    }
    free(field);
    free(r->taken);
    free(r);
    return code;
}
