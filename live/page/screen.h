/* screen.h - text on a whole terminal, drawn again in place.
 *
 * Room:     live, the network world.
 * Callers:  live/cmd/top.c.
 * Knows nothing of: what the text says.
 * Blocks:   where the terminal does not take what is written.
 *
 * The terminal's own second screen is used, so that what stood there before comes back.
 * Ctrl-C and signals stay the caller's, who then closes the screen; Ctrl-Z and Ctrl-\ are off,
 * because they would leave the terminal as it is. Only printable ASCII is ever written. */
#ifndef JOBQ_LIVE_PAGE_SCREEN_H
#define JOBQ_LIVE_PAGE_SCREEN_H

#include "jobq/ports.h"
#include "net/loop.h"

#include <stdbool.h>

struct screen;

/* Whether standard output is a terminal that can be drawn on. */
bool screen_is_there(void);
/* Takes the terminal. quit(ctx) is called when a person types q. Owner: the caller. */
struct screen *screen_open(struct loop *loop, loop_fn *quit, void *ctx);
/* Gives the terminal back as it was; NULL: nothing. Also from a signal's callback. */
void screen_close(struct screen *screen);
/* Shows text, whose lines above the first empty one stay while a person scrolls the others, and
 * a last line; cut to the terminal's size, and drawn again when that changes. Both are copied. */
void screen_show(struct screen *screen, struct jobq_str text, const char *last);

#endif
