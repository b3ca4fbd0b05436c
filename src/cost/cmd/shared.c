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
    fprintf(stderr, "jobqcost %s: %s\n", cli->command->name, err->text);
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
    fputs("warning: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* ---- options ------------------------------------------------------------------------------ */

static const char *const PRICE_OPTIONS[] = {"region", "date",        "assume-from",
                                            "sheets", "free-tier",   "queue-kind",
                                            "price",  "volume-kind", "months"};
static const char *const SCENARIO_WORDS[] = {"instance",   "client",       "store",
                                             "payload-in", "era",          "spot",
                                             "public-ip",  "session-token"};
static const char *const OUTPUT_OPTIONS[] = {"json", "csv", "quiet", "help"};

static bool is_flag_word(const char *name)
{
    return strcmp(name, "spot") == 0 || strcmp(name, "public-ip") == 0 ||
           strcmp(name, "session-token") == 0;
}

/* Edit distance of short words, bounded: for "did you mean". */
static int distance(const char *a, const char *b)
{
    int row[32], la = (int)strlen(a), lb = (int)strlen(b);
    if (la > 30 || lb > 30)
        return 99;
    for (int j = 0; j <= lb; j++)
        row[j] = j;
    for (int i = 1; i <= la; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= lb; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            int gap = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < gap ? change : gap;
        }
    }
    return row[lb];
}

struct nearest {
    const char *name;
    int distance;
};

static void consider(struct nearest *best, const char *typed, const char *name)
{
    int d = distance(typed, name);
    if (d < best->distance)
        *best = (struct nearest){name, d};
}

static int unknown_option(const struct cost *cli, const struct cost_option *option,
                          int count, unsigned shared, const char *typed)
{
    struct nearest best = {NULL, 4};
    char shown[60];
    for (int i = 0; i < count; i++)
        consider(&best, typed, option[i].name);
    for (size_t i = 0; shared & COST_PRICES && i < sizeof PRICE_OPTIONS / sizeof(char *);
         i++)
        consider(&best, typed, PRICE_OPTIONS[i]);
    for (size_t i = 0;
         shared & COST_SCENARIO && i < sizeof SCENARIO_WORDS / sizeof(char *); i++)
        consider(&best, typed, SCENARIO_WORDS[i]);
    for (int i = 0; shared & COST_SCENARIO && i < PREDICT_INPUT_COUNT; i++)
        consider(&best, typed, predict_input_name((enum predict_input)i));
    for (size_t i = 0; i < sizeof OUTPUT_OPTIONS / sizeof(char *); i++)
        consider(&best, typed, OUTPUT_OPTIONS[i]);
    text_escape(typed, (int64_t)strlen(typed), shown, sizeof shown);
    if (best.name)
        return cost_usage(cli, "unknown option '--%s'; did you mean --%s?", shown,
                          best.name);
    return cost_usage(cli, "unknown option '--%s'; see jobqcost %s --help", shown,
                      cli->command->name);
}

static int own_option(const struct cost *cli, const struct cost_option *option,
                      const char *value)
{
    struct jobq_error err;
    int64_t ns;
    int code = JOBQ_OK;
    struct cost_many *many = option->target;
    switch (option->kind) {
    case COST_FLAG:
        *(bool *)option->target = true;
        break;
    case COST_TEXT:
        *(const char **)option->target = value;
        break;
    case COST_NUMBER:
        code = jobq_parse_number(value, option->target, &err);
        break;
    case COST_DURATION:
        code = jobq_parse_duration(value, &ns, &err);
        if (!code)
            *(double *)option->target = jobq_seconds_from_ns(ns);
        break;
    case COST_MANY:
        if (many->count == COST_MANY_MAX)
            return cost_usage(cli, "--%s is given too often", option->name);
        many->text[many->count++] = value;
        break;
    }
    if (code) {
        jobq_wrap(&err, "--%s", option->name);
        return cost_fail(cli, &err);
    }
    return -1;
}

