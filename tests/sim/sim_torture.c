/* sim_torture.c - no job is lost, forgotten or given two results, whatever goes wrong; and
 * the checker that says so finds each drainer that is broken on purpose. */
#include "sim/torture/campaign.h"

#include "base/arena.h"
#include "base/text.h"
#include "fiber/fiber.h"
#include "jobq/units.h"
#include "tests/seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void fail_with(void *ctx, const struct torture_run *run, const char *check,
                      const char *what)
{
    struct text command = {0};
    (void)ctx;
    torture_command(run, &command);
    fprintf(stderr, "%s: %s: %s\n", command.ptr, check, what);
    text_release(&command);
}

static struct campaign play(uint64_t faults, bool given, uint64_t from, uint64_t to)
{
    struct seeds seeds = seeds_of(from, to);
    struct campaign sum;
    struct campaign_options options = {
        .first = (int64_t)seeds.from,
        .seeds = (int64_t)(seeds.to - seeds.from),
        .shards = 1,
        .threads = 2,
        .given = {.faults = faults,
                  .jobs = -1,
                  .boxes = -1,
                  .slots = -1,
                  .store = -1,
                  .from_ns = -1,
                  .until_ns = -1},
        .faults_given = given,
        .finding = fail_with,
    };
    campaign_run(&options, &sum);
    print_message("  %lld runs, %lld jobs, %.0f h in %.1f s: %.0f times real time\n",
                  (long long)sum.runs, (long long)sum.jobs, sum.virtual_s / 3600,
                  sum.real_s, sum.virtual_s / sum.real_s);
    assert_int_equal(sum.runs, seeds.to - seeds.from);
    return sum;
}

/* And no class of faults, and no branch of the drainer that matters, is left out. */
static void nothing_is_lost(void **state)
{
    (void)state;
    struct campaign sum = play(TORTURE_ALL, false, 1, 3001);
    struct text missing = {0};
    assert_int_equal(sum.findings, 0);
    campaign_put_missing(&sum, TORTURE_ALL, &missing);
    if (sum.runs >= CAMPAIGN_COVERS && missing.len > 0)
        fail_msg("never happened: %s", missing.ptr);
    text_release(&missing);
}

static void gently_nothing_is_found(void **state)
{
    (void)state;
    struct campaign sum = play(0, true, 1, 61);
    assert_int_equal(sum.findings, 0);
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        assert_int_equal(sum.fired[i], 0);
}

/* Shards are other runs, and all of them together are those of the whole. */
static void shards_share_the_seeds(void **state)
{
    (void)state;
    struct campaign whole, part;
    int64_t runs = 0, jobs = 0;
    struct campaign_options options = {.first = 100,
                                       .seeds = 10,
                                       .shards = 1,
                                       .threads = 1,
                                       .given = {.jobs = -1,
                                                 .boxes = -1,
                                                 .slots = -1,
                                                 .store = -1,
                                                 .from_ns = -1,
                                                 .until_ns = -1}};
    campaign_run(&options, &whole);
    options.shards = 3;
    for (options.shard = 0; options.shard < 3; options.shard++) {
        campaign_run(&options, &part);
        assert_int_equal(part.runs, options.shard == 0 ? 4 : 3);
        runs += part.runs;
        jobs += part.jobs;
    }
    assert_int_equal(runs, whole.runs);
    assert_int_equal(jobs, whole.jobs);
}

static void what_never_happened_has_a_name(void **state)
{
    (void)state;
    struct campaign sum = {0};
    struct text missing = {0};
    for (int i = 0; i < TORTURE_FAULT_COUNT; i++)
        sum.fired[i] = i != TORTURE_PURGE;
    for (int i = 0; i < TORTURE_BRANCH_COUNT; i++)
        sum.branch[i] = i != TORTURE_BRANCH_TAKEN_OVER;
    campaign_put_missing(&sum, TORTURE_ALL, &missing);
    assert_string_equal(missing.ptr, "purge, 'taken over'");
    assert_int_equal(campaign_faults_seen(&sum, TORTURE_ALL), TORTURE_FAULT_COUNT - 1);
    text_clear(&missing);
    campaign_put_missing(&sum, TORTURE_ALL & ~torture_bit(TORTURE_PURGE), &missing);
    assert_string_equal(missing.ptr, "'taken over'");
    text_release(&missing);
}

/* A torture that has played before plays a run as a new one does. */
static void same_seed_same_run(void **state)
{
    (void)state;
    struct torture *used = torture_new();
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct torture *fresh = torture_new();
        struct torture_run run;
        struct torture_result a, b;
        struct jobq_error err;
        torture_draw(seed, TORTURE_ALL, &run);
        torture_play(used, &run, NULL, &a, &err);
        torture_play(fresh, &run, NULL, &b, &err);
        assert_memory_equal(&a, &b, sizeof a);
        torture_free(fresh);
    }
    torture_free(used);
}

