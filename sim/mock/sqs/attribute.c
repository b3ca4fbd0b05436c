#include "sim/mock/sqs/attribute.h"

#include "sim/mock/sqs/actions.h"
#include "sim/mock/server/chars.h"
#include "wire/text/base64.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int attribute_refuse(const struct call *call, const char **text,
                            const char *before, struct jobq_str name, const char *after)
{
    *text = mock_format(call, "%s%s%s", before, mock_quote(call, name), after);
    return -1;
}

static bool attribute_starts_with(struct jobq_str s, const char *prefix)
{
    size_t len = strlen(prefix);
    return (size_t)s.len >= len && strncasecmp(s.ptr, prefix, len) == 0;
}

/* AWS takes letters of other alphabets too (recorded: "attr.1\u00f8\u00df\u00e4"), and no
 * signs ("\u00a7"). Of UTF-8, what lies below U+00C0 are signs; all above pass here. */
static bool is_letter_part(unsigned char c, char before)
{
    return c >= 0xc3 || (c >= 0x80 && c < 0xc0 && (unsigned char)before >= 0x80);
}

static bool name_ok(struct jobq_str name)
{
    if (name.len < 1 || name.len > 256 || name.ptr[0] == '.' ||
        name.ptr[name.len - 1] == '.')
        return false;
    for (int64_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
                    is_letter_part((unsigned char)c, i > 0 ? name.ptr[i - 1] : 0);
        if (!fine || (c == '.' && name.ptr[i - 1] == '.'))
            return false;
    }
    return !attribute_starts_with(name, "aws.") &&
           !attribute_starts_with(name, "amazon.");
}

