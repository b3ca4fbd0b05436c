#include "live/cmd/cli.h"

#include "live/cmd/cmd.h"

#include "base/arena.h"
#include "base/ini.h"
#include "base/nearest.h"
#include "jobq/units.h"

#include <assert.h>
#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { JSON, QUIET, VERBOSE, NO_COLOR, COMMON_COUNT };
static const struct option_def common[COMMON_COUNT + 1] = {
    {"json", 0, NULL, "one JSON object on stdout"},
    {"quiet", 'q', NULL, "no messages, errors only"},
    {"verbose", 'v', NULL, "more messages"},
    {"no-color", 0, NULL, "no colour"},
    {NULL, 0, NULL, NULL}};

int cli_exit_of(int code)
{
    switch (code) {
    case JOBQ_OK:
        return CLI_OK;
    case JOBQ_TIMEOUT:
        return CLI_TIMEOUT;
    case JOBQ_THROTTLED:
    case JOBQ_UNAVAILABLE:
        return CLI_TEMPFAIL;
    case JOBQ_NOT_FOUND:
        return CLI_NOT_FOUND;
    case JOBQ_DENIED:
        return CLI_DENIED;
    case JOBQ_INVALID:
    case JOBQ_LIMIT:
        return CLI_USAGE;
    case JOBQ_CANCELLED:
        return CLI_INTERRUPTED;
    default:
        return CLI_FAILURE;
    }
}

/* ---- messages ---------------------------------------------------------------------------- */

void cli_complain(struct cli *cli, const char *format, ...)
{
    va_list args;
    fprintf(cli->err, "jobq %s: ", cli->command->name);
    va_start(args, format);
    vfprintf(cli->err, format, args);
    va_end(args);
    fputc('\n', cli->err);
}

void cli_say(struct cli *cli, const char *format, ...)
{
    va_list args;
    if (cli->quiet || cli->json)
        return;
    va_start(args, format);
    vfprintf(cli->err, format, args);
    va_end(args);
    fputc('\n', cli->err);
}

int cli_fail(struct cli *cli, const char *what, const struct jobq_error *err)
{
    if (what)
        cli_complain(cli, "%s: %s", what, err->text);
    else
        cli_complain(cli, "%s", err->text);
    return cli_exit_of(err->code);
}

void cli_json_cstr(struct text *out, const char *value)
{
    text_put_json(out, str_of(value));
}

void cli_flush(struct cli *cli, struct text *text)
{
    if (text->len)
        fwrite(text->ptr, 1, text->len, cli->out);
    text_clear(text);
    fflush(cli->out);
}

bool cli_confirm(struct cli *cli, const char *given, const char *name, const char *what)
{
    char line[128];
    if (given) {
        if (strcmp(given, name) == 0)
            return true;
        cli_complain(cli, "--confirm must be '%s'", name);
        return false;
    }
    if (!isatty(STDIN_FILENO)) {
        cli_complain(cli, "%s must be confirmed with --confirm=%s", what, name);
        return false;
    }
    fprintf(cli->err, "%s. Type '%s' to go on: ", what, name);
    if (!fgets(line, sizeof line, stdin))
        return false;
    line[strcspn(line, "\n")] = '\0';
    return strcmp(line, name) == 0;
}

/* ---- options ----------------------------------------------------------------------------- */

static int option_count(const struct option_def *option)
{
    int count = 0;
    while (option[count].name)
        count++;
    return count;
}

void cli_line(const struct cli_command *command, struct commandline *out)
{
    struct option_def all[CLI_OPTIONS_MAX + COMMON_COUNT + 1];
    int own = option_count(command->option);
    assert(own <= CLI_OPTIONS_MAX);
    memcpy(all, command->option, (size_t)own * sizeof *all);
    memcpy(all + own, common, sizeof common);
    commandline_init(out, "jobq", command->name, all, command->takes);
    out->spec.verbatim = command->verbatim;
}

void cli_help(const struct cli_command *c, FILE *out)
{
    struct commandline line;
    cli_line(c, &line);
    fprintf(out, "jobq %s: %s\n\nExamples:\n%s\nUsage: jobq %s %s\n\nOptions:\n", c->name,
            c->summary, c->examples, c->name, c->synopsis);
    options_help(line.def, line.spec.count, out);
    fprintf(out, "\nAPI calls:\n%s", c->calls);
    commandline_release(&line);
}

