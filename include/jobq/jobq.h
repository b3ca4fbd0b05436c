/* jobq.h - what a client application links: put jobs on a queue, ask how they stand.
 *
 *     struct jobq_error err;
 *     struct jobq_enqueuer *q = jobq_enqueuer_new("render", 300, &err);
 *     struct jobq_dict job[] = {{"kind", "exec"}, {"frame", "12"}};
 *     char id[JOBQ_ID_MAX];
 *     if (!q || jobq_enqueue(q, job, 2, id, &err) < 0)
 *         fprintf(stderr, "%s\n", err.text);
 *     ...
 *     jobq_enqueuer_free(q);
 *
 * Link with -ljobq (pkg-config jobq). Region, endpoints and credentials are found as AWS's
 * SDKs find them: environment, ~/.aws, container and box roles.
 *
 * Threads. Every function may be called from any thread, several at once on one enqueuer;
 * each blocks its caller until the services have answered, two minutes at most
 * (jobq_enqueuer_start sets another limit, jobq_begin one of a single call). A background thread that an
 * enqueuer owns does the work, so that jobs which many threads bring at once travel in
 * batches. After a fork() the child must make an enqueuer of its own.
 *
 * The end. jobq_enqueuer_free takes the memory away, so it must be the last use: no other
 * thread may begin a call once it has been called. Threads that cannot know when that is are
 * stopped by jobq_enqueuer_close: their next call returns CANCELLED.
 *
 * Errors. A function returns 0 or a count, or a negative enum jobq_code (jobq/error.h) with
 * err filled; err may be NULL. Failed calls have been tried again with back-off until their
 * time was over. TIMEOUT and UNAVAILABLE are ambiguous: the job may be on the queue, or come
 * there later. */
#ifndef JOBQ_JOBQ_H
#define JOBQ_JOBQ_H

#include "jobq/error.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0" of the library that is loaded. */
JOBQ_API const char *jobq_version(void);

struct jobq_enqueuer;

/* One name and value of a job's dict, NUL-terminated. kind (sleep, primes, exec),
 * seconds (of sleep) and n (of primes) are the toolkit's, all others are payload. Without a
 * kind: any payload means exec, seconds alone sleep, n alone primes; payload beside seconds
 * or n is refused (INVALID). */
struct jobq_dict {
    const char *name;
    const char *value;
};

#define JOBQ_ID_MAX 112 /* bytes of an id, its NUL included */

/* Opens a queue by name, or makes it, its dead-letter queue and its domains.
 * visibility_timeout_s: 1..43200, set as the queue's attribute; < 0: the queue's own.
 * Returns NULL with err filled: INVALID, LIMIT (the name, the timeout), DENIED
 * (credentials), or what the services said. Owner: the caller, who frees it. Blocks. */
JOBQ_API struct jobq_enqueuer *
jobq_enqueuer_new(const char *queue, double visibility_timeout_s, struct jobq_error *err);
/* The same without waiting for the services: the calls that follow do, and return what made the
 * opening fail. timeout_s: how long each call may take, up to 86400; 0: 120. NULL: INVALID,
 * LIMIT (the name, a timeout). Owner: the caller. */
JOBQ_API struct jobq_enqueuer *jobq_enqueuer_start(const char *queue,
                                                   double visibility_timeout_s,
                                                   double timeout_s,
                                                   struct jobq_error *err);
/* The same with settings by name and text, those that `jobq enqueue` takes: visibility, retention,
 * keep, domains, payload-in, pipeline, store, rows; and those of its jobs that do not have their
 * own: delay, attempts, time-limit, backoff. Such as {"keep", "30d"}. What is not given has that command's default. A name or value that it would
 * refuse is refused with the same text: INVALID, LIMIT. */
JOBQ_API struct jobq_enqueuer *jobq_enqueuer_open(const char *queue,
                                                  const struct jobq_dict *setting,
                                                  int count, double timeout_s,
                                                  struct jobq_error *err);
