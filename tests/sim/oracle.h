/* oracle.h - what queueing theory says exactly: the c-server first-come-first-served queue.
 *
 * Room:     tests. */
#ifndef JOBQ_TESTS_SIM_ORACLE_H
#define JOBQ_TESTS_SIM_ORACLE_H

#include <stdint.h>

/* Kiefer and Wolfowitz, "On the theory of queues with many servers", Trans. AMS 78, 1955:
 * each job, in order of arrival, starts at the later of its arrival and the instant at which
 * the first of the servers is free. Fills start_ns. */
void oracle_starts(const int64_t *arrival_ns, const int64_t *job_ns, int64_t count,
                   int servers, int64_t *start_ns);

#endif
