/* box_usage.h - BoxUsage: what SimpleDB says that a call used.
 *
 * It does not measure load: it is computed from the request. Formulas in machine hours,
 * fitted to 27 recorded replies (D: Percival, daemonology.net, 2008-06-25; P: php-sdb2 test
 * data, recorded 2011-10-07; B: boto tests; L: a public log, 2014-09-13), which they
 * reproduce exactly if the result is truncated to the wire's 1e-10 h:
 *
 *   CreateDomain, DeleteDomain      0.0055590278                            D P B
 *   ListDomains, DomainMetadata     0.0000071759                            D P
 *   Put, Delete of N pairs or names 0.0000219907 + 2e-10 N^3                D P, N <= 9
 *   Get returning N distinct names  0.0000093202 + 2e-9 N^2                 P, N = 1, 4
 *   BatchPut                        0.7 x the sum of its puts               P
 *   BatchDelete                     the same, assumed: never observed
 *   Select itemName()               0.0000140000 + 8e-9 x items             P
 *   Select attributes               0.0000137200 + 9.14165e-6 x items       L
 *   Select count(*)                 0.0000140000 + 1.121288e-8 x items      P, one point
 *
 * Known answers: Put of 9 pairs 0.0000221365; BatchPut of 25 items of 3 pairs
 * 0.0003849317; Select of 2 items 0.0000320033.
 *
 * Room:     models, the facts; pure.
 * Callers:  the SimpleDB model, tests.
 * Units:    parameters in 1e-14 h, results in 1e-10 h, truncated. Exact: the largest batch
 *           (25 items of 256 pairs) is 8.5e12 x 700 in int64. */
#ifndef JOBQ_MODELS_SIMPLEDB_BOX_USAGE_H
#define JOBQ_MODELS_SIMPLEDB_BOX_USAGE_H

#include "models/simpledb/simpledb.h"

int64_t simpledb_usage_domain(const struct simpledb_params *params);
int64_t simpledb_usage_list(const struct simpledb_params *params);
/* PutAttributes of pairs attribute-values, DeleteAttributes of so many names; 0 is also
 * what a refused call uses. */
int64_t simpledb_usage_write(const struct simpledb_params *params, int64_t pairs);
int64_t simpledb_usage_get(const struct simpledb_params *params, int64_t names);
/* One term of a batch, in 1e-14 h before its factor; sum them and close. */
int64_t simpledb_usage_batch_term(const struct simpledb_params *params, int64_t pairs);
int64_t simpledb_usage_batch_put(const struct simpledb_params *params, int64_t sum_e14h);
int64_t simpledb_usage_batch_delete(const struct simpledb_params *params,
                                    int64_t sum_e14h);
int64_t simpledb_usage_select_names(const struct simpledb_params *params, int64_t items);
int64_t simpledb_usage_select_rows(const struct simpledb_params *params, int64_t items);
int64_t simpledb_usage_select_count(const struct simpledb_params *params, int64_t items);

#endif
