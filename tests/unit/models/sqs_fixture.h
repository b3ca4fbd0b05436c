/* sqs_fixture.h - short words for tests of the SQS model.
 *
 * Room:     tests.
 * Callers:  test_sqs*.c.
 * Each fails the test when the call fails, unless it returns the fault. */
#ifndef JOBQ_TESTS_UNIT_MODELS_SQS_FIXTURE_H
#define JOBQ_TESTS_UNIT_MODELS_SQS_FIXTURE_H

#include "base/text.h"
#include "jobq/units.h"
#include "models/sqs/sqs.h"

#define S JOBQ_NS_PER_S
#define U 0.5

struct fixture {
    struct sqs_params params;
    struct sqs *s;
    int q; /* a standard queue "q" */
    struct jobq_error err;
    struct sqs_received got;
};

void open_model(struct fixture *f, const char *model);
void close_model(struct fixture *f);
int queue(struct fixture *f, const char *name, struct sqs_settings settings);
uint64_t send_to(struct fixture *f, int q, int64_t now, const char *body);
uint64_t send_group(struct fixture *f, int q, int64_t now, const char *group,
                    const char *dedup, bool *duplicate);
/* A short poll: how many were received into f->got, or minus the fault. */
int receive_hide(struct fixture *f, int q, int64_t now, int max, int64_t hide);
int receive_from(struct fixture *f, int q, int64_t now, int max);
/* A long poll: whether it waits. */
bool wait_at(struct fixture *f, int q, int64_t now, int64_t wait, uint64_t cookie,
             int max);
enum sqs_fault delete_at(struct fixture *f, int q, int64_t now,
                         struct sqs_receipt receipt);
enum sqs_fault hide_at(struct fixture *f, int q, int64_t now, struct sqs_receipt receipt,
                       int64_t hide);
struct sqs_queue_info info(struct fixture *f, int q, int64_t now);
/* The counters, after checking that each message has exactly one end. */
struct sqs_stats stats(struct fixture *f, int q, int64_t now);

#endif
