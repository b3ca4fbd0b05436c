/* played.h - plays one replication of a scenario for a test.
 *
 * Room:     tests/unit/sim. */
#ifndef JOBQ_TESTS_UNIT_SIM_PLAYED_H
#define JOBQ_TESTS_UNIT_SIM_PLAYED_H

#include "sim/play/run.h"

struct played {
    struct scenario scenario;
    struct world_params *params;
    struct replication *replication;
    struct replication_options options;
    double box_hour_usd; /* what an autoscaler knows of it; 0: nothing */
    struct replication_result result;
    struct jobq_error err;
    int code;
};

/* "name=value name=value", as the command line would set them; run_params may refuse. */
void played_set_up(struct played *r, const char *options);
/* hooks may be NULL. */
void played_play(struct played *r, const struct replication_hooks *hooks);
void played_end(struct played *r);
struct played played(const char *options);

#endif