/* Ends it: calls that are under way go on to their end or their timeout and are waited for;
 * those that come later return CANCELLED at once, and nothing was written. From any thread, any
 * number of times; each returns when the enqueuer has ended. Calls that timed out or were given
 * up are not waited for, and are then cut short where they are. NULL, or after a fork():
 * nothing. Blocks. */
JOBQ_API void jobq_enqueuer_close(struct jobq_enqueuer *enqueuer);
/* Closes it, waits until every call that has begun has returned, and gives up the memory.
 * NULL, or after a fork(): nothing. Blocks as jobq_enqueuer_close. */
JOBQ_API void jobq_enqueuer_free(struct jobq_enqueuer *enqueuer);

/* Puts one job on the queue; its id, prefixed with the queue's name, at id_out. Returns 0;
 * INVALID, LIMIT: refused, nothing was written, the text names the limit. Blocks. */
JOBQ_API int jobq_enqueue(struct jobq_enqueuer *enqueuer, const struct jobq_dict *dict,
                          int count, char id_out[JOBQ_ID_MAX], struct jobq_error *err);

/* One job of a batch, in and out. */
struct jobq_job {
    const struct jobq_dict *dict;
    int count;
    double delay_s;       /* 0..900: nobody receives it before */
    char id[JOBQ_ID_MAX]; /* out; "" if it was refused */
    int code;             /* out: 0 if acknowledged */
    /* NULL: none. Of the queue's jobs with this key, 1 to 255 bytes, one is enqueued, and all get
     * its id, for the queue's retention: who does not know whether a call took effect repeats
     * it. Not with rows "end" or "none", nor store "none" (INVALID). */
    const char *key;
    /* The job's own attempts, time-limit, backoff or delay, as `jobq enqueue` takes them, such as
     * {"attempts", "3"}; else the enqueuer's, else its drainer's. */
    const struct jobq_dict *setting;
    int settings;
};
/* Many jobs, which stay the caller's. Returns how many were acknowledged; if that is less
 * than count, each job's code says which, and err holds the first failure. Blocks. */
JOBQ_API int64_t jobq_enqueue_batch(struct jobq_enqueuer *enqueuer, struct jobq_job *job,
                                    int64_t count, struct jobq_error *err);

struct jobq_status {
    char state
        [16]; /* queued, running, done, failed (will be tried again), dead, cancelled */
    int64_t attempt;                              /* 0: not yet started */
    int64_t enqueued_ms, started_ms, finished_ms; /* since 1970; 0: not yet */
    int64_t exit_code;
    double wall_s, cpu_s; /* of the last ended attempt */
    char box[24];
    char output[4097]; /* the last bytes it printed; terminated, may hold any bytes */
    /* 0..100: what the running attempt last told (a line "progress N%", or how far a count of
     * primes is) and its drainer has noted, by default once a minute at most; -1: it has told
     * nothing, or is not running. */
    int8_t progress_percent;
    int8_t output_cut; /* 1: it printed more than output holds */
    int output_bytes;
};
/* How a job stands, by its id; any queue's. Returns 0; NOT_FOUND: no such job; INVALID: not
 * an id. Blocks. */
JOBQ_API int jobq_status(struct jobq_enqueuer *enqueuer, const char *id,
                         struct jobq_status *out, struct jobq_error *err);
/* What a job gave: its status once it has ended, of which output is the result (of primes the
 * count). Looks again until then, wait_s seconds at most, after 1 s and then less often, up to
 * every 15 s; each look is one read of the row. Returns 0; TIMEOUT: it has not ended; NOT_FOUND,
 * INVALID: as jobq_status, and INVALID where no rows are kept. Blocks. */
JOBQ_API int jobq_result(struct jobq_enqueuer *enqueuer, const char *id, double wait_s,
                         struct jobq_status *out, struct jobq_error *err);
/* Cancels a job that has not ended. Returns 0, also for one that is cancelled already;
 * CONFLICT: it had ended otherwise. Blocks. */
JOBQ_API int jobq_cancel(struct jobq_enqueuer *enqueuer, const char *id,
                         struct jobq_error *err);

