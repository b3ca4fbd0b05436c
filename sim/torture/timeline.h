/* timeline.h - what happened in a run, as a person reads it.
 *
 * Room:     sim, the virtual-time world.
 * Callers:  jobqsim torture, tests.
 * Knows nothing of: why the run failed.
 * Units:    seconds since the first entry, when shown.
 *
 * Records every call about a job (who made it, what it said, how it was answered), what
 * drainers report, boxes that come and go, and faults. It is shown as lines of at most 80
 * columns or as one SVG without anything from outside: a lane for each process, time downwards. */
#ifndef JOBQ_SIM_TORTURE_TIMELINE_H
#define JOBQ_SIM_TORTURE_TIMELINE_H

#include "sim/torture/torture.h"

struct timeline;

struct timeline *timeline_new(void);
void timeline_free(struct timeline *t);
/* Hooks of torture_play that record the run; good until timeline_free. Begins anew. */
struct torture_hooks timeline_hooks(struct timeline *t);

/* The last `most` entries about the jobs whose ids stand in `finding` (about all, if none
 * does), as text or as SVG; without heartbeats that were answered well. */
void timeline_text(struct timeline *t, const char *finding, int most, struct text *out);
void timeline_svg(struct timeline *t, const char *title, const char *finding, int most,
                  struct text *out);

/* ---- what the two have in common -------------------------------------------------------- */

enum timeline_kind {
    TIMELINE_CALL,
    TIMELINE_START, /* an attempt's */
    TIMELINE_END,   /* an attempt's, however it ended */
    TIMELINE_WORD,  /* what a drainer says besides, a box that comes or goes */
    TIMELINE_FAULT
};

struct timeline_entry {
    int64_t at_ns, ended_at_ns; /* ended: of a call; -1: never answered */
    int lane, job;              /* -1: none */
    enum timeline_kind kind;
    int action;    /* of a call; -1 */
    bool failed;   /* struck, refused, not answered: to be shown as such */
    char what[72]; /* "put 'done 1' over 'running 1'" */
    char result[32];
};

/* Indices, ascending, of the entries to show. Returns how many; the caller frees *out. */
int timeline_select(struct timeline *t, const char *finding, int most, int64_t **out);
const struct timeline_entry *timeline_at(const struct timeline *t, int64_t index);
int timeline_lanes(const struct timeline *t);
const char *timeline_lane_name(const struct timeline *t, int lane);
/* "j3 is jobs-1jd...": the id of a job. */
const char *timeline_job_id(const struct timeline *t, int job);

#endif