/* A file of defaults being read. */
struct config {
    struct cli *cli;
    char shown[120]; /* its name */
};

static bool has_option(const struct cli_command *command, const char *key)
{
    for (const struct option_def *o = command->option; o->name; o++)
        if (strcmp(o->name, key) == 0)
            return true;
    return false;
}

static int check_key(const char *section, const char *key, struct jobq_error *err)
{
    char shown[60];
    struct nearest near = {0};
    bool known_section = !*section || strcmp(section, "scenario") == 0, known_key = false;
    for (int i = 0; cmd_table[i]; i++) {
        known_section = known_section || strcmp(section, cmd_table[i]->name) == 0;
        known_key = known_key || has_option(cmd_table[i], key);
        nearest_try(&near, section, cmd_table[i]->name);
    }
    if (!known_section) {
        text_escape(section, (int64_t)strlen(section), shown, sizeof shown);
        return jobq_fail(err, JOBQ_INVALID, "[%s] is no subcommand%s%s%s", shown,
                         near.word ? "; did you mean '" : "", near.word ? near.word : "",
                         near.word ? "'?" : "");
    }
    if (known_key || setting_find(key) >= 0)
        return JOBQ_OK;
    if (setting_renamed(key)) {
        setting_unknown(key, err);
        return err->code = JOBQ_INVALID;
    }
    return jobq_fail(err, JOBQ_INVALID, "no subcommand has an option '%s'",
                     text_escape(key, (int64_t)strlen(key), shown, sizeof shown));
}

static int on_config(void *ctx, const char *section, const char *key, const char *value,
                     int line, struct jobq_error *err)
{
    struct config *config = ctx;
    struct cli *cli = config->cli;
    bool shared = !*section || strcmp(section, "scenario") == 0;
    int rc = check_key(section, key, err);
    if (rc < 0 || (!shared && strcmp(section, cli->command->name)))
        return rc;
    if (!options_file_value(&cli->read, key, value, config->shown, line) && !shared)
        return jobq_fail(err, JOBQ_INVALID, "unknown key '%.60s' in [%s]", key, section);
    return JOBQ_OK; /* before any section: another subcommand's */
}

static int config_values(struct cli *cli)
{
    struct config config = {.cli = cli};
    char xdg[4096];
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (base && *base)
        snprintf(xdg, sizeof xdg, "%s/jobq/config.ini", base);
    else
        snprintf(xdg, sizeof xdg, "%s/.config/jobq/config.ini", home ? home : "");
    const char *const path[] = {".jobq.ini", xdg, "/etc/jobq.conf"};
    for (size_t i = 0; i < sizeof path / sizeof *path; i++) {
        struct jobq_error err;
        text_escape(path[i], (int64_t)strlen(path[i]), config.shown, sizeof config.shown);
        int rc = ini_read_file(path[i], on_config, &config, &err);
        if (rc < 0 && rc != JOBQ_NOT_FOUND) {
            cli_complain(cli, "%s", err.text);
            return CLI_USAGE;
        }
    }
    return -1;
}

/* Otherwise a variable with a setting's former name would be ignored silently. */
static int check_environment(struct cli *cli)
{
    for (char **at = environ; *at; at++) {
        char name[40] = "";
        size_t len = strcspn(*at, "=");
        if (strncmp(*at, "JOBQ_", 5) != 0 || len - 5 >= sizeof name)
            continue;
        for (size_t i = 5; i < len; i++)
            name[i - 5] =
                (char)((*at)[i] == '_' ? '-' : tolower((unsigned char)(*at)[i]));
        const char *right = setting_renamed(name);
        if (right && options_find(&cli->line.spec, right) >= 0 &&
            options_find(&cli->line.spec, name) < 0) {
            cli_complain(cli, "unknown variable '%.*s'; did you mean that of '--%s'?",
                         (int)len, *at, right);
            return CLI_USAGE;
        }
    }
    return -1;
}

/* A flag that has a value may be switched off by it. */
static int settle_flag(struct cli *cli, int option, bool *out)
{
    struct jobq_error err;
    const struct options_item *item = options_item(&cli->read, option);
    *out = false;
    if (item && options_yes(item->text, out, &err) < 0) {
        options_blame(&cli->read, item, &err);
        cli_complain(cli, "%s", err.text);
        return CLI_USAGE;
    }
    return -1;
}

