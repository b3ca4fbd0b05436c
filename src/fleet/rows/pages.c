/* pages.c - which rows are in a state? See rows.h.
 *
 * Room:     src/fleet, the product.
 *
 * The claim begins with the state, so that a prefix finds them; a row that was never claimed
 * has none. What a Select costs goes by the rows that it returns. */
#include "fleet/rows/tables.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SELECT_MAX (ROWS_TABLE_NAME_MAX + 256)

void rows_pages_init(struct rows_pages *pages, const struct rows_table_name *table,
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

#define WAITING "claim is null or claim like 'queued %%' or claim like 'failed %%'"

static int write_where(int state, char *out, size_t cap)
{
    if (state == ROWS_ALL)
        return snprintf(out, cap, "%s", "");
    if (state == ROWS_WAITING)
        return snprintf(out, cap, " where " WAITING);
    if (state == ROWS_LIVE)
        return snprintf(out, cap, " where " WAITING " or claim like 'running %%'");
    return snprintf(out, cap, " where %sclaim like '%s %%'",
                    state == JOB_QUEUED ? "claim is null or " : "",
                    job_state_name((enum job_state)state));
}

static struct jobq_str write_select(const struct rows_pages *pages, char *out)
{
    static const char *const what[] = {"*", "t, claim, run, end, progress", "t, claim"};
    struct jobq_str table = pages->table[pages->table_at].name;
    int len = snprintf(out, SELECT_MAX, "select %s from `%.*s`", what[pages->what],
                       (int)table.len, table.ptr);
    len += write_where(pages->state, out + len, (size_t)(SELECT_MAX - len));
    len += snprintf(out + len, (size_t)(SELECT_MAX - len), " limit %d", pages->page);
    assert(len < SELECT_MAX);
    return (struct jobq_str){out, len};
}

int rows_pages_next(const struct rows *rows, struct rows_pages *pages,
                    struct arena *arena, struct jobq_item *item, struct jobq_error *err)
{
    char expression[SELECT_MAX];
    assert(!rows_pages_done(pages));
    struct jobq_str select = write_select(pages, expression);
    struct jobq_str token;
    struct retry r;
    int count;
    rows_retry(rows, &r);
    do {
        token = (struct jobq_str){pages->token, pages->token_bytes};
        count = jobq_store_select(rows->b, select, true, &token, arena, item, pages->page,
                                  err);
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

int64_t rows_pages_box_usage_e10h(int64_t rows)
{
    return 137200 + (int64_t)(91416.5 * (double)rows);
}
