/* page_text.h - escaping, times, names and the pieces that pages are made of.
 *
 * Room:     src/fleet, private to the page's files. Pure. */
#ifndef JOBQ_FLEET_STATUS_PAGE_TEXT_H
#define JOBQ_FLEET_STATUS_PAGE_TEXT_H

#include "base/text.h"
#include "fleet/status/page.h"
#include "fleet/status/status.h"
#include "jobq/units.h"

/* c, or '?' for a control byte and everything beyond ASCII. */
char page_shown(char c);
/* & < > " ' as entities; control bytes and everything beyond ASCII as '?': names of the page
 * are ASCII, and what is not was put there by somebody else. */
void page_put_html(struct text *out, struct jobq_str value);
/* The same for several lines of a job's own words: newlines stay. */
void page_put_lines(struct text *out, struct jobq_str value);
/* "2026-11-24 04:05:06 UTC". */
void page_put_time(struct text *out, int64_t wall_ns);
/* "12 s", "3 min 20 s", "5 h 1 min", "9 d 3 h"; "0 s" for what is not positive. */
void page_put_age(struct text *out, int64_t ns);
/* "$12.34", below a dollar "$0.0123"; a dash for NAN. */
void page_put_usd(struct text *out, double usd);
/* The drainers of this box that were seen lately, and their totals. */
struct page_here {
    int drainers;
    int64_t slots, busy;
};
struct page_here page_here(const struct status_view *view);
const char *page_mode_name(enum drainer_mode mode);
const char *page_box_state_name(enum jobq_box_state state);
/* A drainer or box that has said nothing for so long is no longer counted on. */
#define PAGE_STALE_NS (3 * JOBQ_NS_PER_MIN)

/* ---- the numbers on top ---------------------------------------------------------------- */

/* What stands in one tile; the same texts are in the page and in its events. */
#define PAGE_TILES_MAX 24
struct page_tile {
    const char *label; /* "waiting"; also its name in an event */
    char value[40];    /* "" : not known */
};
/* Returns how many. */
int page_tiles(const struct page_look *look, struct page_tile out[PAGE_TILES_MAX]);

/* ---- HTML ------------------------------------------------------------------------------ */

/* From <!doctype> to <main>. title: behind the queue's name; NULL: this is "/" (or one of
 * its boxes), which is kept fresh. */
void page_head(const struct page_look *look, const char *title, struct text *out);
void page_foot(struct text *out);
/* heads: names separated by '|', or by '#' before one of a column of numbers. */
void page_table(struct text *out, const char *caption, const char *heads);
void page_table_end(struct text *out);
/* A row's first cell names it; a job's id links to its page if those are answered. */
void page_row(struct text *out, struct jobq_str value, bool here);
void page_row_job(const struct page_look *look, struct text *out, struct jobq_str id);
void page_cell(struct text *out, const char *value);
void page_cell_int(struct text *out, int64_t value);
void page_cell_age(struct text *out, int64_t ns);
/* "<p class=CLASS>" with escaped text; class NULL: none. */
void page_say(struct text *out, const char *class, const char *text);
/* The queue over the last hours as a picture, and its legend. Nothing before two samples. */
void page_chart(const struct status_view *view, struct text *out);
/* The forms of actions, and of the search. */
void page_search(struct text *out);
void page_actions(const struct page_look *look, struct text *out);

#endif