/* The command that torture_command writes names all that was changed. */
static void a_run_has_a_command(void **state)
{
    (void)state;
    struct torture_run run;
    struct text command = {0};
    torture_draw(4711, TORTURE_ALL, &run);
    torture_command(&run, &command);
    assert_string_equal(command.ptr, "jobqsim torture --seed 4711");
    run.jobs = 12;
    run.faults = torture_bit(TORTURE_LATE) | torture_bit(TORTURE_BOX_DIED);
    run.from_ns = 1500 * JOBQ_NS_PER_MS;
    run.until_ns = 45 * JOBQ_NS_PER_S;
    text_clear(&command);
    torture_command(&run, &command);
    assert_string_equal(command.ptr, "jobqsim torture --seed 4711 --faults late,box-died "
                                     "--jobs 12 --from 1.5s --until 45s");
    text_release(&command);
}

static void faults_have_names(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        uint64_t faults;
    } good[] = {{"all", TORTURE_ALL},
                {"none", 0},
                {"late,spot", UINT64_C(1) << TORTURE_LATE | UINT64_C(1) << TORTURE_SPOT},
                {"all,-late", TORTURE_ALL & ~(UINT64_C(1) << TORTURE_LATE)}};
    struct jobq_error err;
    uint64_t faults;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(torture_faults_read(good[i].list, &faults, &err), JOBQ_OK);
        assert_true(faults == good[i].faults);
    }
    assert_int_equal(torture_faults_read("lat", &faults, &err), JOBQ_INVALID);
    assert_string_equal(err.text, "'lat' is no fault; 'late' is one");
    assert_int_equal(torture_faults_read("late,", &faults, &err), JOBQ_INVALID);
}

/* ---- drainers that are broken on purpose ------------------------------------------------ */

/* One process's tables, copied from the world's with an entry or two replaced. Found again
 * by the table's address. The process owns them. */
struct broken {
    struct jobq_queue_ops queue_ops;
    struct jobq_store_ops store_ops;
    const struct jobq_queue_ops *real_queue_ops;
    const struct jobq_store_ops *real_store_ops;
    struct jobq_queue *queue;
    int queue_handle;
    struct {
        char id[40], receipt[40];
    } first[4096]; /* each message's first receipt, by a hash of its id */
};

static struct broken *of_queue(const struct jobq_queue *q)
{
    return (struct broken *)(uintptr_t)q->ops;
}

static struct broken *of_store(const struct jobq_store *s)
{
    return (struct broken *)((uintptr_t)s->ops - offsetof(struct broken, store_ops));
}

static unsigned slot_of(struct jobq_str id)
{
    unsigned hash = 0;
    for (int64_t i = 0; i < id.len; i++)
        hash = hash * 31 + (unsigned char)id.ptr[i];
    return hash % 4096;
}

/* Notes the first receipt of each message. */
static int receive_and_note(struct jobq_queue *q, int h, const struct jobq_receive *o,
                            struct arena *a, struct jobq_message *out,
                            struct jobq_call_cost *c, struct jobq_error *e)
{
    struct broken *b = of_queue(q);
    b->queue_handle = h;
    int count = b->real_queue_ops->receive(q, h, o, a, out, c, e);
    for (int i = 0; i < count; i++) {
        unsigned slot = slot_of(out[i].id);
        if (strncmp(b->first[slot].id, out[i].id.ptr, (size_t)out[i].id.len) != 0) {
            snprintf(b->first[slot].id, 40, "%.*s", (int)out[i].id.len, out[i].id.ptr);
            snprintf(b->first[slot].receipt, 40, "%.*s", (int)out[i].receipt.len,
                     out[i].receipt.ptr);
        }
    }
    return count;
}

/* With the first receipt: what a drainer that keeps it deletes with. */
static int receive_stale(struct jobq_queue *q, int h, const struct jobq_receive *o,
                         struct arena *a, struct jobq_message *out,
                         struct jobq_call_cost *c, struct jobq_error *e)
{
    int count = receive_and_note(q, h, o, a, out, c, e);
    for (int i = 0; i < count; i++)
        out[i].receipt =
            arena_str(a, str_of(of_queue(q)->first[slot_of(out[i].id)].receipt));
    return count;
}

static int no_heartbeat(struct jobq_queue *q, int h,
                        const struct jobq_visibility_change *v, int n,
                        struct jobq_entry_result *r, struct jobq_call_cost *c,
                        struct jobq_error *e)
{
    (void)q, (void)h, (void)v, (void)c, (void)e;
    for (int i = 0; i < n; i++)
        r[i].code = JOBQ_OK;
    return JOBQ_OK;
}

