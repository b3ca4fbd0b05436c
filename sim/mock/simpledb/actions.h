/* actions.h - SimpleDB as jobqmock serves it: its ten actions, Query in, XML out.
 *
 * Room:     sim/mock.
 * Callers:  route.c.
 * Knows nothing of: sockets, signatures. */
#ifndef JOBQ_SIM_MOCK_SIMPLEDB_ACTIONS_H
#define JOBQ_SIM_MOCK_SIMPLEDB_ACTIONS_H

#include "sim/mock/server/mock.h"

void mock_sdb(struct call *call);
/* True: SimpleDB has an action of this name. */
bool mock_sdb_knows(struct jobq_str action);

#endif
