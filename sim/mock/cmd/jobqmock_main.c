/* jobqmock_main.c - jobqmock's command line.
 *
 * Room:     sim/mock; a program's main.
 * Exits:    0 stopped by a signal, 1 failure, 2 usage. */
#include "sim/mock/server/options.h"
#include "sim/mock/server/process.h"

#include <gsl/gsl_errno.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    gsl_set_error_handler_off(); /* it aborts */
    struct mock_options options;
    struct jobq_error err;
    if (mock_options_parse(argc, argv, &options, &err) < 0) {
        fprintf(stderr, "jobqmock: %s\nTry 'jobqmock --help'.\n", err.text);
        return 2;
    }
    if (options.help) {
        mock_options_help(stdout);
        return 0;
    }
    if (options.version) {
        puts("jobqmock " JOBQ_VERSION);
        return 0;
    }
    if (options.shown)
        return 0;
    int code = process_run(&options, &err);
    if (code < 0) {
        fprintf(stderr, "jobqmock: %s\n", err.text);
        return code == JOBQ_INVALID || code == JOBQ_NOT_FOUND ? 2 : 1;
    }
    return 0;
}
