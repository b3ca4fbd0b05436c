/* import_json.c - the JSON form of an AWS offer file.
 *
 * Room:     pricing, facts.
 * Knows nothing of: which products matter (import_row.h). */
#include "pricing/import_row.h"

#include "base/arena.h"
#include "pricing/json_stream.h"

#include <stdlib.h>
#include <string.h>

#define SKU_TEXT 32

/* A product that will be a row once its terms come by. */
struct kept {
    char sku[SKU_TEXT];
    struct import_target target;
    bool priced;
};

struct reader {
    struct json_stream *stream;
    struct sheet *sheet;
    struct import_counts *counts;
    struct jobq_error *err;
    struct kept *kept;
    int count, cap;
    int *slot; /* open addressing: index + 1; size a power of two */
    int slots;
    char offer[IMPORT_TEXT], version[IMPORT_TEXT], published[IMPORT_TEXT];
    bool products_read, terms_seen, again; /* again: the second pass, for terms only */
};

/* ---- kept products by SKU ---------------------------------------------------------------- */

static unsigned hash(const char *sku)
{
    unsigned h = 2166136261u;
    for (; *sku; sku++)
        h = (h ^ (unsigned char)*sku) * 16777619u;
    return h;
}

static struct kept *find(const struct reader *r, const char *sku)
{
    if (!r->slots)
        return NULL;
    for (unsigned i = hash(sku);; i++) {
        int at = r->slot[i & (unsigned)(r->slots - 1)];
        if (!at)
            return NULL;
        if (strcmp(r->kept[at - 1].sku, sku) == 0)
            return &r->kept[at - 1];
    }
}

static void place(struct reader *r, int index)
{
    unsigned i = hash(r->kept[index].sku);
    while (r->slot[i & (unsigned)(r->slots - 1)])
        i++;
    r->slot[i & (unsigned)(r->slots - 1)] = index + 1;
}

static int keep(struct reader *r, const char *sku, const struct import_target *target)
{
    if (r->count == IMPORT_SKUS_MAX)
        return json_stream_fail(r->stream, "more products of use than there can be",
                                r->err);
    if (strlen(sku) >= SKU_TEXT || find(r, sku))
        return json_stream_fail(r->stream, "a SKU that is too long, or given twice",
                                r->err);
    if (r->count == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 64;
        r->kept = xrealloc(r->kept, (size_t)r->cap * sizeof *r->kept);
        free(r->slot);
        r->slots = 2 * r->cap;
        r->slot = xcalloc((size_t)r->slots, sizeof *r->slot);
        for (int i = 0; i < r->count; i++)
            place(r, i);
    }
    struct kept *kept = &r->kept[r->count++];
    *kept = (struct kept){.target = *target};
    strcpy(kept->sku, sku);
    place(r, r->count - 1);
    return JOBQ_OK;
}

/* ---- walking objects --------------------------------------------------------------------- */

/* The next key of the object that is open: 1, with its text in the stream; 0: it ended. */
static int next_key(struct reader *r)
{
    int token = json_stream_next(r->stream, r->err);
    if (token < 0)
        return token;
    return token == JSON_STREAM_KEY;
}

static int open_object(struct reader *r)
{
    int token = json_stream_next(r->stream, r->err);
    if (token < 0)
        return token;
    return token == JSON_STREAM_OBJECT
               ? JOBQ_OK
               : json_stream_fail(r->stream, "an object is expected", r->err);
}

/* A value that is text or is passed over. */
static int read_text(struct reader *r, char out[IMPORT_TEXT])
{
    int token = json_stream_next(r->stream, r->err);
    if (token < 0)
        return token;
    if (token != JSON_STREAM_STRING && token != JSON_STREAM_NUMBER)
        return json_stream_fail(r->stream, "a text is expected", r->err);
    import_copy(out, json_stream_text(r->stream));
    return JOBQ_OK;
}

typedef int member_fn(struct reader *r, const char *key, void *ctx);

/* Calls fn for each member of the object that comes next; fn reads the value whole. */
static int each_member(struct reader *r, member_fn *fn, void *ctx)
{
    int code = open_object(r), more = 0;
    while (!code && (more = next_key(r)) > 0) {
        char key[IMPORT_TEXT];
        import_copy(key, json_stream_text(r->stream));
        code = fn(r, key, ctx);
    }
    return code ? code : more;
}

/* ---- products ---------------------------------------------------------------------------- */

static int on_attribute(struct reader *r, const char *key, void *ctx)
{
    char *field = import_field(ctx, key);
    return field ? read_text(r, field) : json_stream_skip(r->stream, r->err);
}

static int on_product_member(struct reader *r, const char *key, void *ctx)
{
    struct import_product *product = ctx;
    if (strcmp(key, "productFamily") == 0)
        return read_text(r, product->family);
    if (strcmp(key, "attributes") == 0)
        return each_member(r, on_attribute, product);
    return json_stream_skip(r->stream, r->err);
}

static int on_product(struct reader *r, const char *sku, void *ctx)
{
    struct import_product product = {0};
    struct import_target target;
    (void)ctx;
    int code = each_member(r, on_product_member, &product);
    if (code)
        return code;
    r->counts->products++;
    if (!*product.code)
        import_copy(product.code, r->offer);
    switch (import_classify(&product, sheet_region(r->sheet), &target)) {
    case IMPORT_ROW:
        return keep(r, sku, &target);
    case IMPORT_OTHER_REGION:
        r->counts->other_regions++;
        break;
    case IMPORT_UNUSED:
        r->counts->unused++;
        break;
    }
    return JOBQ_OK;
}

