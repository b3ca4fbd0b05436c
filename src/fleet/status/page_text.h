/* page_text.h - escaping, times and names for the page.
 *
 * Room:     src/fleet, private to page.c and page_json.c. Pure. */
#ifndef JOBQ_FLEET_STATUS_PAGE_TEXT_H
#define JOBQ_FLEET_STATUS_PAGE_TEXT_H

#include "base/text.h"
#include "fleet/status/status.h"

/* & < > " ' as entities; control bytes and everything beyond ASCII as '?': names of the page
 * are ASCII, and what is not was put there by somebody else. */
void page_put_html(struct text *out, struct jobq_str value);
/* "2026-11-24 04:05:06 UTC". */
void page_put_time(struct text *out, int64_t wall_ns);
/* "12 s", "3 min 20 s", "5 h 1 min", "9 d 3 h"; "0 s" for what is not positive. */
void page_put_age(struct text *out, int64_t ns);
/* The drainers of this box that were seen lately, and their totals. */
struct page_here {
    int drainers;
    int64_t slots, busy;
};
struct page_here page_here(const struct status_view *view);
const char *page_mode_name(enum drainer_mode mode);
const char *page_box_state_name(enum jobq_box_state state);

#endif
