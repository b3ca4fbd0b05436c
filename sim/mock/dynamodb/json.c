#include "sim/mock/dynamodb/json.h"

#include "models/dynamodb/number.h"
#include "base/arena.h"
#include "wire/sign/digest.h"
#include "wire/text/base64.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_DEPTH_MAX = 32 }; /* documents within documents, as AWS has it */

__attribute__((format(printf, 3, 4))) static bool
json_bad(struct json_fault *fault, bool shape, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    fault->shape = shape;
    return false;
}

static const char *json_token(const json_t *json)
{
    return json_is_true(json)      ? "TRUE_VALUE"
           : json_is_false(json)   ? "FALSE_VALUE"
           : json_is_integer(json) ? "NUMBER_VALUE"
                                   : "DECIMAL_VALUE";
}

/* A string where one must be. */
static bool json_read_text(json_t *json, struct jobq_str *out, struct json_fault *fault)
{
    if (json_is_string(json)) {
        *out =
            (struct jobq_str){json_string_value(json), (int64_t)json_string_length(json)};
        return true;
    }
    if (json_is_array(json))
        return json_bad(fault, true,
                        "Unrecognized collection type class java.lang.String");
    if (json_is_object(json))
        return json_bad(fault, true,
                        "Start of structure or map found where not expected");
    return json_bad(fault, true, "%s cannot be converted to String", json_token(json));
}

static bool json_read_number(json_t *json, struct arena *arena, struct jobq_str *out,
                             struct json_fault *fault)
{
    struct jobq_str text;
    struct number number;
    if (!json_read_text(json, &text, fault))
        return false;
    switch (number_read(text, &number)) {
    case NUMBER_OK:
        break;
    case NUMBER_MALFORMED:
        return text.len == 0
                   ? json_bad(fault, false,
                              "The parameter cannot be converted to a numeric value")
                   : json_bad(
                         fault, false,
                         "The parameter cannot be converted to a numeric value: %.*s",
                         (int)text.len, text.ptr);
    case NUMBER_TOO_LONG:
        return json_bad(
            fault, false,
            "Attempting to store more than 38 significant digits in a Number");
    case NUMBER_OVERFLOW:
        return json_bad(
            fault, false,
            "Number overflow. Attempting to store a number with magnitude larger "
            "than supported range");
    case NUMBER_UNDERFLOW:
        return json_bad(fault, false,
                        "Number underflow. Attempting to store a number with magnitude "
                        "smaller than supported range");
    }
    char digits[NUMBER_TEXT_MAX];
    int len = number_write(&number, digits);
    *out = len == text.len && memcmp(digits, text.ptr, (size_t)len) == 0
               ? text
               : arena_str(arena, (struct jobq_str){digits, len});
    return true;
}

static bool json_read_bytes(json_t *json, struct arena *arena, struct jobq_str *out,
                            struct json_fault *fault)
{
    struct jobq_str text;
    if (!json_is_string(json) && !json_is_array(json) && !json_is_object(json))
        return json_bad(fault, true,
                        "only base-64-encoded strings are convertible to bytes");
    if (!json_read_text(json, &text, fault))
        return false;
    if (text.len % 4)
        return json_bad(
            fault, true,
            "Base64 encoded length is expected a multiple of 4 bytes but found: "
            "%lld",
            (long long)text.len);
    return base64_decode(text, arena, out) ||
           json_bad(fault, true, "Invalid last non-pad Base64 character dectected");
}

static bool json_read_scalar(json_t *json, enum dynamodb_type type, struct arena *arena,
                             struct dynamodb_value *out, struct json_fault *fault)
{
    out->type = type;
    return type == DYNAMODB_N   ? json_read_number(json, arena, &out->of.text, fault)
           : type == DYNAMODB_B ? json_read_bytes(json, arena, &out->of.text, fault)
                                : json_read_text(json, &out->of.text, fault);
}

static bool json_read_bool(json_t *json, bool *out, struct json_fault *fault)
{
    if (json_is_boolean(json)) {
        *out = json_is_true(json);
        return true;
    }
    if (json_is_number(json))
        return json_bad(fault, true, "%s cannot be converted to Boolean",
                        json_token(json));
    if (json_is_string(json))
        return json_bad(fault, true, "Unexpected token received from parser");
    return json_is_array(json)
               ? json_bad(fault, true,
                          "Unrecognized collection type class java.lang.Boolean")
               : json_bad(fault, true,
                          "Start of structure or map found where not expected");
}

static bool json_read_deep(json_t *json, int depth, struct arena *arena,
                           struct dynamodb_value *out, struct json_fault *fault);

