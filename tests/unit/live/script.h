/* script.h - what the tests of the network world share: a server that does what a test wants of
 * it, on a thread, and the world of live_open with a fiber in it. */
#ifndef JOBQ_TESTS_UNIT_LIVE_SCRIPT_H
#define JOBQ_TESTS_UNIT_LIVE_SCRIPT_H

#include "live/world/live.h"

#include <pthread.h>
#include <stdatomic.h>

struct script {
    int port, listener;
    char url[64]; /* "http://127.0.0.1:PORT" */
    /* One connection, the nth from 0, on a thread of its own; fd is closed behind it. */
    void (*serve)(struct script *script, int fd, int nth);
    atomic_int connections, requests, open, open_most;
    pthread_t thread;
};

/* serve NULL: nobody listens at the port. */
void script_start(struct script *script,
                  void (*serve)(struct script *script, int fd, int nth));
/* Waits for all connections' end, three seconds at most. */
void script_stop(struct script *script);
/* Reads one request, its body too. False: the client has ended. out is terminated. */
bool script_read(struct script *script, int fd, char *out, size_t cap);
void script_say(int fd, const char *text);
/* A whole reply of that body, kept alive. */
void script_reply(int fd, const char *status, const char *body);
/* Ends the connection by a reset. */
void script_reset(int fd);

/* No variable that the world reads, but what a test sets; HOME is an empty folder. */
void script_clear_environment(void);
const char *script_home(void);
/* Runs fn(live, ctx) on a fiber of the world that the environment describes. */
void script_live(void (*fn)(struct live *live, void *ctx), void *ctx);

#endif
