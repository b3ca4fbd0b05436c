#include "sim/mock/mock_chars.h"

/* The number of bytes that follow a first byte, or -1. */
static int following(unsigned char c)
{
    if (c < 0x80)
        return 0;
    return (c >> 5) == 6 ? 1 : (c >> 4) == 14 ? 2 : (c >> 3) == 30 ? 3 : -1;
}

bool mock_chars_ok(struct jobq_str s)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    for (int64_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x20 && c < 0x80)
            continue;
        int more = following(c);
        if (more < 0 || i + more >= s.len ||
            (more == 0 && c != '\t' && c != '\n' && c != '\r'))
            return false;
        uint32_t point = more == 0 ? c : c & (0x3fu >> more);
        for (int k = 0; k < more; k++) {
            unsigned char next = (unsigned char)s.ptr[++i];
            if ((next & 0xc0) != 0x80)
                return false;
            point = point << 6 | (next & 0x3f);
        }
        if (point < least[more] || point == 0xfffe || point == 0xffff ||
            (point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff)
            return false;
    }
    return true;
}
