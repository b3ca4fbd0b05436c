/* operate.h - what an operator does to a queue's boxes and jobs, from the page and from the
 * command line alike.
 *
 * Room:     src/fleet, the product.
 * Callers:  fleet/status/page_ask.c, jobq's subcommands, tests.
 * Knows nothing of: who may ask (the board's world has let them in), prices, sockets.
 * Blocks:   at port calls; quiet, resume and slots do not.
 *
 * Each function appends one sentence that says what was done, and returns JOBQ_OK, or an
 * error that says why not. Doing one twice does no harm: a launch has a token, and the others
 * set a state. */
#ifndef JOBQ_FLEET_OPERATE_OPERATE_H
#define JOBQ_FLEET_OPERATE_OPERATE_H

#include "base/text.h"
#include "fleet/drain/drainer.h"
#include "jobq/ports.h"

#include <stdbool.h>

enum operate_word {
    OPERATE_QUIET,
    OPERATE_RESUME,
    OPERATE_SLOTS,  /* number: how many more */
    OPERATE_STOP,   /* number: within so many ns */
    OPERATE_CANCEL, /* job_id: stop it if it runs here */
    OPERATE_WORD_COUNT
};

struct operate_options {
    const char *queue;
    struct drainer *drainer; /* of this process; NULL: none */
    int64_t stop_within_ns;  /* seppuku: running jobs may take so long to finish */
    /* The other drainers of this box: tell returns how many were told, left how many live.
     * NULL: there are none. */
    int (*tell)(void *ctx, enum operate_word word, int64_t number,
                struct jobq_str job_id);
    int (*left)(void *ctx);
    /* Of new boxes. */
    const char *type;  /* NULL: as this box */
    const char *image; /* NULL: as this box */
    const char
        *profile; /* of their role; NULL: as this box, unless a template is given */
    const char *launch_template; /* NULL: none */
    int boxes_max;               /* no more boxes than so many in all */
    /* NULL: no boxes are started. stays: as operate_spawn has it. */
    int (*user_data)(void *ctx, bool stays, struct text *out, struct jobq_error *err);
    double (*hour_usd)(void *ctx, const char *type, bool spot); /* NAN: not known */
    void (*audit)(void *ctx, const char *line); /* NULL: nobody keeps it */
    void *ctx;
};
#define OPERATE_BOXES_MAX 500 /* one launch */

struct operate;
/* options is copied, its strings live on. Owner: b->proc. */
struct operate *operate_new(struct jobq_backend *b,
                            const struct operate_options *options);
const struct operate_options *operate_options_of(const struct operate *o);

int operate_quiet(struct operate *o, bool quiet, struct text *said,
                  struct jobq_error *err);
/* by: how many slots more each drainer of this box gets, -1000..1000. */
int operate_slots(struct operate *o, int64_t by, struct text *said,
                  struct jobq_error *err);
/* As status_cancel; a job that runs on this box is stopped now, elsewhere when its drainer
 * next looks (cancel_check_ns). */
int operate_cancel(struct operate *o, struct jobq_str id, struct text *said,
                   struct jobq_error *err);
/* A failed job is tried now, a dead one gets all its attempts again. CONFLICT: it is neither.
 * Its dead letter is deleted by the next redrive. */
int operate_retry(struct operate *o, struct jobq_str id, struct text *said,
                  struct jobq_error *err);

struct operate_spawn {
    char type[24]; /* "": as operate_options and then this box */
    int64_t count; /* 1..OPERATE_BOXES_MAX */
    bool spot;
    bool stays;       /* the boxes do not leave when idle */
    char once[33];    /* the same text launches once; 1..32 letters and digits */
    struct text *ids; /* NULL, or gets the ids of the boxes, a line each */
};
/* What it would cost an hour; NAN: not known. Fills in the type. INVALID, LIMIT: it would be
 * refused (but for boxes_max). */
int operate_spawn_check(struct operate *o, struct operate_spawn *spawn, double *hour_usd,
                        struct jobq_error *err);
int operate_spawn(struct operate *o, struct operate_spawn *spawn, struct text *said,
                  struct jobq_error *err);

/* Ends this box: its drainers take no more work and finish or give back what they hold, then
 * the box is terminated. INVALID: this is no box. Returns at once; the end is operate_end's. */
int operate_seppuku(struct operate *o, struct text *said, struct jobq_error *err);
/* True from then on. */
bool operate_is_ending(const struct operate *o);
/* If the box is ending: waits for its other drainers, then terminates it. For who has
 * stopped draining: without a drainer of its own, seppuku itself sees to it. */
int operate_end(struct operate *o, struct jobq_error *err);

#endif
