#include "cost/cmd/shared.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES ((size_t)256 << 20)

/* ---- messages --------------------------------------------------------------------------- */

int cost_fail(const struct cost *cli, const struct jobq_error *err)
{
    static const char missing[] = "no price for '";
    const char *price = strstr(err->text, missing);
    fprintf(stderr, "jobqcost %s: %s\n", cli->command->name, err->text);
    if (price && cli->command->shared & COST_PRICES) {
        price += sizeof missing - 1;
        int len = (int)strcspn(price, "'");
        fprintf(stderr,
                "give it with --price %.*s=USD, or take another region's with "
                "--assume-from us-east-1\n",
                len, price);
        if (strncmp(price, "simpledb", 8) == 0)
            fputs("or keep the rows elsewhere: --store dynamodb, --store none\n", stderr);
    }
    switch (err->code) {
    case JOBQ_INVALID:
    case JOBQ_LIMIT:
    case JOBQ_CORRUPT:
        return COST_USAGE;
    case JOBQ_NOT_FOUND:
        return COST_NOT_FOUND;
    case JOBQ_OK:
    case JOBQ_TIMEOUT:
    case JOBQ_THROTTLED:
    case JOBQ_UNAVAILABLE:
    case JOBQ_CONFLICT:
    case JOBQ_DENIED:
    case JOBQ_CANCELLED:
        break;
    }
    return COST_FAILED;
}

int cost_usage(const struct cost *cli, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "jobqcost %s: ", cli->command->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    return COST_USAGE;
}

