/* vcpu.h - how the jobs on one box share its vCPUs.
 *
 * A job is: wait, compute, wait. While k jobs compute on v vCPUs each runs at the rate
 * min(1, v/k) (egalitarian processor sharing); waiting costs no processor and is never
 * stretched. So concurrency past the vCPUs costs a CPU-bound job time and a sleeping job
 * nothing.
 *
 * The computing part is one stretch of the job, not spread over it: jobs that only
 * sometimes compute then meet by chance, as on a real box, and k is what is computing
 * now. Where in its job it lies is the caller's choice (box_split): at a random place,
 * jobs that start together do not compute together. For one kind of job, share s, n at a
 * time, no schedule can take less than max(1, n s / v) times the job's own time.
 *
 * Room:     models, the facts.
 * Callers:  sim (the child port), tests.
 * Knows nothing of: queues, AWS, what a job is for.
 *
 * Method: attained service in virtual time (as in Parekh and Gallager, "A generalized
 * processor sharing approach to flow control", 1993). V grows at the rate min(1, v/k); a
 * job that starts computing at V ends when V reaches V + cpu_ns. One heap of computing
 * jobs by the V of their end, one of waiting jobs by time: every operation is O(log n).
 *
 * Rounding: V is kept in 2^-32 ns and rounded down at each change of k; a job ends at the
 * first whole nanosecond at which V is within 2^-12 ns of its end. So a job with cpu_ns
 * 0, and any job while k <= v throughout, ends exactly at its start + its own time;
 * otherwise it may be late by less than 1 ns for itself and for each neighbour that ended
 * before it. */
#ifndef JOBQ_MODELS_EC2_VCPU_H
#define JOBQ_MODELS_EC2_VCPU_H

#include "base/wide.h"

#include <stdbool.h>
#include <stdint.h>

struct box_part; /* internal: one job's state */

struct box {
    int32_t vcpus;
    /* internal */
    int32_t part_count, part_cap, free_head;
    int32_t cpu_count, wait_count;
    struct box_part *part;
    int32_t *cpu_heap, *wait_heap; /* indices into part */
    uint64_t next_seq;
    int64_t at_ns;   /* v, busy_ns and the heaps are as of this instant */
    wide_u128 v;     /* V in 2^-32 ns */
    int64_t busy_ns; /* vCPU-nanoseconds used */
};

struct box_job {
    int64_t before_ns; /* waits first */
    int64_t cpu_ns;    /* then computes */
    int64_t after_ns;  /* then waits again */
    void *tag;         /* given back when it ends; never looked at */
};

struct box_end {
    int32_t handle; /* no longer valid */
    int64_t at_ns;  /* when it ended, <= now */
    void *tag;
};

/* vcpus >= 1. No memory is taken before the first job. */
void box_init(struct box *box, int32_t vcpus, int64_t now_ns);
void box_release(struct box *box);
/* Drop all jobs, keep the memory. */
void box_reset(struct box *box, int32_t vcpus, int64_t now_ns);

/* Cut a job of total_ns with the share cpu_share in [0,1] of it computing: cpu_ns is the
 * share rounded to the nearest ns, and lies at the place at in [0,1] of the rest (0:
 * first, 1: last). The three parts add up to total_ns exactly. */
struct box_job box_split(int64_t total_ns, double cpu_share, double at, void *tag);

/* Start a job. Returns its handle >= 0, good until it ends or is removed. Times >= 0.
 * now_ns must not be past an end that box_advance has not given yet. */
int32_t box_add(struct box *box, int64_t now_ns, const struct box_job *job);
/* Take a job away before its end; false: no such handle. The others speed up. */
bool box_remove(struct box *box, int64_t now_ns, int32_t handle);
/* When box_advance has something to do next; INT64_MAX: never, unless a job is added. It
 * may be a change of phase, after which nothing has ended. */
int64_t box_next_at(const struct box *box);
/* Move to now_ns; up to cap ends in order of (time, start). Returns how many; call again
 * while it returns cap. */
int box_advance(struct box *box, int64_t now_ns, struct box_end *out, int cap);

/* vCPU-nanoseconds used until now_ns (>= the last call's). */
int64_t box_busy_ns(const struct box *box, int64_t now_ns);

#endif
