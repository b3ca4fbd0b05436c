/* test_job.c - facts about ids, domains, encodings and rows. */
#include "fleet/job/job.h"
#include "wire/simpledb/sdb_rows.h"

#include "base/arena.h"
#include "base/dice.h"
#include "base/text.h"
#include "jobq/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

static struct jobq_str s(const char *text)
{
    return str_of(text);
}

/* ---- ids ----------------------------------------------------------------------------- */

static void ids_ascend_and_say_their_domain(void **state)
{
    (void)state;
    struct job_ids ids;
    struct jobq_error err;
    char last[JOB_ID_MAX + 1] = "", id[JOB_ID_MAX + 1];
    job_ids_init(&ids, s("q-1"), 0x123456789abcdefu);
    int64_t wall_ns = INT64_C(1795000000) * JOBQ_NS_PER_S;
    for (int i = 0; i < 3000000; i++) {
        /* Time stands still for longer than the counter lasts, and once goes back. */
        int64_t at_ns = i == 2500000 ? wall_ns - JOBQ_NS_PER_S : wall_ns;
        int len = job_ids_next(&ids, at_ns, 20775, 249, id);
        assert_int_equal(len, 3 + JOB_ID_SUFFIX);
        assert_true(strcmp(last, id) < 0);
        memcpy(last, id, sizeof id);
    }
    struct job_id_parts parts;
    assert_int_equal(job_id_parse(s(id), &parts, &err), JOBQ_OK);
    assert_true(str_is(parts.queue, "q-1"));
    assert_int_equal(parts.day, 20775);
    assert_int_equal(parts.shard, 249);
    assert_true(parts.created_ms >= wall_ns / JOBQ_NS_PER_MS);
    assert_true(parts.created_ms <= wall_ns / JOBQ_NS_PER_MS + 3);

    char domain[SDB_DOMAIN_MAX + 1];
    struct jobq_table table = {parts.queue, parts.day, parts.shard}, read;
    int len = sdb_domain_write(&table, domain);
    assert_int_equal(len, strlen(domain));
    assert_true(sdb_domain_read(s(domain), s("q-1"), &read));
    assert_int_equal(read.day, 20775);
    assert_int_equal(read.shard, 249);
    assert_false(sdb_domain_read(s(domain), s("q"), &read));
    table.day = JOBQ_DAY_DRAINERS;
    sdb_domain_write(&table, domain);
    assert_string_equal(domain, "q-1.drainers");
    assert_false(sdb_domain_read(s(domain), s("q-1"), &read));
}

/* The digits of an id, one by one; and each of them, if it is changed, is read so. */
static void ids_are_base_32(void **state)
{
    (void)state;
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    struct dice dice;
    dice_init(&dice, 3, "ids", 0);
    for (int round = 0; round < 2000; round++) {
        struct job_ids ids;
        char id[JOB_ID_MAX + 1], want[24];
        uint64_t bits = dice_bits(&dice), wall_ms = dice_bits(&dice) >> 23;
        uint64_t day = dice_below(&dice, 1 << 15), shard = dice_below(&dice, 1 << 10);
        job_ids_init(&ids, s("q"), bits);
        assert_int_equal(job_ids_next(&ids, (int64_t)wall_ms * JOBQ_NS_PER_MS, (int)day,
                                      (int)shard, id),
                         26);
        uint64_t field[] = {wall_ms << 20 | 1, day, shard, bits};
        static const int end[] = {13, 16, 18, 24};
        for (int f = 0, at = 0; f < 4; at = end[f++])
            for (int i = end[f] - 1; i >= at; i--, field[f] >>= 5)
                want[i] = digits[field[f] & 31];
        assert_memory_equal(id + 2, want, 24);
        assert_int_equal(id[26], '\0');

        struct job_id_parts parts;
        struct jobq_error err;
        int at = 2 + (int)dice_below(&dice, 24), c = (int)dice_below(&dice, 256);
        id[at] = (char)c;
        const char *digit = c ? strchr(digits, c) : NULL;
        int code = job_id_parse((struct jobq_str){id, 26}, &parts, &err);
        assert_int_equal(code, digit ? JOBQ_OK : JOBQ_INVALID);
        if (!digit)
            continue;
        uint64_t value = 0;
        for (int i = 2; i < 15; i++)
            value = value << 5 | (uint64_t)(strchr(digits, id[i]) - digits);
        assert_int_equal(parts.created_ms, value >> 20);
    }
}

