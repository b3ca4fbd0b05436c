/* age.c - which jobs, or their rows, will soon be gone?
 *
 * Room:     live, jobq's program. Callers: status.c, list.c.
 *
 * A message is dropped when the queue's retention is over, a row when its day is past the
 * drainers' keep: said when half of the one is over, or nine tenths of the other. */
#include "live/cmd/job.h"

#include "fleet/status/page_text.h"
#include "jobq/units.h"

/* Asks the queue of a job that has waited for so long, at the earliest. */
#define ASK_FROM_NS JOBQ_NS_PER_HOUR

void age_ask(struct cli *cli, struct cmd_ages *ages, const char *queue)
{
    struct jobq_backend *b = &cli->live->backend;
    struct jobq_queue_depth depth;
    struct jobq_error err;
    int handle, rc = cmd_queue_open(b, queue, &handle, &err);
    ages->asked = true;
    ages->keep_ns = cli->scenario.keep_ns;
    ages->retention_ns = 0;
    if (rc == JOBQ_OK)
        rc = jobq_queue_depth(b, handle, &depth, &err);
    if (rc == JOBQ_OK)
        ages->retention_ns = depth.retention_ns;
    else
        cli_say(cli, "how long the queue keeps messages is not known: %s", err.text);
}

void age_ask_of(struct cli *cli, struct cmd_ages *ages, const struct status_job *job)
{
    struct jobq_error ignored;
    struct job_id_parts id;
    char queue[JOBQ_QUEUE_NAME_MAX + 1];
    int64_t age_ns = jobq_wall(&cli->live->backend) - job->enqueued_ms * JOBQ_NS_PER_MS;
    ages->keep_ns = cli->scenario.keep_ns;
    if (job_state_is_final(job->state) || age_ns < ASK_FROM_NS ||
        job_id_parse(str_of(job->id), &id, &ignored) < 0)
        return;
    snprintf(queue, sizeof queue, "%.*s", (int)id.queue.len, id.queue.ptr);
    if (!ages->asked || strcmp(ages->queue, queue) != 0)
        age_ask(cli, ages, queue);
    strcpy(ages->queue, queue);
}

void age_note(const struct cli *cli, struct cmd_ages *ages, const struct status_job *job)
{
    int64_t wall_ns = jobq_wall(&cli->live->backend);
    int64_t age_ns = wall_ns - job->enqueued_ms * JOBQ_NS_PER_MS;
    int64_t row_ns = status_row_until_ms(job, ages->keep_ns) * JOBQ_NS_PER_MS;
    if (status_message_until_ms(job, ages->retention_ns) &&
        age_ns > ages->retention_ns / 2) {
        ages->waiting++;
        ages->lost += age_ns >= ages->retention_ns;
        ages->oldest_ns = age_ns > ages->oldest_ns ? age_ns : ages->oldest_ns;
    }
    if (row_ns && row_ns - wall_ns < ages->keep_ns / 10) {
        ages->going++;
        if (!ages->first_going_ns || row_ns < ages->first_going_ns)
            ages->first_going_ns = row_ns;
    }
}

void age_warn(struct cli *cli, const struct cmd_ages *ages)
{
    struct text text = {0};
    int64_t left_ns = ages->first_going_ns - jobq_wall(&cli->live->backend);
    if (ages->waiting) {
        text_printf(&text, "warning: %lld job%s not ended after ",
                    (long long)ages->waiting, ages->waiting == 1 ? " has" : "s have");
        page_put_age(&text, ages->oldest_ns);
        text_puts(&text, "; the queue drops a message after ");
        page_put_age(&text, ages->retention_ns);
        cli_say(cli, "%s", text.ptr);
    }
    if (ages->lost)
        cli_say(
            cli,
            "warning: %lld of them can have no message any more: jobq repair sends it "
            "again",
            (long long)ages->lost);
    if (ages->going) {
        text_clear(&text);
        text_printf(&text, "warning: %lld row%s ", (long long)ages->going,
                    ages->going == 1 ? "" : "s");
        text_puts(&text, left_ns > 0 ? "will be dropped, the first in "
                                     : "can be dropped at any time");
        if (left_ns > 0)
            page_put_age(&text, left_ns);
        text_puts(&text, "; rows are kept for ");
        page_put_age(&text, ages->keep_ns);
        cli_say(cli, "%s (--keep)", text.ptr);
    }
    text_release(&text);
}
