#include "models/dynamodb/number.h"

#include <assert.h>
#include <string.h>

static bool number_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Trims zeros at both ends and holds the rest to the limits. digit[0] stands for
 * 10^exponent. */
static enum number_fault number_trim(const int8_t *digit, int count, int exponent,
                                     bool negative, struct number *out)
{
    while (count > 0 && digit[0] == 0) {
        digit++;
        count--;
        exponent--;
    }
    while (count > 0 && digit[count - 1] == 0)
        count--;
    *out = (struct number){.digits = 0};
    if (count == 0)
        return NUMBER_OK;
    if (count > NUMBER_DIGITS)
        return NUMBER_TOO_LONG;
    if (exponent > NUMBER_EXPONENT_MAX)
        return NUMBER_OVERFLOW;
    if (exponent < NUMBER_EXPONENT_MIN)
        return NUMBER_UNDERFLOW;
    out->negative = negative;
    out->digits = count;
    out->exponent = exponent;
    memcpy(out->d, digit, (size_t)count);
    return NUMBER_OK;
}

/* Reads "e-12" at *at, which then points behind it. */
static bool number_read_exponent(const char **at, const char *end, int *out)
{
    const char *p = *at;
    if (p == end || (*p != 'e' && *p != 'E'))
        return true;
    bool minus = ++p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return false;
    int value = 0;
    for (; p < end && number_is_digit(*p); p++)
        if (value < 100000)
            value = 10 * value + (*p - '0');
    *out = minus ? -value : value;
    *at = p;
    return true;
}

enum number_fault number_read(struct jobq_str text, struct number *out)
{
    /* The significant digits that matter, and one more to see that there are too many. */
    int8_t digit[NUMBER_DIGITS + 1];
    int count = 0, exponent = 0, point = 0, seen = 0;
    bool after_point = false, leading = true;
    const char *p = text.ptr, *end = text.ptr + text.len;
    if (!text.ptr || text.len == 0)
        return NUMBER_MALFORMED;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    int zeros = 0; /* held back: they count only before a further digit */
    for (; p < end && (number_is_digit(*p) || (*p == '.' && !after_point)); p++) {
        if (*p == '.') {
            after_point = true;
            continue;
        }
        seen++;
        if (leading && *p == '0') {
            point -= after_point;
            continue;
        }
        leading = false;
        point += !after_point;
        if (*p == '0') {
            zeros++;
            continue;
        }
        for (; zeros > 0; zeros--) {
            if (count > NUMBER_DIGITS)
                return NUMBER_TOO_LONG;
            digit[count++] = 0;
        }
        if (count > NUMBER_DIGITS)
            return NUMBER_TOO_LONG;
        digit[count++] = (int8_t)(*p - '0');
    }
    if (seen == 0 || !number_read_exponent(&p, end, &exponent) || p != end)
        return NUMBER_MALFORMED;
    return number_trim(digit, count, point - 1 + exponent, negative, out);
}

int number_write(const struct number *n, char *out)
{
    char *p = out;
    if (n->digits == 0) {
        *p = '0';
        return 1;
    }
    if (n->negative)
        *p++ = '-';
    if (n->exponent < 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = -1; i > n->exponent; i--)
            *p++ = '0';
    }
    for (int i = 0; i < n->digits; i++) {
        if (i > 0 && i == n->exponent + 1)
            *p++ = '.';
        *p++ = (char)('0' + n->d[i]);
    }
    for (int i = n->digits; i <= n->exponent; i++)
        *p++ = '0';
    return (int)(p - out);
}

static int number_compare_size(const struct number *a, const struct number *b)
{
    if (a->digits == 0 || b->digits == 0)
        return (a->digits != 0) - (b->digits != 0);
    if (a->exponent != b->exponent)
        return a->exponent < b->exponent ? -1 : 1;
    int common = a->digits < b->digits ? a->digits : b->digits;
    int order = memcmp(a->d, b->d, (size_t)common);
    return order ? order : a->digits - b->digits;
}

int number_compare(const struct number *a, const struct number *b)
{
    if (a->negative != b->negative)
        return a->negative ? -1 : 1;
    int order = number_compare_size(a, b);
    return a->negative ? -order : order;
}

/* Digits of all places from 10^125 (and a carry) down to the last of 1E-130. */
enum { PLACES = NUMBER_EXPONENT_MAX + 2 - NUMBER_EXPONENT_MIN + NUMBER_DIGITS };

static void number_spread(const struct number *n, int8_t *place)
{
    memset(place, 0, PLACES);
    for (int i = 0; i < n->digits; i++)
        place[NUMBER_EXPONENT_MAX + 1 - n->exponent + i] = n->d[i];
}

enum number_fault number_add(const struct number *a, const struct number *b, bool minus,
                             struct number *out)
{
    int8_t x[PLACES], y[PLACES];
    bool b_negative = b->digits > 0 && b->negative != minus;
    bool negative = a->negative;
    if (a->negative == b_negative) {
        number_spread(a, x);
        number_spread(b, y);
        for (int i = PLACES - 1, carry = 0; i >= 0; i--) {
            int sum = x[i] + y[i] + carry;
            carry = sum >= 10;
            x[i] = (int8_t)(sum - 10 * carry);
        }
    } else {
        bool less = number_compare_size(a, b) < 0;
        negative = less ? b_negative : a->negative;
        number_spread(less ? b : a, x);
        number_spread(less ? a : b, y);
        for (int i = PLACES - 1, borrow = 0; i >= 0; i--) {
            int rest = x[i] - y[i] - borrow;
            borrow = rest < 0;
            x[i] = (int8_t)(rest + 10 * borrow);
        }
    }
    return number_trim(x, PLACES, NUMBER_EXPONENT_MAX + 1, negative, out);
}

int number_bytes(const struct number *n)
{
    return (n->digits + 1) / 2 + 1 + n->negative;
}

int number_text_bytes(struct jobq_str text)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    int negative = *p == '-', point = 0;
    p += negative;
    while (p < end && (*p == '0' || *p == '.'))
        p++;
    while (end > p && (end[-1] == '0' || end[-1] == '.'))
        end--;
    for (const char *at = p; at < end; at++)
        point |= *at == '.';
    return ((int)(end - p) - point + 1) / 2 + 1 + negative;
}
