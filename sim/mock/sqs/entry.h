/* entry.h - the entries of a batch: their ids, and those that failed.
 *
 * Room:     sim/mock.
 * Callers:  sim/mock/sqs/send.c, sim/mock/sqs/delete.c.
 * Knows nothing of: what an entry holds. */
#ifndef JOBQ_SIM_MOCK_SQS_ENTRY_H
#define JOBQ_SIM_MOCK_SQS_ENTRY_H

#include "models/sqs/sqs.h"
#include "sim/mock/server/mock.h"

struct mock_entry {
    const struct tree *in;
    struct jobq_str id;
    enum sqs_fault fault;
    const char *text; /* of the fault; NULL: the model's usual one */
};

/* Reads the list (query: its name there; "Entries" in JSON) and checks count and ids.
 * out: SQS_BATCH_MAX. Returns how many, or -1 with call->error filled. */
int mock_entry_read(struct call *call, const char *query, struct mock_entry *out);
/* Writes "Failed", if any did. */
void mock_entry_write_failed(struct call *call, int queue, const struct mock_entry *entry,
                             int count);
/* Writes "Successful" with nothing but ids in elements called xml_name. */
void mock_entry_write_ids(struct call *call, const char *xml_name,
                          const struct mock_entry *entry, int count);

#endif
