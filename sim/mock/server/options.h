/* options.h - the command line of jobqmock.
 *
 * Room:     sim/mock.
 * Callers:  jobqmock_main.c; the others read the struct. */
#ifndef JOBQ_SIM_MOCK_SERVER_OPTIONS_H
#define JOBQ_SIM_MOCK_SERVER_OPTIONS_H

#include "base/options.h"
#include "jobq/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct mock_options {
    const char *host; /* an address */
    char model[64];   /* a parameter set of models/params */
    const char
        *credentials;    /* INI file of keys for --auth check; NULL: the built-in one */
    const char *account; /* 12 digits */
    const char *faults;  /* faults.h; NULL: none */
    const char *boxes;   /* the command that stands for a box; NULL: none */
    const char *state;   /* the file that keeps all; NULL: memory only */
    int port;            /* 0: a free one */
    uint64_t seed;
    bool seeded; /* --seed was given: ids and handles are its too */
    int64_t max_connections, max_buffer_bytes; /* http_server.h */
    double speed;                              /* model seconds a second */
    bool auth_check, latency_model;
    bool help, version, shown; /* shown: what was asked is printed */
};

/* INVALID with a line for the user, naming the option. argv's strings are kept. With help or
 * version set nothing else was looked at. */
int mock_options_parse(int argc, char **argv, struct mock_options *out,
                       struct jobq_error *err);
/* What --help prints. */
void mock_options_help(FILE *out);

#endif
