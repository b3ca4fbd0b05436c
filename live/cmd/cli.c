#include "live/cmd/cli.h"

#include "live/cmd/cmd.h"

#include "base/arena.h"
#include "base/ini.h"
#include "jobq/units.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

static const struct cli_option common[] = {
    {"json", 0, NULL, "one JSON object on stdout"},
    {"quiet", 'q', NULL, "no messages, errors only"},
    {"verbose", 'v', NULL, "more messages"},
    {"no-color", 0, NULL, "no colour"},
    {"help", 'h', NULL, "this text"},
    {NULL, 0, NULL, NULL}};
enum { JSON, QUIET, VERBOSE, NO_COLOR, HELP, COMMON_COUNT };

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

static int option_count(const struct cli_option *option)
{
    int count = 0;
    while (option[count].name)
        count++;
    return count;
}

/* A terminal has 80 columns: a name that is too long has a line of its own. */
static void option_line(const struct cli_option *o, FILE *out)
{
    enum { NAMES = 22 };
    char left[80];
    snprintf(left, sizeof left, "--%s%s%s", o->name, o->arg ? " " : "",
             o->arg ? o->arg : "");
    if (o->letter)
        fprintf(out, "  -%c, ", o->letter);
    else
        fputs("      ", out);
    if (strlen(left) > NAMES)
        fprintf(out, "%s\n%*s%s\n", left, NAMES + 7, "", o->help);
    else
        fprintf(out, "%-*s %s\n", NAMES, left, o->help);
}

void cli_help(const struct cli_command *c, FILE *out)
{
    fprintf(out, "jobq %s: %s\n\nExamples:\n%s\nUsage: jobq %s %s\n\nOptions:\n", c->name,
            c->summary, c->examples, c->name, c->synopsis);
    for (const struct cli_option *o = c->option; o->name; o++)
        option_line(o, out);
    for (const struct cli_option *o = common; o->name; o++)
        option_line(o, out);
    fprintf(out, "\nAPI calls:\n%s", c->calls);
}

/* A file of defaults being read. */
struct config {
    struct cli *cli;
    int options;
    char shown[120]; /* its name */
};

static bool has_option(const struct cli_command *command, const char *key)
{
    for (const struct cli_option *o = command->option; o->name; o++)
        if (strcmp(o->name, key) == 0)
            return true;
    return false;
}

static int check_key(const char *section, const char *key, struct jobq_error *err)
{
    char shown[60];
    bool known_section = !*section, known_key = *section;
    for (int i = 0; cmd_table[i]; i++) {
        known_section = known_section || strcmp(section, cmd_table[i]->name) == 0;
        known_key = known_key || has_option(cmd_table[i], key);
    }
    if (!known_section)
        return jobq_fail(
            err, JOBQ_INVALID, "[%s] is no subcommand",
            text_escape(section, (int64_t)strlen(section), shown, sizeof shown));
    if (!known_key)
        return jobq_fail(err, JOBQ_INVALID, "no subcommand has an option '%s'",
                         text_escape(key, (int64_t)strlen(key), shown, sizeof shown));
    return JOBQ_OK;
}

static int on_config(void *ctx, const char *section, const char *key, const char *value,
                     int line, struct jobq_error *err)
{
    struct config *config = ctx;
    struct cli *cli = config->cli;
    struct text origin = {0};
    int rc = check_key(section, key, err);
    if (rc < 0 || (*section && strcmp(section, cli->command->name)))
        return rc;
    for (int i = 0; i < config->options; i++) {
        if (strcmp(key, cli->command->option[i].name))
            continue;
        if (cli->value[i])
            return JOBQ_OK;
        cli->value[i] = cli->owned[i] = xstrdup(value);
        text_printf(&origin, "%s:%d: %s", config->shown, line, key);
        cli->origin[i] = origin.ptr;
        return JOBQ_OK;
    }
    if (*section)
        return jobq_fail(err, JOBQ_INVALID, "unknown key '%.60s' in [%s]", key, section);
    return JOBQ_OK; /* before any section: another subcommand's */
}

static void env_values(struct cli *cli, int options)
{
    for (int i = 0; i < options; i++) {
        char name[64];
        snprintf(name, sizeof name, "JOBQ_%s", cli->command->option[i].name);
        for (char *c = name; *c; c++)
            *c = (char)(*c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? *c - 32 : *c);
        const char *value = getenv(name);
        if (!cli->value[i] && value && *value) {
            cli->value[i] = value;
            cli->origin[i] = xstrdup(name);
        }
    }
}

