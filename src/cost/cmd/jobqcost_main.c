/* jobqcost_main.c - the program jobqcost: finds the subcommand and runs it.
 *
 * Room: src/cost. A new subcommand is one line of COMMANDS. */
#include "cost/cmd/shared.h"

#include "base/completion.h"
#include "base/nearest.h"

#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct cost_command *const COMMANDS[] = {
    &cost_eval, &cost_solve,  &cost_optimise,  &cost_compare, &cost_check,  &cost_predict,
    &cost_bill, &cost_prices, &cost_reconcile, &cost_fit,     &cost_report,
};
#define COMMAND_COUNT ((int)(sizeof COMMANDS / sizeof *COMMANDS))

static void usage(FILE *out)
{
    fputs("jobqcost: what a job costs\n\n"
          "  jobqcost eval --payload 1KiB --job-time 1s --concurrency 8 \\\n"
          "                --instance c7g.large\n"
          "  jobqcost solve --target 1.00 --free batch,concurrency,instance\n"
          "  jobqcost bill --requests sqs.standard=6.3M --date 2026\n\n"
          "subcommands (jobqcost NAME --help):\n",
          out);
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", COMMANDS[i]->name, COMMANDS[i]->summary);
    fputs("  completion bash, zsh or fish: what the shell needs to complete these\n",
          out);
    fputs("\nexit codes: 0 ok, 1 failure, 2 usage or malformed input, 3 gate exceeded,\n"
          "4 not found. No subcommand calls AWS.\n",
          out);
}

static const struct cost_command *find(const char *name)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(COMMANDS[i]->name, name) == 0)
            return COMMANDS[i];
    return NULL;
}

static void suggest(const char *name)
{
    struct nearest best = {0};
    for (int i = 0; i < COMMAND_COUNT; i++)
        nearest_try(&best, name, COMMANDS[i]->name);
    if (best.word)
        fprintf(stderr, "did you mean 'jobqcost %s'?\n", best.word);
    else
        fputs("see jobqcost --help\n", stderr);
}

/* jobqcost completion bash|zsh|fish */
static int complete(const char *shell)
{
    struct commandline line[COMMAND_COUNT];
    struct completion_command command[COMMAND_COUNT];
    struct jobq_error err;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const struct cost_command *c = COMMANDS[i];
        cost_command_init(&line[i], c);
        command[i] = (struct completion_command){
            .name = c->name,
            .summary = c->summary,
            .first = strcmp(c->name, "prices") == 0 ? "show|diff|import" : "",
            .def = line[i].def,
            .count = line[i].spec.count};
    }
    int code = completion_write(shell, "jobqcost", command, COMMAND_COUNT, stdout, &err);
    for (int i = 0; i < COMMAND_COUNT; i++)
        commandline_release(&line[i]);
    if (code == JOBQ_OK)
        return COST_OK;
    fprintf(stderr, "jobqcost completion: %s\n", err.text);
    return COST_USAGE;
}

int main(int argc, char **argv)
{
    gsl_set_error_handler_off(); /* it aborts */
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? COST_USAGE : COST_OK;
    }
    if (strcmp(argv[1], "completion") == 0)
        return complete(argc > 2 ? argv[2] : "");
    if (strcmp(argv[1], "--version") == 0) {
        printf("jobqcost %s\n", JOBQ_VERSION);
        return COST_OK;
    }
    if (strcmp(argv[1], "help") == 0) {
        const struct cost_command *of = argc > 2 ? find(argv[2]) : NULL;
        if (of)
            fputs(of->help, stdout);
        else
            usage(stdout);
        return COST_OK;
    }
    const struct cost_command *command = find(argv[1]);
    if (!command) {
        fprintf(stderr, "jobqcost: unknown subcommand '%.40s'; ", argv[1]);
        suggest(argv[1]);
        return COST_USAGE;
    }
    struct cost cli = {.command = command,
                       .word = argv + 2,
                       .word_count = argc - 2,
                       .today_days = (int64_t)(time(NULL) / 86400)};
    int code = command->run(&cli);
    cost_release(&cli);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("jobqcost: cannot write to standard output\n", stderr);
        return COST_FAILED;
    }
    return code;
}
