/* test_scenario.c - each setting reads what it writes, names its range, and a scenario's
 * normal form reads back to itself, over random settings (SEED=N for others). */
#include "scenario/commandline.h"

#include "base/dice.h"
#include "fleet/enqueue/queues.h"
#include "fleet/housekeeping/housekeeping.h"
#include "jobq/units.h"
#include "scenario/fleet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ALL 0xffffffffu

static void set(struct scenario *s, const char *name, const char *value)
{
    struct jobq_error err;
    if (scenario_set(s, name, value, &err) != JOBQ_OK)
        fail_msg("%s=%s: %s", name, value, err.text);
}

/* Whoever makes a drainer or an enqueuer without a scenario gets the same. */
static void defaults_are_the_products(void **state)
{
    (void)state;
    struct scenario s;
    struct drainer_options d = drainer_defaults("q", 10), by_table = d;
    struct enqueuer_options e = {0};
    scenario_init(&s);
    /* What the table has on and the product off, or the other way, is said there. */
    scenario_drainer_options(&s, &by_table);
    assert_int_equal(by_table.housekeeping_ns, d.housekeeping_ns);
    assert_int_equal(by_table.keep_ns, d.keep_ns);
    assert_int_equal(by_table.stats_ns, d.stats_ns);
    assert_int_equal(by_table.max_attempts, d.max_attempts);
    assert_int_equal(by_table.retry_base_ns, d.retry_base_ns);
    assert_int_equal(by_table.linger_ns, d.linger_ns);
    assert_int_equal(by_table.kill_grace_ns, d.kill_grace_ns);
    assert_int_equal(by_table.cancel_check_ns, d.cancel_check_ns);
    assert_int_equal(by_table.progress_ns, d.progress_ns);
    assert_int_equal(by_table.receives, d.receives);
    assert_int_equal(by_table.batch, d.batch);
    scenario_enqueuer_options(&s, &e);
    assert_int_equal(e.keep_ns, d.keep_ns);
    assert_int_equal(e.retention_ns, QUEUES_RETENTION_NS);
    set(&s, "housekeeping", "0");
    scenario_drainer_options(&s, &by_table);
    assert_int_equal(by_table.housekeeping_ns, JOBQ_FOREVER);
    scenario_release(&s);
}

/* Rows go after their messages. */
static void a_keep_outlasts_the_retention(void **state)
{
    (void)state;
    static const struct {
        const char *keep, *retention, *store, *housekeeping;
        int code;
    } look[] = {{"14.5d", "14d", "simpledb", "1h", JOBQ_INVALID},
                {"15d", "14d", "simpledb", "1h", JOBQ_OK},
                {"1d", "6h", "simpledb", "1h", JOBQ_OK},
                {"0", "14d", "none", "1h", JOBQ_OK},
                {"0", "14d", "simpledb", "never", JOBQ_OK}};
    for (size_t i = 0; i < sizeof look / sizeof look[0]; i++) {
        struct scenario s;
        struct jobq_error err;
        scenario_init(&s);
        set(&s, "keep", look[i].keep);
        set(&s, "retention", look[i].retention);
        set(&s, "store", look[i].store);
        set(&s, "housekeeping", look[i].housekeeping);
        assert_int_equal(scenario_check_keep(&s, &err), look[i].code);
        /* The same rule and numbers as the product's. */
        if (strcmp(look[i].store, "none") != 0 && s.housekeeping_ns > 0)
            assert_int_equal(housekeeping_check_keep(s.keep_ns, s.retention_ns, &err),
                             look[i].code);
        scenario_release(&s);
    }
}

static void defaults_and_ends(void **state)
{
    (void)state;
    for (int i = 0; i < setting_count(); i++) {
        const struct setting *st = setting_at(i);
        const char *const value[] = {st->value, st->low, st->high};
        struct scenario s, again;
        struct jobq_error err;
        for (int k = 0; k < 3; k++) {
            if (!value[k] ||
                ((st->kind == SETTING_DIST || st->kind == SETTING_ARRIVALS) && k))
                continue;
            struct text written = {0}, twice = {0};
            scenario_init(&s);
            scenario_init(&again);
            set(&s, st->name, value[k]);
            scenario_put_value(&s, i, &written);
            set(&again, st->name, written.ptr);
            scenario_put_value(&again, i, &twice);
            assert_string_equal(written.ptr, twice.ptr);
            text_release(&written);
            text_release(&twice);
            scenario_release(&s);
            scenario_release(&again);
        }
        /* Every setting is somebody's, and says what it is. */
        assert_true(st->takers != 0 && st->help[0] &&
                    st->help[strlen(st->help) - 1] != '.');
        scenario_init(&s);
        if (st->kind != SETTING_PATH && st->kind != SETTING_NAME)
            assert_true(scenario_set(&s, st->name, "??", &err) < 0);
        scenario_release(&s);
    }
}

