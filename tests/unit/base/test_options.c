/* test_options.c - words of a command line are told apart, and what was mistyped is named. */
#include "base/nearest.h"
#include "base/options.h"
#include "jobq/units.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WAIT, QUIET, OUT };
static const struct option_def DEFS[] = {{"wait", 'w', "T", "how long"},
                                         {"quiet", 'q', NULL, "no messages"},
                                         {"out", 'o', "FILE", "where to"}};
static const struct options_spec SPEC = {
    .program = "p", .command = "c", .def = DEFS, .count = 3};

static int read_words(struct options *o, const struct options_spec *spec, char *words,
                      struct jobq_error *err)
{
    static char *argv[20];
    int argc = 0;
    for (char *save, *word = strtok_r(words, " ", &save); word;
         word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    return options_read(o, spec, argc, argv, err);
}

static void words(void **state)
{
    (void)state;
    struct options o;
    struct jobq_error err;
    char a[] = "x --wait 3s -q - -ofile y --wait=4s -- --quiet";
    assert_int_equal(read_words(&o, &SPEC, a, &err), JOBQ_OK);
    assert_string_equal(options_text(&o, WAIT), "4s");
    assert_string_equal(options_text(&o, OUT), "file");
    assert_non_null(options_item(&o, QUIET));
    assert_int_equal(o.args, 4);
    assert_string_equal(o.arg[1], "-");
    assert_string_equal(o.arg[3], "--quiet");
    options_release(&o);
    char b[] = "-qw5s";
    assert_int_equal(read_words(&o, &SPEC, b, &err), JOBQ_OK);
    assert_string_equal(options_text(&o, WAIT), "5s");
    options_release(&o);
    struct options_spec verbatim = SPEC;
    verbatim.verbatim = true;
    char c[] = "-q drain --nothing";
    assert_int_equal(read_words(&o, &verbatim, c, &err), JOBQ_OK);
    assert_int_equal(o.args, 2);
    options_release(&o);
}

static void refused(const char *line, const char *text)
{
    struct options o;
    struct jobq_error err;
    char words[80];
    strcpy(words, line);
    assert_int_equal(read_words(&o, &SPEC, words, &err), JOBQ_INVALID);
    assert_string_equal(err.text, text);
    options_release(&o);
}

static void refusals(void **state)
{
    (void)state;
    refused("--wiat 3s", "unknown option '--wiat'; did you mean '--wait'?");
    refused("--quie", "unknown option '--quie'; did you mean '--quiet'?");
    refused("--nothing", "unknown option '--nothing'; see p c --help");
    refused("-z", "unknown option '-z'; see p c --help");
    refused("--wait", "option '--wait' needs a value");
    refused("-w", "option '-w' needs a value");
    refused("--quiet=maybe", "--quiet: 'maybe' is neither yes nor no");
}

static void places(void **state)
{
    (void)state;
    struct options o;
    struct jobq_error err;
    char none[] = "";
    setenv("P_WAIT", "7s", 1);
    setenv("P_OUT", "", 1);
    assert_int_equal(read_words(&o, &SPEC, none, &err), JOBQ_OK);
    options_environment(&o, "P");
    assert_true(options_file_value(&o, "wait", "8s", "f.ini", 3));
    assert_true(options_file_value(&o, "out", "there", "f.ini", 4));
    assert_true(options_file_value(&o, "out", "elsewhere", "g.ini", 1));
    assert_false(options_file_value(&o, "nothing", "1", "f.ini", 5));
    assert_string_equal(options_text(&o, WAIT), "7s");
    assert_string_equal(options_text(&o, OUT), "there");
    jobq_fail(&err, JOBQ_INVALID, "no");
    options_blame(&o, options_item(&o, WAIT), &err);
    assert_string_equal(err.text, "P_WAIT: no");
    jobq_fail(&err, JOBQ_INVALID, "no");
    options_blame(&o, options_item(&o, OUT), &err);
    assert_string_equal(err.text, "f.ini:4: out: no");
    options_release(&o);
}

static void near(void **state)
{
    (void)state;
    struct nearest best = {0};
    nearest_try(&best, "optimize", "compare");
    nearest_try(&best, "optimize", "optimise");
    assert_string_equal(best.word, "optimise");
    best = (struct nearest){0};
    nearest_try(&best, "ab", "xy");
    assert_null(best.word);
    assert_int_equal(nearest_distance("kitten", "sitting"), 3);
}

static void help_has_80_columns(void **state)
{
    (void)state;
    static const struct option_def def = {"a-rather-long-name-of-an-option", 0,
                                          "one|other",
                                          "many words of help that go on and on until "
                                          "they do not fit into a line any more, "
                                          "and then some"};
    char *text = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&text, &len);
    options_help(DEFS, 3, file);
    options_help_line(&def, file);
    fclose(file);
    for (char *line = text; *line;) {
        size_t width = strcspn(line, "\n");
        assert_true(width <= 79);
        line += width + 1;
    }
    free(text);
}

static void rate(const char *text, double per_s)
{
    struct jobq_error err;
    double got;
    if (jobq_parse_rate(text, &got, &err) != JOBQ_OK)
        fail_msg("%s: %s", text, err.text);
    assert_true(fabs(got - per_s) <= 1e-12 * per_s);
}

static void spellings(void **state)
{
    (void)state;
    struct jobq_error err;
    int64_t whole;
    double number;
    rate("100/s", 100);
    rate("300/h", 300.0 / 3600);
    rate("5M/day", 5e6 / 86400);
    rate("1,000,000/day", 1e6 / 86400);
    rate("0.5", 0.5);
    rate("2k/min", 2000.0 / 60);
    assert_int_equal(jobq_parse_rate("5M/week", &number, &err), JOBQ_INVALID);
    assert_non_null(strstr(err.text, "100/s, 300/h or 5M/day"));
    assert_int_equal(jobq_parse_rate("/s", &number, &err), JOBQ_INVALID);
    assert_int_equal(jobq_parse_rate("-1/s", &number, &err), JOBQ_INVALID);
    assert_int_equal(jobq_parse_count("1,000,000", &whole, &err), JOBQ_OK);
    assert_int_equal(whole, 1000000);
    assert_int_equal(jobq_parse_count("1,00", &whole, &err), JOBQ_INVALID);
    assert_int_equal(jobq_parse_count("1,0000", &whole, &err), JOBQ_INVALID);
    assert_int_equal(jobq_parse_count("1000,000", &whole, &err), JOBQ_INVALID);
    assert_non_null(strstr(err.text, "1,000,000"));
    const struct {
        const char *text;
        int64_t bytes;
    } size[] = {{"2kb", 2000}, {"2KB", 2000},   {"2KiB", 2048}, {"2kib", 2048},
                {"2k", 2048},  {"1m", 1 << 20}, {"1,024", 1024}};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        assert_int_equal(jobq_parse_size(size[i].text, &whole, &err), JOBQ_OK);
        assert_int_equal(whole, size[i].bytes);
    }
    assert_int_equal(jobq_parse_duration("1.5h", &whole, &err), JOBQ_OK);
    assert_int_equal(whole, 5400 * JOBQ_NS_PER_S);
    assert_int_equal(jobq_parse_duration("2sec", &whole, &err), JOBQ_INVALID);
    assert_non_null(strstr(err.text, "90s"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words),
                                       cmocka_unit_test(refusals),
                                       cmocka_unit_test(places),
                                       cmocka_unit_test(near),
                                       cmocka_unit_test(help_has_80_columns),
                                       cmocka_unit_test(spellings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
