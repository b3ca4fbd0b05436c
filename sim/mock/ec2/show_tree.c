#include "sim/mock/ec2/show_tree.h"

#include "wire/text/emit.h"

static void put_name(struct text *out, const char *open, struct jobq_str name,
                     const char *suffix)
{
    text_puts(out, open);
    text_putc(out, name.ptr[0] >= 'A' && name.ptr[0] <= 'Z'
                       ? (char)(name.ptr[0] - 'A' + 'a')
                       : name.ptr[0]);
    text_put_str(out, (struct jobq_str){name.ptr + 1, name.len - 1});
    text_puts(out, suffix);
    text_putc(out, '>');
}

static bool is_list(const struct tree *node)
{
    return node->first && node->first->name.len > 0 && node->first->name.ptr[0] >= '0' &&
           node->first->name.ptr[0] <= '9';
}

static void put_value(struct text *out, const struct tree *node, const char *suffix)
{
    if (node->first)
        show_tree(out, node, suffix);
    else
        emit_xml_text(out, node->text);
}

void show_tree(struct text *out, const struct tree *tree, const char *suffix)
{
    for (const struct tree *one = tree ? tree->first : NULL; one; one = one->next) {
        bool list = is_list(one);
        if (one->name.len == 0)
            continue;
        put_name(out, "<", one->name, list ? suffix : "");
        for (const struct tree *entry = list ? one->first : NULL; entry;
             entry = entry->next) {
            text_puts(out, "<item>");
            put_value(out, entry, suffix);
            text_puts(out, "</item>");
        }
        if (!list)
            put_value(out, one, suffix);
        put_name(out, "</", one->name, list ? suffix : "");
    }
}
