/* contract_store.c - the store port's promises (jobq/ports.h), one after the other. */
#include "tests/contract/contract.h"

/* TOO_LONG: an attribute of no service. */
enum { DAY = 20781, MAKE_TRIES = 100, TOO_LONG = 410 * 1024 };

static struct jobq_str value_of(const struct jobq_item *item, const char *name)
{
    for (int i = 0; i < item->attr_count; i++)
        if (str_is(item->attr[i].name, name))
            return item->attr[i].value;
    return STR("");
}

static int get(struct contract *c, int table, const char *row, struct jobq_item *out)
{
    struct jobq_error err;
    return jobq_store_get(c->b, table, str_of(row), NULL, 0, true, &c->arena, out, &err);
}

/* Makes it, however long that takes: a store may say UNAVAILABLE meanwhile. */
static int make(struct contract *c, int table, struct jobq_error *err)
{
    int code;
    for (int tries = 0; (code = jobq_store_make(c->b, table, err)) == JOBQ_UNAVAILABLE &&
                        tries < MAKE_TRIES;
         tries++)
        contract_sleep(c, JOBQ_NS_PER_S);
    return code;
}

static void tables(struct contract *c, struct jobq_str queue, int *out)
{
    struct jobq_error err;
    struct jobq_item item;
    struct jobq_table table = {queue, DAY, 3}, listed[100], drainers = table;
    struct jobq_attr attr = {STR("a"), STR("1"), true};
    struct jobq_str token = STR("");
    int count, all, found = 0, other;
    drainers.day = JOBQ_DAY_DRAINERS;
    drainers.shard = 0;
    WANT(c, jobq_store_open(c->b, &table, out, &err) == JOBQ_OK);
    WANT(c, jobq_store_open(c->b, &drainers, &other, &err) == JOBQ_OK && other != *out);
    WANT(c, jobq_store_put(c->b, *out, &(struct jobq_item){STR("r"), &attr, 1}, NULL,
                           NULL, &err) == JOBQ_NOT_FOUND);
    WANT(c, make(c, *out, &err) == JOBQ_OK);
    WANT(c, make(c, *out, &err) == JOBQ_OK);
    do {
        count = jobq_store_list(c->b, queue, &token, &c->arena, listed, 100, &all, &err);
        if (!WANT(c, count >= 0 && count <= all))
            break;
        for (int i = 0; i < count; i++) {
            WANT(c, str_eq(listed[i].queue, queue));
            found += listed[i].day == JOBQ_DAY_ALL ||
                     (listed[i].day == DAY && listed[i].shard == 3);
        }
    } while (token.len);
    WANT(c, found == 1);
    WANT(c, get(c, *out, "nothing", &item) == JOBQ_OK && item.attr_count == 0);
}

static void rows(struct contract *c, int table)
{
    struct jobq_error err;
    struct jobq_item item;
    struct jobq_attr attr[] = {{STR("a"), STR("1"), true},
                               {STR("text"), STR("<&> \"\xc3\xa4\" 100%+1"), false}};
    WANT(c, jobq_store_put(c->b, table, &(struct jobq_item){STR("row"), attr, 2}, NULL,
                           NULL, &err) == JOBQ_OK);
    WANT(c, get(c, table, "row", &item) == JOBQ_OK && item.attr_count == 2);
    WANT(c, str_is(value_of(&item, "a"), "1"));
    WANT(c, str_eq(value_of(&item, "text"), attr[1].value));
    /* A put leaves the attributes that it does not name. */
    struct jobq_attr more = {STR("a"), STR("2"), true};
    WANT(c, jobq_store_put(c->b, table, &(struct jobq_item){STR("row"), &more, 1}, NULL,
                           NULL, &err) == JOBQ_OK);
    WANT(c, get(c, table, "row", &item) == JOBQ_OK && item.attr_count == 2);
    struct jobq_str only = STR("a");
    WANT(c, jobq_store_get(c->b, table, STR("row"), &only, 1, true, &c->arena, &item,
                           &err) == JOBQ_OK);
    WANT(c, item.attr_count == 1 && str_is(value_of(&item, "a"), "2"));
}

