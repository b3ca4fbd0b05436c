/* select_page.c - one page of Select.
 *
 * Room:     models, the facts.
 *
 * Rows come in the index's order, or sorted by (key, item name). A page ends at its limit
 * of items, at 1 MB, or when select_scan_max rows have been looked at, which stands for
 * AWS's 5 seconds: a query without order by then gives what it has and a token, a sorted
 * one times out.
 *
 * A next token is, in hex: a byte for the kind, 8 of a hash of the expression from the
 * domain up to the limit, 2 of the key's length, the key, and the last item's name. It stays
 * good whatever is written in between, and for any expression that selects the same rows in
 * the same order: the token of "select count(*) from d limit 1000" leads "select * from d"
 * to its second thousand, as programs that page at will do. With other rows it is invalid. */
#include "models/simpledb/simpledb.h"

#include "base/text.h"
#include "models/simpledb/query.h"
#include "models/simpledb/call.h"
#include "models/simpledb/box_usage.h"

#include <assert.h>
#include <stdlib.h>

enum {
    TOKEN_KIND_BYTES = 1,
    TOKEN_HEAD_BYTES = 11,
    TOKEN_MAX_BYTES = TOKEN_HEAD_BYTES + 2 * ROW_STRING_MAX,
    VALUES_IN_LIST = 20
};

/* A call being answered. */
struct page {
    struct simpledb *model;
    const struct select_query *query;
    const struct row_domain *domain;
    struct arena *arena;
    struct simpledb_page *out;
    int64_t now_ns;
    double u; /* < 0: consistent */
    uint64_t rows_hash;
    uint32_t serial; /* marks the attributes asked for */
    int64_t limit;   /* of items; for count, of rows counted; 0: none */
    int64_t bytes;
    int64_t counted;
    /* where the page before ended */
    bool resumed;
    struct jobq_str key, name;
};

/* ---- tokens -------------------------------------------------------------------------- */

