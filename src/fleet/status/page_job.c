/* page_job.c - the page of one job, and jobs in lists. See page_ask.h.
 *
 * Room:     src/fleet, the product. Pure. */
#include "fleet/status/page_ask.h"

#include "fleet/status/page_text.h"
#include "jobq/units.h"

#include <math.h>
#include <string.h>

static void term(struct text *out, const char *name)
{
    text_printf(out, "<dt>%s</dt><dd>", name);
}

static void when(struct text *out, const char *name, int64_t at_ms, int64_t since_ms,
                 const char *since)
{
    if (at_ms <= 0)
        return;
    term(out, name);
    page_put_time(out, at_ms * JOBQ_NS_PER_MS);
    if (since_ms > 0 && at_ms >= since_ms) {
        text_puts(out, ", ");
        page_put_age(out, (at_ms - since_ms) * JOBQ_NS_PER_MS);
        text_puts(out, since);
    }
    text_puts(out, "</dd>");
}

static void timeline(const struct status_job *job, int64_t now_wall_ns, struct text *out)
{
    text_puts(out, "<h2>Timeline</h2><dl>");
    when(out, "enqueued", job->enqueued_ms, 0, "");
    when(out, "started", job->started_ms, job->enqueued_ms, " after it was enqueued");
    if (job->started_ms > 0) {
        term(out, "by");
        page_put_html(out, str_of(job->box));
        text_puts(out, ", attempt ");
        text_put_int(out, job->attempt);
        text_puts(out, "</dd>");
    }
    if (job->state == JOB_RUNNING && job->started_ms > 0) {
        term(out, "running for");
        page_put_age(out, now_wall_ns - job->started_ms * JOBQ_NS_PER_MS);
        if (job->progress >= 0)
            text_printf(out, ", %d %% by its own word", job->progress);
        text_puts(out, "</dd>");
    }
    when(out, job->state == JOB_FAILED ? "failed" : "finished", job->finished_ms,
         job->enqueued_ms, " after it was enqueued");
    text_puts(out, "</dl>");
}

static void outcome(const struct status_job *job, struct text *out)
{
    if (job->finished_ms <= 0)
        return;
    text_puts(out, "<h2>Last attempt</h2><dl>");
    term(out, "exit");
    text_put_int(out, job->exit_code);
    if (job->exit_code > 128 && job->exit_code < 256)
        text_printf(out, " (ended by signal %d)", (int)(job->exit_code - 128));
    text_puts(out, "</dd>");
    term(out, "took");
    text_put_int(out, job->wall_ns / JOBQ_NS_PER_MS);
    text_puts(out, " ms, of CPU time ");
    text_put_int(out, job->cpu_ns / JOBQ_NS_PER_MS);
    text_puts(out, " ms</dd></dl>");
    if (job->tail_bytes > 0) {
        text_puts(out, "<h2>Last output</h2><pre>");
        page_put_lines(out, (struct jobq_str){job->tail, job->tail_bytes});
        text_puts(out, "</pre>");
    }
}

/* What the pairs say, decoded; nothing of it is trusted. */
static void payload_of(struct jobq_str payload, struct arena *arena, struct text *out)
{
    struct job_body body;
    struct job_pair pair;
    struct jobq_error err;
    int64_t at = 0;
    text_puts(out, "<h2>Payload</h2>");
    if (payload.len == 0) {
        page_say(out, "m", "The row holds none: it went with the message.");
        return;
    }
    if (job_encoded_read(payload, 0, &body, &err) < 0) {
        page_say(out, "p", err.text);
        return;
    }
    text_printf(out, "<dl><dt>kind</dt><dd>%s</dd>", job_kind_name(body.kind));
    if (body.kind == JOBQ_WORK_SLEEP) {
        text_puts(out, "<dt>sleeps for</dt><dd>");
        page_put_age(out, body.number);
        text_puts(out, "</dd>");
    } else if (body.kind == JOBQ_WORK_PRIMES) {
        text_printf(out, "<dt>primes below</dt><dd>%lld</dd>", (long long)body.number);
    }
    while (job_pair_next(&body, &at, arena, &pair)) {
        text_puts(out, "<dt>");
        page_put_html(out, pair.name);
        text_puts(out, "</dt><dd><pre>");
        page_put_lines(out, pair.value);
        text_puts(out, "</pre></dd>");
    }
    text_puts(out, "</dl>");
}

