/* error.c - how an error is filled and wrapped. See jobq/error.h. */
#include "jobq/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int jobq_fail(struct jobq_error *err, enum jobq_code code, const char *format, ...)
{
    assert(err && code < 0);
    va_list args;
    va_start(args, format);
    err->code = code;
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return code;
}

int jobq_wrap(struct jobq_error *err, const char *format, ...)
{
    assert(err && err->code < 0);
    char outer[sizeof err->text];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(outer, sizeof outer, format, args);
    va_end(args);
    size_t room = sizeof err->text;
    size_t head = len < 0 ? 0 : (size_t)len;
    if (head > room - 3)
        head = room - 3;
    size_t tail = strlen(err->text);
    if (tail > room - head - 3)
        tail = room - head - 3;
    memmove(err->text + head + 2, err->text, tail);
    err->text[head + 2 + tail] = '\0';
    memcpy(err->text, outer, head);
    memcpy(err->text + head, ": ", 2);
    return err->code;
}

size_t jobq_error_size(void)
{
    return sizeof(struct jobq_error);
}

int jobq_error_code(const struct jobq_error *err)
{
    assert(err);
    return err->code;
}

const char *jobq_error_text(const struct jobq_error *err)
{
    assert(err);
    return err->text;
}

const char *jobq_code_name(enum jobq_code code)
{
    switch (code) {
    case JOBQ_OK:
        return "ok";
    case JOBQ_TIMEOUT:
        return "timeout";
    case JOBQ_THROTTLED:
        return "throttled";
    case JOBQ_UNAVAILABLE:
        return "unavailable";
    case JOBQ_NOT_FOUND:
        return "not found";
    case JOBQ_CONFLICT:
        return "conflict";
    case JOBQ_DENIED:
        return "denied";
    case JOBQ_INVALID:
        return "invalid";
    case JOBQ_CORRUPT:
        return "corrupt";
    case JOBQ_LIMIT:
        return "limit";
    case JOBQ_CANCELLED:
        return "cancelled";
    }
    return "unknown";
}

int jobq_code_is_retryable(int code)
{
    return code == JOBQ_TIMEOUT || code == JOBQ_THROTTLED || code == JOBQ_UNAVAILABLE;
}
