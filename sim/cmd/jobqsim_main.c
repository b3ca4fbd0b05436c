/* jobqsim_main.c - jobqsim: the fleet in virtual time.
 *
 * Room:     programs. */
#include "sim/cmd/subcommand.h"

#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <string.h>

static const struct entry {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} COMMANDS[] = {
    {"run", cmd_run, "drain one workload and say what happened"},
    {"sweep", cmd_sweep, "play a scenario at many points, into a CSV"},
    {"merge", cmd_merge, "put the shards of a sweep together"},
    {"torture", cmd_torture,
     "play seeded runs with everything going wrong, and check them"},
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
    fputs("  version    what this is\n"
          "\n'jobqsim COMMAND --help' says more.\n",
          to);
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
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, COMMANDS[i].name) == 0)
            return COMMANDS[i].run(argc - 2, argv + 2);
    struct jobq_error err;
    jobq_fail(&err, JOBQ_INVALID, "unknown command '%.60s', see jobqsim --help", name);
    return cmd_fail("", &err);
}
