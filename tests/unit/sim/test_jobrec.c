/* Each job has one record, whoever asks for it and in whatever order. */
#include "base/text.h"
#include "fleet/job/job.h"
#include "jobq/units.h"
#include "sim/play/jobrec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define START_NS (INT64_C(1700000000) * JOBQ_NS_PER_S)

struct named {
    char text[JOB_ID_MAX + 1];
    int len;
};

static struct jobq_str id_of(const struct named *n)
{
    return (struct jobq_str){n->text, n->len};
}

/* count ids of one client, a thousand a millisecond: the counter wraps, if count is large. */
static struct named *ids_of(uint64_t bits, int count)
{
    struct job_ids ids;
    struct named *out = malloc((size_t)count * sizeof *out);
    assert_non_null(out);
    job_ids_init(&ids, STR("jobs"), bits);
    for (int i = 0; i < count; i++)
        out[i].len =
            job_ids_next(&ids, START_NS + i * INT64_C(1000), 9, i % 4, out[i].text);
    return out;
}

static void a_record_each_in_the_order_of_asking(void **state)
{
    enum { COUNT = 200000, EXPECTED = 1000 };
    (void)state;
    struct named *id = ids_of(7, COUNT);
    struct jobrec_table t = {0};
    jobrec_reset(&t, EXPECTED, false);
    for (int i = 0; i < COUNT; i++)
        jobrec_of(&t, id_of(&id[i]))->index = i;
    assert_int_equal(t.count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(t.rec[i].index, i);
        assert_ptr_equal(jobrec_find(&t, id_of(&id[i])), &t.rec[i]);
    }
    jobrec_release(&t);
    free(id);
}

/* Ids of two clients that differ in the process alone. */
static void clients_are_told_apart(void **state)
{
    enum { COUNT = 1000, CLIENTS = 32 };
    (void)state;
    struct jobrec_table t = {0};
    jobrec_reset(&t, COUNT, false);
    for (uint64_t client = 0; client < CLIENTS; client++) {
        struct named *id = ids_of(client * 33, COUNT);
        for (int i = 0; i < COUNT; i++)
            jobrec_of(&t, id_of(&id[i]));
        free(id);
    }
    assert_int_equal(t.count, COUNT * CLIENTS);
    jobrec_release(&t);
}

/* Clients that come and go, each of which names a job in the same few milliseconds. */
static void many_clients_are_told_apart(void **state)
{
    enum { COUNT = 4, CLIENTS = 20000 };
    (void)state;
    struct jobrec_table t = {0};
    jobrec_reset(&t, COUNT * CLIENTS, false);
    for (uint64_t client = 0; client < CLIENTS; client++) {
        struct named *id = ids_of(client * UINT64_C(0x9e3779b97f4a7c15), COUNT);
        for (int i = 0; i < COUNT; i++)
            jobrec_of(&t, id_of(&id[i]));
        free(id);
    }
    /* Their names have 30 bits: of 20,000 some 0.2 pairs have the same. */
    assert_in_range(t.count, COUNT * CLIENTS - 3 * COUNT, COUNT * CLIENTS);
    jobrec_release(&t);
}

static void ids_that_are_kept_stand_beside_their_records(void **state)
{
    enum { COUNT = 3000 };
    (void)state;
    struct named *id = ids_of(3, COUNT);
    struct jobrec_table t = {0};
    jobrec_reset(&t, 10, true);
    for (int i = COUNT - 1; i >= 0; i--)
        jobrec_of(&t, id_of(&id[i]));
    for (int i = 0; i < COUNT; i++)
        assert_string_equal(t.id[jobrec_find(&t, id_of(&id[i])) - t.rec], id[i].text);
    jobrec_release(&t);
    free(id);
}

static void what_is_no_id_is_some_key(void **state)
{
    (void)state;
    struct jobrec_table t = {0};
    jobrec_reset(&t, 10, false);
    assert_null(jobrec_find(&t, STR("")));
    assert_null(jobrec_find(&t, STR("\x01\x80\xff..........................")));
    jobrec_of(&t, STR("short"))->index = 5;
    assert_int_equal(jobrec_find(&t, STR("other"))->index, 5); /* all of them the same */
    jobrec_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_each_in_the_order_of_asking),
        cmocka_unit_test(clients_are_told_apart),
        cmocka_unit_test(many_clients_are_told_apart),
        cmocka_unit_test(ids_that_are_kept_stand_beside_their_records),
        cmocka_unit_test(what_is_no_id_is_some_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