void cost_warn(const struct cost *cli, const char *format, ...)
{
    va_list args;
    if (cli->quiet)
        return;
    fflush(stdout); /* in order, where both are one file */
    fputs("warning: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* ---- options ------------------------------------------------------------------------------ */

enum { OUTPUT_JSON, OUTPUT_CSV, OUTPUT_QUIET };
static const struct option_def OUTPUT_OPTIONS[] = {
    {"json", 0, NULL, "one JSON object on stdout"},
    {"csv", 0, NULL, "the table as CSV"},
    {"quiet", 'q', NULL, "no warnings"},
    {NULL, 0, NULL, NULL}};
static const struct option_def PRICE_OPTIONS[] = {
    {"region", 0, "R", "whose prices (us-east-1)"},
    {"date", 0, "D|FILE.csv",
     "prices of this date, such as 2012-10 or 2026, or a sheet file (latest)"},
    {"assume-from", 0, "R", "take prices that the region's sheet lacks from region R's"},
    {"sheets", 0, "DIR", "read the sheets of a folder instead of the shipped ones"},
    {"free-tier", 0, "none|all|SERVICE",
     "free amounts to subtract, separated by commas (none)"},
    {"months", 0, "M",
     "months that the usage took; tiers and free amounts are per month (1)"},
    {"price", 0, "S.ITEM=USD", "use this price; may be repeated"},
    {"queue-kind", 0, "standard|fifo|fair", "which SQS price applies (standard)"},
    {"volume-kind", 0, "KIND", "which EBS price"},
    {NULL, 0, NULL, NULL}};
static const struct option_def FORMULA_OPTIONS[] = {
    {"formula", 0, "FILE|closed",
     "the formula to use (the shipped fit of the model, if any)"},
    {NULL, 0, NULL, NULL}};

static bool is_among(const struct option_def *list, const char *name)
{
    for (; list->name; list++)
        if (strcmp(list->name, name) == 0)
            return true;
    return false;
}

static int count_options(const struct option_def *list)
{
    int count = 0;
    while (list[count].name)
        count++;
    return count;
}

void cost_command_init(struct commandline *out, const struct cost_command *command)
{
    enum { MOST = 32 };
    static const struct option_def none = {NULL, 0, NULL, NULL};
    const struct option_def *const lists[] = {
        command->own, command->shared & COST_PRICES ? PRICE_OPTIONS : &none,
        command->shared & COST_FORMULA ? FORMULA_OPTIONS : &none, OUTPUT_OPTIONS, &none};
    struct option_def all[MOST];
    int count = 0;
    for (int i = 0; i < 5; i++)
        for (const struct option_def *o = lists[i];; o++) {
            if (!o->name && i < 4)
                break;
            all[count++] = *o;
            if (!o->name)
                break;
        }
    commandline_init(out, "jobqcost", command->name, all,
                     command->shared & COST_SCENARIO ? TAKER_COST : 0);
}

static int own_option(const struct cost *cli, const char *name,
                      const struct cost_target *option, const char *value)
{
    struct jobq_error err;
    int64_t ns;
    int code = JOBQ_OK;
    struct cost_many *many = option->to;
    switch (option->kind) {
    case COST_FLAG:
        *(bool *)option->to = true;
        break;
    case COST_TEXT:
        *(const char **)option->to = value;
        break;
    case COST_NUMBER:
        code = jobq_parse_number(value, option->to, &err);
        break;
    case COST_DURATION:
        code = jobq_parse_duration(value, &ns, &err);
        if (!code)
            *(double *)option->to = jobq_seconds_from_ns(ns);
        break;
    case COST_MANY:
        if (many->count == COST_MANY_MAX)
            return cost_usage(cli, "--%s is given too often", name);
        many->text[many->count++] = value;
        break;
    }
    if (code) {
        jobq_wrap(&err, "--%s", name);
        return cost_fail(cli, &err);
    }
    return -1;
}

static int price_option(struct cost *cli, const char *name, const char *value)
{
    struct jobq_error err;
    int code = JOBQ_OK;
    if (strcmp(name, "region") == 0)
        cli->region = value, cli->region_given = true;
    else if (strcmp(name, "date") == 0)
        cli->date = value;
    else if (strcmp(name, "assume-from") == 0)
        cli->assume_from = value;
    else if (strcmp(name, "sheets") == 0)
        cli->sheets_dir = value;
    else if (strcmp(name, "queue-kind") == 0) {
        if (strcmp(value, "standard") != 0 && strcmp(value, "fifo") != 0 &&
            strcmp(value, "fair") != 0)
            return cost_usage(cli, "--queue-kind is standard, fifo or fair");
        cli->bill.queue_kind = value;
    } else if (strcmp(name, "volume-kind") == 0)
        cli->bill.volume = value;
    else if (strcmp(name, "free-tier") == 0)
        code = bill_free_parse(value, &cli->bill.free, &err);
    else if (strcmp(name, "months") == 0) {
        code = jobq_parse_number(value, &cli->bill.months, &err);
        if (!code && !(cli->bill.months > 0))
            return cost_usage(cli, "--months must be more than 0");
    } else { /* price */
        if (cli->price.count == COST_MANY_MAX)
            return cost_usage(cli, "--price is given too often");
        cli->price.text[cli->price.count++] = value;
    }
    return code ? cost_fail(cli, &err) : -1;
}

static void print_help(const struct cost *cli, const struct commandline *command)
{
    fputs(cli->command->help, stdout);
    fputs("\nOptions, with their ranges and (defaults):\n", stdout);
    options_help(command->def, command->spec.count, stdout);
    fputs("\nMakes no API call.\n", stdout);
}

static int take_options(struct cost *cli, const struct options *read,
                        const struct cost_target *target)
{
    int own = count_options(cli->command->own);
    for (int i = 0; i < read->items; i++) {
        const struct options_item *item = &read->item[i];
        const char *name = read->spec->def[item->option].name;
        int code = -1;
        if (item->option < own)
            code = own_option(cli, name, &target[item->option], item->text);
        else if (is_among(PRICE_OPTIONS, name))
            code = price_option(cli, name, item->text);
        else if (strcmp(name, FORMULA_OPTIONS[0].name) == 0)
            cli->formula_path = item->text;
        else if (strcmp(name, OUTPUT_OPTIONS[OUTPUT_JSON].name) == 0)
            cli->json = true;
        else if (strcmp(name, OUTPUT_OPTIONS[OUTPUT_CSV].name) == 0)
            cli->csv = true;
        else if (strcmp(name, OUTPUT_OPTIONS[OUTPUT_QUIET].name) == 0)
            cli->quiet = true;
        if (code >= 0)
            return code;
    }
    if (cli->json && cli->csv)
        return cost_usage(cli, "--json and --csv exclude each other");
    if (read->args > COST_MANY_MAX)
        return cost_usage(cli, "too many arguments");
    for (int i = 0; i < read->args; i++)
        cli->argument[cli->argument_count++] = read->arg[i];
    return -1;
}

/* How to read the scenario: a run if it has jobs and boxes, else one more job for a fleet
 * at its utilisation; then jobs are what the interval is of. */
static int take_settings(struct cost *cli, const struct options *read)
{
    struct scenario *s = &cli->settings;
    struct jobq_error err;
    bool takes_file = cli->command->shared & COST_FILE;
    const char *file = takes_file && read->args > 0 ? read->arg[0] : NULL;
    if (takes_file && read->args > 1)
        return cost_usage(cli, "takes one scenario file");
    if (commandline_scenario_of(read, file, s, &err) || scenario_finish(s, &err)) {
        if (err.code == JOBQ_NOT_FOUND)
            err.code = JOBQ_INVALID;
        return cost_fail(cli, &err);
    }
    if (commandline_wants_scenario(read)) {
        commandline_show_scenario(read, s, stdout);
        return COST_OK;
    }
    if (strcmp(s->model, "ideal") == 0)
        return cost_usage(cli,
                          "--model: there is no closed form of 'ideal', want aws-2026 "
                          "or aws-2012");
    if (scenario_check_keep(s, &err))
        return cost_fail(cli, &err);
    predict_from_scenario(s, &cli->scenario);
    if (!cli->region_given && scenario_given(s, "region"))
        cli->region = s->region, cli->region_given = true;
    if (!cli->date && scenario_given(s, "date") && strcmp(s->date, "latest") != 0)
        cli->date = s->date;
    cli->era_given = scenario_given(s, "model");
    cli->instance_given = scenario_given(s, "instance");
    bool jobs = scenario_given(s, "jobs") || s->trace_path;
    cli->interval_jobs = jobs ? cli->scenario.jobs : 10000;
    if (!jobs || !scenario_given(s, "boxes"))
        cli->scenario.jobs = 0;
    return -1;
}

int cost_parse(struct cost *cli, const struct cost_target *target)
{
    struct commandline command;
    struct options read;
    struct jobq_error err;
    predict_defaults(&cli->scenario);
    scenario_init(&cli->settings);
    cli->region = "us-east-1";
    cli->interval_jobs = 10000;
    cost_command_init(&command, cli->command);
    int code = options_read(&read, &command.spec, cli->word_count, cli->word, &err)
                   ? cost_fail(cli, &err)
                   : -1;
    if (code < 0 && commandline_wants_help(&read))
        code = (print_help(cli, &command), COST_OK);
    if (code < 0)
        code = take_options(cli, &read, target);
    if (code < 0 && cli->command->shared & COST_SCENARIO)
        code = take_settings(cli, &read);
    options_release(&read);
    commandline_release(&command);
    return code;
}

void cost_release(struct cost *cli)
{
    for (int i = 0; i < cli->sheet_count; i++)
        sheet_free(cli->sheet[i]);
    free(cli->formula);
    scenario_release(&cli->settings);
    cli->sheet_count = 0;
    cli->formula = NULL;
}

/* ---- files -------------------------------------------------------------------------------- */

int cost_read(const char *path, char **out, size_t *out_len, struct jobq_error *err)
{
    struct text text = {0};
    char buffer[4096];
    size_t got;
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!file)
        return jobq_fail(err, JOBQ_INVALID, "cannot open '%s': %s", path,
                         strerror(errno));
    while ((got = fread(buffer, 1, sizeof buffer, file)) > 0 && text.len < FILE_MAX_BYTES)
        text_put(&text, buffer, got);
    int failed = ferror(file);
    int why = errno;
    if (file != stdin)
        fclose(file);
    if (failed || text.len >= FILE_MAX_BYTES) {
        text_release(&text);
        return failed ? jobq_fail(err, JOBQ_INVALID, "cannot read '%s': %s", path,
                                  strerror(why))
                      : jobq_fail(err, JOBQ_LIMIT, "'%s' is larger than 256 MiB", path);
    }
    text_put(&text, "", 0);
    *out = text.ptr;
    *out_len = text.len;
    return JOBQ_OK;
}

int cost_write(const char *path, const char *text, size_t len, struct jobq_error *err)
{
    if (strcmp(path, "-") == 0) {
        fwrite(text, 1, len, stdout);
        return JOBQ_OK;
    }
    struct text temporary = {0};
    text_printf(&temporary, "%s.%ld.tmp", path, (long)getpid());
    FILE *file = fopen(temporary.ptr, "wb");
    int code = JOBQ_OK;
    if (!file)
        code = jobq_fail(err, JOBQ_DENIED, "cannot write '%s': %s", temporary.ptr,
                         strerror(errno));
    else {
        bool whole = fwrite(text, 1, len, file) == len;
        whole = fclose(file) == 0 && whole;
        if (!whole || rename(temporary.ptr, path) != 0) {
            code = jobq_fail(err, JOBQ_DENIED, "cannot write '%s': %s", path,
                             strerror(errno));
            remove(temporary.ptr);
        }
    }
    text_release(&temporary);
    return code;
}

void cost_print_json(json_t *object)
{
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    fputc('\n', stdout);
    json_decref(object);
}
