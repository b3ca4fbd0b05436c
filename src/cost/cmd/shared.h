/* shared.h - what jobqcost's subcommands share: options, price sheets, formula, output.
 *
 * Room:     src/cost, jobqcost's command line; does I/O.
 * Callers:  cli_*.c and jobqcost_main.c.
 * Exit codes: 0 ok, 1 failure, 2 usage or malformed input, 3 gate exceeded, 4 not found. */
#ifndef JOBQ_COST_CMD_SHARED_H
#define JOBQ_COST_CMD_SHARED_H

#include "cost/bill/bill.h"
#include "cost/cmd/table.h"
#include "cost/bill/evaluate.h"
#include "cost/fit/formula.h"
#include "cost/predict/predict.h"
#include "jobq/error.h"
#include "pricing/sheet.h"
#include "scenario/commandline.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { COST_OK = 0, COST_FAILED = 1, COST_USAGE = 2, COST_GATE = 3, COST_NOT_FOUND = 4 };

struct cost;

struct cost_command {
    const char *name, *summary;
    const char *help; /* examples first, without the options */
    int (*run)(struct cost *cli);
    const struct option_def *own; /* its own options; ends with a NULL name */
    unsigned shared;              /* COST_...: which shared ones it takes */
};

/* The subcommands, in the order of the help. */
extern const struct cost_command cost_eval, cost_solve, cost_optimise, cost_compare,
    cost_check, cost_predict, cost_bill, cost_prices, cost_reconcile, cost_fit,
    cost_report;

/* Where the value of one of a subcommand's own options goes. */
enum cost_kind { COST_FLAG, COST_TEXT, COST_NUMBER, COST_DURATION, COST_MANY };
struct cost_target {
    enum cost_kind kind;
    void *to; /* bool, const char *, double, double (seconds), struct cost_many */
};
#define COST_MANY_MAX 64
struct cost_many {
    const char *text[COST_MANY_MAX];
    int count;
};

/* Which shared options a subcommand takes. */
#define COST_SCENARIO 1u /* the settings of the closed form */
#define COST_PRICES 2u   /* --region --date --assume-from --sheets --free-tier ... */
#define COST_FILE 8u     /* the first argument is a scenario file */
#define COST_FORMULA 4u  /* --formula FILE|closed */

#define COST_SHEETS_MAX 64

struct cost {
    const struct cost_command *command;
    char **word; /* after the subcommand */
    int word_count;
    int64_t today_days; /* since 1970-01-01, for the age of prices */
    /* filled by cost_parse */
    const char *argument[COST_MANY_MAX];
    int argument_count;
    bool json, csv, quiet;
    const char *region, *date, *assume_from, *sheets_dir, *formula_path;
    struct cost_many price; /* --price SERVICE.ITEM=USD */
    struct bill_options bill;
    struct scenario settings;         /* as given */
    struct predict_scenario scenario; /* what the closed form takes of them */
    bool region_given, era_given, instance_given, wait_cut;
    bool told_stale;      /* which prices are old has been said */
    double interval_jobs; /* of the prediction interval; 10,000 by default */
    /* owned */
    struct formula *formula; /* NULL: closed form */
    char formula_name[80];
    struct sheet *sheet[COST_SHEETS_MAX];
    int sheet_count;
};

/* Reads the words: the subcommand's own options, target[i] of own[i], and the shared ones.
 * Returns -1 to go on, else the exit code (help or the scenario was printed, or a fault). */
int cost_parse(struct cost *cli, const struct cost_target *target);
/* All options of a subcommand, for completion; commandline_release it. */
void cost_command_init(struct commandline *out, const struct cost_command *command);
void cost_release(struct cost *cli);

/* Prints "jobqcost COMMAND: text" on stderr and returns the exit code of err's code. */
int cost_fail(const struct cost *cli, const struct jobq_error *err);
int cost_usage(const struct cost *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cost_warn(const struct cost *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whole file into memory ("-": standard input); the caller frees. At most 256 MiB.
 * NOT_FOUND, INVALID (too large). */
int cost_read(const char *path, char **out, size_t *out_len, struct jobq_error *err);
/* Writes a file whole or not at all (a temporary beside it, renamed). "-": stdout. */
int cost_write(const char *path, const char *text, size_t len, struct jobq_error *err);

/* Opens the sheet of a region and date (NULL: latest; a path ending in .csv: that file),
 * with --assume-from and --price applied. Owned by cli. */
int cost_sheet(struct cost *cli, const char *region, const char *date, struct sheet **out,
               struct jobq_error *err);
/* Names of all sheets there are (embedded or --sheets DIR); strings owned by cli's life. */
int cost_sheet_names(struct cost *cli, const char ***out, int *count,
                     struct jobq_error *err);
/* Sets the scenario's model and instance type (unless given) and, before long polls, its wait
 * by the sheet. */
void cost_era(struct cost *cli, const struct sheet *sheet,
              struct predict_scenario *scenario);
/* Loads --formula, or the shipped one of the era if there is one. */
int cost_formula(struct cost *cli, const char *era, struct jobq_error *err);
/* Evaluates under the cli's options. */
int cost_evaluate(struct cost *cli, const struct sheet *sheet,
                  const struct predict_scenario *scenario, struct evaluation *out,
                  struct jobq_error *err);

/* Says on stderr, once, which used prices are older than a year (sheets of today only), and
 * which were borrowed. */
void cost_warn_prices(struct cost *cli, const struct sheet *sheet,
                      const struct bill *bill);
/* "us-east-1 2026-10 (as of 2026-10-08)" */
char *cost_sheet_title(const struct sheet *sheet, char *out, int cap);
json_t *cost_sheet_json(const struct sheet *sheet);
/* Prints an object on stdout and frees it. */
void cost_print_json(json_t *object);
/* The scenario's inputs that matter, on one or more lines. */
void cost_print_scenario(const struct predict_scenario *scenario, FILE *out);
/* Days since 1970 of "2026", "2026-10" or "2026-10-08" (its last day); -1: none. */
int64_t cost_date_days(const char *date);

/* Schema jobq.cost/1. */
json_t *cost_cost_json(struct cost *cli, const struct sheet *sheet,
                       const struct predict_scenario *scenario,
                       const struct evaluation *evaluation);
/* Items of a bill; scale: 1e6 / jobs to show a million jobs, or 1. */
struct cost_table *cost_items(const struct bill *bill, double scale);
struct cost_table *cost_components(const double usd[BILL_COMPONENT_COUNT], double scale);

#endif