static void cost(const struct page_money *money, struct text *out)
{
    if (!money || isnan(money->job_usd))
        return;
    text_puts(out, "<h2>Cost</h2><p>A job of this queue costs ");
    page_put_usd(out, money->job_usd * 1e6);
    text_puts(out, " a million on average so far");
    if (!isnan(money->requests_a_job)) {
        int64_t hundredths = (int64_t)(money->requests_a_job * 100 + 0.5);
        text_printf(out, ", its drainer makes %lld.%02lld requests for it",
                    (long long)(hundredths / 100), (long long)(hundredths % 100));
    }
    text_puts(out, ".</p>");
}

static void actions(const struct status_job *job, struct text *out)
{
    static const char *const verb[] = {"cancel", "retry"};
    bool may[] = {!job_state_is_final(job->state),
                  job->state == JOB_DEAD || job->state == JOB_FAILED};
    text_puts(out, "<h2>Actions</h2><p>");
    for (int i = 0; i < 2; i++) {
        if (!may[i])
            continue;
        text_printf(out,
                    "<form action=\"/%s\" method=post><input type=hidden name=id "
                    "value=\"",
                    verb[i]);
        page_put_html(out, str_of(job->id));
        text_printf(out, "\"><button>%s</button></form>", i ? "Try again now" : "Cancel");
    }
    text_puts(out, "</p>");
}

void page_job_html(const struct page_look *look, const struct status_job *job,
                   struct jobq_str payload, int64_t now_wall_ns, struct arena *arena,
                   struct text *out)
{
    page_head(look, "job", out);
    text_puts(out, "<h2>Job ");
    page_put_html(out, str_of(job->id));
    text_printf(out, "</h2><p>It is <b>%s</b>.</p>", job_state_name(job->state));
    timeline(job, now_wall_ns, out);
    outcome(job, out);
    payload_of(payload, arena, out);
    cost(look->money, out);
    if (look->acts)
        actions(job, out);
    page_foot(out);
}

static void json_text(struct text *out, const char *name, struct jobq_str value)
{
    text_printf(out, ",\"%s\":", name);
    text_put_json(out, value);
}

void page_job_json(const struct status_job *job, struct jobq_str payload,
                   struct text *out)
{
    text_puts(out, "{\"schema\":\"jobq.job/1\"");
    json_text(out, "id", str_of(job->id));
    json_text(out, "state", str_of(job_state_name(job->state)));
    const struct {
        const char *name;
        int64_t value;
        bool known;
    } of[] = {{"attempt", job->attempt, true},
              {"enqueued_ms", job->enqueued_ms, job->enqueued_ms > 0},
              {"started_ms", job->started_ms, job->started_ms > 0},
              {"finished_ms", job->finished_ms, job->finished_ms > 0},
              {"exit", job->exit_code, job->finished_ms > 0},
              {"wall_ms", job->wall_ns / JOBQ_NS_PER_MS, job->finished_ms > 0},
              {"cpu_ms", job->cpu_ns / JOBQ_NS_PER_MS, job->finished_ms > 0},
              {"progress_percent", job->progress, job->progress >= 0}};
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
        if (of[i].known)
            text_printf(out, ",\"%s\":%lld", of[i].name, (long long)of[i].value);
        else
            text_printf(out, ",\"%s\":null", of[i].name);
    json_text(out, "box", str_of(job->box));
    json_text(out, "payload", payload);
    json_text(out, "tail", (struct jobq_str){job->tail, job->tail_bytes});
    text_puts(out, "}\n");
}

enum { TAIL_SHOWN = 400 };

void page_job_row(const struct page_look *look, const struct status_job *job,
                  struct text *out)
{
    page_row_job(look, out, str_of(job->id));
    if (job->fault[0]) {
        text_puts(out, "<td colspan=7>");
        page_put_html(out, str_of(job->fault));
        text_puts(out, "</td></tr>");
        return;
    }
    page_cell(out, job_state_name(job->state));
    page_cell_int(out, job->attempt);
    page_cell_int(out, job->exit_code);
    page_cell_age(out, job->wall_ns);
    text_puts(out, "<td>");
    if (job->finished_ms > 0)
        page_put_time(out, job->finished_ms * JOBQ_NS_PER_MS);
    text_puts(out, "</td>");
    page_cell(out, job->box);
    int from = job->tail_bytes > TAIL_SHOWN ? job->tail_bytes - TAIL_SHOWN : 0;
    text_puts(out, "<td class=o>");
    page_put_lines(out, (struct jobq_str){job->tail + from, job->tail_bytes - from});
    text_puts(out, "</td></tr>");
}

void page_note_html(const struct page_look *look, const char *title, const char *says,
                    struct text *out)
{
    page_head(look, title, out);
    page_say(out, NULL, says);
    text_puts(out, "<p><a href=\"/\">The queue</a></p>");
    page_foot(out);
}