/* ---- terms ------------------------------------------------------------------------------- */

struct dimension {
    char from[IMPORT_TEXT], to[IMPORT_TEXT], usd[IMPORT_TEXT];
};

struct term {
    struct kept *kept;
    char date[IMPORT_TEXT];
    int prices;
};

static int on_currency(struct reader *r, const char *key, void *ctx)
{
    struct dimension *d = ctx;
    return strcmp(key, "USD") == 0 ? read_text(r, d->usd)
                                   : json_stream_skip(r->stream, r->err);
}

static int on_dimension_member(struct reader *r, const char *key, void *ctx)
{
    struct dimension *d = ctx;
    if (strcmp(key, "beginRange") == 0)
        return read_text(r, d->from);
    if (strcmp(key, "endRange") == 0)
        return read_text(r, d->to);
    if (strcmp(key, "pricePerUnit") == 0)
        return each_member(r, on_currency, d);
    return json_stream_skip(r->stream, r->err);
}

static int on_dimension(struct reader *r, const char *key, void *ctx)
{
    struct dimension d = {.from = "0", .to = "Inf"};
    struct term *term = ctx;
    char source[3 * IMPORT_TEXT];
    (void)key;
    int code = each_member(r, on_dimension_member, &d);
    if (code)
        return code;
    r->counts->prices++;
    term->prices++;
    if (!*d.usd)
        return json_stream_fail(r->stream, "a price without USD", r->err);
    strcpy(source, "AWS Price List ");
    strcat(source, r->offer);
    strcat(source, " ");
    strcat(source, r->version);
    code = import_tier(r->sheet, &term->kept->target, d.from, d.to, d.usd,
                       *term->date ? term->date : r->published, source, r->err);
    if (!code)
        return JOBQ_OK;
    struct jobq_error inner = *r->err;
    return json_stream_fail(r->stream, inner.text, r->err);
}

static int on_term_member(struct reader *r, const char *key, void *ctx)
{
    struct term *term = ctx;
    if (strcmp(key, "effectiveDate") == 0)
        return read_text(r, term->date);
    if (strcmp(key, "priceDimensions") == 0)
        return each_member(r, on_dimension, term);
    return json_stream_skip(r->stream, r->err);
}

/* One SKU may have several terms (dates); the first is the one in force. */
static int on_term(struct reader *r, const char *key, void *ctx)
{
    struct kept *kept = ctx;
    struct term term = {.kept = kept};
    (void)key;
    if (kept->priced)
        return json_stream_skip(r->stream, r->err);
    int code = each_member(r, on_term_member, &term);
    kept->priced = term.prices > 0;
    return code;
}

static int on_priced_sku(struct reader *r, const char *sku, void *ctx)
{
    (void)ctx;
    struct kept *kept = find(r, sku);
    if (!kept)
        return json_stream_skip(r->stream, r->err);
    /* Two products that make the same row (a type offered twice): the first one stands. */
    if (!kept->priced &&
        sheet_has_row(r->sheet, kept->target.service, kept->target.item)) {
        r->counts->unused++;
        return json_stream_skip(r->stream, r->err);
    }
    return each_member(r, on_term, kept);
}

static int on_terms_kind(struct reader *r, const char *key, void *ctx)
{
    return strcmp(key, "OnDemand") == 0 ? each_member(r, on_priced_sku, ctx)
                                        : json_stream_skip(r->stream, r->err);
}

/* ---- the document ------------------------------------------------------------------------ */

static int on_member(struct reader *r, const char *key, void *ctx)
{
    if (strcmp(key, "offerCode") == 0)
        return read_text(r, r->offer);
    if (strcmp(key, "version") == 0)
        return read_text(r, r->version);
    if (strcmp(key, "publicationDate") == 0)
        return read_text(r, r->published);
    if (strcmp(key, "products") == 0 && !r->again) {
        r->products_read = true;
        return each_member(r, on_product, ctx);
    }
    if (strcmp(key, "terms") == 0 && (r->products_read || r->again))
        return each_member(r, on_terms_kind, ctx);
    if (strcmp(key, "terms") == 0)
        r->terms_seen = true; /* before the products: a second pass will read them */
    return json_stream_skip(r->stream, r->err);
}

static int pass(struct reader *r, const struct import_source *source, const char *name)
{
    r->stream = json_stream_new(source->read, source->ctx, name);
    int code = each_member(r, on_member, NULL);
    int token = code ? code : json_stream_next(r->stream, r->err);
    if (!code && token < 0)
        code = token;
    if (!code && !r->products_read)
        code = json_stream_fail(r->stream, "no products: not an offer file", r->err);
    json_stream_free(r->stream);
    return code;
}

int import_json(const struct import_source *source, const char *name, struct sheet *sheet,
                struct import_counts *counts, struct jobq_error *err)
{
    struct reader r = {.sheet = sheet, .counts = counts, .err = err};
    int code = pass(&r, source, name);
    if (!code && r.terms_seen) {
        code = source->rewind(source->ctx, err);
        r.again = true;
        if (!code)
            code = pass(&r, source, name);
    }
    free(r.kept);
    free(r.slot);
    if (code)
        return code;
    import_property(sheet, "offer_code", r.offer);
    import_property(sheet, "offer_version", r.version);
    import_property(sheet, "publication_date", r.published);
    return JOBQ_OK;
}