static int settle(struct cli *cli)
{
    int own = option_count(cli->command->option), rc = -1;
    bool no_color = false;
    for (int i = 0; i < own && rc < 0; i++) {
        bool on = false;
        if (!cli->command->option[i].arg)
            rc = settle_flag(cli, i, &on);
        cli->value[i] = on                            ? ""
                        : cli->command->option[i].arg ? options_text(&cli->read, i)
                                                      : NULL;
    }
    bool *const flag[COMMON_COUNT] = {&cli->json, &cli->quiet, &cli->verbose, &no_color};
    for (int i = 0; i < COMMON_COUNT && rc < 0; i++)
        rc = settle_flag(cli, own + i, flag[i]);
    cli->color = cli->color && !no_color;
    return rc;
}

static int settle_scenario(struct cli *cli)
{
    struct jobq_error err;
    scenario_init(&cli->scenario);
    bool file = cli->command->scenario_file && cli->arg_count > 0;
    int rc = commandline_scenario_of(&cli->read, file ? cli->arg[0] : NULL,
                                     &cli->scenario, &err);
    if (rc == JOBQ_OK && commandline_wants_scenario(&cli->read)) {
        rc = scenario_finish(&cli->scenario, &err);
        if (rc == JOBQ_OK) {
            commandline_show_scenario(&cli->read, &cli->scenario, stdout);
            return CLI_OK;
        }
    }
    uint32_t reads = TAKER_ROWS | TAKER_STATUS | TAKER_LIST | TAKER_PRUNE | TAKER_REPAIR |
                     TAKER_DOCTOR;
    if (rc == JOBQ_OK && (cli->command->takes & reads) &&
        scenario_store(&cli->scenario) == SCENARIO_STORE_NONE)
        rc = jobq_fail(&err, JOBQ_INVALID, "--%s: with 'none' there are no rows to read",
                       cli->scenario.store == SCENARIO_STORE_NONE ? "store" : "rows");
    if (rc == JOBQ_OK)
        return -1;
    cli_complain(cli, "%s", err.text);
    return CLI_USAGE;
}

static int read_line(struct cli *cli, int argc, char **argv)
{
    const struct cli_command *command = cli->command;
    struct jobq_error err;
    if (options_read(&cli->read, &cli->line.spec, argc - 1, argv + 1, &err) < 0) {
        cli_complain(cli, "%s", err.text);
        return CLI_USAGE;
    }
    if (commandline_wants_help(&cli->read)) {
        cli_help(command, stdout);
        return CLI_OK;
    }
    cli->arg = cli->read.arg;
    cli->arg_count = cli->read.args;
    if (!commandline_wants_scenario(&cli->read) &&
        (cli->arg_count < command->min_args ||
         (command->max_args >= 0 && cli->arg_count > command->max_args))) {
        cli_complain(cli, "want: jobq %s %s", command->name, command->synopsis);
        return CLI_USAGE;
    }
    return -1;
}

int cli_parse(struct cli *cli, const struct cli_command *command, int argc, char **argv)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    *cli = (struct cli){.command = command, .out = stdout, .err = stderr};
    cli->color = isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
                 !(term && strcmp(term, "dumb") == 0);
    cli_line(command, &cli->line);
    int rc = read_line(cli, argc, argv);
    if (rc < 0)
        rc = check_environment(cli);
    if (rc < 0) {
        options_environment(&cli->read, "JOBQ");
        rc = config_values(cli);
    }
    if (rc < 0)
        rc = settle(cli);
    if (rc < 0 && command->takes)
        rc = settle_scenario(cli);
    return rc;
}

void cli_release(struct cli *cli)
{
    options_release(&cli->read);
    commandline_release(&cli->line);
    scenario_release(&cli->scenario);
}

void cli_bad_value(struct cli *cli, int option, const char *why, bool *bad)
{
    struct jobq_error err;
    jobq_fail(&err, JOBQ_INVALID, "%s", why);
    options_blame(&cli->read, options_item(&cli->read, option), &err);
    cli_complain(cli, "%s", err.text);
    *bad = true;
}

bool cli_given(const struct cli *cli, int option)
{
    return cli->value[option] != NULL;
}