static int price_option(struct cost *cli, const char *name, const char *value)
{
    struct jobq_error err;
    int code = JOBQ_OK;
    if (strcmp(name, "region") == 0)
        cli->region = value;
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

static bool among(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

static int scenario_option(struct cost *cli, const char *name, const char *value)
{
    struct jobq_error err;
    if (predict_set(&cli->scenario, name, value, &err)) {
        if (err.code == JOBQ_NOT_FOUND)
            err.code = JOBQ_INVALID;
        return cost_fail(cli, &err);
    }
    int input = predict_input_find(name);
    if (input >= 0)
        cli->given[input] = true;
    if (strcmp(name, "era") == 0)
        cli->era_given = true;
    return -1;
}

/* A word "--name", with its value from "=..." or the next word. */
static int one_option(struct cost *cli, const struct cost_option *option, int count,
                      unsigned shared, int *at)
{
    char name[40];
    const char *word = cli->word[*at] + 2, *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    if (len >= sizeof name)
        return unknown_option(cli, option, count, shared, word);
    memcpy(name, word, len);
    name[len] = '\0';
    const struct cost_option *own = NULL;
    for (int i = 0; i < count && !own; i++)
        if (strcmp(option[i].name, name) == 0)
            own = &option[i];
    if (!own && strcmp(name, "help") == 0) {
        fputs(cli->command->help, stdout);
        return COST_OK;
    }
    bool *output = own                          ? NULL
                   : strcmp(name, "json") == 0  ? &cli->json
                   : strcmp(name, "csv") == 0   ? &cli->csv
                   : strcmp(name, "quiet") == 0 ? &cli->quiet
                                                : NULL;
    bool priced = !own && shared & COST_PRICES &&
                  among(name, PRICE_OPTIONS, sizeof PRICE_OPTIONS / sizeof(char *));
    bool word_option =
        !own && shared & COST_SCENARIO &&
        among(name, SCENARIO_WORDS, sizeof SCENARIO_WORDS / sizeof(char *));
    bool input = !own && shared & COST_SCENARIO && predict_input_find(name) >= 0;
    bool formula = !own && shared & COST_FORMULA && strcmp(name, "formula") == 0;
    if (!own && !output && !priced && !word_option && !input && !formula)
        return unknown_option(cli, option, count, shared, name);
    bool flag = output || (own && own->kind == COST_FLAG) ||
                (word_option && is_flag_word(name) && !equals);
    if (flag && equals)
        return cost_usage(cli, "option '--%s' takes no value", name);
    const char *value = "yes";
    if (!flag) {
        value = equals ? equals + 1 : *at + 1 < cli->word_count ? cli->word[++*at] : NULL;
        if (!value)
            return cost_usage(cli, "option '--%s' needs a value", name);
    }
    if (output)
        return *output = true, -1;
    if (own)
        return own_option(cli, own, value);
    if (priced)
        return price_option(cli, name, value);
    if (formula)
        return cli->formula_path = value, -1;
    return scenario_option(cli, name, value);
}

/* -o FILE, for subcommands that have --output. */
static int short_output(const struct cost *cli, const struct cost_option *option,
                        int count, const char *value)
{
    for (int i = 0; i < count; i++)
        if (strcmp(option[i].name, "output") == 0)
            return own_option(cli, &option[i], value);
    return cost_usage(cli, "unknown option '-o'");
}

int cost_parse(struct cost *cli, const struct cost_option *option, int count,
               unsigned shared)
{
    predict_defaults(&cli->scenario);
    cli->region = "us-east-1";
    for (int i = 0; i < cli->word_count; i++) {
        const char *word = cli->word[i];
        int code = -1;
        if (strncmp(word, "--", 2) == 0 && word[2])
            code = one_option(cli, option, count, shared, &i);
        else if (strcmp(word, "-h") == 0)
            code = (fputs(cli->command->help, stdout), COST_OK);
        else if (strcmp(word, "-q") == 0)
            cli->quiet = true;
        else if (strcmp(word, "-o") == 0 && i + 1 < cli->word_count) {
            code = short_output(cli, option, count, cli->word[++i]);
        } else if (word[0] == '-' && word[1])
            code = cost_usage(cli, "unknown option '%.20s'; see jobqcost %s --help", word,
                              cli->command->name);
        else if (cli->argument_count == COST_MANY_MAX)
            code = cost_usage(cli, "too many arguments");
        else
            cli->argument[cli->argument_count++] = word;
        if (code >= 0)
            return code;
    }
    if (cli->json && cli->csv)
        return cost_usage(cli, "--json and --csv exclude each other");
    /* A run needs both; jobs alone say what the interval is of. */
    cli->interval_jobs = cli->given[PREDICT_JOBS] ? cli->scenario.jobs : 10000;
    if (!cli->given[PREDICT_BOXES])
        cli->scenario.jobs = 0;
    return -1;
}

void cost_release(struct cost *cli)
{
    for (int i = 0; i < cli->sheet_count; i++)
        sheet_free(cli->sheet[i]);
    free(cli->formula);
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
