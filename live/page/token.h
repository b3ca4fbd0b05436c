/* token.h - the token that a reader of the status page must have.
 *
 * Room:     live, the network world.
 * Callers:  live/page/board.c, live/cmd/page.c, tests.
 * Knows nothing of: HTTP but the value of one header.
 * Blocks:   page_token_read reads a file.
 *
 * The token comes from a file, so that it stands in no command line and in no environment; of
 * it only the SHA-256 is kept, and that is compared in a time that does not depend on where
 * two tokens differ or on their lengths. */
#ifndef JOBQ_LIVE_PAGE_TOKEN_H
#define JOBQ_LIVE_PAGE_TOKEN_H

#include "jobq/error.h"
#include "jobq/ports.h"
#include "wire/sign/digest.h"

#include <stdbool.h>

enum { PAGE_TOKEN_MIN = 16, PAGE_TOKEN_MAX = 256 };

struct page_token {
    bool needed; /* false: everybody may read */
    unsigned char sha256[DIGEST_SHA256_BYTES];
};

/* The file's first line: PAGE_TOKEN_MIN to PAGE_TOKEN_MAX printable bytes without blanks.
 * INVALID: it is none, or the file's mode lets others than its owner and group read it;
 * NOT_FOUND, DENIED. No text holds any of the token. */
int page_token_read(struct page_token *token, const char *path, struct jobq_error *err);
/* The same of a token that the caller has. INVALID: it is none. */
int page_token_take(struct page_token *token, const char *given, struct jobq_error *err);
/* The line of the file itself, terminated, for who asks such a page. The same errors. */
int page_token_line(const char *path, char out[PAGE_TOKEN_MAX + 1],
                    struct jobq_error *err);
/* The value of an Authorization header: "Bearer TOKEN", or "Basic" with any user's name and
 * the token as the password, which is what a browser asks a person for. */
bool page_token_accepts(const struct page_token *token, struct jobq_str authorization);
/* The token itself. */
bool page_token_is(const struct page_token *token, struct jobq_str given);

#endif