/* A decimal number as AWS takes it: sign, digits, fraction, exponent. */
static bool is_number(struct jobq_str s)
{
    int64_t i = 0, digits = 0;
    if (i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+'))
        i++;
    for (bool dot = false; i < s.len; i++) {
        if (s.ptr[i] >= '0' && s.ptr[i] <= '9')
            digits++;
        else if (s.ptr[i] == '.' && !dot)
            dot = true;
        else
            break;
    }
    if (digits == 0)
        return false;
    if (i < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
        i++;
        if (i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+'))
            i++;
        if (i == s.len)
            return false;
        while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9')
            i++;
    }
    return i == s.len;
}

static int read_value(const struct call *call, const struct tree *value,
                      struct sqs_attribute *out, const char **text)
{
    struct jobq_str type = tree_text(value, "DataType");
    struct jobq_str string = tree_text(value, "StringValue");
    struct jobq_str binary = tree_text(value, "BinaryValue");
    if (type.len == 0)
        return attribute_refuse(call, text, "The message attribute '", out->name,
                                "' must contain non-empty message attribute type.");
    out->type = type;
    out->binary = attribute_starts_with(type, "Binary");
    bool known = out->binary || attribute_starts_with(type, "String") ||
                 attribute_starts_with(type, "Number");
    size_t prefix = 6;
    if (!known || type.len > 256 ||
        ((size_t)type.len > prefix && type.ptr[prefix] != '.'))
        return attribute_refuse(
            call, text, "The message attribute '", out->name,
            "' has an invalid message attribute type, the set of supported "
            "type prefixes is Binary, Number, and String.");
    if (out->binary && !base64_decode(binary, &call->mock->arena, &out->value))
        return attribute_refuse(call, text, "The message attribute '", out->name,
                                "' holds a BinaryValue that is not base64.");
    if (!out->binary)
        out->value = string;
    if (out->value.len == 0)
        return attribute_refuse(
            call, text, "Message (user) attribute '", out->name,
            out->binary ? "' must contain a non-empty value of type 'Binary'."
                        : "' must contain a non-empty value of type 'String'.");
    if (!out->binary && !mock_chars_ok(out->value))
        return attribute_refuse(call, text, "The message attribute '", out->name,
                                "' holds a character that a message may not.");
    if (attribute_starts_with(type, "Number") && !is_number(out->value))
        return attribute_refuse(call, text,
                                "Can't cast the value of message (user) attribute '",
                                out->name, "' to a number.");
    return 0;
}

static int read_user(const struct call *call, const struct tree *map,
                     struct sqs_attribute *out, const char **text)
{
    int count = 0;
    if (map && map->count > MOCK_ATTRIBUTES_MAX) {
        char number[24];
        struct jobq_str digits = {number, text_write_int(number, map->count)};
        return attribute_refuse(call, text, "Number of message attributes [", digits,
                                "] exceeds the allowed maximum [10].");
    }
    for (const struct tree *entry = map ? map->first : NULL; entry; entry = entry->next) {
        struct sqs_attribute *attribute = &out[count];
        *attribute = (struct sqs_attribute){.name = mock_sqs_key(call, entry)};
        if (!name_ok(attribute->name))
            return attribute_refuse(
                call, text, "Message (user) attribute name '", attribute->name,
                "' is invalid: it may hold A-Z, a-z, 0-9, underscore (_), "
                "hyphen (-), and period (.), and not begin with AWS. or "
                "Amazon.");
        if (read_value(call, mock_sqs_value(call, entry), attribute, text) < 0)
            return -1;
        count++;
    }
    return count;
}

int mock_attribute_read(const struct call *call, const struct tree *entry,
                        struct sqs_attribute *out, const char **text)
{
    bool json = call->json;
    int count = read_user(
        call, call_list(call, entry, json ? "MessageAttributes" : "MessageAttribute"),
        out, text);
    if (count < 0)
        return -1;
    const struct tree *map = call_list(
        call, entry, json ? "MessageSystemAttributes" : "MessageSystemAttribute");
    for (const struct tree *one = map ? map->first : NULL; one; one = one->next) {
        struct sqs_attribute *attribute = &out[count];
        *attribute =
            (struct sqs_attribute){.name = mock_sqs_key(call, one), .system = true};
        if (!str_is(attribute->name, "AWSTraceHeader") || one != map->first)
            return attribute_refuse(call, text, "Message system attribute name '",
                                    attribute->name,
                                    "' is invalid; only AWSTraceHeader may be sent.");
        if (read_value(call, mock_sqs_value(call, one), attribute, text) < 0)
            return -1;
        count++;
    }
    return count;
}

static int compare_names(const void *left, const void *right)
{
    const struct sqs_attribute *const *a = left, *const *b = right;
    return str_cmp((*a)->name, (*b)->name);
}

static void put_counted(struct text *out, struct jobq_str bytes)
{
    char head[4] = {(char)(bytes.len >> 24), (char)(bytes.len >> 16),
                    (char)(bytes.len >> 8), (char)bytes.len};
    text_put(out, head, 4);
    text_put_str(out, bytes);
}

bool mock_attribute_md5(struct mock *mock, const struct sqs_attribute *attribute,
                        int count, bool system, char out[33])
{
    const struct sqs_attribute *sorted[MOCK_ATTRIBUTES_MAX + 1];
    int used = 0;
    for (int i = 0; i < count && used <= MOCK_ATTRIBUTES_MAX; i++)
        if (attribute[i].system == system)
            sorted[used++] = &attribute[i];
    if (used == 0)
        return false;
    qsort(sorted, (size_t)used, sizeof sorted[0], compare_names);
    struct text bytes = {0};
    for (int i = 0; i < used; i++) {
        put_counted(&bytes, sorted[i]->name);
        put_counted(&bytes, sorted[i]->type);
        text_putc(&bytes, sorted[i]->binary ? 2 : 1);
        put_counted(&bytes, sorted[i]->value);
    }
    unsigned char md5[DIGEST_MD5_BYTES];
    digest_md5(&mock->digest, bytes.ptr, bytes.len, md5);
    digest_hex(md5, sizeof md5, out);
    text_release(&bytes);
    return true;
}

void mock_attribute_write(struct emit *e, struct arena *arena,
                          const struct sqs_attribute *attribute)
{
    if (e->json && !e->pairs) {
        char name[260]; /* names are at most 256 bytes of harmless characters */
        memcpy(name, attribute->name.ptr, (size_t)attribute->name.len);
        name[attribute->name.len] = '\0';
        emit_object(e, name, "");
    } else {
        emit_object(e, NULL, "MessageAttribute");
        emit_text(e, "Name", attribute->name);
        emit_object(e, "Value", "Value");
    }
    if (attribute->binary)
        emit_text(e, "BinaryValue", base64_encode(attribute->value, arena));
    else
        emit_text(e, "StringValue", attribute->value);
    emit_text(e, "DataType", attribute->type);
    emit_object_end(e, "Value");
    if (!e->json || e->pairs)
        emit_object_end(e, "MessageAttribute");
}
