#include "sim/cmd/subcommand.h"

#include "base/text.h"
#include "sim/sweep/outfile.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cmd_fail(const char *command, const struct jobq_error *err)
{
    char safe[3 * sizeof err->text];
    text_escape(err->text, (int64_t)strlen(err->text), safe, sizeof safe);
    fprintf(stderr, "jobqsim %s: %s\n", command, safe);
    switch (err->code) {
    case JOBQ_INVALID:
    case JOBQ_LIMIT:
    case JOBQ_NOT_FOUND:
    case JOBQ_DENIED:
        return CMD_USAGE;
    case JOBQ_OK:
    case JOBQ_TIMEOUT:
    case JOBQ_THROTTLED:
    case JOBQ_UNAVAILABLE:
    case JOBQ_CONFLICT:
    case JOBQ_CORRUPT:
    case JOBQ_CANCELLED:
        break;
    }
    return CMD_FAILURE;
}

static void interrupted(int signal)
{
    static const char said[] = "\njobqsim: interrupted, nothing was written\n";
    (void)signal;
    outfile_unlink_all();
    ssize_t written = write(STDERR_FILENO, said, sizeof said - 1);
    (void)written;
    _exit(130);
}

void cmd_catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = interrupted;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}