static void conditions(struct contract *c, int table)
{
    struct jobq_error err;
    struct jobq_item item;
    struct jobq_attr first = {STR("claim"), STR("1/a"), true};
    struct jobq_attr second = {STR("claim"), STR("2/b"), true};
    struct jobq_expect absent = {.name = STR("claim"), .exists = false};
    struct jobq_expect is_first = {STR("claim"), STR("1/a"), true};
    struct jobq_expect other = {.name = STR("never"), .value = STR("x"), .exists = true};
    struct jobq_str row = STR("claimed");
    struct jobq_met met = {.arena = &c->arena};
    /* A value is expected of an attribute that is not there: the condition fails. */
    WANT(c, jobq_store_put(c->b, table, &(struct jobq_item){row, &first, 1}, &other, &met,
                           &err) == JOBQ_CONFLICT);
    WANT(c, jobq_store_put(c->b, table, &(struct jobq_item){row, &first, 1}, &absent,
                           &met, &err) == JOBQ_OK);
    WANT(c, jobq_store_put(c->b, table, &(struct jobq_item){row, &second, 1}, &absent,
                           &met, &err) == JOBQ_CONFLICT);
    WANT(c, jobq_store_put(c->b, table, &(struct jobq_item){row, &second, 1}, &is_first,
                           &met, &err) == JOBQ_OK);
    WANT(c, jobq_store_put(c->b, table, &(struct jobq_item){row, &first, 1}, &is_first,
                           &met, &err) == JOBQ_CONFLICT);
    /* What the condition met, where the store shows it. */
    WANT(c, !met.known || str_is(value_of(&met.item, "claim"), "2/b"));
    WANT(c, get(c, table, "claimed", &item) == JOBQ_OK);
    WANT(c, str_is(value_of(&item, "claim"), "2/b"));
    WANT(c, jobq_store_remove(c->b, table, row, &is_first, &err) == JOBQ_CONFLICT);
    WANT(c, jobq_store_remove(c->b, table, row, NULL, &err) == JOBQ_OK);
    WANT(c, get(c, table, "claimed", &item) == JOBQ_OK && item.attr_count == 0);
    WANT(c, jobq_store_remove(c->b, table, row, NULL, &err) == JOBQ_OK);
}

static void many(struct contract *c, int table)
{
    struct jobq_error err;
    struct jobq_item item[JOBQ_STORE_BATCH_MAX], *got_rows;
    struct jobq_attr attr = {STR("kind"), STR("many"), true};
    char name[JOBQ_STORE_BATCH_MAX][8];
    for (int i = 0; i < JOBQ_STORE_BATCH_MAX; i++) {
        snprintf(name[i], sizeof name[i], "m%02d", i);
        item[i] = (struct jobq_item){str_of(name[i]), &attr, 1};
    }
    int batch = c->b->store->ops->batch_max;
    for (int from = 0; from < JOBQ_STORE_BATCH_MAX; from += batch)
        WANT(c, jobq_store_put_batch(c->b, table, item + from,
                                     from + batch <= JOBQ_STORE_BATCH_MAX
                                         ? batch
                                         : JOBQ_STORE_BATCH_MAX - from,
                                     &err) == JOBQ_OK);
    int64_t count = -1;
    WANT(c, jobq_store_count(c->b, table, &count, &err) == JOBQ_OK && count >= 0);
    got_rows = arena_zalloc(&c->arena, 100 * sizeof *got_rows);
    struct jobq_str prefixes[] = {STR("mx"), STR("man")};
    const struct {
        struct jobq_filter filter;
        int rows;
    } asked[] = {{{.name = STR("kind"), .prefix = prefixes, .prefix_count = 2}, 25},
                 {{.name = STR("kind"), .prefix = prefixes, .prefix_count = 1}, 0},
                 {{.name = STR("kind"), .absent = true}, 1}, /* "row", of rows() */
                 {{.name = STR("kind"), .above = STR("m")}, 25},
                 {{.name = STR("kind"), .above = STR("many")}, 0},
                 {{.name = STR("kind"), .below = STR("many")}, 0},
                 {{.name = STR("kind"), .below = STR("n")}, 25},
                 {{.absent = false}, 26}};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct jobq_str token = STR(""), names[] = {STR("a"), STR("kind")};
        int total = 0, pages = 0;
        do {
            int got = jobq_store_page(c->b, table, &asked[i].filter, names, 2, true,
                                      &token, &c->arena, got_rows, 10, &err);
            if (!WANT(c, got >= 0 && got <= 10))
                break;
            for (int k = 0; k < got; k++)
                WANT(c, str_is(value_of(&got_rows[k],
                                        str_is(got_rows[k].name, "row") ? "a" : "kind"),
                               str_is(got_rows[k].name, "row") ? "2" : "many"));
            total += got;
        } while (token.len && ++pages < 10);
        WANT(c, total == asked[i].rows);
    }
}

static void limits(struct contract *c, int table)
{
    struct jobq_error err;
    char *long_value = arena_alloc(&c->arena, TOO_LONG);
    memset(long_value, 'v', TOO_LONG);
    struct jobq_attr attr = {STR("a"), {long_value, 1024}, true};
    WANT(c, jobq_store_put(c->b, table, &(struct jobq_item){STR("long"), &attr, 1}, NULL,
                           NULL, &err) == JOBQ_OK);
    /* What is past the service's own limit is refused, wherever that lies. */
    attr.value.len = TOO_LONG;
    int rc = jobq_store_put(c->b, table, &(struct jobq_item){STR("long"), &attr, 1}, NULL,
                            NULL, &err);
    WANT(c, rc == JOBQ_INVALID || rc == JOBQ_LIMIT);
}

void contract_store(struct contract *c)
{
    struct jobq_error err;
    int table = -1;
    struct jobq_str queue = str_of(contract_name(c, "rows"));
    tables(c, queue, &table);
    rows(c, table);
    conditions(c, table);
    many(c, table);
    limits(c, table);
    WANT(c, jobq_store_drop(c->b, table, &err) == JOBQ_OK);
}
