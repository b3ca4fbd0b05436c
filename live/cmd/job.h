/* job.h - one job as jobq's subcommands print it.
 *
 * Room:     live, jobq's program.
 * Callers:  live/cmd/status.c, live/cmd/list.c, live/cmd/dlq.c, live/cmd/age.c. */
#ifndef JOBQ_LIVE_CMD_JOB_H
#define JOBQ_LIVE_CMD_JOB_H

#include "base/text.h"
#include "fleet/status/status.h"
#include "live/cmd/cli.h"

/* What is known of how long jobs and rows are kept, and which of those seen are about to be
 * gone. Zero it to init. */
struct cmd_ages {
    bool asked;           /* of queue */
    int64_t retention_ns; /* of the queue; 0: not known, or for ever */
    int64_t keep_ns;      /* of rows; 0: not known */
    int64_t waiting, lost, oldest_ns;
    int64_t going, first_going_ns; /* on the wall clock */
    char queue[JOBQ_QUEUE_NAME_MAX + 1];
};
/* Asks the queue: two requests. A refusal is said, and no failure. */
void age_ask(struct cli *cli, struct cmd_ages *ages, const char *queue);
/* The same for a job's queue, if it has not ended within an hour. */
void age_ask_of(struct cli *cli, struct cmd_ages *ages, const struct status_job *job);
/* Counts a job; says what was counted, if it is near its end. */
void age_note(const struct cli *cli, struct cmd_ages *ages, const struct status_job *job);
void age_warn(struct cli *cli, const struct cmd_ages *ages);

/* {"id","state","attempt",...}; appends. ages may be NULL. */
void cmd_job_json(struct text *out, const struct status_job *job,
                  const struct cmd_ages *ages);
/* Tab-separated; its last output behind it if asked for. */
void cmd_job_plain(struct text *out, const struct status_job *job, bool with_output);
/* status_job, tried again for half a minute. */
int cmd_job_read(struct jobq_backend *b, const char *id, struct status_job *out,
                 struct jobq_error *err);

/* jobq_queue_open, with errors that name the queue. */
int cmd_queue_open(struct jobq_backend *b, const char *name, int *queue,
                   struct jobq_error *err);

#endif
