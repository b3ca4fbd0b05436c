/* contract.h - what every world's ports must do, said once and run in both.
 *
 * Room:     tests.
 * Callers:  contract_sim.c, contract_live.c.
 * Knows nothing of: which world it is in.
 *
 * The suites run on a fiber, so a failed WANT does not jump out: it is printed and counted,
 * and the suite goes on. Names of queues and domains are made unique by c->prefix. */
#ifndef JOBQ_TESTS_CONTRACT_H
#define JOBQ_TESTS_CONTRACT_H

#include "base/arena.h"
#include "base/text.h"
#include "jobq/ports.h"
#include "jobq/units.h"

#include <stdio.h>

struct contract {
    struct jobq_backend *b;
    const char *prefix;
    const char *image; /* of boxes that may be launched; NULL: launch none */
    struct arena arena;
    int wants, failures;
};

#define WANT(c, condition) contract_want(c, condition, #condition, __FILE__, __LINE__)

bool contract_want(struct contract *c, bool holds, const char *text, const char *file,
                   int line);
void contract_sleep(struct contract *c, int64_t ns);
/* prefix-name, in the contract's arena. */
const char *contract_name(struct contract *c, const char *name);

void contract_queue(struct contract *c);
void contract_store(struct contract *c);
void contract_fleet(struct contract *c);
void contract_house(struct contract *c);
/* BoxUsage of the prune of contract_house, in 1e-10 machine hours. */
enum { CONTRACT_PRUNE_E10H = 112195145 };
/* And of the drainer that it runs. */
enum { CONTRACT_SHORT_E10H = 57628047 };
/* At most so many requests does all of it make, for who must say beforehand. */
enum { CONTRACT_SQS = 70, CONTRACT_SDB = 90 };

#endif