static void out_of_range(void **state)
{
    (void)state;
    struct scenario s;
    struct jobq_error err;
    scenario_init(&s);
    assert_int_equal(scenario_set(&s, "wait", "21s", &err), JOBQ_LIMIT);
    assert_string_equal(err.text, "'21s' is out of range, want 0s to 20s");
    assert_int_equal(scenario_set(&s, "limit", "0", &err), JOBQ_LIMIT);
    assert_string_equal(err.text, "'0' is out of range, want all or 1 to 1G");
    assert_int_equal(scenario_set(&s, "progress", "13h", &err), JOBQ_LIMIT);
    assert_string_equal(err.text,
                        "'13h' is out of range, want auto, never or 1ms to 12h");
    assert_int_equal(scenario_set(&s, "job-time", "exp:4000d", &err), JOBQ_LIMIT);
    assert_int_equal(scenario_set(&s, "store", "s3", &err), JOBQ_INVALID);
    assert_int_equal(scenario_set(&s, "slots", "3", &err), JOBQ_NOT_FOUND);
    assert_string_equal(err.text, "unknown setting 'slots'; did you mean 'concurrency'?");
    assert_int_equal(scenario_set(&s, "vissibility", "3", &err), JOBQ_NOT_FOUND);
    assert_string_equal(err.text,
                        "unknown setting 'vissibility'; did you mean 'visibility'?");
    /* A refused value leaves the one before, and nothing given. */
    assert_int_equal(s.wait_ns, 20 * JOBQ_NS_PER_S);
    assert_false(scenario_given(&s, "wait"));
    scenario_release(&s);
}

static void zero_is_zero(void **state)
{
    (void)state;
    struct scenario s;
    scenario_init(&s);
    set(&s, "backoff", "0s");
    set(&s, "kill-grace", "0");
    set(&s, "stats", "0");
    set(&s, "cancel-check", "never");
    assert_int_equal(s.backoff_ns, 0);
    assert_int_equal(s.kill_grace_ns, 0);
    assert_int_equal(s.stats_ns, SCENARIO_NEVER);
    assert_int_equal(s.cancel_check_ns, SCENARIO_NEVER);
    scenario_release(&s);
}

static void arrivals_agree(void **state)
{
    (void)state;
    struct scenario a, b;
    struct text one = {0}, other = {0};
    int index = setting_find("arrivals");
    scenario_init(&a);
    scenario_init(&b);
    set(&a, "arrivals", "5M/day");
    set(&b, "arrivals", "poisson:5M/day");
    scenario_put_value(&a, index, &one);
    scenario_put_value(&b, index, &other);
    assert_string_equal(one.ptr, other.ptr);
    text_release(&one);
    text_release(&other);
    scenario_release(&a);
    scenario_release(&b);
}

/* ---- random scenarios ------------------------------------------------------------------- */

static double along(struct dice *dice, double low, double high)
{
    return low + dice_u(dice) * (high - low);
}

static void draw_value(const struct setting *st, struct dice *dice, char *out, size_t cap)
{
    static const char *const dists[][2] = {{"exp:", "ms"},
                                           {"uniform:", "ms..20h"},
                                           {"lognormal:mean=", "ms,cv=0.37"},
                                           {"gamma:mean=", "ms,cv=0.00012"},
                                           {"weibull:shape=0.7,scale=", "ms"},
                                           {"pareto:min=", "ms,alpha=2.5"},
                                           {"gamma:shape=4e5,scale=", "ns"},
                                           {"lognormal:median=", "us,sigma=0.01"}};
    struct jobq_error err;
    int n = 1 + (int)(dice_u(dice) * 1e6), pick;
    if (st->words && dice_u(dice) < 0.3) {
        int count = 1;
        for (const char *p = st->words; *p; p++)
            count += *p == '|';
        const char *p = st->words;
        for (pick = (int)(dice_u(dice) * count); pick > 0; pick--)
            p += strcspn(p, "|") + 1;
        snprintf(out, cap, "%.*s", (int)strcspn(p, "|"), p);
        return;
    }
    double low = 0, high = 0;
    int64_t a = 0, b = 0;
    switch (st->kind) {
    case SETTING_COUNT:
    case SETTING_SIZE:
    case SETTING_DURATION:
        if (st->kind == SETTING_DURATION) {
            jobq_parse_duration(st->low, &a, &err);
            jobq_parse_duration(st->high, &b, &err);
        } else {
            jobq_parse_size(st->low, &a, &err);
            jobq_parse_count(st->high, &b, &err);
            if (st->kind == SETTING_SIZE)
                jobq_parse_size(st->high, &b, &err);
        }
        snprintf(out, cap, "%lld%s", (long long)along(dice, (double)a, (double)b),
                 st->kind == SETTING_DURATION ? "ns" : "");
        return;
    case SETTING_NUMBER:
        jobq_parse_number(st->low, &low, &err);
        jobq_parse_number(st->high, &high, &err);
        snprintf(out, cap, "%.17g", along(dice, low, high));
        return;
    case SETTING_DIST:
        pick = (int)(dice_u(dice) * 8);
        snprintf(out, cap, "%s%d%s", dists[pick][0], n, dists[pick][1]);
        return;
    case SETTING_ARRIVALS:
        snprintf(out, cap, "%s%d%s", n % 3 ? n % 2 ? "" : "every:" : "renewal:exp:", n,
                 n % 3 && n % 2 ? "/day" : "ms");
        return;
    case SETTING_NAME:
        snprintf(out, cap, "%s", st->value);
        return;
    case SETTING_PATH:
        snprintf(out, cap, "none");
        return;
    case SETTING_MODEL:
        snprintf(out, cap, "sqs.a=%d;ec2.b=0.5", n);
        return;
    case SETTING_FLAG:
        snprintf(out, cap, n % 2 ? "yes" : "off");
        return;
    case SETTING_CHOICE:
        snprintf(out, cap, "%s", st->value);
        return;
    case SETTING_SEED:
        snprintf(out, cap, "%d", n);
        return;
    }
}

