/* pages.c - which rows are in a state? See rows.h.
 *
 * Room:     src/fleet, the product.
 *
 * The claim begins with the state, so that a prefix finds them; a row that was never claimed
 * has none. */
#include "fleet/rows/tables.h"

#include <assert.h>
#include <string.h>

void rows_pages_init(struct rows_pages *pages, const struct jobq_table *table,
                     int table_count, int state, enum rows_what what, int page)
{
    assert(pages && (table || table_count == 0) && table_count >= 0 &&
           state >= ROWS_LIVE);
    assert(page >= 1 && page <= ROWS_PAGE);
    *pages = (struct rows_pages){.table = table,
                                 .table_count = table_count,
                                 .state = state,
                                 .what = what,
                                 .page = page};
}

bool rows_pages_done(const struct rows_pages *pages)
{
    return pages->table_at == pages->table_count;
}

/* Which claims a state's rows have. */
static struct jobq_filter filter_of(int state)
{
    static const struct jobq_str by_state[JOB_STATE_COUNT] = {
        [JOB_QUEUED] = {"queued ", 7}, [JOB_RUNNING] = {"running ", 8},
        [JOB_DONE] = {"done ", 5},     [JOB_FAILED] = {"failed ", 7},
        [JOB_DEAD] = {"dead ", 5},     [JOB_CANCELLED] = {"cancelled ", 10}};
    static const struct jobq_str live[] = {
        {"queued ", 7}, {"failed ", 7}, {"running ", 8}};
    if (state == ROWS_ALL)
        return (struct jobq_filter){0};
    struct jobq_filter out = {
        .name = STR("claim"), .absent = true, .prefix = live, .prefix_count = 2};
    if (state == ROWS_LIVE)
        out.prefix_count = 3;
    if (state >= 0) {
        out.absent = state == JOB_QUEUED;
        out.prefix = &by_state[state];
        out.prefix_count = 1;
    }
    return out;
}

/* Names that a page asks for. Returns how many; 0: all. */
static int page_names(enum rows_what what, const struct jobq_str **out)
{
    static const struct jobq_str names[] = {
        {"t", 1}, {"claim", 5}, {"run", 3}, {"end", 3}, {"progress", 8}};
    *out = names;
    return what == ROWS_WHOLE ? 0 : what == ROWS_CLAIM ? 2 : 5;
}

int rows_pages_next(const struct rows *rows, struct rows_pages *pages,
                    struct arena *arena, struct jobq_item *item, struct jobq_error *err)
{
    assert(!rows_pages_done(pages));
    struct jobq_filter filter = filter_of(pages->state);
    const struct jobq_str *name;
    int names = page_names(pages->what, &name);
    struct jobq_str token;
    struct retry r;
    int table,
        count = jobq_store_open(rows->b, &pages->table[pages->table_at], &table, err);
    if (count < 0)
        return count;
    rows_retry(rows, &r);
    do {
        token = (struct jobq_str){pages->token, pages->token_bytes};
        count = jobq_store_page(rows->b, table, &filter, name, names, true, &token, arena,
                                item, pages->page, err);
    } while (count < 0 && retry_again(&r, count));
    rows_retried(rows, &r);
    if (count == JOBQ_NOT_FOUND) { /* dropped since it was listed */
        pages->token_bytes = 0;
        pages->table_at++;
        return 0;
    }
    if (count < 0)
        return count;
    if (token.len > (int64_t)sizeof pages->token)
        return jobq_fail(err, JOBQ_CORRUPT, "a next token of %lld bytes",
                         (long long)token.len);
    if (token.len > 0) /* it outlives the caller's arena */
        memmove(pages->token, token.ptr, (size_t)token.len);
    pages->token_bytes = token.len;
    pages->table_at += token.len == 0;
    return count;
}
