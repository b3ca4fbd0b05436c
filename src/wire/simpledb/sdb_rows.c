#include "wire/simpledb/sdb_rows.h"

#include "base/text.h"
#include "wire/text/table_word.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

int sdb_domain_write(const struct jobq_table *table, char *out)
{
    int len = (int)table->queue.len;
    assert(len <= JOBQ_QUEUE_NAME_MAX && table->shard >= 0 && table->shard < 1024);
    memcpy(out, table->queue.ptr, (size_t)len);
    char *p = out + len;
    const char *word = table_word(table->day);
    *p++ = '.';
    if (word) {
        memcpy(p, word, strlen(word) + 1);
        return len + 1 + (int)strlen(word);
    }
    assert(table->day >= 0);
    text_digits_write(p, (uint64_t)table->day, 3);
    text_digits_write(p + 3, (uint64_t)table->shard, 2);
    p[5] = '\0';
    return len + 6;
}

bool sdb_domain_read(struct jobq_str name, struct jobq_str queue, struct jobq_table *out)
{
    uint64_t day, shard;
    if (name.len != queue.len + 6 ||
        memcmp(name.ptr, queue.ptr, (size_t)queue.len) != 0 || name.ptr[queue.len] != '.')
        return false;
    const char *p = name.ptr + queue.len + 1;
    if (!text_digits_read(p, 3, &day) || !text_digits_read(p + 3, 2, &shard))
        return false;
    *out = (struct jobq_table){queue, (int)day, (int)shard};
    return true;
}

/* ---- pages ------------------------------------------------------------------------------ */

static char *add(char *at, const char *end, struct jobq_str text)
{
    assert(end - at > text.len);
    memcpy(at, text.ptr, (size_t)text.len);
    return at + text.len;
}

/* One condition, behind " where " or " or ". The product's names and values hold no quotes. */
static char *condition(char *p, const char *end, bool *first, struct jobq_str name,
                       const char *before, struct jobq_str value, const char *after)
{
    p = add(p, end, *first ? STR(" where ") : STR(" or "));
    *first = false;
    p = add(p, end, name);
    p = add(p, end, str_of(before));
    p = add(p, end, value);
    return add(p, end, str_of(after));
}

static char *where(char *p, const char *end, const struct jobq_filter *f)
{
    bool first = true;
    if (f->name.len == 0)
        return p;
    if (f->absent)
        p = condition(p, end, &first, f->name, " is null", STR(""), "");
    for (int i = 0; i < f->prefix_count; i++)
        p = condition(p, end, &first, f->name, " like '", f->prefix[i], "%'");
    if (f->above.len)
        p = condition(p, end, &first, f->name, " > '", f->above, "'");
    if (f->below.len)
        p = condition(p, end, &first, f->name, " < '", f->below, "'");
    return p;
}

struct jobq_str sdb_select_write(struct jobq_str domain, const struct jobq_filter *filter,
                                 const struct jobq_str *name, int name_count, int limit,
                                 char *out)
{
    const char *end = out + SDB_SELECT_MAX;
    char *p = add(out, end, STR("select "));
    if (name_count == 0)
        p = add(p, end, STR("*"));
    for (int i = 0; i < name_count; i++) {
        p = add(p, end, i ? STR(", ") : STR(""));
        p = add(p, end, name[i]);
    }
    p = add(p, end, STR(" from `"));
    p = add(p, end, domain);
    p = add(p, end, STR("`"));
    p = where(p, end, filter);
    p = add(p, end, STR(" limit "));
    assert(end - p > 20);
    p += text_write_int(p, limit);
    *p = '\0';
    return (struct jobq_str){out, p - out};
}

void sdb_page_cost(int64_t rows, struct jobq_call_cost *out)
{
    out->box_usage_e10h = 137200 + (int64_t)(91416.5 * (double)rows);
}
