#include "live/page/token.h"

#include "base/arena.h"
#include "base/text.h"
#include "wire/text/base64.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static void hash(struct jobq_str bytes, unsigned char out[DIGEST_SHA256_BYTES])
{
    struct digest digest;
    digest_init(&digest);
    digest_sha256(&digest, bytes.ptr ? bytes.ptr : "", (size_t)bytes.len, out);
    digest_release(&digest);
}

/* where: "first line of 'FILE'". */
static int check_token(const char *line, size_t len, const char *where,
                       struct jobq_error *err)
{
    if (len < PAGE_TOKEN_MIN || len > PAGE_TOKEN_MAX)
        return jobq_fail(err, JOBQ_INVALID, "%s is no token of %d to %d bytes", where,
                         PAGE_TOKEN_MIN, PAGE_TOKEN_MAX);
    for (size_t i = 0; i < len; i++)
        if (line[i] <= ' ' || line[i] > '~')
            return jobq_fail(err, JOBQ_INVALID, "%s holds a blank or unprintable byte",
                             where);
    return JOBQ_OK;
}

/* Cuts the line to the token that it is. */
static int take_line(char *line, size_t got, const char *shown, struct jobq_error *err)
{
    char where[160];
    size_t len = 0;
    while (len < got && line[len] != '\n' && line[len] != '\r')
        len++;
    snprintf(where, sizeof where, "first line of '%s'", shown);
    if (check_token(line, len, where, err) < 0)
        return err->code;
    line[len] = '\0';
    return JOBQ_OK;
}

int page_token_take(struct page_token *token, const char *given, struct jobq_error *err)
{
    int rc = check_token(given, strlen(given), "what is given", err);
    if (rc < 0)
        return rc;
    hash(str_of(given), token->sha256);
    token->needed = true;
    return JOBQ_OK;
}

int page_token_line(const char *path, char out[PAGE_TOKEN_MAX + 1],
                    struct jobq_error *err)
{
    char line[PAGE_TOKEN_MAX + 2], shown[120];
    struct stat about;
    text_escape(path, (int64_t)strlen(path), shown, sizeof shown);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return jobq_fail(err, errno == ENOENT ? JOBQ_NOT_FOUND : JOBQ_DENIED,
                         "'%s' cannot be read: %s", shown,
                         errno == ENOENT ? "no such file" : "permission or kind");
    int rc = JOBQ_OK;
    ssize_t got = -1;
    if (fstat(fd, &about) < 0 || S_ISDIR(about.st_mode))
        rc = jobq_fail(err, JOBQ_INVALID, "'%s' is no file", shown);
    else if (S_ISREG(about.st_mode) && (about.st_mode & S_IROTH))
        rc = jobq_fail(err, JOBQ_INVALID,
                       "'%s' can be read by everybody (mode %03o): chmod 600", shown,
                       (unsigned)about.st_mode & 0777u);
    else if ((got = read(fd, line, sizeof line)) < 0)
        rc = jobq_fail(err, JOBQ_INVALID, "'%s' cannot be read", shown);
    if (rc == JOBQ_OK)
        rc = take_line(line, (size_t)got, shown, err);
    if (rc == JOBQ_OK)
        memcpy(out, line, strlen(line) + 1);
    OPENSSL_cleanse(line, sizeof line);
    close(fd);
    return rc;
}

int page_token_read(struct page_token *token, const char *path, struct jobq_error *err)
{
    char line[PAGE_TOKEN_MAX + 1];
    int rc = page_token_line(path, line, err);
    if (rc == JOBQ_OK)
        rc = page_token_take(token, line, err);
    OPENSSL_cleanse(line, sizeof line);
    return rc;
}

static bool has_scheme(struct jobq_str value, const char *scheme, struct jobq_str *rest)
{
    int64_t len = (int64_t)strlen(scheme);
    if (value.len <= len || strncasecmp(value.ptr, scheme, (size_t)len) ||
        value.ptr[len] != ' ')
        return false;
    while (len < value.len && value.ptr[len] == ' ')
        len++;
    *rest = (struct jobq_str){value.ptr + len, value.len - len};
    return true;
}

bool page_token_is(const struct page_token *token, struct jobq_str given)
{
    unsigned char sha256[DIGEST_SHA256_BYTES];
    hash(given, sha256);
    return CRYPTO_memcmp(sha256, token->sha256, sizeof sha256) == 0;
}

bool page_token_accepts(const struct page_token *token, struct jobq_str authorization)
{
    struct jobq_str rest, pair;
    struct arena arena;
    bool good = false;
    if (!token->needed)
        return true;
    if (has_scheme(authorization, "Bearer", &rest))
        return page_token_is(token, rest);
    if (!has_scheme(authorization, "Basic", &rest))
        return false;
    arena_init(&arena, 0);
    if (base64_decode(rest, &arena, &pair)) {
        const char *colon = pair.len ? memchr(pair.ptr, ':', (size_t)pair.len) : NULL;
        if (colon)
            good = page_token_is(
                token, (struct jobq_str){colon + 1, pair.ptr + pair.len - colon - 1});
    }
    arena_release(&arena);
    return good;
}