static int config_values(struct cli *cli, int options)
{
    struct config config = {.cli = cli, .options = options};
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

static int read_flags(struct cli *cli, int own, int argc, char **argv)
{
    struct option longs[CLI_OPTIONS_MAX + COMMON_COUNT + 1] = {{0}};
    char shorts[2 * (CLI_OPTIONS_MAX + COMMON_COUNT) + 4] = ":";
    size_t at = 1;
    /* A command line within a command line keeps its own options. */
    if (cli->command->verbatim) {
        memcpy(shorts, "+:", 3);
        at = 2;
    }
    for (int i = 0; i < own + COMMON_COUNT; i++) {
        const struct cli_option *o =
            i < own ? &cli->command->option[i] : &common[i - own];
        longs[i] = (struct option){.name = o->name,
                                   .has_arg = o->arg ? required_argument : no_argument,
                                   .val = 256 + i};
        if (o->letter) {
            shorts[at++] = o->letter;
            if (o->arg)
                shorts[at++] = ':';
        }
    }
    optind = 0; /* glibc: forget what an earlier scan left */
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        int index = got - 256;
        if (got == '?' || got == ':') {
            char shown[80], letter[3] = {'-', (char)optopt, '\0'};
            const char *what = optopt && optopt < 256 ? letter : argv[optind - 1];
            text_escape(what, (int64_t)strlen(what), shown, sizeof shown);
            cli_complain(cli,
                         got == ':' ? "option '%s' needs a value; see jobq %s --help"
                                    : "unknown option '%s'; see jobq %s --help",
                         shown, cli->command->name);
            return CLI_USAGE;
        }
        for (int i = 0; got < 256 && i < own + COMMON_COUNT; i++) {
            const struct cli_option *o =
                i < own ? &cli->command->option[i] : &common[i - own];
            if (o->letter == got)
                index = i;
        }
        if (index < own) {
            cli->value[index] = optarg ? optarg : "";
            continue;
        }
        switch (index - own) {
        case JSON:
            cli->json = true;
            break;
        case QUIET:
            cli->quiet = true;
            break;
        case VERBOSE:
            cli->verbose = true;
            break;
        case NO_COLOR:
            cli->color = false;
            break;
        default:
            cli_help(cli->command, stdout);
            return CLI_OK;
        }
    }
    cli->arg = argv + optind;
    cli->arg_count = argc - optind;
    return -1;
}

void cli_bad_value(struct cli *cli, int option, const char *why, bool *bad)
{
    if (cli->origin[option])
        cli_complain(cli, "%s: %s", cli->origin[option], why);
    else
        cli_complain(cli, "--%s: %s", cli->command->option[option].name, why);
    *bad = true;
}

/* A flag has no value on the command line. Where it must have one, it may be switched off. */
static int settle_flags(struct cli *cli, int options)
{
    static const char *const on[] = {"1", "true", "yes", "on"};
    static const char *const off[] = {"0", "false", "no", "off"};
    for (int i = 0; i < options; i++) {
        const char *value = cli->value[i];
        char shown[60];
        bool is_on = false, is_off = false;
        if (cli->command->option[i].arg || !value || !*value)
            continue;
        for (int k = 0; k < 4; k++) {
            is_on = is_on || strcasecmp(value, on[k]) == 0;
            is_off = is_off || strcasecmp(value, off[k]) == 0;
        }
        if (!is_on && !is_off) {
            char why[100];
            text_escape(value, (int64_t)strlen(value), shown, sizeof shown);
            snprintf(why, sizeof why, "'%s' is neither yes nor no", shown);
            cli_bad_value(cli, i, why, &is_on);
            return CLI_USAGE;
        }
        cli->value[i] = is_on ? "" : NULL;
    }
    return -1;
}

int cli_parse(struct cli *cli, const struct cli_command *command, int argc, char **argv)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    *cli = (struct cli){.command = command, .out = stdout, .err = stderr};
    cli->color = isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
                 !(term && strcmp(term, "dumb") == 0);
    int own = option_count(command->option);
    int rc = read_flags(cli, own, argc, argv);
    if (rc >= 0)
        return rc;
    if (cli->arg_count < command->min_args ||
        (command->max_args >= 0 && cli->arg_count > command->max_args)) {
        cli_complain(cli, "want: jobq %s %s", command->name, command->synopsis);
        return CLI_USAGE;
    }
    env_values(cli, own);
    rc = config_values(cli, own);
    return rc < 0 ? settle_flags(cli, own) : rc;
}

void cli_release(struct cli *cli)
{
    for (int i = 0; i < CLI_OPTIONS_MAX; i++) {
        free(cli->owned[i]);
        free(cli->origin[i]);
    }
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

int64_t cli_size(struct cli *cli, int option, int64_t missing, bool *bad)
{
    struct jobq_error err;
    int64_t bytes;
    if (!cli->value[option])
        return missing;
    if (jobq_parse_size(cli->value[option], &bytes, &err) == JOBQ_OK)
        return bytes;
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

/* Why a command waits, after a few seconds and then each minute. Refusals end it, and are
 * said then. */
static void say_health(void *ctx, const struct health_report *report)
{
    char line[HEALTH_LINE_MAX];
    if (report->kind != HEALTH_REFUSED)
        cli_complain(ctx, "%s", health_line(report, line));
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
    cli_complain(cli,
                 "interrupted; what was acknowledged stays, the same command goes on "
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
    int rc = live_open(live, options, &cli->error);
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
