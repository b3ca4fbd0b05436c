#include "wire/text/base64.h"

#include "base/arena.h"
#include "wire/sign/digest.h"

#include <assert.h>

static int base64_value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct jobq_str text, struct arena *arena, struct jobq_str *out)
{
    assert(arena && out);
    unsigned char *to = arena_alloc(arena, (size_t)text.len / 4 * 3 + 4);
    uint32_t bits = 0;
    int64_t len = 0;
    int held = 0, pads = 0;
    for (int64_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\r' || c == '\n')
            continue;
        int value = base64_value_of(c);
        if (c == '=') {
            pads++;
            value = 0;
        } else if (value < 0 || pads > 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        if (++held < 4)
            continue;
        to[len++] = (unsigned char)(bits >> 16);
        to[len++] = (unsigned char)(bits >> 8);
        to[len++] = (unsigned char)bits;
        bits = 0;
        held = 0;
    }
    if (held != 0 || pads > 2)
        return false;
    *out = (struct jobq_str){(const char *)to, len - pads};
    return true;
}

struct jobq_str base64_encode(struct jobq_str bytes, struct arena *arena)
{
    assert(arena && (bytes.ptr || bytes.len == 0));
    int64_t len = 4 * ((bytes.len + 2) / 3);
    char *to = arena_alloc(arena, (size_t)len + 1);
    digest_base64((const unsigned char *)bytes.ptr, (size_t)bytes.len, to);
    return (struct jobq_str){to, len};
}
