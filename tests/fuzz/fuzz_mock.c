/* fuzz_mock.c - any bytes as what jobqmock reads from strangers: a request's head, a chunked
 * body, a JSON document, a query string. Read or refused with a line; views stay inside. */
#include "cost_driver.h"

#include "base/arena.h"
#include "net/http_parse.h"
#include "wire/text/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_seeds[] = {
    "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: "
    "100-continue\r\n\r\n",
    "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: v\r\n\r\n",
    "{\"Q\":\"\\u00fc\\ud83d\\ude00\",\"N\":-1.5e3,\"E\":[{\"Id\":[null,true]}]}",
    "Action=SendMessage&Q=%C3%BC+a&N=-12&E.10.Id=b&E.9.Id.1=a&E.9=x", NULL};

static void fail(const char *what)
{
    fprintf(stderr, "fuzz_mock: %s\n", what);
    abort();
}

static int64_t weigh(const struct tree *tree, int depth)
{
    int64_t bytes = tree->text.len + tree->name.len;
    int children = 0;
    if (depth > 2 * TREE_DEPTH_MAX)
        fail("deeper than the limit");
    for (const struct tree *one = tree->first; one; one = one->next, children++)
        bytes += weigh(one, depth + 1);
    if (children != tree->count)
        fail("a wrong count of children");
    return bytes;
}

static void read_tree(struct jobq_str bytes, bool json)
{
    struct jobq_error err = {0};
    struct arena arena;
    struct tree *tree;
    arena_init(&arena, 4096);
    int code = json ? tree_from_json(bytes, &arena, &tree, &err)
                    : tree_from_query(&bytes, 1, &arena, &tree, &err);
    if (code == JOBQ_OK && weigh(tree, 0) < 0)
        fail("a negative length");
    if (code != JOBQ_OK && err.text[0] == '\0')
        fail("a refusal without a line");
    arena_release(&arena);
}

/* At once and in two parts: the same, unless the first part already broke a bound. */
static void read_chunks(const char *data, int64_t len)
{
    char *bytes = malloc((size_t)len + 1), *grown = malloc((size_t)len + 1);
    struct http_chunks seen = {0}, later = {0};
    int64_t body = 0, used = 0, late_body = 0, late_used = 0;
    memcpy(bytes, data, (size_t)len);
    memcpy(grown, data, (size_t)len);
    int whole = http_parse_chunked(bytes, len, 1000, &seen, &body, &used);
    if (whole == 1 && (body < 0 || used > len || body >= used))
        fail("more content than bytes");
    int part = http_parse_chunked(grown, len / 2, 1000, &later, &late_body, &late_used);
    if (part == 0)
        part = http_parse_chunked(grown, len, 1000, &later, &late_body, &late_used);
    if (whole == 1 && part == 1 &&
        (body != late_body || used != late_used || memcmp(bytes, grown, (size_t)body)))
        fail("a body in two parts is another");
    if (part == 1 && whole != 1)
        fail("taken in two parts, refused in one");
    free(bytes);
    free(grown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size + 1);
    struct http_request request;
    int64_t len = (int64_t)size;
    memcpy(bytes, data, size);
    read_tree((struct jobq_str){bytes, len}, true);
    read_tree((struct jobq_str){bytes, len}, false);
    if (len > 0 && http_parse_head(bytes, len, &request) == 0) {
        if (request.content_length < 0 || (request.chunked && request.content_length))
            fail("two lengths");
        for (int i = 0; i < request.header_count; i++)
            if (request.header[i].value.len > 0 &&
                (request.header[i].value.ptr < bytes ||
                 request.header[i].value.ptr + request.header[i].value.len > bytes + len))
                fail("a view outside");
    }
    free(bytes);
    read_chunks((const char *)data, len);
    return 0;
}