static int page_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void put_hex(char *out, const unsigned char *bytes, int64_t len)
{
    for (int64_t i = 0; i < len; i++) {
        out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
}

static unsigned char token_kind(const struct page *page)
{
    return page->query->sort == SELECT_NONE ? 'u' : 's';
}

static struct jobq_str make_token(const struct page *page, struct jobq_str key,
                                  struct jobq_str name)
{
    int64_t len = TOKEN_HEAD_BYTES + key.len + name.len;
    unsigned char *raw = arena_alloc(page->arena, (size_t)len);
    raw[0] = token_kind(page);
    memcpy(raw + 1, &page->rows_hash, 8);
    raw[9] = (unsigned char)(key.len >> 8);
    raw[10] = (unsigned char)key.len;
    if (key.len)
        memcpy(raw + TOKEN_HEAD_BYTES, key.ptr, (size_t)key.len);
    memcpy(raw + TOKEN_HEAD_BYTES + key.len, name.ptr, (size_t)name.len);
    char *text = arena_alloc(page->arena, (size_t)(2 * len));
    put_hex(text, raw, len);
    return (struct jobq_str){text, 2 * len};
}

static bool read_token(struct page *page, struct jobq_str token)
{
    int64_t len = token.len / 2;
    if (!token.ptr || token.len % 2 || len <= TOKEN_HEAD_BYTES || len > TOKEN_MAX_BYTES)
        return false;
    unsigned char *raw = arena_alloc(page->arena, (size_t)len);
    for (int64_t i = 0; i < len; i++) {
        int high = page_hex_digit(token.ptr[2 * i]),
            low = page_hex_digit(token.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        raw[i] = (unsigned char)(high << 4 | low);
    }
    int64_t key_len = raw[9] << 8 | raw[10];
    if (raw[0] != token_kind(page) || memcmp(raw + 1, &page->rows_hash, 8) != 0 ||
        TOKEN_HEAD_BYTES + key_len >= len)
        return false;
    page->resumed = true;
    page->key = (struct jobq_str){(char *)raw + TOKEN_HEAD_BYTES, key_len};
    page->name = (struct jobq_str){(char *)raw + TOKEN_HEAD_BYTES + key_len,
                                   len - TOKEN_HEAD_BYTES - key_len};
    return true;
}

/* ---- rows ---------------------------------------------------------------------------- */

static struct jobq_str name_of(const char *row)
{
    return (struct jobq_str){row_name(row), row_head(row).name_len};
}

/* The row's values where select_match wants them; returns how many. */
static int page_unpack(struct simpledb *model, const char *row)
{
    int pairs = row_head(row).pairs & ROW_PAIRS;
    const char *at = row_name(row) + row_head(row).name_len;
    for (int i = 0; i < pairs; i++) {
        struct row_pair pair = row_pair(at);
        at = pair.next;
        model->value[i] = (struct select_value){
            pair.name, {pair.phantom ? row_phantom_bytes() : pair.bytes, pair.len}};
    }
    return pairs;
}

static bool page_matches(const struct page *page, const char *row, int *values)
{
    *values = page_unpack(page->model, row);
    return select_match(page->query, name_of(row), page->model->value, *values);
}

/* What the row sorts by: its least value of the attribute, or its greatest for desc. */
static bool sort_key(const struct page *page, const char *row, int values,
                     struct jobq_str *out)
{
    const struct select_query *query = page->query;
    if (query->sort == SELECT_ITEM) {
        *out = name_of(row);
        return true;
    }
    bool any = false;
    for (int i = 0; i < values; i++) {
        const struct select_value *value = &page->model->value[i];
        if (value->name != query->attr[query->sort].id)
            continue;
        int order = any ? str_cmp(value->value, *out) : 0;
        if (!any || (query->descending ? order > 0 : order < 0))
            *out = value->value;
        any = true;
    }
    return any;
}

static int64_t item_bytes(const struct jobq_item *item)
{
    int64_t bytes = item->name.len;
    for (int i = 0; i < item->attr_count; i++)
        bytes += item->attr[i].name.len + item->attr[i].value.len;
    return bytes;
}

/* Put the row on the page; false: the page was full before it. */
static bool add_row(struct page *page, const char *row)
{
    const struct simpledb_params *params = &page->model->params;
    if (page->limit && page->counted >= page->limit)
        return false;
    if (page->query->output != SELECT_COUNT) {
        struct jobq_item *item = &page->out->item[page->out->item_count];
        if (page->query->output == SELECT_ITEM_NAME)
            *item = (struct jobq_item){.name = arena_str(page->arena, name_of(row))};
        else
            call_copy_row(page->model, row, page->serial, page->arena, item);
        int64_t bytes = item_bytes(item);
        if (params->select_bytes_max && page->out->item_count > 0 &&
            page->bytes + bytes > params->select_bytes_max)
            return false;
        page->bytes += bytes;
        page->out->item_count++;
    }
    page->counted++;
    return true;
}

/* ---- the two orders ------------------------------------------------------------------ */

static void scan_unsorted(struct page *page)
{
    struct simpledb *model = page->model;
    const struct row_domain *domain = page->domain;
    int64_t slot = page->resumed ? row_seek(model, domain, page->name,
                                            row_hash(domain, page->name), true)
                                 : row_next(domain, -1);
    const char *last = NULL;
    for (; slot >= 0; slot = row_next(domain, slot)) {
        const char *row =
            row_visible(model, domain->slot[slot].blob, page->now_ns, page->u);
        if (!row)
            continue;
        bool full = model->params.select_scan_max &&
                    page->out->rows_scanned >= model->params.select_scan_max;
        int values;
        if (full || (page_matches(page, row, &values) && !add_row(page, row))) {
            if (last)
                page->out->next_token =
                    make_token(page, (struct jobq_str){0}, name_of(last));
            return;
        }
        page->out->rows_scanned++;
        last = row;
    }
}

static int found_cmp(const void *a, const void *b)
{
    const struct select_found *x = a, *y = b;
    int order = str_cmp(x->key, y->key);
    return order ? order : str_cmp(name_of(x->row), name_of(y->row));
}

/* All matches into model->found; how many, or -1: it took too long. */
static int64_t find_all(struct page *page)
{
    struct simpledb *model = page->model;
    int64_t count = 0;
    for (int64_t slot = -1; (slot = row_next(page->domain, slot)) >= 0;) {
        const char *row =
            row_visible(model, page->domain->slot[slot].blob, page->now_ns, page->u);
        if (!row)
            continue;
        page->out->rows_scanned++;
        if (model->params.select_scan_max &&
            page->out->rows_scanned > model->params.select_scan_max)
            return -1;
        int values;
        struct select_found found = {.row = row};
        if (!page_matches(page, row, &values) || !sort_key(page, row, values, &found.key))
            continue;
        if (count == model->found_cap) {
            model->found_cap = count ? 2 * count : 1024;
            model->found =
                xrealloc(model->found, (size_t)model->found_cap * sizeof *model->found);
        }
        model->found[count++] = found;
    }
    return count;
}

static bool scan_sorted(struct page *page)
{
    struct simpledb *model = page->model;
    bool descending = page->query->descending;
    int64_t count = find_all(page);
    if (count < 0)
        return false;
    if (count)
        qsort(model->found, (size_t)count, sizeof *model->found, found_cmp);
    const struct select_found *last = NULL;
    for (int64_t i = 0; i < count; i++) {
        const struct select_found *found = &model->found[descending ? count - 1 - i : i];
        if (page->resumed) {
            int order = str_cmp(found->key, page->key);
            order = order ? order : str_cmp(name_of(found->row), page->name);
            if (descending ? order >= 0 : order <= 0)
                continue;
        }
        if (!add_row(page, found->row)) {
            if (last)
                page->out->next_token = make_token(page, last->key, name_of(last->row));
            return true;
        }
        last = found;
    }
    return true;
}

/* ---- the call ------------------------------------------------------------------------ */

static enum simpledb_fault fault_of(enum select_fault fault)
{
    switch (fault) {
    case SELECT_OK:
        return SIMPLEDB_FAULT_NONE;
    case SELECT_SYNTAX:
        return SIMPLEDB_FAULT_QUERY;
    case SELECT_PREDICATES:
        return SIMPLEDB_FAULT_PREDICATES;
    case SELECT_VALUES:
        return SIMPLEDB_FAULT_VALUE_TESTS;
    case SELECT_ATTRIBUTES:
        return SIMPLEDB_FAULT_REQUESTED_ATTRIBUTES;
    case SELECT_SORT:
        return SIMPLEDB_FAULT_SORT;
    }
    return SIMPLEDB_FAULT_QUERY;
}

static void bind_names(struct page *page, struct select_query *query)
{
    struct simpledb *model = page->model;
    for (int32_t i = 0; i < query->attr_count; i++)
        query->attr[i].id = names_find(&model->names, query->attr[i].name);
    if (query->output != SELECT_ATTRS)
        return;
    page->serial = call_serial(model);
    for (int32_t i = 0; i < query->out_count; i++) {
        int32_t id = query->attr[query->out_attr[i]].id;
        if (id >= 0)
            model->mark[id].seen = page->serial;
    }
}

static void make_room(struct page *page)
{
    const struct simpledb_params *params = &page->model->params;
    page->limit = page->query->limit;
    if (page->query->output == SELECT_COUNT)
        return; /* without limit it counts as far as time allows */
    if (page->limit == 0)
        page->limit = params->select_items_default;
    /* No page holds more rows than there are. */
    int64_t rows = page->limit < page->domain->used ? page->limit : page->domain->used;
    page->out->item =
        arena_alloc(page->arena, (size_t)(rows ? rows : 1) * sizeof *page->out->item);
}

static int64_t close_page(struct page *page)
{
    const struct simpledb_params *params = &page->model->params;
    if (page->query->output == SELECT_ITEM_NAME)
        return simpledb_usage_select_names(params, page->out->item_count);
    if (page->query->output != SELECT_COUNT)
        return simpledb_usage_select_rows(params, page->out->item_count);
    char *digits = arena_alloc(page->arena, 24);
    struct jobq_attr *attr = arena_zalloc(page->arena, sizeof *attr);
    *attr = (struct jobq_attr){
        .name = STR("Count"),
        .value = {digits, text_write_int(digits, page->counted)},
    };
    page->out->item = arena_alloc(page->arena, sizeof *page->out->item);
    page->out->item[0] = (struct jobq_item){STR("Domain"), attr, 1};
    page->out->item_count = 1;
    return simpledb_usage_select_count(params, page->out->rows_scanned);
}

int simpledb_select(struct simpledb *model, int64_t now_ns, double u,
                    struct jobq_str expression, struct jobq_str next_token,
                    bool consistent, struct arena *arena, struct simpledb_page *out,
                    struct simpledb_reply *reply, struct jobq_error *err)
{
    assert(u > 0 && u < 1 && arena && out && reply && err);
    const struct simpledb_params *params = &model->params;
    const struct select_limits limits = {
        .comparisons = (int32_t)params->select_comparisons_max,
        .attributes = (int32_t)params->select_attributes_max,
        .values = VALUES_IN_LIST,
        .items = params->select_items_max,
    };
    *out = (struct simpledb_page){0};
    struct select_query query;
    struct jobq_error why;
    enum select_fault bad = select_parse(expression, &limits, arena, &query, &why);
    if (bad != SELECT_OK)
        return simpledb_refuse(model, fault_of(bad), why.text, reply, err);
    int domain = simpledb_domain_find(model, query.domain);
    if (domain == -1)
        return call_fail(model, SIMPLEDB_FAULT_PARAMETER, reply, err,
                         "Value (%.*s) for parameter DomainName is invalid. ",
                         CALL_STR(query.domain));
    const struct row_domain *d = call_domain(model, domain, reply, err);
    if (!d)
        return err->code;
    struct page page = {
        .model = model,
        .query = &query,
        .domain = d,
        .arena = arena,
        .out = out,
        .now_ns = now_ns,
        .u = consistent ? -1 : u,
        .rows_hash = row_hash_bytes(query.rows.ptr, query.rows.len),
    };
    if (next_token.len > 0 && !read_token(&page, next_token))
        return simpledb_refuse(model, SIMPLEDB_FAULT_NEXT_TOKEN,
                               "The specified next token is not valid.", reply, err);
    bind_names(&page, &query);
    make_room(&page);
    if (query.sort == SELECT_NONE)
        scan_unsorted(&page);
    else if (!scan_sorted(&page))
        return call_fail(model, SIMPLEDB_FAULT_QUERY_TIMEOUT, reply, err,
                         "A timeout occurred when attempting to query domain %.*s with "
                         "query expression %.*s.",
                         CALL_STR(query.domain), CALL_STR(expression));
    call_ok(reply, close_page(&page));
    return out->item_count;
}
