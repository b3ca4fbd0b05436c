/* meter.h - counts what was asked, as the bill would.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/server/respond.c counts; control.c shows.
 * Knows nothing of: prices (control.c asks src/cost). */
#ifndef JOBQ_SIM_MOCK_CONTROL_METER_H
#define JOBQ_SIM_MOCK_CONTROL_METER_H

#include "jobq/ledger.h"
#include "sim/mock/server/mock.h"

struct mock_meter {
    struct jobq_ledger ledger;
    /* Of it, what was about FIFO queues, which has its own price; and requests to SQS that
     * the ledger has no line for (tags, permissions, sources, move tasks), about standard
     * queues and FIFO queues. "Every Amazon SQS action counts as a request" (SQS pricing). */
    struct jobq_ledger fifo;
    int64_t sqs_other[2];
    /* Actions that the ledger has no line for, of all services: requests and errors. */
    int64_t other_requests, other_failed;
    int64_t waiting; /* long polls parked now */
};

struct mock_meter *meter_new(void);
void meter_free(struct mock_meter *meter);
/* One finished call whose reply took reply_bytes. */
void meter_call(struct mock_meter *meter, const struct call *call, int status,
                int64_t reply_bytes);
void meter_reset(struct mock_meter *meter);

#endif
