/* contract_store.c - the store port's promises (jobq/ports.h), one after the other. */
#include "tests/contract/contract.h"

static struct jobq_str value_of(const struct jobq_item *item, const char *name)
{
    for (int i = 0; i < item->attr_count; i++)
        if (str_is(item->attr[i].name, name))
            return item->attr[i].value;
    return STR("");
}

static int get(struct contract *c, int domain, const char *row, struct jobq_item *out)
{
    struct jobq_error err;
    return jobq_store_get(c->b, domain, str_of(row), NULL, 0, true, &c->arena, out, &err);
}

static void domains(struct contract *c, int *domain)
{
    struct jobq_error err;
    struct jobq_item item;
    struct jobq_str name[100];
    const char *mine = contract_name(c, "rows");
    struct jobq_attr attr = {STR("a"), STR("1"), true};
    WANT(c, jobq_store_open(c->b, mine, domain, &err) == JOBQ_OK);
    WANT(c, jobq_store_put(c->b, *domain, &(struct jobq_item){STR("r"), &attr, 1}, NULL,
                           &err) == JOBQ_NOT_FOUND);
    WANT(c, jobq_store_create_domain(c->b, mine, &err) == JOBQ_OK);
    WANT(c, jobq_store_create_domain(c->b, mine, &err) == JOBQ_OK);
    int got = jobq_store_list_domains(c->b, NULL, &c->arena, name, 100, &err);
    bool found = false;
    for (int i = 0; i < got; i++)
        found = found || str_is(name[i], mine);
    WANT(c, found || got == 100);
    WANT(c, get(c, *domain, "nothing", &item) == JOBQ_OK && item.attr_count == 0);
}

static void rows(struct contract *c, int domain)
{
    struct jobq_error err;
    struct jobq_item item;
    struct jobq_attr attr[] = {{STR("a"), STR("1"), true},
                               {STR("text"), STR("<&> \"\xc3\xa4\" 100%+1"), true}};
    WANT(c, jobq_store_put(c->b, domain, &(struct jobq_item){STR("row"), attr, 2}, NULL,
                           &err) == JOBQ_OK);
    WANT(c, get(c, domain, "row", &item) == JOBQ_OK && item.attr_count == 2);
    WANT(c, str_is(value_of(&item, "a"), "1"));
    WANT(c, str_eq(value_of(&item, "text"), attr[1].value));
    /* Without replace a second value stands beside the first. */
    struct jobq_attr more = {STR("a"), STR("2"), false};
    WANT(c, jobq_store_put(c->b, domain, &(struct jobq_item){STR("row"), &more, 1}, NULL,
                           &err) == JOBQ_OK);
    WANT(c, get(c, domain, "row", &item) == JOBQ_OK && item.attr_count == 3);
    more.replace = true;
    WANT(c, jobq_store_put(c->b, domain, &(struct jobq_item){STR("row"), &more, 1}, NULL,
                           &err) == JOBQ_OK);
    struct jobq_str only = STR("a");
    WANT(c, jobq_store_get(c->b, domain, STR("row"), &only, 1, true, &c->arena, &item,
                           &err) == JOBQ_OK);
    WANT(c, item.attr_count == 1 && str_is(value_of(&item, "a"), "2"));
}