static bool json_want_list(json_t *json, struct json_fault *fault)
{
    if (json_is_array(json))
        return true;
    return json_is_object(json)
               ? json_bad(fault, true,
                          "Start of structure or map found where not expected")
               : json_bad(fault, true, "Unexpected field type");
}

/* "[a, b, a]", as AWS shows a set with a value twice. */
static void json_show(const struct dynamodb_value *set, char *out, size_t cap)
{
    size_t at = (size_t)snprintf(out, cap, "[");
    for (int32_t i = 0; i < set->count && at < cap; i++)
        at += (size_t)snprintf(out + at, cap - at, "%s%.*s", i ? ", " : "",
                               (int)set->of.element[i].of.text.len,
                               set->of.element[i].of.text.ptr);
    if (at < cap)
        snprintf(out + at, cap - at, "]");
}

static bool json_read_set(json_t *json, struct arena *arena, struct dynamodb_value *out,
                          struct json_fault *fault)
{
    enum dynamodb_type of = out->type == DYNAMODB_SS   ? DYNAMODB_S
                            : out->type == DYNAMODB_NS ? DYNAMODB_N
                                                       : DYNAMODB_B;
    if (!json_want_list(json, fault))
        return false;
    size_t count = json_array_size(json);
    struct dynamodb_value *element = arena_zalloc(arena, (count + 1) * sizeof *element);
    if (count == 0)
        return json_bad(fault, false, "One or more parameter values were invalid: %s",
                        of == DYNAMODB_S   ? "An string set  may not be empty"
                        : of == DYNAMODB_N ? "An number set  may not be empty"
                                           : "Binary sets should not be empty");
    out->of.element = element;
    for (size_t i = 0; i < count; i++) {
        if (!json_read_scalar(json_array_get(json, i), of, arena, &element[i], fault))
            return false;
        out->count = (int32_t)i + 1;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            if (!str_eq(element[i].of.text, element[j].of.text))
                continue;
            char shown[200];
            if (of == DYNAMODB_N)
                return json_bad(fault, false, "Input collection contains duplicates");
            json_show(out, shown, sizeof shown);
            return json_bad(
                fault, false,
                "One or more parameter values were invalid: Input collection %s %s "
                "duplicates.",
                shown, of == DYNAMODB_S ? "contains" : "of type BS contains");
        }
    return true;
}

static bool json_read_list(json_t *json, int depth, struct arena *arena,
                           struct dynamodb_value *out, struct json_fault *fault)
{
    if (!json_want_list(json, fault))
        return false;
    out->count = (int32_t)json_array_size(json);
    struct dynamodb_value *element =
        arena_zalloc(arena, (size_t)(out->count + 1) * sizeof *element);
    out->of.element = element;
    for (int32_t i = 0; i < out->count; i++)
        if (!json_read_deep(json_array_get(json, (size_t)i), depth + 1, arena,
                            &element[i], fault))
            return false;
    return true;
}

static bool json_read_members(json_t *json, int depth, struct arena *arena,
                              const struct dynamodb_attr **out, int32_t *count,
                              struct json_fault *fault)
{
    const char *key;
    json_t *member;
    if (!json_is_object(json))
        return json_is_array(json)
                   ? json_bad(
                         fault, true,
                         "Unrecognized collection type java.util.Map<java.lang.String, "
                         "com.amazonaws.dynamodb.v20120810.AttributeValue>")
                   : json_bad(fault, true, "Unexpected field type");
    struct dynamodb_attr *attr =
        arena_zalloc(arena, (json_object_size(json) + 1) * sizeof *attr);
    *count = 0;
    json_object_foreach(json, key, member)
    {
        attr[*count].name = str_of(key);
        if (!json_read_deep(member, depth + 1, arena, &attr[*count].value, fault))
            return false;
        ++*count;
    }
    *out = attr;
    return true;
}

static bool json_find_type(const char *name, enum dynamodb_type *out)
{
    for (int i = 0; i < DYNAMODB_TYPE_COUNT; i++)
        if (strcmp(name, dynamodb_type_name((enum dynamodb_type)i)) == 0) {
            *out = (enum dynamodb_type)i;
            return true;
        }
    return false;
}