static void read_normal(struct scenario *s, char *form)
{
    for (char *save, *word = strtok_r(form, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        char *equals = strchr(word, '=');
        *equals = '\0';
        set(s, word, equals + 1);
        *equals = '=';
    }
}

static void normal_form_reads_back(void **state)
{
    (void)state;
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 1;
    printf("seed=%llu\n", (unsigned long long)seed);
    struct dice dice;
    dice_init(&dice, seed, "scenarios", 0);
    for (int round = 0; round < 2000; round++) {
        struct scenario s, again;
        struct text form = {0}, twice = {0}, file = {0};
        scenario_init(&s);
        for (int i = 0; i < setting_count(); i++) {
            char value[80];
            draw_value(setting_at(i), &dice, value, sizeof value);
            if (dice_u(&dice) < 0.5 && strcmp(setting_at(i)->name, "limit") != 0)
                set(&s, setting_at(i)->name, value);
        }
        scenario_put_normal(&s, ALL, &form);
        scenario_put_file(&s, ALL, &file);
        char *copy = strdup(form.ptr);
        scenario_init(&again);
        read_normal(&again, copy);
        scenario_put_normal(&again, ALL, &twice);
        assert_string_equal(form.ptr, twice.ptr);
        if (round % 100 == 0) {
            struct jobq_error err;
            char path[] = "/tmp/test_scenario.XXXXXX";
            int fd = mkstemp(path);
            assert_true(write(fd, file.ptr, file.len) == (ssize_t)file.len);
            close(fd);
            scenario_release(&again);
            scenario_init(&again);
            if (scenario_read_file(&again, path, &err) != JOBQ_OK)
                fail_msg("%s", err.text);
            unlink(path);
            text_clear(&twice);
            scenario_put_normal(&again, ALL, &twice);
            assert_string_equal(form.ptr, twice.ptr);
        }
        free(copy);
        text_release(&form);
        text_release(&twice);
        text_release(&file);
        scenario_release(&s);
        scenario_release(&again);
    }
}

static void options_of_a_command(void **state)
{
    (void)state;
    static const struct option_def own[] = {{"json", 0, NULL, "as JSON"},
                                            {NULL, 0, NULL, NULL}};
    struct commandline command;
    struct options read;
    struct scenario s;
    struct jobq_error err;
    char a[] = "--type", b[] = "c7g.large", c[] = "--vcpus", d[] = "-n", e[] = "7";
    char *slots[] = {a, b}, *vcpus[] = {c, e}, *good[] = {d, e};
    commandline_init(&command, "jobqsim", "run", own, TAKER_RUN);
    assert_int_equal(options_read(&read, &command.spec, 2, slots, &err), JOBQ_INVALID);
    assert_string_equal(err.text, "unknown option '--type'; did you mean '--instance'?");
    options_release(&read);
    assert_int_equal(options_read(&read, &command.spec, 2, vcpus, &err), JOBQ_INVALID);
    assert_string_equal(err.text,
                        "'--vcpus' is no setting of jobqsim run, only of jobqcost");
    options_release(&read);
    scenario_init(&s);
    assert_int_equal(options_read(&read, &command.spec, 2, good, &err), JOBQ_OK);
    assert_int_equal(commandline_scenario(&read, &s, &err), JOBQ_OK);
    assert_int_equal(s.concurrency, 7);
    options_release(&read);
    commandline_release(&command);
    scenario_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(defaults_are_the_products),
                                       cmocka_unit_test(a_keep_outlasts_the_retention),
                                       cmocka_unit_test(defaults_and_ends),
                                       cmocka_unit_test(out_of_range),
                                       cmocka_unit_test(zero_is_zero),
                                       cmocka_unit_test(arrivals_agree),
                                       cmocka_unit_test(normal_form_reads_back),
                                       cmocka_unit_test(options_of_a_command)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
