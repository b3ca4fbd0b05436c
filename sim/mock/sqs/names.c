#include "sim/mock/sqs/names.h"

#include "base/hash.h"

#include <string.h>

/* A client may call itself anything: only what is a host and a port comes back in a URL. */
static bool host_ok(struct jobq_str host)
{
    for (int64_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.ptr[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"<>\\/", c))
            return false;
    }
    return true;
}

void mock_names_url(const struct call *call, int queue, struct text *out)
{
    text_puts(out, "http://");
    text_put_str(out, host_ok(call->host) ? call->host : STR("localhost"));
    text_putc(out, '/');
    text_puts(out, call->mock->options->account);
    text_putc(out, '/');
    text_put_str(out, sqs_name(call->region->sqs, queue));
}

void mock_names_arn(const struct mock *mock, const struct mock_region *region,
                    struct jobq_str name, struct text *out)
{
    text_puts(out, "arn:aws:sqs:");
    text_puts(out, region->name);
    text_putc(out, ':');
    text_puts(out, mock->options->account);
    text_putc(out, ':');
    text_put_str(out, name);
}

/* The part behind the last separator; *rest is what stood before it. */
static struct jobq_str last_part(struct jobq_str text, char separator,
                                 struct jobq_str *rest)
{
    const char *at = text.len > 0 ? memrchr(text.ptr, separator, (size_t)text.len) : NULL;
    if (!at) {
        *rest = (struct jobq_str){text.ptr, 0};
        return text;
    }
    *rest = (struct jobq_str){text.ptr, at - text.ptr};
    return (struct jobq_str){at + 1, text.len - rest->len - 1};
}

static bool names_is_account(struct jobq_str text)
{
    int64_t number;
    return text.len == 12 && str_to_int(text, &number);
}

bool mock_names_is_queue_path(struct jobq_str path)
{
    struct jobq_str rest;
    struct jobq_str name = last_part(path, '/', &rest);
    struct jobq_str account = last_part(rest, '/', &rest);
    return name.len > 0 && names_is_account(account);
}

int mock_names_find(const struct call *call, struct jobq_str url)
{
    if (url.len == 0 || !memchr(url.ptr, '/', (size_t)url.len))
        return sqs_find(call->region->sqs, url); /* AWS takes a bare name as well */
    struct jobq_str rest;
    struct jobq_str name = last_part(url, '/', &rest);
    struct jobq_str account = last_part(rest, '/', &rest);
    if (name.len == 0 || !names_is_account(account))
        return MOCK_NAMES_NO_ADDRESS;
    if (!str_is(account, call->mock->options->account))
        return -1;
    return sqs_find(call->region->sqs, name);
}

int mock_names_from_arn(const struct call *call, struct jobq_str arn,
                        struct jobq_str *name)
{
    struct text prefix = {0};
    mock_names_arn(call->mock, call->region, (struct jobq_str){"", 0}, &prefix);
    struct jobq_str head = text_str(&prefix);
    bool ours = arn.len > head.len && memcmp(arn.ptr, head.ptr, (size_t)head.len) == 0;
    text_release(&prefix);
    struct jobq_str found = {NULL, 0};
    if (ours)
        found = (struct jobq_str){arn.ptr + head.len, arn.len - head.len};
    if (name)
        *name = found;
    return ours ? sqs_find(call->region->sqs, found) : -1;
}

/* A hash of the name, mixed with the seed and the region. */
static uint64_t queue_bits(const struct mock *mock, const struct mock_region *region,
                           int queue)
{
    struct jobq_str name = sqs_name(region->sqs, queue);
    uint64_t bits = hash_add(HASH_START ^ mock->seed, name.ptr, (size_t)name.len);
    return mock_mix(hash_add(bits, region->name, strlen(region->name)));
}

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void put_digits(uint64_t bits, char *out)
{
    for (int i = 0; i < 11; i++, bits >>= 6)
        out[i] = digits[bits & 63];
}

static bool read_digits(const char *text, uint64_t *out)
{
    uint64_t bits = 0;
    for (int i = 10; i >= 0; i--) {
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit || (i == 10 && digit - digits > 15))
            return false;
        bits = bits << 6 | (uint64_t)(digit - digits);
    }
    *out = bits;
    return true;
}

/* "AQEB", the receipt hidden under a mask, and a check: 4 + 11 + 11 characters. The rest, which
 * follows from the check, makes a handle as long as AWS's. */
enum { NAMES_TOLD = 26 };

static void put_rest(uint64_t bits, char *out)
{
    for (int at = NAMES_TOLD; at < SIZE_RECEIPT; at += 11) {
        char more[11];
        bits = mock_mix(bits);
        put_digits(bits, more);
        memcpy(out + at, more, (size_t)(SIZE_RECEIPT - at < 11 ? SIZE_RECEIPT - at : 11));
    }
}

void mock_names_handle(const struct mock *mock, const struct mock_region *region,
                       int queue, struct sqs_receipt receipt, char out[MOCK_NAMES_HANDLE])
{
    uint64_t bits = queue_bits(mock, region, queue);
    memcpy(out, "AQEB", 4);
    put_digits(receipt.bits ^ bits, out + 4);
    uint64_t check = mock_mix(receipt.bits + bits);
    put_digits(check, out + 15);
    put_rest(check, out);
    out[SIZE_RECEIPT] = '\0';
}

bool mock_names_receipt(const struct mock *mock, const struct mock_region *region,
                        int queue, struct jobq_str handle, struct sqs_receipt *out)
{
    uint64_t bits = queue_bits(mock, region, queue), masked, check;
    char whole[MOCK_NAMES_HANDLE];
    if (handle.len != SIZE_RECEIPT || memcmp(handle.ptr, "AQEB", 4) != 0 ||
        !read_digits(handle.ptr + 4, &masked) || !read_digits(handle.ptr + 15, &check))
        return false;
    out->bits = masked ^ bits;
    put_rest(check, whole);
    return mock_mix(out->bits + bits) == check &&
           memcmp(whole + NAMES_TOLD, handle.ptr + NAMES_TOLD,
                  SIZE_RECEIPT - NAMES_TOLD) == 0;
}
