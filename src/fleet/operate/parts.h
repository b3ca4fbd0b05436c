/* parts.h - what the operator's files share.
 *
 * Room:     src/fleet, private to fleet/operate. */
#ifndef JOBQ_FLEET_OPERATE_PARTS_H
#define JOBQ_FLEET_OPERATE_PARTS_H

#include "base/arena.h"
#include "fleet/operate/operate.h"

struct operate {
    struct jobq_backend *b;
    struct operate_options options;
    struct jobq_self self; /* id empty: not yet asked, or no box */
    int64_t spawned_at_ns; /* the last launch */
    char spawned_once[33]; /* its token */
    bool ending, ended;
    int64_t end_by_ns;
};

int operate_tell(struct operate *o, enum operate_word word, int64_t number,
                 struct jobq_str job_id);

#endif