static void two_processes_never_share_an_id(void **state)
{
    (void)state;
    struct job_ids a, b;
    char id_a[JOB_ID_MAX + 1], id_b[JOB_ID_MAX + 1];
    job_ids_init(&a, s("q"), 1);
    job_ids_init(&b, s("q"), 2);
    job_ids_next(&a, 0, 0, 0, id_a);
    job_ids_next(&b, 0, 0, 0, id_b);
    assert_string_not_equal(id_a, id_b);
}

static void what_is_no_id_is_refused(void **state)
{
    (void)state;
    struct job_id_parts parts;
    struct jobq_error err;
    static const char *const bad[] = {
        "",
        "-",
        "q",
        "-000000000000000000000000",
        "q-00000000000000000000000",  /* one short: the dash is misplaced */
        "q-00000000000000000000000w", /* not base 32 */
        "q_000000000000000000000000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(job_id_parse(s(bad[i]), &parts, &err), JOBQ_INVALID);
    assert_int_equal(job_id_parse((struct jobq_str){0}, &parts, &err), JOBQ_INVALID);
    assert_int_equal(job_id_parse(s("q-000000000000000000000000"), &parts, &err),
                     JOBQ_OK);
}

static void days_rotate(void **state)
{
    (void)state;
    int64_t wall_ns = 20775 * JOBQ_NS_PER_DAY + JOBQ_NS_PER_HOUR;
    assert_int_equal(job_day(wall_ns), 20775);
    assert_int_equal(job_day(wall_ns + 22 * JOBQ_NS_PER_HOUR), 20775);
    assert_int_equal(job_day(wall_ns + 23 * JOBQ_NS_PER_HOUR), 20776);
}

static void queue_names_are_checked(void **state)
{
    (void)state;
    struct jobq_error err;
    char dead[JOBQ_QUEUE_NAME_MAX + 1], longest[JOB_QUEUE_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[JOB_QUEUE_NAME_MAX + 1] = '\0';
    assert_int_equal(job_queue_name_check(longest, &err), JOBQ_LIMIT);
    longest[JOB_QUEUE_NAME_MAX] = '\0';
    assert_int_equal(job_queue_name_check(longest, &err), JOBQ_OK);
    job_dead_queue_name(longest, dead);
    assert_int_equal(strlen(dead), JOBQ_QUEUE_NAME_MAX);
    assert_int_equal(job_queue_name_check("", &err), JOBQ_INVALID);
    assert_int_equal(job_queue_name_check("a.b", &err), JOBQ_INVALID);
    assert_int_equal(job_queue_name_check("a b\n", &err), JOBQ_INVALID);
    assert_null(strchr(err.text, '\n'));
    assert_int_equal(job_queue_name_check("a_b-9.fifo", &err), JOBQ_OK);
    job_dead_queue_name("a.fifo", dead);
    assert_string_equal(dead, "a-dead.fifo");
}

/* ---- what a client says -------------------------------------------------------------- */

static int read_spec(const struct job_pair *pair, int count, struct job_spec *spec,
                     struct jobq_error *err)
{
    static struct job_pair payload[JOB_PAIRS_MAX + 1];
    return job_spec_read(pair, count, payload, spec, err);
}

static void reserved_names_are_taken_out(void **state)
{
    (void)state;
    struct job_spec spec;
    struct jobq_error err;
    const struct job_pair pair[] = {{s("a"), s("1")},
                                    {s("seconds"), s("1.5")},
                                    {s("kind"), s("sleep")},
                                    {s("b"), s("")}};
    assert_int_equal(read_spec(pair, 4, &spec, &err), JOBQ_OK);
    assert_int_equal(spec.kind, JOBQ_WORK_SLEEP);
    assert_int_equal(spec.number, 1500000000);
    assert_int_equal(spec.pair_count, 2);
    assert_true(str_is(spec.pair[1].name, "b"));

    static const struct {
        const char *text;
        int64_t ns;
    } seconds[] = {{"0", 0},
                   {"0.000000001", 1},
                   {"250ms", 250000000},
                   {"2h", 7200 * JOBQ_NS_PER_S},
                   {"10", 10 * JOBQ_NS_PER_S}};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        const struct job_pair one = {s("seconds"), s(seconds[i].text)};
        assert_int_equal(read_spec(&one, 1, &spec, &err), JOBQ_OK);
        assert_int_equal(spec.number, seconds[i].ns);
    }
    const struct job_pair primes[] = {{s("kind"), s("primes")}, {s("n"), s("1e6")}};
    assert_int_equal(read_spec(primes, 2, &spec, &err), JOBQ_OK);
    assert_int_equal(spec.number, 1000000);
    assert_int_equal(read_spec(NULL, 0, &spec, &err), JOBQ_OK);
    assert_int_equal(spec.kind, JOBQ_WORK_SLEEP);
}

/* A job that says "done" while the command never ran would be the worst answer. */
static void words_without_a_kind_mean_exec(void **state)
{
    (void)state;
    struct job_spec spec;
    struct jobq_error err;
    const struct job_pair frame[] = {{s("frame"), s("12")}, {s("seconds"), s("1")}};
    assert_int_equal(read_spec(frame, 1, &spec, &err), JOBQ_OK);
    assert_int_equal(spec.kind, JOBQ_WORK_EXEC);
    assert_int_equal(spec.pair_count, 1);
    assert_int_equal(read_spec(frame, 2, &spec, &err), JOBQ_INVALID);
    assert_string_equal(err.text, "no kind, but 'seconds' means kind 'sleep' and 'frame' "
                                  "means 'exec'; give kind");
    const struct job_pair n = {s("n"), s("10")};
    assert_int_equal(read_spec(&n, 1, &spec, &err), JOBQ_OK);
    assert_int_equal(spec.kind, JOBQ_WORK_PRIMES);
    assert_int_equal(spec.number, 10);
}

static void bad_pairs_are_refused(void **state)
{
    (void)state;
    struct job_spec spec;
    struct jobq_error err;
    char long_name[JOB_NAME_BYTES_MAX + 2];
    memset(long_name, 'n', sizeof long_name);
    long_name[JOB_NAME_BYTES_MAX + 1] = '\0';
    const struct {
        struct job_pair pair[2];
        int count, code;
    } bad[] = {
        {{{s("kind"), s("dance")}}, 1, JOBQ_INVALID},
        {{{s("seconds"), s("soon")}}, 1, JOBQ_INVALID},
        {{{s("seconds"), s("-1")}}, 1, JOBQ_INVALID},
        {{{s("seconds"), s("1e9h")}}, 1, JOBQ_LIMIT},
        {{{s("n"), s("10")}, {s("seconds"), s("1")}}, 2, JOBQ_INVALID},
        {{{s("n"), s("10")}, {s("a"), s("1")}}, 2, JOBQ_INVALID},
        {{{s("kind"), s("primes")}, {s("n"), s("-3")}}, 2, JOBQ_INVALID},
        {{{s("kind"), s("exec")}, {s("seconds"), s("3")}}, 2, JOBQ_INVALID},
        {{{s("a"), s("1")}, {s("a"), s("2")}}, 2, JOBQ_INVALID},
        {{{s("kind"), s("exec")}, {s("kind"), s("exec")}}, 2, JOBQ_INVALID},
        {{{s(""), s("1")}}, 1, JOBQ_INVALID},
        {{{s(long_name), s("1")}}, 1, JOBQ_LIMIT},
        {{{s("a"), {NULL, 5}}, {s("b"), {NULL, 5}}}, 2, JOBQ_INVALID},
        {{{s("kind"), {NULL, 5}}}, 1, JOBQ_INVALID},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (read_spec(bad[i].pair, bad[i].count, &spec, &err) != bad[i].code)
            fail_msg("case %zu", i);
    static struct job_pair many[JOB_PAIRS_MAX + 1];
    assert_int_equal(read_spec(many, JOB_PAIRS_MAX + 1, &spec, &err), JOBQ_LIMIT);
    assert_non_null(strstr(err.text, "256"));
}

/* ---- encoding ------------------------------------------------------------------------ */

/* What SQS and XML 1.0 take, written from the API reference and not from the encoder. */
static void assert_carried(struct jobq_str text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    for (int64_t i = 0; i < text.len;) {
        uint32_t c = p[i];
        int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
        assert_true(c < 0x80 || c >= 0xc2);
        if (more)
            c &= 0x3fu >> more;
        assert_true(i + more < text.len);
        for (int k = 1; k <= more; k++) {
            assert_int_equal(p[i + k] & 0xc0, 0x80);
            c = c << 6 | (p[i + k] & 0x3f);
        }
        assert_true(c == 0xa || (c >= 0x20 && c <= 0xd7ff) ||
                    (c >= 0xe000 && c <= 0xfffd) || (c >= 0x10000 && c <= 0x10ffff));
        i += 1 + more;
    }
}

static void any_bytes_survive(void **state)
{
    (void)state;
    struct dice dice;
    struct arena arena;
    struct jobq_error err;
    dice_init(&dice, 1, "any bytes", 0);
    arena_init(&arena, 0);
    for (int round = 0; round < 2000; round++) {
        arena_reset(&arena);
        struct job_pair pair[3], payload[3];
        int count = 1 + (int)dice_below(&dice, 3);
        for (int i = 0; i < count; i++) {
            int64_t name_len = 1 + (int64_t)dice_below(&dice, 20);
            int64_t len = (int64_t)dice_below(&dice, 200);
            char *name = arena_alloc(&arena, 32), *value = arena_alloc(&arena, 256);
            name[0] = (char)('A' + i); /* unique and not reserved */
            for (int64_t k = 1; k < name_len; k++)
                name[k] = (char)dice_bits(&dice);
            for (int64_t k = 0; k < len;
                 k++) /* favour what is near the borders of UTF-8 */
                value[k] = (char)(dice_below(&dice, 2) ? dice_bits(&dice)
                                                       : 0xec + dice_below(&dice, 9));
            pair[i] = (struct job_pair){{name, name_len}, {value, len}};
        }
        struct job_spec spec;
        assert_int_equal(job_spec_read(pair, count, payload, &spec, &err), JOBQ_OK);
        int64_t phantom;
        int64_t bytes = job_encoded_bytes(&spec, &phantom);
        char *text = arena_alloc(&arena, (size_t)bytes + 40);
        memcpy(text, "q-000000000000000000000000 ", 27);
        assert_int_equal(job_encode(&spec, text + 27), bytes);
        struct jobq_str message = {text, bytes + 27};
        assert_carried(message);
        struct job_body body;
        assert_int_equal(job_body_read(message, 0, &body, &err), JOBQ_OK);
        assert_true(str_is(body.id, "q-000000000000000000000000"));
        struct job_pair back;
        int64_t at = 0;
        for (int i = 0; i < count; i++) {
            assert_true(job_pair_next(&body, &at, &arena, &back));
            assert_true(str_eq(back.name, pair[i].name));
            assert_true(str_eq(back.value, pair[i].value));
        }
        assert_false(job_pair_next(&body, &at, &arena, &back));
    }
    arena_release(&arena);
}

/* A byte in any place of a string is escaped as it is alone. */
static void escapes_are_those_of_each_byte(void **state)
{
    (void)state;
    for (int64_t len = 1; len <= 50; len++)
        for (int64_t at = 0; at < len; at++)
            for (int c = 1; c < 0xc2; c++)
                for (int in_name = 0; in_name < 2; in_name++) {
                    char raw[50], out[160], byte = (char)c, alone[4];
                    memset(raw, len % 2 ? 'a' : '~', sizeof raw);
                    raw[at] = byte;
                    struct jobq_str one = {&byte, 1}, all = {raw, len};
                    int64_t bytes = job_escape(one, in_name, alone);
                    assert_int_equal(job_escape(all, in_name, NULL), len - 1 + bytes);
                    assert_int_equal(job_escape(all, in_name, out), len - 1 + bytes);
                    assert_memory_equal(out, raw, (size_t)at);
                    assert_memory_equal(out + at, alone, (size_t)bytes);
                    assert_memory_equal(out + at + bytes, raw + at + 1,
                                        (size_t)(len - at - 1));
                }
}

static void plain_text_stays_plain(void **state)
{
    (void)state;
    struct job_spec spec;
    struct jobq_error err;
    char text[200];
    const struct job_pair pair[] = {{s("file"), s("a=b.png")},
                                    {s("who"), s("Zo\xc3\xab")}};
    assert_int_equal(read_spec(pair, 2, &spec, &err), JOBQ_OK);
    int64_t len = job_encode(&spec, text);
    text[len] = '\0';
    assert_string_equal(text, "exec 0\nfile=a=b.png\nwho=Zo\xc3\xab");
    len = job_encode_stored(&spec, text);
    assert_memory_equal(text, "exec 0 store", (size_t)len);
}

static void a_phantom_goes_last(void **state)
{
    (void)state;
    struct job_spec spec;
    struct jobq_error err;
    struct arena arena;
    char text[200] = "q-000000000000000000000000 ";
    const struct job_pair pair[] = {{s("payload"), {NULL, 1000}}, {s("a"), s("1")}};
    arena_init(&arena, 0);
    assert_int_equal(read_spec(pair, 2, &spec, &err), JOBQ_OK);
    int64_t phantom;
    int64_t bytes = job_encoded_bytes(&spec, &phantom);
    assert_int_equal(phantom, 1000);
    int64_t real = job_encode(&spec, text + 27);
    assert_int_equal(real + phantom, bytes);
    assert_memory_equal(text + 27, "exec 0\na=1\npayload=", 20);
    struct job_body body;
    struct job_pair back;
    int64_t at = 0;
    assert_int_equal(job_body_read((struct jobq_str){text, 27 + real}, 1000, &body, &err),
                     0);
    assert_true(job_pair_next(&body, &at, &arena, &back));
    assert_true(job_pair_next(&body, &at, &arena, &back));
    assert_true(str_is(back.name, "payload"));
    assert_null(back.value.ptr);
    assert_int_equal(back.value.len, 1000);
    arena_release(&arena);
}

static void garbage_is_not_a_job(void **state)
{
    (void)state;
    struct job_body body;
    struct jobq_error err;
    static const char *const bad[] = {"hello",
                                      "q-000000000000000000000000",
                                      "q-000000000000000000000000 sleep",
                                      "q-000000000000000000000000 sleep x",
                                      "q-000000000000000000000000 sleep -1",
                                      "q-000000000000000000000000 sleep 1 junk",
                                      "q-00000000000000000000000! sleep 1",
                                      "\n\n\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(job_body_read(s(bad[i]), 0, &body, &err), JOBQ_CORRUPT);
    assert_int_equal(job_body_read((struct jobq_str){NULL, 5}, 0, &body, &err),
                     JOBQ_CORRUPT);
    assert_int_equal(job_body_read(s("\x1b[2J"), 0, &body, &err), JOBQ_CORRUPT);
    assert_null(strchr(err.text, '\x1b'));
}

static void stdin_is_the_payload_alone_or_all_lines(void **state)
{
    (void)state;
    struct arena arena;
    struct job_body body;
    struct jobq_error err;
    arena_init(&arena, 0);
    job_body_read(s("q-000000000000000000000000 exec 0\npayload=a%0Ab"), 0, &body, &err);
    assert_true(str_is(job_stdin(&body, &arena), "a\nb"));
    job_body_read(s("q-000000000000000000000000 exec 0\na=1\npayload=2"), 0, &body, &err);
    assert_true(str_is(job_stdin(&body, &arena), "a=1\npayload=2"));
    job_body_read(s("q-000000000000000000000000 exec 0"), 0, &body, &err);
    assert_true(str_is(job_stdin(&body, &arena), ""));
    arena_release(&arena);
}

/* ---- rows ---------------------------------------------------------------------------- */

static void rows_are_read(void **state)
{
    (void)state;
    struct job_row row;
    struct jobq_error err;
    struct arena arena;
    int64_t phantom;
    arena_init(&arena, 0);
    const struct jobq_attr attr[] = {
        {s("p1"), s("lo"), true},
        {s("t"), s("1795"), true},
        {s("p0"), s("sleep 0\na=hel"), true},
        {s("claim"), s("done 2/abc.7"), true},
        {s("run"), s("1796 i-1 m-1"), true},
        {s("end"), s("1797 -1 5 6"), true},
        {s("tail0"), s("oops%0A"), true},
        {s("p2"), {NULL, 1024}, true},
        {s("later"), s("version"), true},
    };
    struct jobq_item item = {s("id"), attr, 9};
    assert_int_equal(job_row_read(&item, &row, &err), JOBQ_OK);
    assert_true(row.exists);
    assert_int_equal(row.state, JOB_DONE);
    assert_int_equal(row.attempt, 2);
    assert_true(str_is(row.token, "abc.7"));
    assert_int_equal(row.enqueued_ms, 1795);
    assert_int_equal(row.started_ms, 1796);
    assert_true(str_is(row.box, "i-1"));
    assert_true(str_is(row.message_id, "m-1"));
    assert_int_equal(row.finished_ms, 1797);
    assert_int_equal(row.exit_code, -1);
    assert_int_equal(row.wall_ns, 5);
    assert_int_equal(row.cpu_ns, 6);
    assert_int_equal(row.tail_count, 1);
    assert_int_equal(row.piece_count, 3);
    assert_int_equal(row.piece_bytes, 2 + 13 + 1024);
    assert_true(str_is(job_row_encoded(&item, &arena, &phantom), "sleep 0\na=hello"));
    assert_int_equal(phantom, 1024);

    assert_int_equal(row.progress, -1);
    /* Progress is an attempt's, and is void when another has the job. */
    const struct jobq_attr told[] = {{s("claim"), s("running 2/abc.7"), true},
                                     {s("progress"), s("2/abc.7 42"), true}};
    const struct jobq_attr stale[] = {{s("progress"), s("1/abc.3 42"), true},
                                      {s("claim"), s("running 2/abc.7"), true}};
    assert_int_equal(job_row_read(&(struct jobq_item){s("id"), told, 2}, &row, &err),
                     JOBQ_OK);
    assert_int_equal(row.progress, 42);
    assert_int_equal(job_row_read(&(struct jobq_item){s("id"), stale, 2}, &row, &err),
                     JOBQ_OK);
    assert_int_equal(row.progress, -1);

    /* Without a claim it is queued, whatever another attribute says; with one its first
     * word is the state. */
    const struct jobq_attr fresh[] = {{s("t"), s("1795"), true},
                                      {s("state"), s("done"), true}};
    assert_int_equal(job_row_read(&(struct jobq_item){s("id"), fresh, 2}, &row, &err),
                     JOBQ_OK);
    assert_int_equal(row.state, JOB_QUEUED);
    assert_int_equal(row.claim.len, 0);
    for (int i = 0; i < JOB_STATE_COUNT; i++) {
        char text[JOB_CLAIM_MAX];
        int len = job_claim_write((enum job_state)i, 1000, s("abcdefgh.123456"), text);
        const struct jobq_attr claim = {s("claim"), {text, len}, true};
        assert_int_equal(
            job_row_read(&(struct jobq_item){s("id"), &claim, 1}, &row, &err), JOBQ_OK);
        assert_int_equal(row.state, i);
        assert_int_equal(row.attempt, 1000);
        assert_true(str_is(row.token, "abcdefgh.123456"));
        assert_int_equal(row.claim.len, len);
    }

    struct jobq_item none = {s("id"), NULL, 0};
    assert_int_equal(job_row_read(&none, &row, &err), JOBQ_OK);
    assert_false(row.exists);
    arena_release(&arena);
}

static void rows_that_nobody_writes_are_corrupt(void **state)
{
    (void)state;
    struct job_row row;
    struct jobq_error err;
    static const char *const bad[][2] = {
        {"claim", "5"},        {"claim", "1/y"},        {"claim", "dancing 1/y"},
        {"claim", "done x/y"}, {"claim", "done"},       {"claim", ""},
        {"run", "yesterday"},  {"end", "1 2 3"},        {"t", ""},
        {"progress", "1/a"},   {"progress", "1/a 101"}, {"progress", "1/a -1"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct jobq_attr attr[] = {{s("t"), s("1"), true},
                                         {s(bad[i][0]), s(bad[i][1]), true}};
        struct jobq_item item = {s("id"), attr, 2};
        assert_int_equal(job_row_read(&item, &row, &err), JOBQ_CORRUPT);
    }
    const struct jobq_attr only = {s("color"), s("red"), true};
    struct jobq_item item = {s("id"), &only, 1};
    assert_int_equal(job_row_read(&item, &row, &err), JOBQ_CORRUPT);
}

/* The published base flow must price at $12.24 a million (2012): three puts at 0.0000219907 h
 * + 2e-10 h N^3, truncated to 1e-10 h, at $0.14. */
static void three_puts_of_a_small_job_cost_little(void **state)
{
    (void)state;
    const int n[] = {JOB_ROW_N(job_pieces(100)), JOB_CLAIM_N, JOB_FINAL_N(0)};
    int64_t e10h = 0, cubes = 0;
    for (int i = 0; i < 3; i++) {
        e10h += 219907 + 2 * n[i] * n[i] * n[i];
        cubes += n[i] * n[i] * n[i];
    }
    assert_true(cubes <= 318);
    double usd = (double)e10h * 1e-10 * 0.14;
    assert_true(usd > 9.235e-6 && usd < 9.245e-6);
}

static void visibility_timeouts_have_one_range(void **state)
{
    (void)state;
    struct jobq_error err;
    int64_t ns = 0;
    assert_int_equal(job_visibility_check(JOBQ_NS_PER_S, &err), JOBQ_OK);
    assert_int_equal(job_visibility_check(12 * JOBQ_NS_PER_HOUR, &err), JOBQ_OK);
    assert_int_equal(job_visibility_check(0, &err), JOBQ_LIMIT);
    assert_int_equal(job_visibility_check(13 * JOBQ_NS_PER_HOUR, &err), JOBQ_LIMIT);
    assert_string_equal(err.text,
                        "visibility timeout '13h' is out of range, want 1s to 12h");
    assert_int_equal(jobq_parse_duration(JOB_VISIBILITY_MIN_TEXT, &ns, &err), JOBQ_OK);
    assert_true(ns == JOB_VISIBILITY_MIN_NS);
    assert_int_equal(jobq_parse_duration(JOB_VISIBILITY_MAX_TEXT, &ns, &err), JOBQ_OK);
    assert_true(ns == JOB_VISIBILITY_MAX_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visibility_timeouts_have_one_range),
        cmocka_unit_test(ids_ascend_and_say_their_domain),
        cmocka_unit_test(ids_are_base_32),
        cmocka_unit_test(two_processes_never_share_an_id),
        cmocka_unit_test(escapes_are_those_of_each_byte),
        cmocka_unit_test(what_is_no_id_is_refused),
        cmocka_unit_test(days_rotate),
        cmocka_unit_test(queue_names_are_checked),
        cmocka_unit_test(reserved_names_are_taken_out),
        cmocka_unit_test(words_without_a_kind_mean_exec),
        cmocka_unit_test(bad_pairs_are_refused),
        cmocka_unit_test(any_bytes_survive),
        cmocka_unit_test(plain_text_stays_plain),
        cmocka_unit_test(a_phantom_goes_last),
        cmocka_unit_test(garbage_is_not_a_job),
        cmocka_unit_test(stdin_is_the_payload_alone_or_all_lines),
        cmocka_unit_test(rows_are_read),
        cmocka_unit_test(rows_that_nobody_writes_are_corrupt),
        cmocka_unit_test(three_puts_of_a_small_job_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
