/* jobqsim_main.c - jobqsim: the fleet in virtual time.
 *
 * Room:     programs. */
#include "sim/cmd/subcommand.h"

#include "base/completion.h"
#include "base/nearest.h"

#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <string.h>

static const struct entry {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
    const struct subcommand *sub;
} COMMANDS[] = {
    {"run", cmd_run, "drain one workload and report the result", &sub_run},
    {"sweep", cmd_sweep, "run a scenario at many points, into a CSV", &sub_sweep},
    {"merge", cmd_merge, "join the shards of a sweep", &sub_merge},
    {"calibrate", cmd_calibrate, "fit the model's latencies to recorded traces",
     &sub_calibrate},
    {"torture", cmd_torture, "run many seeds with all faults on, and check the results",
     &sub_torture},
};
#define COMMAND_COUNT ((int)(sizeof COMMANDS / sizeof COMMANDS[0]))

static void usage(FILE *to)
{
    fputs("Usage: jobqsim COMMAND [OPTION...]\n"
          "Run a fleet of job queue drainers in virtual time.\n\n"
          "  jobqsim run --jobs 10k --boxes 4 --concurrency 16 --job-time exp:2s\n"
          "  jobqsim torture --seeds 1000\n\n",
          to);
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-10s %s\n", COMMANDS[i].name, COMMANDS[i].help);
    fputs("  completion print the completion script of bash, zsh or fish\n"
          "  version    print the version\n"
          "\n'jobqsim COMMAND --help' says more.\n",
          to);
}

/* jobqsim completion bash|zsh|fish */
static int complete(const char *shell)
{
    struct commandline line[COMMAND_COUNT];
    struct completion_command command[COMMAND_COUNT];
    struct jobq_error err;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const struct subcommand *sub = COMMANDS[i].sub;
        commandline_init(&line[i], "jobqsim", sub->name, sub->own, sub->takers);
        command[i] = (struct completion_command){.name = COMMANDS[i].name,
                                                 .summary = COMMANDS[i].help,
                                                 .first = "",
                                                 .def = line[i].def,
                                                 .count = line[i].spec.count};
    }
    int code = completion_write(shell, "jobqsim", command, COMMAND_COUNT, stdout, &err);
    for (int i = 0; i < COMMAND_COUNT; i++)
        commandline_release(&line[i]);
    return code == JOBQ_OK ? CMD_OK : cmd_fail("completion", &err);
}

/* The command that was mistyped, in the error. */
static int unknown(const char *name)
{
    struct jobq_error err;
    struct nearest best = {0};
    for (int i = 0; i < COMMAND_COUNT; i++)
        nearest_try(&best, name, COMMANDS[i].name);
    if (best.word)
        jobq_fail(&err, JOBQ_INVALID, "unknown command '%.60s'; did you mean '%s'?", name,
                  best.word);
    else
        jobq_fail(&err, JOBQ_INVALID, "unknown command '%.60s', see jobqsim --help",
                  name);
    return cmd_fail("", &err);
}

int main(int argc, char **argv)
{
    gsl_set_error_handler_off(); /* it aborts */
    if (argc < 2) {
        usage(stderr);
        return CMD_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        printf("jobqsim %s\n", JOBQ_VERSION);
        return CMD_OK;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
        strcmp(name, "help") == 0) {
        usage(stdout);
        return CMD_OK;
    }
    if (strcmp(name, "completion") == 0)
        return complete(argc > 2 ? argv[2] : "");
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, COMMANDS[i].name) == 0)
            return COMMANDS[i].run(argc - 2, argv + 2);
    return unknown(name);
}
