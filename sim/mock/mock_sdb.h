/* mock_sdb.h - SimpleDB as jobqmock serves it: its ten actions, Query in, XML out.
 *
 * Room:     sim/mock.
 * Callers:  route.c.
 * Knows nothing of: sockets, signatures. */
#ifndef JOBQ_MOCK_MOCK_SDB_H
#define JOBQ_MOCK_MOCK_SDB_H

#include "sim/mock/mock.h"

void mock_sdb(struct call *call);
/* True: SimpleDB has an action of this name. */
bool mock_sdb_knows(struct jobq_str action);

#endif
