#include "live/page/guard.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* The host of "HOST", "HOST:PORT", "[HOST]" or "[HOST]:PORT". */
static struct jobq_str guard_host_of(struct jobq_str value)
{
    const char *end = value.ptr + value.len;
    if (value.len > 0 && value.ptr[0] == '[') {
        const char *close = memchr(value.ptr, ']', (size_t)value.len);
        return close ? (struct jobq_str){value.ptr + 1, close - value.ptr - 1} : value;
    }
    const char *colon = value.len ? memchr(value.ptr, ':', (size_t)value.len) : NULL;
    return (struct jobq_str){value.ptr, (colon ? colon : end) - value.ptr};
}

static bool guard_is(struct jobq_str text, const char *name, size_t len)
{
    return text.len == (int64_t)len && strncasecmp(text.ptr, name, len) == 0;
}

/* Decimal with dots and all of it, since "127.example.org" is a name. */
static bool guard_is_loopback(struct jobq_str host)
{
    char text[48];
    struct in_addr v4;
    struct in6_addr v6;
    if (guard_is(host, "localhost", 9))
        return true;
    if (host.len == 0 || host.len >= (int64_t)sizeof text)
        return false;
    memcpy(text, host.ptr, (size_t)host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool guard_host_is_ours(const struct guard *guard, struct jobq_str value)
{
    struct jobq_str host = guard_host_of(value);
    if (guard_is_loopback(host))
        return true;
    for (const char *name = guard->allowed; name && *name; name += strspn(name, ", ")) {
        size_t len = strcspn(name, ", ");
        if (len && guard_is(host, name, len))
            return true;
        name += len;
    }
    return false;
}

/* "http://HOST" or "https://HOST" of a Host header's HOST. */
static bool guard_is_origin_of(struct jobq_str origin, struct jobq_str host)
{
    int64_t scheme = 0;
    if (origin.len > 7 && strncasecmp(origin.ptr, "http://", 7) == 0)
        scheme = 7;
    else if (origin.len > 8 && strncasecmp(origin.ptr, "https://", 8) == 0)
        scheme = 8;
    return scheme && host.len > 0 && origin.len - scheme == host.len &&
           strncasecmp(origin.ptr + scheme, host.ptr, (size_t)host.len) == 0;
}

static bool guard_is_same_origin(const struct http_request *request)
{
    struct jobq_str site = http_header(request, "sec-fetch-site");
    if (site.ptr)
        return str_is(site, "same-origin") || str_is(site, "none");
    struct jobq_str origin = http_header(request, "origin");
    return !origin.ptr || guard_is_origin_of(origin, http_header(request, "host"));
}

struct jobq_str guard_field(struct jobq_str form, const char *name)
{
    int64_t len = (int64_t)strlen(name), at = 0;
    while (at < form.len) {
        const char *pair = form.ptr + at;
        const char *end = memchr(pair, '&', (size_t)(form.len - at));
        int64_t bytes = end ? end - pair : form.len - at;
        if (bytes > len && pair[len] == '=' && memcmp(pair, name, (size_t)len) == 0)
            return (struct jobq_str){pair + len + 1, bytes - len - 1};
        at += bytes + 1;
    }
    return (struct jobq_str){NULL, 0};
}

struct guard_refusal guard_check(const struct guard *guard,
                                 const struct http_request *request)
{
    const struct page_token *token = &guard->token;
    bool post = str_is(request->method, "POST");
    bool bears = token->needed &&
                 (page_token_accepts(token, http_header(request, "authorization")) ||
                  (post && page_token_is(token, guard_field(request->body, "token"))));
    if (!token->needed && !guard_host_is_ours(guard, http_header(request, "host")))
        return (struct guard_refusal){
            .status = 421,
            .text = "this page is not known by that name; see --allow-host\n"};
    if (token->needed && !bears)
        return (struct guard_refusal){
            .status = 401, .ask = true, .text = "this page wants its token\n"};
    if (!post && !str_is(request->method, "GET") && !str_is(request->method, "HEAD"))
        return (struct guard_refusal){
            .status = 405, .allow = true, .text = "only GET, HEAD and POST\n"};
    if (!post)
        return (struct guard_refusal){0};
    if (guard->read_only)
        return (struct guard_refusal){.status = 403,
                                      .text = "this page is read-only (--read-only)\n"};
    if (!token->needed)
        return (struct guard_refusal){.status = 403,
                                      .text = "actions want a token: see --token-file\n"};
    if (!guard_is_same_origin(request))
        return (struct guard_refusal){.status = 403,
                                      .text = "an action must come from this page\n"};
    return (struct guard_refusal){0};
}