/* ---- calls that can be given up --------------------------------------------------------
 *
 * The functions above are these three in a row: jobq_begin, jobq_wait without end, jobq_end.
 * Who wants to look up meanwhile (a signal, an event loop) waits in slices:
 *
 *     struct jobq_call *call = jobq_begin(q, &request, &err);
 *     while (call && !jobq_wait(call, 0.1) && !interrupted)
 *         ;
 *     rc = call ? jobq_end(call, job, NULL, &err) : err.code; */
enum jobq_request_kind {
    JOBQ_REQUEST_OPEN, /* nothing but to be sure that the queue is open */
    JOBQ_REQUEST_ENQUEUE,
    JOBQ_REQUEST_STATUS,
    JOBQ_REQUEST_CANCEL,
    JOBQ_REQUEST_RESULT
};
struct jobq_request {
    enum jobq_request_kind kind;
    const struct jobq_job *job; /* ENQUEUE: count of them; all but id and code are read */
    int64_t count;
    const char *id;   /* STATUS, CANCEL, RESULT */
    double timeout_s; /* 0: the enqueuer's */
    double wait_s;    /* RESULT: for the job's end, on top of timeout_s; up to 86400 */
};
struct jobq_call;
/* Begins a call. What request points to is copied. NULL: INVALID, LIMIT; the call was not begun.
 * Does not block. Owner: the caller, who ends it, before it frees the enqueuer. */
JOBQ_API struct jobq_call *jobq_begin(struct jobq_enqueuer *enqueuer,
                                      const struct jobq_request *request,
                                      struct jobq_error *err);
/* Waits for its end, so many seconds at most; < 0: without limit. Returns 1 when it is over, also
 * by its timeout, else 0. Blocks. */
JOBQ_API int jobq_wait(struct jobq_call *call, double seconds);
/* Takes the result, as the blocking function has it (job: as many as the request had, or NULL;
 * status: or NULL), and frees the call. One that is not over is given up: CANCELLED, or TIMEOUT
 * when its time was over; what it asked for may be done all the same. Does not block. */
JOBQ_API int64_t jobq_end(struct jobq_call *call, struct jobq_job *job,
                          struct jobq_status *status, struct jobq_error *err);

/* ---- the status page ---------------------------------------------------------------------
 *
 * The page of `jobq serve`, for a program that serves HTTP itself (jobq.py's status_app): it is
 * read by a thread of its own, and asked over a socket instead of a port. */
struct jobq_page_options {
    const char
        *token; /* 16 to 256 printable bytes; NULL: everybody may read, nobody act */
    const char *allow_host; /* as jobq serve --allow-host; NULL: this machine's names */
    int read_only;          /* not 0: no actions */
    const struct jobq_dict *setting; /* refresh, store: as jobq serve reads them */
    int setting_count;
    /* Called by the page's thread with a line for each action, refused or done. NULL: nobody
     * keeps them. */
    void (*log)(void *ctx, const char *line);
    void *log_ctx;
};
struct jobq_page;
/* Takes the options (NULL: none), which are copied. Makes no call yet: that begins with the first
 * jobq_page_connect, so that a server may open the page and then fork, if each child opens its own.
 * Returns NULL with err filled: INVALID, LIMIT. Owner: the caller, who closes it. */
JOBQ_API struct jobq_page *jobq_page_open(const char *queue,
                                          const struct jobq_page_options *options,
                                          struct jobq_error *err);
/* A connected stream socket on which the page answers HTTP/1.1 requests, one behind the other. A
 * header X-Jobq-From names whom the program asks for in the lines of the log. Returns the
 * descriptor, which is the caller's to close; INVALID: the page is another process's;
 * UNAVAILABLE. From any thread. Blocks: no. */
JOBQ_API int jobq_page_connect(struct jobq_page *page, struct jobq_error *err);
/* Ends it and closes its end of the sockets. The last use. NULL, or after a fork(): nothing.
 * Blocks until its thread has ended. */
JOBQ_API void jobq_page_close(struct jobq_page *page);

#ifdef __cplusplus
}
#endif
#endif
