/* commandline.h - the settings as options of a command line.
 *
 * Room:     src/scenario, the product.
 * Callers:  the command lines of all programs.
 * Knows nothing of: what a command does. */
#ifndef JOBQ_SCENARIO_COMMANDLINE_H
#define JOBQ_SCENARIO_COMMANDLINE_H

#include "base/options.h"
#include "scenario/settings.h"

/* A command's options: its own first, then the settings of `takers`, --scenario FILE and
 * --show-scenario if it takes any, then --help. An own option hides a setting of its name. */
struct commandline {
    struct options_spec spec;
    int own;                /* options before this index are the command's own */
    struct option_def *def; /* owned, with the help texts of the settings */
    char **text;
    int texts;
};
/* Borrows the names and own options, which end with a NULL name. Release it. */
void commandline_init(struct commandline *out, const char *program, const char *command,
                      const struct option_def *own, uint32_t takers);
void commandline_release(struct commandline *command);

/* Sets what was read: files, --scenario's file, environment, command line, in that order.
 * INVALID, LIMIT: err names the option and where it was found. */
int commandline_scenario(const struct options *read, struct scenario *out,
                         struct jobq_error *err);
/* The same, with a scenario file that was given as an argument (or NULL): it is read before
 * that of --scenario. */
int commandline_scenario_of(const struct options *read, const char *argument,
                            struct scenario *out, struct jobq_error *err);
/* --help was among the options; --show-scenario was. */
bool commandline_wants_help(const struct options *read);
bool commandline_wants_scenario(const struct options *read);
/* What --show-scenario prints. */
void commandline_show_scenario(const struct options *read,
                               const struct scenario *scenario, FILE *out);

#endif
