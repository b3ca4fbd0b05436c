/* money.h - what a queue costs, for its status page.
 *
 * Room:     live.
 * Callers:  live/cmd/page.c.
 * Knows nothing of: how the page shows it.
 * Units:    dollars of the region's latest price sheet, no free tier. */
#ifndef JOBQ_LIVE_PAGE_MONEY_H
#define JOBQ_LIVE_PAGE_MONEY_H

#include "fleet/status/page.h"
#include "scenario/scenario.h"

struct money;
/* region: "" or one without a sheet: us-east-1. NULL: no prices at all. */
struct money *money_new(const struct scenario *scenario, const char *region);
void money_free(struct money *money); /* NULL: nothing */
/* page_options.money; ctx: a struct money. */
void money_fill(void *ctx, const struct status_view *view, struct page_money *out);
/* One box, an hour; NAN: not known. */
double money_hour(const struct money *money, const char *type, bool spot);

#endif
