/* request_reply.h - reads what jobqmock answered to a fuzzed request, holds it to what every
 * reply must be, and keeps what later requests can hand back. */
#ifndef JOBQ_TESTS_REQUEST_REPLY_H
#define JOBQ_TESTS_REQUEST_REPLY_H

#include "base/text.h"
#include "jobq/ports.h"

#include <stdbool.h>

/* By the letters of "$KEM": R a receipt handle, N a next token, T a move task's handle, I an
 * instance, M an IMDS token. The last that came counts. */
enum reply_kept {
    KEPT_RECEIPT,
    KEPT_TOKEN,
    KEPT_TASK,
    KEPT_INSTANCE,
    KEPT_IMDS,
    KEPT_COUNT
};

struct reply_reader {
    struct text got; /* of this connection, not read yet */
    struct text log; /* all that was read, without interim replies */
    struct text kept[KEPT_COUNT];
    int64_t body_max;
    /* Faults were asked for; a HEAD; and metrics, which tell how full the buffers are. */
    bool faults, head, metrics;
};

/* Prints and aborts. */
_Noreturn void fuzz_fail(const char *what);

/* What this segment asks for, as far as it matters to its replies. */
void reply_asked(struct reply_reader *reader, struct jobq_str segment);
/* Reads all replies that came; whole ones, or it fails. */
void reply_read(struct reply_reader *reader);
/* The segment with its "$KEM" filled in. */
void reply_expand(const struct reply_reader *reader, const char *segment, size_t len,
                  struct text *out);
/* Returns the log; owner: the caller. */
struct text reply_release(struct reply_reader *reader);

#endif