static int put_without_condition(struct jobq_store *s, int d,
                                 const struct jobq_item *item,
                                 const struct jobq_expect *expect, struct jobq_met *met,
                                 struct jobq_call_cost *c, struct jobq_error *e)
{
    (void)expect;
    return of_store(s)->real_store_ops->put(s, d, item, NULL, met, c, e);
}

/* A claim's message is deleted as soon as the claim is there: before the end is stored. */
static int delete_first(struct jobq_store *s, int d, const struct jobq_item *item,
                        const struct jobq_expect *expect, struct jobq_met *met,
                        struct jobq_call_cost *c, struct jobq_error *e)
{
    struct broken *b = of_store(s);
    const struct jobq_attr *attr = item->attr;
    int code = b->real_store_ops->put(s, d, item, expect, met, c, e);
    for (int i = 0; code == JOBQ_OK && i < item->attr_count; i++) {
        if (!str_is(attr[i].name, "run") || attr[i].value.len < 36)
            continue;
        struct jobq_str id = {attr[i].value.ptr + attr[i].value.len - 36, 36};
        struct jobq_str receipt = str_of(b->first[slot_of(id)].receipt);
        struct jobq_entry_result result;
        struct jobq_call_cost cost;
        b->real_queue_ops->remove(b->queue, b->queue_handle, &receipt, 1, &result, &cost,
                                  e);
    }
    return code;
}

enum fault_kind { NO_FAULT, DELETES_FIRST, NO_HEARTBEAT, OLD_HANDLE, NO_CONDITION };

static void decorate(void *ctx, struct world *w, struct jobq_backend *backend,
                     struct world_box *box)
{
    (void)w;
    enum fault_kind kind = *(enum fault_kind *)ctx;
    if (!box)
        return;
    struct broken *b = arena_zalloc(fiber_proc_arena(backend->proc), sizeof *b);
    b->queue = backend->queue;
    b->real_queue_ops = backend->queue->ops;
    b->real_store_ops = backend->store->ops;
    b->queue_ops = *b->real_queue_ops;
    b->store_ops = *b->real_store_ops;
    b->queue_ops.receive = kind == OLD_HANDLE ? receive_stale : receive_and_note;
    if (kind == DELETES_FIRST)
        b->store_ops.put = delete_first;
    if (kind == NO_HEARTBEAT)
        b->queue_ops.set_visibility = no_heartbeat;
    if (kind == NO_CONDITION)
        b->store_ops.put = put_without_condition;
    backend->queue->ops = &b->queue_ops;
    backend->store->ops = &b->store_ops;
}

/* How many of the seeds the checker finds something in. */
static int found(enum fault_kind kind, char *first)
{
    int findings = 0;
    struct torture_hooks hooks = {.ctx = &kind, .decorate = decorate};
    struct torture *torture = torture_new();
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct torture_run run;
        struct torture_result r;
        struct jobq_error err;
        /* A missing heartbeat costs attempts, which only a run without faults must not. */
        torture_draw(seed, kind == NO_HEARTBEAT ? 0 : TORTURE_ALL, &run);
        assert_int_equal(torture_play(torture, &run, &hooks, &r, &err), JOBQ_OK);
        if (r.check && findings++ == 0)
            snprintf(first, 600, "seed=%llu: %s", (unsigned long long)seed, r.finding);
    }
    torture_free(torture);
    return findings;
}

static void the_checker_bites(void **state)
{
    (void)state;
    static const char *const names[] = {
        "none", "deletes before it stores", "sends no heartbeat",
        "deletes with an old handle", "claims without condition"};
    char first[600] = "";
    assert_int_equal(found(NO_FAULT, first), 0); /* the decorator itself is harmless */
    for (int kind = DELETES_FIRST; kind <= NO_CONDITION; kind++) {
        int findings = found((enum fault_kind)kind, first);
        print_message("  a drainer that %s: found in %d of 40 runs, %s\n", names[kind],
                      findings, first);
        if (findings == 0)
            fail_msg("a drainer that %s was found good", names[kind]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost),
                                       cmocka_unit_test(gently_nothing_is_found),
                                       cmocka_unit_test(same_seed_same_run),
                                       cmocka_unit_test(a_run_has_a_command),
                                       cmocka_unit_test(faults_have_names),
                                       cmocka_unit_test(shards_share_the_seeds),
                                       cmocka_unit_test(what_never_happened_has_a_name),
                                       cmocka_unit_test(the_checker_bites)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