static bool json_read_typed(json_t *json, enum dynamodb_type type, int depth,
                            struct arena *arena, struct dynamodb_value *out,
                            struct json_fault *fault)
{
    *out = (struct dynamodb_value){.type = type};
    switch (type) {
    case DYNAMODB_S:
    case DYNAMODB_N:
    case DYNAMODB_B:
        return json_read_scalar(json, type, arena, out, fault);
    case DYNAMODB_BOOL:
        return json_read_bool(json, &out->truth, fault);
    case DYNAMODB_NULL:
        if (!json_read_bool(json, &out->truth, fault))
            return false;
        return out->truth ||
               json_bad(fault, false,
                        "One or more parameter values were invalid: Null "
                        "attribute value types must have the value of true");
    case DYNAMODB_L:
        return json_read_list(json, depth, arena, out, fault);
    case DYNAMODB_M:
        return json_read_members(json, depth, arena, &out->of.member, &out->count, fault);
    case DYNAMODB_SS:
    case DYNAMODB_NS:
    case DYNAMODB_BS:
        return json_read_set(json, arena, out, fault);
    case DYNAMODB_TYPE_COUNT:
        break;
    }
    return false;
}

static bool json_read_deep(json_t *json, int depth, struct arena *arena,
                           struct dynamodb_value *out, struct json_fault *fault)
{
    const char *key;
    json_t *member;
    int found = 0;
    if (!json_is_object(json))
        return json_is_array(json)
                   ? json_bad(fault, true,
                              "Unrecognized collection type class "
                              "com.amazonaws.dynamodb.v20120810.AttributeValue")
                   : json_bad(fault, true, "Unexpected value type in payload");
    if (depth > JSON_DEPTH_MAX)
        return json_bad(
            fault, false,
            "Nesting Levels have exceeded supported limits: Attributes in the item "
            "have nested levels beyond supported limit");
    json_object_foreach(json, key, member)
    {
        enum dynamodb_type type;
        if (!json_find_type(key, &type) || json_is_null(member))
            continue;
        if (++found == 1 && !json_read_typed(member, type, depth, arena, out, fault))
            return false;
    }
    if (found == 0)
        return json_bad(
            fault, false,
            "Supplied AttributeValue is empty, must contain exactly one of the "
            "supported datatypes");
    return found == 1 ||
           json_bad(fault, false,
                    "Supplied AttributeValue has more than one datatypes set, "
                    "must contain exactly one of the supported datatypes");
}

bool json_read_value(json_t *json, struct arena *arena, struct dynamodb_value *out,
                     struct json_fault *fault)
{
    return json_read_deep(json, 0, arena, out, fault);
}

bool json_read_item(json_t *json, struct arena *arena, struct dynamodb_item *out,
                    struct json_fault *fault)
{
    int32_t count;
    bool good = json_read_members(json, -1, arena, &out->attr, &count, fault);
    out->count = good ? count : 0;
    return good;
}

/* ---- writing ------------------------------------------------------------------------ */

static void json_write_text(const struct dynamodb_value *v, struct text *out)
{
    if (v->type != DYNAMODB_B) {
        text_put_json(out, v->of.text);
        return;
    }
    size_t len = 4 * (((size_t)v->of.text.len + 2) / 3);
    char *encoded = xmalloc(len + 1);
    digest_base64((const unsigned char *)v->of.text.ptr, (size_t)v->of.text.len, encoded);
    text_putc(out, '"');
    text_put(out, encoded, len);
    text_putc(out, '"');
    free(encoded);
}

void json_write_value(const struct dynamodb_value *v, struct text *out)
{
    text_puts(out, "{\"");
    text_puts(out, dynamodb_type_name(v->type));
    text_puts(out, "\":");
    if (v->type == DYNAMODB_M) {
        json_write_item(&(struct dynamodb_item){v->of.member, v->count}, out);
    } else if (v->type == DYNAMODB_BOOL || v->type == DYNAMODB_NULL) {
        text_puts(out, v->truth ? "true" : "false");
    } else if (v->type <= DYNAMODB_B) {
        json_write_text(v, out);
    } else {
        text_putc(out, '[');
        for (int32_t i = 0; i < v->count; i++) {
            if (i)
                text_putc(out, ',');
            if (v->type == DYNAMODB_L)
                json_write_value(&v->of.element[i], out);
            else
                json_write_text(&v->of.element[i], out);
        }
        text_putc(out, ']');
    }
    text_putc(out, '}');
}

void json_write_item(const struct dynamodb_item *item, struct text *out)
{
    text_putc(out, '{');
    for (int i = 0; i < item->count; i++) {
        if (i)
            text_putc(out, ',');
        text_put_json(out, item->attr[i].name);
        text_putc(out, ':');
        json_write_value(&item->attr[i].value, out);
    }
    text_putc(out, '}');
}
