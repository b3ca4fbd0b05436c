/* notify.h - tells systemd how a service is.
 *
 * Room:     live, jobq's program.
 * Callers:  live/cmd/drain.c, live/cmd/serve.c.
 * Blocks:   never (a datagram to NOTIFY_SOCKET; nothing without that variable).
 *
 * The protocol of sd_notify(3), which is a dozen lines and not worth a library. */
#ifndef JOBQ_LIVE_WORLD_NOTIFY_H
#define JOBQ_LIVE_WORLD_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...", lines joined by newlines. */
void notify_send(const char *state);
/* How often WATCHDOG=1 is due: half of WATCHDOG_USEC; 0: no watchdog. */
int64_t notify_watchdog_ns(void);

#endif
