#include "wire/text/emit.h"

#include <string.h>

void emit_xml_text(struct text *out, struct jobq_str value)
{
    int64_t from = 0;
    for (int64_t i = 0; i < value.len; i++) {
        const char *escape = NULL;
        switch (value.ptr[i]) {
        case '&':
            escape = "&amp;";
            break;
        case '<':
            escape = "&lt;";
            break;
        case '>':
            escape = "&gt;";
            break;
        case '"':
            escape = "&quot;";
            break;
        case '\r':
            escape = "&#xD;";
            break;
        default:
            continue;
        }
        text_put(out, value.ptr + from, (size_t)(i - from));
        text_puts(out, escape);
        from = i + 1;
    }
    if (value.len > from)
        text_put(out, value.ptr + from, (size_t)(value.len - from));
}

static void emit_put_tag(struct text *out, const char *open, const char *name)
{
    text_puts(out, open);
    text_puts(out, name);
    text_putc(out, '>');
}

void emit_xml(struct text *out, const char *name, struct jobq_str value)
{
    emit_put_tag(out, "<", name);
    emit_xml_text(out, value);
    emit_put_tag(out, "</", name);
}

static void emit_next(struct emit *e)
{
    if (e->comma)
        text_putc(e->out, ',');
    e->comma = true;
}

static void emit_member(struct emit *e, const char *name)
{
    emit_next(e);
    text_putc(e->out, '"');
    text_puts(e->out, name);
    text_put(e->out, "\":", 2);
}

void emit_text(struct emit *e, const char *name, struct jobq_str value)
{
    if (!e->json) {
        emit_xml(e->out, name, value);
        return;
    }
    emit_member(e, name);
    text_put_json(e->out, value);
}

static void emit_bare(struct emit *e, const char *name, struct jobq_str value)
{
    if (!e->json) {
        emit_xml(e->out, name, value);
        return;
    }
    emit_member(e, name);
    text_put_str(e->out, value);
}

void emit_int(struct emit *e, const char *name, int64_t value)
{
    char digits[24];
    emit_bare(e, name, (struct jobq_str){digits, text_write_int(digits, value)});
}

void emit_bool(struct emit *e, const char *name, bool value)
{
    emit_bare(e, name, value ? STR("true") : STR("false"));
}

void emit_list(struct emit *e, const char *json_name)
{
    if (!e->json)
        return;
    emit_member(e, json_name);
    text_putc(e->out, '[');
    e->comma = false;
}

void emit_list_end(struct emit *e)
{
    if (!e->json)
        return;
    text_putc(e->out, ']');
    e->comma = true;
}

void emit_object(struct emit *e, const char *json_name, const char *xml_name)
{
    if (!e->json) {
        emit_put_tag(e->out, "<", xml_name);
        return;
    }
    if (json_name)
        emit_member(e, json_name);
    else
        emit_next(e);
    text_putc(e->out, '{');
    e->comma = false;
}

void emit_object_end(struct emit *e, const char *xml_name)
{
    if (!e->json) {
        emit_put_tag(e->out, "</", xml_name);
        return;
    }
    text_putc(e->out, '}');
    e->comma = true;
}

void emit_item(struct emit *e, const char *xml_name, struct jobq_str value)
{
    if (!e->json) {
        emit_xml(e->out, xml_name, value);
        return;
    }
    emit_next(e);
    text_put_json(e->out, value);
}

void emit_map(struct emit *e, const char *json_name)
{
    if (!e->json)
        return;
    emit_member(e, json_name);
    text_putc(e->out, e->pairs ? '[' : '{');
    e->comma = false;
}

void emit_map_put(struct emit *e, const char *xml_name, const char *xml_key,
                  struct jobq_str key, struct jobq_str value)
{
    if (!e->json) {
        emit_put_tag(e->out, "<", xml_name);
        emit_xml(e->out, xml_key, key);
        emit_xml(e->out, "Value", value);
        emit_put_tag(e->out, "</", xml_name);
        return;
    }
    if (e->pairs) {
        emit_object(e, NULL, xml_name);
        emit_text(e, xml_key, key);
        emit_text(e, "Value", value);
        emit_object_end(e, xml_name);
        return;
    }
    emit_next(e);
    text_put_json(e->out, key);
    text_putc(e->out, ':');
    text_put_json(e->out, value);
}

void emit_map_end(struct emit *e)
{
    if (!e->json)
        return;
    text_putc(e->out, e->pairs ? ']' : '}');
    e->comma = true;
}
