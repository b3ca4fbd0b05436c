#include "sim/mock/server/chars.h"

#include <string.h>

/* The number of bytes that follow a first byte, or -1. */
static int following(unsigned char c)
{
    if (c < 0x80)
        return 0;
    return (c >> 5) == 6 ? 1 : (c >> 4) == 14 ? 2 : (c >> 3) == 30 ? 3 : -1;
}

/* How many bytes the character at s.ptr[i] takes; 0: it is none that XML can carry. */
static int character(struct jobq_str s, int64_t i)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    unsigned char c = (unsigned char)s.ptr[i];
    int more = following(c);
    if (more < 0 || i + more >= s.len ||
        (more == 0 && c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
        return 0;
    uint32_t point = more == 0 ? c : c & (0x3fu >> more);
    for (int k = 1; k <= more; k++) {
        unsigned char next = (unsigned char)s.ptr[i + k];
        if ((next & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (next & 0x3f);
    }
    if (point < least[more] || point == 0xfffe || point == 0xffff ||
        (point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff)
        return 0;
    return 1 + more;
}

bool mock_chars_ok(struct jobq_str s)
{
    for (int64_t i = 0; i < s.len;) {
        unsigned char c = (unsigned char)s.ptr[i];
        int len = c >= 0x20 && c < 0x80 ? 1 : character(s, i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

bool mock_chars_all_ok(const struct tree *params)
{
    if (!mock_chars_ok(params->text))
        return false;
    for (const struct tree *one = params->first; one; one = one->next)
        if (!mock_chars_ok(one->name) || !mock_chars_all_ok(one))
            return false;
    return true;
}

void mock_chars_mend(char *text)
{
    struct jobq_str s = {text, (int64_t)strlen(text)};
    for (int64_t i = 0; i < s.len;) {
        int len = character(s, i);
        if (len == 0)
            text[i] = '?';
        i += len ? len : 1;
    }
}