static void conditions(struct contract *c, int domain)
{
    struct jobq_error err;
    struct jobq_item item;
    struct jobq_attr first = {STR("claim"), STR("1/a"), true};
    struct jobq_attr second = {STR("claim"), STR("2/b"), true};
    struct jobq_expect absent = {.name = STR("claim"), .exists = false};
    struct jobq_expect is_first = {STR("claim"), STR("1/a"), true};
    struct jobq_expect other = {.name = STR("never"), .value = STR("x"), .exists = true};
    struct jobq_str row = STR("claimed");
    /* A value is expected of an attribute that is not there: the condition fails. */
    WANT(c, jobq_store_put(c->b, domain, &(struct jobq_item){row, &first, 1}, &other,
                           &err) == JOBQ_CONFLICT);
    WANT(c, jobq_store_put(c->b, domain, &(struct jobq_item){row, &first, 1}, &absent,
                           &err) == JOBQ_OK);
    WANT(c, jobq_store_put(c->b, domain, &(struct jobq_item){row, &second, 1}, &absent,
                           &err) == JOBQ_CONFLICT);
    WANT(c, jobq_store_put(c->b, domain, &(struct jobq_item){row, &second, 1}, &is_first,
                           &err) == JOBQ_OK);
    WANT(c, jobq_store_put(c->b, domain, &(struct jobq_item){row, &first, 1}, &is_first,
                           &err) == JOBQ_CONFLICT);
    WANT(c, get(c, domain, "claimed", &item) == JOBQ_OK);
    WANT(c, str_is(value_of(&item, "claim"), "2/b"));
    WANT(c,
         jobq_store_remove(c->b, domain, row, NULL, 0, &is_first, &err) == JOBQ_CONFLICT);
    WANT(c, jobq_store_remove(c->b, domain, row, NULL, 0, NULL, &err) == JOBQ_OK);
    WANT(c, get(c, domain, "claimed", &item) == JOBQ_OK && item.attr_count == 0);
    WANT(c, jobq_store_remove(c->b, domain, row, NULL, 0, NULL, &err) == JOBQ_OK);
}

static void many(struct contract *c, int domain)
{
    struct jobq_error err;
    struct jobq_item item[JOBQ_STORE_BATCH_MAX], *got_rows;
    struct jobq_attr attr = {STR("kind"), STR("many"), true};
    char name[JOBQ_STORE_BATCH_MAX][8];
    for (int i = 0; i < JOBQ_STORE_BATCH_MAX; i++) {
        snprintf(name[i], sizeof name[i], "m%02d", i);
        item[i] = (struct jobq_item){str_of(name[i]), &attr, 1};
    }
    WANT(c,
         jobq_store_put_batch(c->b, domain, item, JOBQ_STORE_BATCH_MAX, &err) == JOBQ_OK);
    struct text select = {0};
    text_printf(&select, "select * from `%s` where kind = 'many' limit 10",
                contract_name(c, "rows"));
    struct jobq_str token = STR("");
    int total = 0, pages = 0;
    got_rows = arena_zalloc(&c->arena, 100 * sizeof *got_rows);
    do {
        int got = jobq_store_select(c->b, text_str(&select), true, &token, &c->arena,
                                    got_rows, 100, &err);
        if (!WANT(c, got >= 0 && got <= 10))
            break;
        for (int i = 0; i < got; i++)
            WANT(c, str_is(value_of(&got_rows[i], "kind"), "many"));
        total += got;
    } while (token.len && ++pages < 10);
    WANT(c, total == JOBQ_STORE_BATCH_MAX);
    text_release(&select);
    struct jobq_domain_stats stats;
    WANT(c, jobq_store_domain_stats(c->b, domain, &stats, &err) == JOBQ_OK);
}

static void limits(struct contract *c, int domain)
{
    struct jobq_error err;
    char *long_value = arena_alloc(&c->arena, 1025);
    memset(long_value, 'v', 1025);
    struct jobq_attr attr = {STR("a"), {long_value, 1024}, true};
    WANT(c, jobq_store_put(c->b, domain, &(struct jobq_item){STR("long"), &attr, 1}, NULL,
                           &err) == JOBQ_OK);
    attr.value.len = 1025;
    int rc = jobq_store_put(c->b, domain, &(struct jobq_item){STR("long"), &attr, 1},
                            NULL, &err);
    WANT(c, rc == JOBQ_INVALID || rc == JOBQ_LIMIT);
}

void contract_store(struct contract *c)
{
    struct jobq_error err;
    int domain = -1;
    domains(c, &domain);
    rows(c, domain);
    conditions(c, domain);
    many(c, domain);
    limits(c, domain);
    WANT(c, jobq_store_delete_domain(c->b, contract_name(c, "rows"), &err) == JOBQ_OK);
}
