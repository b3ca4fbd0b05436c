/* cli.h - what jobqcost's subcommands share: options, price sheets, formula, output.
 *
 * Room:     src/cost, jobqcost's command line; does I/O.
 * Callers:  cli_*.c and jobqcost_main.c.
 * Exit codes: 0 ok, 1 failure, 2 usage or malformed input, 3 gate exceeded, 4 not found. */
#ifndef JOBQ_COST_CLI_H
#define JOBQ_COST_CLI_H

#include "cost/bill.h"
#include "cost/cli_table.h"
#include "cost/evaluate.h"
#include "cost/formula.h"
#include "cost/predict.h"
#include "jobq/error.h"
#include "pricing/sheet.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_GATE = 3, CLI_NOT_FOUND = 4 };

struct cli;

struct cli_command {
    const char *name, *summary;
    const char *help; /* examples first */
    int (*run)(struct cli *cli);
};

/* The subcommands, in the order of the help. */
extern const struct cli_command cli_eval, cli_solve, cli_optimise, cli_compare, cli_check,
    cli_bill, cli_prices, cli_reconcile;

/* One option of a subcommand of its own. */
enum cli_kind { CLI_FLAG, CLI_TEXT, CLI_NUMBER, CLI_DURATION, CLI_MANY };
struct cli_option {
    const char *name; /* without dashes */
    enum cli_kind kind;
    void *target; /* bool, const char *, double, double (seconds), struct cli_many */
};
#define CLI_MANY_MAX 64
struct cli_many {
    const char *text[CLI_MANY_MAX];
    int count;
};

/* Which shared options a subcommand takes. */
#define CLI_SCENARIO 1u /* the workload and settings of predict.h */
#define CLI_PRICES 2u   /* --region --date --assume-from --sheets --free-tier ... */
#define CLI_FORMULA 4u  /* --formula FILE|closed */

#define CLI_SHEETS_MAX 64

struct cli {
    const struct cli_command *command;
    char **word; /* after the subcommand */
    int word_count;
    int64_t today_days; /* since 1970-01-01, for the age of prices */
    /* filled by cli_parse */
    const char *argument[CLI_MANY_MAX];
    int argument_count;
    bool json, csv, quiet;
    const char *region, *date, *assume_from, *sheets_dir, *formula_path;
    struct cli_many price; /* --price SERVICE.ITEM=USD */
    struct bill_options bill;
    struct predict_scenario scenario;
    bool given[PREDICT_INPUT_COUNT];
    bool era_given, wait_cut;
    double interval_jobs; /* of the prediction interval; 10,000 by default */
    /* owned */
    struct formula *formula; /* NULL: closed form */
    char formula_name[80];
    struct sheet *sheet[CLI_SHEETS_MAX];
    int sheet_count;
};

/* Reads the words: the subcommand's own options (count of them) and the shared ones of
 * `shared`. Returns -1 to go on, else the exit code (help was printed, or a fault). */
int cli_parse(struct cli *cli, const struct cli_option *option, int count,
              unsigned shared);
void cli_release(struct cli *cli);

/* Prints "jobqcost COMMAND: text" on stderr and returns the exit code of err's code. */
int cli_fail(const struct cli *cli, const struct jobq_error *err);
int cli_usage(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cli_warn(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whole file into memory ("-": standard input); the caller frees. At most 256 MiB.
 * NOT_FOUND, INVALID (too large). */
int cli_read(const char *path, char **out, size_t *out_len, struct jobq_error *err);
/* Writes a file whole or not at all (a temporary beside it, renamed). "-": stdout. */
int cli_write(const char *path, const char *text, size_t len, struct jobq_error *err);

/* Opens the sheet of a region and date (NULL: latest; a path ending in .csv: that file),
 * with --assume-from and --price applied. Owned by cli. */
int cli_sheet(struct cli *cli, const char *region, const char *date, struct sheet **out,
              struct jobq_error *err);
/* Names of all sheets there are (embedded or --sheets DIR); strings owned by cli's life. */
int cli_sheet_names(struct cli *cli, const char ***out, int *count,
                    struct jobq_error *err);
/* Sets the scenario's era (unless given) and, before long polls, its wait by the sheet. */
void cli_era(struct cli *cli, const struct sheet *sheet,
             struct predict_scenario *scenario);
/* Loads --formula, or the shipped one of the era if there is one. */
int cli_formula(struct cli *cli, const char *era, struct jobq_error *err);
/* Evaluates under the cli's options. */
int cli_evaluate(struct cli *cli, const struct sheet *sheet,
                 const struct predict_scenario *scenario, struct evaluation *out,
                 struct jobq_error *err);

/* Says on stderr which used prices are older than 90 days (sheets of today only), and
 * which were borrowed. */
void cli_warn_prices(struct cli *cli, const struct sheet *sheet, const struct bill *bill);
/* "us-east-1 2026-10 (as of 2026-10-08)" */
char *cli_sheet_title(const struct sheet *sheet, char *out, int cap);
json_t *cli_sheet_json(const struct sheet *sheet);
/* Prints an object on stdout and frees it. */
void cli_print_json(json_t *object);
/* The scenario's inputs that matter, on one or more lines. */
void cli_print_scenario(const struct predict_scenario *scenario, FILE *out);
/* Days since 1970 of "2026", "2026-10" or "2026-10-08" (its last day); -1: none. */
int64_t cli_date_days(const char *date);

/* Schema jobq.cost/1. */
json_t *cli_cost_json(struct cli *cli, const struct sheet *sheet,
                      const struct predict_scenario *scenario,
                      const struct evaluation *evaluation);
/* Items of a bill; scale: 1e6 / jobs to show a million jobs, or 1. */
struct cli_table *cli_items(const struct bill *bill, double scale);
struct cli_table *cli_components(const double usd[BILL_COMPONENT_COUNT], double scale);

#endif
