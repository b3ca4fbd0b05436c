/* status.h - the status of a queue and its jobs, from the cheap counts.
 *
 * Depth comes from the queue's attributes (one request each queue), progress from the
 * drainers' statistics rows (one page of a handful of rows), boxes from one
 * DescribeInstances. Counting rows would cost 1.6 milli-dollars a million and is never
 * done unasked.
 *
 * Room:     src/fleet, the product.
 * Callers:  page.c, jobq status|list|cancel|serve, libjobq, the sim's --page.
 * Knows nothing of: HTML, JSON, HTTP.
 * Blocks:   at port calls. */
#ifndef JOBQ_FLEET_STATUS_STATUS_H
#define JOBQ_FLEET_STATUS_STATUS_H

#include "fleet/drain/drainer.h"
#include "fleet/job/job.h"
#include "fleet/rows/rows.h"
#include "jobq/ports.h"

struct status;

/* Opens the queue (NOT_FOUND) and its dead-letter queue, if there is one. Owner:
 * b->proc. */
int status_new(struct jobq_backend *b, const char *queue, struct status **out,
               struct jobq_error *err);

#define STATUS_BOXES_MAX 10000
#define STATUS_DRAINERS_MAX 128 /* listed; the sums are of all */
#define STATUS_TAG                                                                       \
    "jobq:queue" /* the tag of a queue's boxes; its value: the queue's name */

struct status_drainer {
    char id[24], box[24];
    int64_t slots, busy, held;
    int64_t done, failed, dead, attempts;
    int64_t seen_wall_ns; /* when it wrote the row, or answered directly */
    /* What an older drainer does not say is 0. */
    int64_t queue_calls;    /* requests to SQS: receives, deletes, heartbeats */
    int64_t work_ns;        /* of all attempts together */
    int64_t slot_ns;        /* that they held a slot, claim to final put */
    int64_t waited_ns;      /* how long the jobs it received last had waited */
    int64_t notice_wall_ns; /* its box goes then; 0: no notice */
    bool quiet;             /* takes no more work */
    bool here;              /* of this box */
};
/* A drainer as its row says it, and back. The row: "WALL_MS BOX SLOTS BUSY HELD DONE FAILED
 * DEAD ATTEMPTS", then "LETTER=NUMBER" for what is not 0 (c queue_calls, w work in ms,
 * b slot time in ms, a waited in ms, n notice in ms, q quiet; a reader skips those it does not know), at most
 * STATUS_ROW_MAX bytes; write returns how many. read: false for another text, and then *out
 * is not to be used. */
#define STATUS_ROW_MAX 360
struct status_drainer status_drainer_of(const struct drainer_view *view, int64_t wall_ns);
int status_drainer_write(const struct status_drainer *drainer, char *out);
bool status_drainer_read(struct jobq_str id, struct jobq_str row,
                         struct status_drainer *out);

/* Adds what a drainer of this box reported directly, not by its row: the next reading
 * shows it, unless the row is newer. Blocks: no. */
void status_add_drainer(struct status *s, const struct status_drainer *drainer);

struct status_box {
    char id[24], type[24], zone[32];
    enum jobq_box_state state;
    bool spot, here;
    int64_t launched_wall_ns;
    /* Of its drainers, all that ever wrote: */
    int drainers;
    int64_t slots, busy, done;
    int64_t seen_wall_ns;   /* the latest word; 0: none yet */
    int64_t notice_wall_ns; /* it goes then; 0: no notice */
};
/* Boxes of one type that are no longer listed: what they ran for, as far as this process
 * has seen it. */
struct status_gone {
    char type[24];
    bool spot;
    int64_t boxes, ran_ns;
};
#define STATUS_GONE_MAX 8

/* The queue as it was, a sample a minute, the oldest first. */
#define STATUS_SAMPLES 240
struct status_sample {
    int64_t wall_ns;
    int64_t visible, in_flight, delayed;
    int64_t ended; /* done and dead so far */
};

struct status_view {
    char queue[JOBQ_QUEUE_NAME_MAX + 1];
    int64_t taken_wall_ns;
    struct jobq_self self; /* ids empty off a box */
    bool depth_known;      /* false: it was never read */
    int64_t read_wall_ns;  /* when depth was read; before taken_wall_ns: it is stale, and
                              problem says why */
    struct jobq_queue_depth depth;
    int64_t dead_letters;                 /* -1: no dead-letter queue, or not known */
    int64_t done, failed, dead, attempts; /* sums of all statistics rows there are */
    int rows;         /* how many those are, of drainers that have ended too */
    bool rows_stored; /* false: without a store, only of drainers of this box */
    /* Of the drainers seen in the last 3 minutes. */
    struct status_fresh {
        int drainers;
        int64_t slots, busy;
        int quiet; /* of the drainers */
    } fresh;
    int64_t queue_calls, work_ns, slot_ns; /* sums as done is */
    int64_t waited_ns; /* the longest that a drainer seen lately said; -1: none did */
    const struct status_sample *sample; /* until the next reading */
    int sample_count;
    struct status_gone gone[STATUS_GONE_MAX];
    int gone_count;
    double
        jobs_per_s; /* ended, between readings a minute or more apart; < 0: not known */
    struct status_drainer drainer[STATUS_DRAINERS_MAX];
    int drainer_count;
    const struct status_box *box; /* until the next reading */
    int box_count;
    bool boxes_known;  /* false: they could not be read, and problem says why */
    char problem[384]; /* "" or what could not be read */
    bool
        unreported; /* a drainer of this box was asked for its state and has not answered */
};
/* About 20 KB: from an arena, never on a stack. Fills what it can; returns JOBQ_OK, or
 * the first failure's code with the rest filled. Three to five requests. */