int64_t cli_duration(struct cli *cli, int option, int64_t missing, bool *bad)
{
    struct jobq_error err;
    int64_t ns;
    if (!cli->value[option])
        return missing;
    if (jobq_parse_duration(cli->value[option], &ns, &err) == JOBQ_OK)
        return ns;
    cli_bad_value(cli, option, err.text, bad);
    return missing;
}

int64_t cli_count(struct cli *cli, int option, int64_t missing, int64_t low, int64_t high,
                  bool *bad)
{
    struct jobq_error err;
    char why[160];
    int64_t count;
    if (!cli->value[option])
        return missing;
    if (jobq_parse_count(cli->value[option], &count, &err) < 0) {
        cli_bad_value(cli, option, err.text, bad);
        return missing;
    }
    if (count < low || count > high) {
        snprintf(why, sizeof why, "'%lld' is not %lld to %lld", (long long)count,
                 (long long)low, (long long)high);
        cli_bad_value(cli, option, why, bad);
        return missing;
    }
    return count;
}

int cli_choice(struct cli *cli, int option, const char *const *names, int missing,
               bool *bad)
{
    char why[160], shown[60];
    const char *value = cli->value[option];
    if (!value)
        return missing;
    size_t at = 0;
    text_escape(value, (int64_t)strlen(value), shown, sizeof shown);
    at += (size_t)snprintf(why, sizeof why, "'%s' is none of", shown);
    for (int i = 0; names[i]; i++) {
        if (strcmp(value, names[i]) == 0)
            return i;
        if (at < sizeof why - 20)
            at += (size_t)snprintf(why + at, sizeof why - at, " %s", names[i]);
    }
    cli_bad_value(cli, option, why, bad);
    return missing;
}

/* ---- a run ---------------------------------------------------------------------------------- */

/* Why a command waits, after a few seconds and then each minute, and that it waits no longer.
 * A refusal ends most commands, and they say it then; those that go on say it here. */
static void say_health(void *ctx, const struct health_report *report)
{
    struct cli *cli = ctx;
    char line[HEALTH_LINE_MAX];
    if (cli->goes_on || !report->refused)
        cli_complain(cli, "%s", health_line(report, line));
}

static void fiber_main(void *arg)
{
    struct cli *cli = arg;
    health_init(cli->health, &cli->live->backend, say_health, cli);
    cli->code = cli->fn(cli, cli->ctx, &cli->error);
    live_end(cli->live);
}

static void signalled(struct cli *cli, int number)
{
    cli->interrupted++;
    if (cli->on_signal) {
        cli->on_signal(cli, number);
        return;
    }
    fflush(cli->out);
    cli_complain(cli, "interrupted; acknowledged jobs stay, the same command continues "
                      "from there");
    _exit(CLI_INTERRUPTED);
}

static void on_int(void *ctx)
{
    signalled(ctx, SIGINT);
}

static void on_term(void *ctx)
{
    signalled(ctx, SIGTERM);
}

int cli_run(struct cli *cli, const struct live_options *options,
            int (*fn)(struct cli *cli, void *ctx, struct jobq_error *err), void *ctx)
{
    /* The ledger in it is too large for a stack. */
    struct live *live = xcalloc(1, sizeof *live);
    loop_ignore_pipe();
    struct live_options opens = *options;
    if (opens.store != SCENARIO_STORE_NONE)
        opens.store = scenario_store(&cli->scenario);
    int rc = live_open(live, &opens, &cli->error);
    if (rc < 0) {
        free(live);
        return cli_fail(cli, NULL, &cli->error);
    }
    cli->live = live;
    cli->health = xcalloc(1, sizeof *cli->health);
    cli->fn = fn;
    cli->ctx = ctx;
    loop_on_signal(live->loop, SIGINT, on_int, cli);
    loop_on_signal(live->loop, SIGTERM, on_term, cli);
    rc = live_run(live, fiber_main, cli, &cli->error);
    live_close(live);
    free(live);
    free(cli->health);
    cli->live = NULL;
    if (rc == JOBQ_OK)
        rc = cli->code;
    fflush(cli->out);
    if (rc < 0) {
        cli->error.code = (enum jobq_code)rc;
        return cli_fail(cli, NULL, &cli->error);
    }
    return rc;
}
