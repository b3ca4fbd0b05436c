/* page_ask.h - pages that are made when somebody asks: a job, a search, what failed; and the
 * actions.
 *
 * Room:     src/fleet, private to the page's files.
 * Callers:  page.c.
 * Blocks:   fibers of its own, at port calls. A job's page costs one read of its row, the list
 *           of failures a few pages of rows; each is made for who asks and not kept. */
#ifndef JOBQ_FLEET_STATUS_PAGE_ASK_H
#define JOBQ_FLEET_STATUS_PAGE_ASK_H

#include "base/arena.h"
#include "fleet/status/page.h"

/* Takes requests from b->board until the process ends. What it is given is read whenever a
 * request comes, and lives as long as the process. */
void page_ask_start(struct jobq_backend *b, const struct status_view *view,
                    const struct page_options *options, const struct page_money *money);

/* Whether these options start boxes. */
bool page_spawns(const struct page_options *options);

/* ---- the HTML of a job, for page_ask.c ------------------------------------------------ */

/* payload: as status_job_whole gives it. now_wall_ns: for ages. */
void page_job_html(const struct page_look *look, const struct status_job *job,
                   struct jobq_str payload, int64_t now_wall_ns, struct arena *arena,
                   struct text *out);
void page_job_json(const struct status_job *job, struct jobq_str payload,
                   struct text *out);
/* One row of a list of jobs; the columns are PAGE_JOB_COLUMNS. */
#define PAGE_JOB_COLUMNS "job|state#attempts#exit#took|finished|box|last output"
void page_job_row(const struct page_look *look, const struct status_job *job,
                  struct text *out);
/* A page that says one thing; title is plain text. */
void page_note_html(const struct page_look *look, const char *title, const char *says,
                    struct text *out);

#endif