int status_read(struct status *s, struct status_view *out, struct jobq_error *err);
/* Counts the drainers again, with what they reported since the reading: the calls of a
 * reading take time, and drainers work meanwhile. The view is then up to date. Blocks:
 * no. */
void status_count(struct status *s, struct status_view *view);
/* Attempts that run now, as their drainers say, of the messages that are in flight; the others
 * wait in a drainer, for a slot or for their delete. -1: no drainer has said so yet. */
int64_t status_running(const struct status_view *view);
/* The view's depth brought up to what the drainers of this box have said since: a job on a
 * slot is in flight, and waits no more. */
struct jobq_queue_depth status_depth(const struct status_view *view);
/* True if the last reading of the queue failed. */
bool status_is_stale(const struct status_view *view);
/* One sentence: why jobs wait, or "" when none does. */
void status_why(const struct status_view *view, char *out, int cap);
/* How long until the queue is empty if nothing more comes, at the rate of the last minutes;
 * < 0: not known. */
int64_t status_eta_ns(const struct status_view *view);

/* One job, as its row says it. */
struct status_job {
    char fault[120]; /* of a list: why the row cannot be read, and then only id counts,
                        escaped and cut; "": it was read */
    char id[JOB_ID_MAX + 1];
    enum job_state state;
    int64_t attempt;
    int64_t enqueued_ms, started_ms, finished_ms; /* 0: not yet */
    int64_t exit_code, wall_ns, cpu_ns;
    int progress; /* of a running job, percent, as last stored; -1: it reports none */
    char box[24];
    char tail[JOBQ_OUTPUT_TAIL + 1]; /* last output, terminated; may hold any bytes */
    int tail_bytes;
    int64_t printed_bytes; /* of all output, of which the tail is the last part */
};
/* When SQS drops the message of a job that has not ended (ms since 1970), by the queue's retention
 * (0: never); a repair sends it anew. 0: it has ended, or is not dropped. */
int64_t status_message_until_ms(const struct status_job *job, int64_t retention_ns);
/* From when on drainers drop the row of a job that has ended, by their keep; 0: it has not. */
int64_t status_row_until_ms(const struct status_job *job, int64_t keep_ns);
/* By id alone: the id says queue and table. One request, consistent. NOT_FOUND: no such
 * row; INVALID: no job id. The backend's store must not be NULL. */
int status_job(struct jobq_backend *b, struct jobq_str id, struct status_job *out,
               struct jobq_error *err);
/* The same, tried again until until_ns (on jobq_now). */
int status_job_until(struct jobq_backend *b, struct jobq_str id, int64_t until_ns,
                     struct status_job *out, struct jobq_error *err);
/* The same of a job that has ended, which is looked for until then: for wait_ns at most, after
 * 1 s and then less often, up to every 15 s. rows_late: a job that waits may have no row yet.
 * TIMEOUT: it has not ended. NOT_FOUND: as status_job; with rows_late only at the end. */
int status_result(struct jobq_backend *b, struct jobq_str id, int64_t wait_ns,
                  bool rows_late, struct status_job *out, struct jobq_error *err);
/* The same with the job's payload as its row holds it (job.h: "KIND NUMBER", then a line a
 * pair, encoded), in arena; len 0: the row has none. */
int status_job_whole(struct jobq_backend *b, struct jobq_str id, struct arena *arena,
                     struct status_job *out, struct jobq_str *payload,
                     struct jobq_error *err);
/* Cancels: a queued or failed job will not run (again), a running one will not be stored;
 * a job that has ended is left alone: CONFLICT, and *out says its state. Two requests or
 * so. */
int status_cancel(struct jobq_backend *b, struct jobq_str id, enum job_state *out,
                  struct jobq_error *err);

/* Rows of a queue, a page at a time, over all its days, the oldest first. */
struct status_list {
    struct jobq_backend *b;
    int64_t left; /* limit; JOBQ_FOREVER: none */
    int state;    /* enum job_state, or -1: all */
    bool started;
    struct rows_pages pages;
};
/* Reads the names of the tables (one request per 100 of the account). Strings live in
 * arena. */
int status_list_start(struct jobq_backend *b, const char *queue, int state, int64_t limit,
                      struct arena *arena, struct status_list *list,
                      struct jobq_error *err);
/* The next rows, at most cap (1 to 100, the same in every call), into out. Returns how
 * many; 0: the end. One request each. A row that cannot be read is one of them, with a
 * fault: what one row holds does not hide the others. */
int status_list_next(struct status_list *list, struct arena *arena,
                     struct status_job *out, int cap, struct jobq_error *err);
/* How many rows a listing would look at, by the store's count: one request a table. */
int status_list_count(const struct status_list *list, int64_t *out_rows,
                      struct jobq_error *err);

#endif
