/* error.h - how every call of jobq fails.
 *
 * A function that can fail returns int: JOBQ_OK (0) or a count >= 0, else a
 * negative enum jobq_code, and takes a struct jobq_error as its last parameter.
 * The error belongs to the caller, is never NULL, and is not touched on success.
 * There is no errno, no thread-local and no static buffer: many fibers share a
 * thread, and another may run between the failure and its reading.
 *
 * A code says what the caller should do, not what went wrong; the text says that.
 * Text: fault first, subject in 'quotes', no capital, no full stop, no secrets. */
#ifndef JOBQ_ERROR_H
#define JOBQ_ERROR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What libjobq.so exports; everything else is hidden in it. */
#define JOBQ_API __attribute__((visibility("default")))

enum jobq_code {
    JOBQ_OK = 0,
    /* Try again later. TIMEOUT and UNAVAILABLE are ambiguous: the call may have
     * been applied although its reply was lost. THROTTLED was not applied. */
    JOBQ_TIMEOUT = -1,
    JOBQ_THROTTLED = -2,
    JOBQ_UNAVAILABLE = -3,
    /* The world is not as the call assumed: look again. */
    JOBQ_NOT_FOUND = -4,
    JOBQ_CONFLICT = -5, /* a condition failed, or the name is taken */
    /* Stop: trying again cannot help. */
    JOBQ_DENIED = -6,    /* credentials, a permission, or a key that it needs */
    JOBQ_INVALID = -7,   /* the request is malformed */
    JOBQ_CORRUPT = -8,   /* what was read makes no sense */
    JOBQ_LIMIT = -9,     /* a documented limit; the text names it */
    JOBQ_CANCELLED = -10 /* who waits was told to stop, or what it calls is closed */
};

struct jobq_error {
    enum jobq_code code;
    /* Always terminated; cut, not overrun. AWS's refusals name a role, a resource and a
     * policy, and are told whole. */
    char text[384];
};

/* Fills err and returns code, so that a failing function ends with
 * `return jobq_fail(err, JOBQ_LIMIT, "batch of %d exceeds '10'", n);`. */
int jobq_fail(struct jobq_error *err, enum jobq_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prepends "text: " to err on its way up and returns err->code. */
int jobq_wrap(struct jobq_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* For languages that do not read this header: how many bytes a struct jobq_error has, and what
 * a filled one holds. The text is the error's. */
JOBQ_API size_t jobq_error_size(void);
JOBQ_API int jobq_error_code(const struct jobq_error *err);
JOBQ_API const char *jobq_error_text(const struct jobq_error *err);

/* "timeout", "throttled", ...; never NULL. Static storage. */
JOBQ_API const char *jobq_code_name(enum jobq_code code);

/* True for TIMEOUT, THROTTLED and UNAVAILABLE: the same call may succeed later. */
JOBQ_API int jobq_code_is_retryable(int code);

#ifdef __cplusplus
}
#endif
#endif
