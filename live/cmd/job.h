/* job.h - one job as jobq's subcommands print it.
 *
 * Room:     live, jobq's program.
 * Callers:  live/cmd/status.c, live/cmd/list.c, live/cmd/dlq.c. */
#ifndef JOBQ_LIVE_CMD_JOB_H
#define JOBQ_LIVE_CMD_JOB_H

#include "base/text.h"
#include "fleet/status/status.h"

/* {"id","state","attempt",...}; appends. */
void cmd_job_json(struct text *out, const struct status_job *job);
/* Tab-separated; its last output behind it if asked for. */
void cmd_job_plain(struct text *out, const struct status_job *job, bool with_output);
/* status_job, tried again for half a minute. */
int cmd_job_read(struct jobq_backend *b, const char *id, struct status_job *out,
                 struct jobq_error *err);

/* jobq_queue_open, with errors that name the queue. */
int cmd_queue_open(struct jobq_backend *b, const char *name, int *queue,
                   struct jobq_error *err);

#endif
