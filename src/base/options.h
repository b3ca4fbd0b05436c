/* options.h - the words of a command line, and where else an option's value comes from.
 *
 * Room:     src/base, a tool.
 * Callers:  the command lines of all programs.
 * Knows nothing of: what the options mean; values are texts.
 *
 * An option's value comes from, in order: the command line (--name VALUE, --name=VALUE, -x
 * VALUE, -xVALUE; flags may be joined, -qv); PREFIX_NAME in the environment (dashes as '_');
 * files that the caller reads. Options and arguments may be mixed; "--" ends the options. */
#ifndef JOBQ_BASE_OPTIONS_H
#define JOBQ_BASE_OPTIONS_H

#include "jobq/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct option_def {
    const char *name; /* "visibility" */
    char letter;      /* 0: none */
    const char *arg;  /* what its value is: "T"; "one|other": its words; NULL: a flag */
    const char *help; /* without a full stop; folded where it is printed */
};

struct options_spec {
    const char *program;          /* "jobq" */
    const char *command;          /* "drain"; NULL: the program has no subcommands */
    const struct option_def *def; /* outlives the options */
    int count;
    bool verbatim; /* options end at the first argument */
    /* Says in err why name is none of these options, and returns true; false: nothing
     * better is known than that it is not. NULL: never. */
    bool (*why_not)(const struct options_spec *spec, const char *name,
                    struct jobq_error *err);
    uint32_t takes; /* for why_not */
};

enum options_source { OPTIONS_FILE, OPTIONS_ENVIRONMENT, OPTIONS_COMMAND_LINE };

/* One value, as it was found. */
struct options_item {
    int option; /* index of def */
    enum options_source source;
    const char *text; /* "yes" for a flag on the command line */
    char *owned;      /* text, where it was copied; else NULL */
    char *origin;     /* "JOBQ_WAIT", "FILE:LINE: wait"; NULL: the option's own name */
};

struct options {
    const struct options_spec *spec;
    struct options_item *item; /* in the order found */
    int items;
    char **arg; /* what is no option */
    int args;
};

/* Reads the words behind the program's (or the subcommand's) name. INVALID: an unknown
 * option (err suggests one), or one whose value is missing or not wanted. Release it in any
 * case. */
int options_read(struct options *o, const struct options_spec *spec, int argc,
                 char **argv, struct jobq_error *err);
/* Adds what PREFIX_NAME holds of each option; empty ones are not set. */
void options_environment(struct options *o, const char *prefix);
/* Adds one value of a file; false: no such option. The first of a name stays. */
bool options_file_value(struct options *o, const char *name, const char *value,
                        const char *file, int line);
void options_release(struct options *o);

/* Index of an option's name, or -1. */
int options_find(const struct options_spec *spec, const char *name);
/* The item that counts: command line before environment before file, the last of several;
 * NULL: none. */
const struct options_item *options_item(const struct options *o, int option);
/* Its text, or NULL. */
const char *options_text(const struct options *o, int option);
/* "yes" and "no", "true" and "false", "on" and "off", 1 and 0, in letters of either case. */
int options_yes(const char *text, bool *out, struct jobq_error *err);
/* Prepends what the item is called by where it was found: "--wait", "JOBQ_WAIT". Returns
 * err's code. */
int options_blame(const struct options *o, const struct options_item *item,
                  struct jobq_error *err);

/* A line for each option, folded at 80 columns. */
void options_help(const struct option_def *def, int count, FILE *out);
/* One such line by itself: `left` ("-o, --out FILE") and what it says. */
void options_help_line(const struct option_def *def, FILE *out);

#endif
