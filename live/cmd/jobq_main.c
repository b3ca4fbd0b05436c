/* jobq_main.c - the live client and worker: one program, subcommands.
 *
 * Room:     live. Callers: the shell.
 * Knows nothing of: what a subcommand does. */
#include "live/cmd/cmd.h"

#include "base/nearest.h"

#include <fcntl.h>
#include <gsl/gsl_errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CMD_ENTRY(id) &cmd_##id,
const struct cli_command *const cmd_table[] = {CMD_ALL(CMD_ENTRY) NULL};
#undef CMD_ENTRY

static void help(FILE *out)
{
    fputs("jobq: asynchronous jobs on SQS, SimpleDB and EC2\n\n"
          "  jobq enqueue render kind=sleep seconds=2\n"
          "  jobq drain render -n 10 --idle-exit 1m\n"
          "  jobq status ID\n\nSubcommands:\n",
          out);
    for (int i = 0; cmd_table[i]; i++)
        fprintf(out, "  %-14s %s\n", cmd_table[i]->name, cmd_table[i]->summary);
    fputs(
        "  help           shows a subcommand's manual\n"
        "  version        says which version this is\n\n"
        "jobq SUBCOMMAND --help says more. Exit codes: 0 ok, 1 failure, 2 usage,\n4 not "
        "found, 5 job failed, 6 timeout, 75 try later, 77 denied, 130 interrupted.\n",
        out);
}

static const struct cli_command *main_find(const char *name)
{
    for (int i = 0; cmd_table[i]; i++)
        if (strcmp(cmd_table[i]->name, name) == 0)
            return cmd_table[i];
    return NULL;
}

static int unknown(const char *name)
{
    char shown[60];
    struct nearest best = {0};
    for (int i = 0; cmd_table[i]; i++)
        nearest_try(&best, name, cmd_table[i]->name);
    text_escape(name, (int64_t)strlen(name), shown, sizeof shown);
    fprintf(stderr, "jobq: no subcommand '%s'", shown);
    if (best.word)
        fprintf(stderr, "; did you mean '%s'?\n", best.word);
    else
        fputs("; see jobq help\n", stderr);
    return CLI_USAGE;
}

/* Becomes man on that page, where both are installed; else returns. */
static void show_manual(char *page)
{
    char man[] = "man", flag[] = "-w";
    char *where[] = {man, flag, page, NULL}, *show[] = {man, page, NULL};
    posix_spawn_file_actions_t quiet;
    pid_t pid;
    int status = -1;
    if (posix_spawn_file_actions_init(&quiet) != 0)
        return;
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid, where[0], &quiet, NULL, where, environ) == 0)
        waitpid(pid, &status, 0);
    posix_spawn_file_actions_destroy(&quiet);
    if (status == 0)
        execvp(show[0], show);
}

static int show_help(int argc, char **argv)
{
    if (argc < 3 || strcmp(argv[2], "help") == 0) {
        help(stdout);
        return CLI_OK;
    }
    const struct cli_command *command = main_find(argv[2]);
    if (!command)
        return unknown(argv[2]);
    if (isatty(STDOUT_FILENO)) {
        char drain[] = "jobq-drain", all[] = "jobq";
        show_manual(strcmp(command->name, "drain") == 0 ? drain : all);
    }
    cli_help(command, stdout);
    return CLI_OK;
}

int main(int argc, char **argv)
{
    gsl_set_error_handler_off(); /* it aborts */
    if (argc < 2) {
        help(stderr);
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 ||
        strcmp(name, "-h") == 0)
        return show_help(argc, argv);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        printf("jobq %s (gcc %s)\n", JOBQ_VERSION, __VERSION__);
        return CLI_OK;
    }
    const struct cli_command *command = main_find(name);
    if (!command)
        return unknown(name);
    live_guard_secrets();
    struct cli cli;
    int rc = cli_parse(&cli, command, argc - 1, argv + 1);
    if (rc < 0)
        rc = command->run(&cli);
    cli_release(&cli);
    return rc;
}
