/* cli.h - what jobq's subcommands share: options, output, exit codes, and the run of a
 * fiber in the network world.
 *
 * Room:     live, jobq's program.
 * Callers:  jobq_main.c and cmd_*.c.
 * Knows nothing of: what the subcommands do.
 *
 * An option's value comes from, in order: the flag; JOBQ_OPTION in the environment (dashes
 * as '_'); .jobq.ini here; $XDG_CONFIG_HOME/jobq/config.ini; /etc/jobq.conf. In the files it
 * stands under [subcommand], or before any section or in [scenario] for all of them. A flag is yes or no
 * (true, false, on, off, 1, 0) there. */
#ifndef JOBQ_LIVE_CMD_CLI_H
#define JOBQ_LIVE_CMD_CLI_H

#include "base/text.h"
#include "fleet/port/health.h"
#include "live/world/live.h"
#include "scenario/commandline.h"

#include <stdio.h>

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILURE = 1,
    CLI_USAGE = 2,
    CLI_THRESHOLD = 3,
    CLI_NOT_FOUND = 4,
    CLI_JOB_FAILED = 5,
    CLI_TIMEOUT = 6,
    CLI_TEMPFAIL = 75,
    CLI_DENIED = 77,
    CLI_INTERRUPTED = 130
};
/* The exit code that a port's or the product's code ends in. */
int cli_exit_of(int code);

enum { CLI_OPTIONS_MAX = 40 };

struct cli;
struct cli_command {
    const char *name;
    const char *synopsis;            /* behind "jobq NAME " */
    const char *summary;             /* one line */
    const char *examples;            /* whole lines */
    const char *calls;               /* its API-call complexity, whole lines */
    const struct option_def *option; /* ends with a NULL name; own ones, not the common,
                                        nor the settings */
    uint32_t takes;                  /* which settings (scenario/settings.h) */
    int (*run)(struct cli *cli);     /* returns the exit code */
    int min_args, max_args;          /* max < 0: any number */
    bool scenario_file;              /* its first argument is one */
    bool verbatim;                   /* options end at the first argument */
};

struct cli {
    const struct cli_command *command;
    struct commandline line;
    struct options read;
    struct scenario scenario; /* the settings, if the command takes any */
    const char
        *value[CLI_OPTIONS_MAX]; /* by index of command->option; "" for a flag that is
                                           on; NULL: not given */
    char **arg;
    int arg_count;
    bool json, quiet, verbose, color;
    FILE *out, *err;
    int interrupted; /* signals INT or TERM seen */
    struct live *live;
    int (*fn)(struct cli *cli, void *ctx, struct jobq_error *err);
    void *ctx;
    int code;
    struct jobq_error error;
    struct health *health; /* of calls that are tried again: why a command waits */
    bool goes_on;          /* after a refused call, which is then said when it happens */
    /* Set by a subcommand that stops gracefully; else INT and TERM leave at once. */
    void (*on_signal)(struct cli *cli, int signal_number);
    void *on_signal_ctx;
};

/* Reads argv behind the subcommand. Returns -1 to go on, else the exit code to end with
 * (help was printed, or one line about what is wrong). */
int cli_parse(struct cli *cli, const struct cli_command *command, int argc, char **argv);
void cli_release(struct cli *cli);
void cli_help(const struct cli_command *command, FILE *out);

/* A command's line of options, for its help and completion; commandline_release it. */
void cli_line(const struct cli_command *command, struct commandline *out);

/* Values of its own options by index; missing is returned when the option was not given. A value
 * that does not parse, or is outside low..high, prints one line and makes *bad true. */
int64_t cli_duration(struct cli *cli, int option, int64_t missing, bool *bad);
int64_t cli_count(struct cli *cli, int option, int64_t missing, int64_t low, int64_t high,
                  bool *bad);
/* The index of the value among names (ends with NULL). */
int cli_choice(struct cli *cli, int option, const char *const *names, int missing,
               bool *bad);
bool cli_given(const struct cli *cli, int option);
/* One line that names the option, by where its value was found, and why; *bad is then true. */
void cli_bad_value(struct cli *cli, int option, const char *why, bool *bad);

/* One line on stderr: "jobq NAME: ...". */
void cli_complain(struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for people only: not with --quiet or --json. */
void cli_say(struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Complains of err, prefixed by "what: " if not NULL, and returns its exit code. */
int cli_fail(struct cli *cli, const char *what, const struct jobq_error *err);

/* Opens the network world, with the store that the settings say unless options say none; runs fn(cli, ctx, err) on a fiber, closes it. fn returns a
 * jobq_code (then err is printed) or an exit code > 0 or 0. Returns the exit code. */
int cli_run(struct cli *cli, const struct live_options *options,
            int (*fn)(struct cli *cli, void *ctx, struct jobq_error *err), void *ctx);

/* text_put_json of a terminated string. */
void cli_json_cstr(struct text *out, const char *value);
/* Writes the text and empties it. */
void cli_flush(struct cli *cli, struct text *text);

/* True if a severe act was confirmed by --confirm=NAME, or by typing the name at a
 * terminal. */
bool cli_confirm(struct cli *cli, const char *given, const char *name, const char *what);

#endif
