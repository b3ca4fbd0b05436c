/* sim_failure.c - a failing run is made small, the same each time, and shown so that a person
 * can read it. */
#include "base/arena.h"
#include "base/text.h"
#include "fiber/fiber.h"
#include "sim/torture/shrink.h"
#include "sim/torture/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libxml/parser.h>

/* Boxes whose claims are written without their condition. All of a run have the same tables. */
static struct jobq_store_ops real, broken;

static int put_without_condition(struct jobq_store *s, int table,
                                 const struct jobq_item *item,
                                 const struct jobq_expect *expect, struct jobq_met *met,
                                 struct jobq_call_cost *c, struct jobq_error *e)
{
    (void)expect, (void)met;
    return real.put(s, table, item, NULL, NULL, c, e);
}

static void decorate(void *ctx, struct world *w, struct jobq_backend *b,
                     struct world_box *box)
{
    const struct torture_hooks *seen = ctx;
    if (box) {
        broken = real = *b->store->ops;
        broken.put = put_without_condition;
        b->store->ops = &broken;
    }
    if (seen)
        seen->decorate(seen->ctx, w, b, box);
}

static void pass_fault(void *ctx, int64_t now_ns, enum torture_fault fault, int action)
{
    const struct torture_hooks *seen = ctx;
    seen->fault(seen->ctx, now_ns, fault, action);
}

static void pass_event(void *ctx, int64_t now_ns, const struct drainer_event *event)
{
    const struct torture_hooks *seen = ctx;
    seen->event(seen->ctx, now_ns, event);
}

static const struct torture_hooks BROKEN = {.decorate = decorate};

/* The first seed's run that fails. */
static struct torture_run failing_run(struct torture *torture)
{
    struct torture_run run;
    struct torture_result result;
    struct jobq_error err;
    for (uint64_t seed = 1; seed < 50; seed++) {
        torture_draw(seed, TORTURE_ALL, &run);
        assert_int_equal(torture_play(torture, &run, &BROKEN, &result, &err), JOBQ_OK);
        if (result.check)
            return run;
    }
    fail_msg("no run of 50 fails");
    return run;
}

static void it_becomes_small(void **state)
{
    (void)state;
    struct torture *torture = torture_new();
    struct torture_run run = failing_run(torture), small, again;
    struct torture_result result, other;
    struct jobq_error err;
    struct shrink_options options = {.hooks = &BROKEN};
    int64_t plays = shrink(torture, &run, &options, &small, &result, &err);
    assert_true(plays > 0 && plays <= 3000);
    assert_true(small.jobs <= 5 && small.boxes <= 2);
    assert_non_null(result.check);
    /* It fails when it is played by itself, and shrinks to the same again. */
    assert_int_equal(torture_play(torture, &small, &BROKEN, &other, &err), JOBQ_OK);
    assert_string_equal(other.finding, result.finding);
    assert_int_equal(shrink(torture, &run, &options, &again, &other, &err), plays);
    assert_memory_equal(&again, &small, sizeof small);
    /* A limit of plays holds. */
    options.plays_max = 5;
    assert_true(shrink(torture, &run, &options, &again, &other, &err) <= 5);
    torture_free(torture);
}

static void a_good_run_is_none(void **state)
{
    (void)state;
    struct torture *torture = torture_new();
    struct torture_run run, small;
    struct torture_result result;
    struct jobq_error err;
    struct shrink_options options = {0};
    torture_draw(1, 0, &run);
    assert_int_equal(shrink(torture, &run, &options, &small, &result, &err),
                     JOBQ_INVALID);
    torture_free(torture);
}

static void check_text(const struct text *text)
{
    int lines = 0;
    for (const char *at = text->ptr, *end; (end = strchr(at, '\n')); at = end + 1) {
        assert_true(end - at <= 80);
        lines++;
    }
    assert_true(lines >= 5 && lines <= 41);
    assert_non_null(strstr(text->ptr, "attempt 1 starts"));
    assert_non_null(strstr(text->ptr, "put 'running 1', the first claim"));
    assert_non_null(strstr(text->ptr, "box 1     j")); /* a job by its number */
}

static void check_picture(const struct text *svg)
{
    xmlDoc *doc =
        xmlReadMemory(svg->ptr, (int)svg->len, "timeline.svg", NULL, XML_PARSE_NONET);
    assert_non_null(doc);
    xmlFreeDoc(doc);
    /* Nothing is loaded from anywhere: the one address is the name of the format. */
    assert_null(strstr(strstr(svg->ptr, "http") + 1, "http"));
    assert_null(strstr(svg->ptr, "<script"));
    assert_non_null(strstr(svg->ptr, "of &lt;this&gt; run"));
}

static void it_can_be_read(void **state)
{
    (void)state;
    struct torture *torture = torture_new();
    struct torture_run run = failing_run(torture), small;
    struct torture_result result;
    struct jobq_error err;
    struct shrink_options options = {.hooks = &BROKEN};
    assert_true(shrink(torture, &run, &options, &small, &result, &err) > 0);
    struct timeline *timeline = timeline_new();
    struct torture_hooks seen = timeline_hooks(timeline);
    const struct torture_hooks both = {&seen, decorate, pass_fault, pass_event};
    assert_int_equal(torture_play(torture, &small, &both, &result, &err), JOBQ_OK);
    assert_non_null(result.check); /* to look changes nothing */
    struct text text = {0}, svg = {0};
    timeline_text(timeline, result.finding, 40, &text);
    timeline_svg(timeline, "of <this> run", result.finding, 40, &svg);
    print_message("  %s\n%s", result.finding, text.ptr);
    check_text(&text);
    check_picture(&svg);
    text_release(&text);
    text_release(&svg);
    timeline_free(timeline);
    torture_free(torture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_becomes_small),
                                       cmocka_unit_test(a_good_run_is_none),
                                       cmocka_unit_test(it_can_be_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
