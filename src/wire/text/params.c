#include "wire/text/params.h"

#include "base/arena.h"
#include "base/text.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static struct tree *add_child(struct tree *parent, struct jobq_str name,
                              struct arena *arena)
{
    struct tree *child = arena_zalloc(arena, sizeof *child);
    child->name = name;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
    return child;
}

const struct tree *tree_get(const struct tree *tree, const char *name)
{
    if (!tree)
        return NULL;
    size_t len = strlen(name);
    for (const struct tree *child = tree->first; child; child = child->next)
        if ((size_t)child->name.len == len && memcmp(child->name.ptr, name, len) == 0)
            return child;
    return NULL;
}

struct jobq_str tree_text(const struct tree *tree, const char *name)
{
    const struct tree *child = tree_get(tree, name);
    return child ? child->text : (struct jobq_str){NULL, 0};
}

/* ---- JSON ------------------------------------------------------------------------- */

static struct jobq_str tree_copy(struct arena *arena, const char *bytes, size_t len)
{
    return arena_str(arena, (struct jobq_str){bytes, (int64_t)len});
}

static int tree_convert(json_t *json, struct tree *out, struct arena *arena, int depth,
                        struct jobq_error *err)
{
    if (depth > TREE_DEPTH_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "JSON nested deeper than '%d'", TREE_DEPTH_MAX);
    const char *key;
    size_t key_len, index;
    json_t *value;
    char number[64];
    int code = JOBQ_OK;
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        out->kind = TREE_OBJECT;
        json_object_keylen_foreach(json, key, key_len, value)
        {
            struct tree *child = add_child(out, tree_copy(arena, key, key_len), arena);
            if ((code = tree_convert(value, child, arena, depth + 1, err)) < 0)
                return code;
        }
        return JOBQ_OK;
    case JSON_ARRAY:
        out->kind = TREE_LIST;
        json_array_foreach(json, index, value)
        {
            struct tree *child = add_child(out, (struct jobq_str){"", 0}, arena);
            if ((code = tree_convert(value, child, arena, depth + 1, err)) < 0)
                return code;
        }
        return JOBQ_OK;
    case JSON_STRING:
        out->kind = TREE_TEXT;
        out->text = tree_copy(arena, json_string_value(json), json_string_length(json));
        return JOBQ_OK;
    case JSON_INTEGER:
        out->kind = TREE_NUMBER;
        out->text = tree_copy(arena, number,
                              (size_t)text_write_int(number, json_integer_value(json)));
        return JOBQ_OK;
    case JSON_REAL: {
        struct text digits = {0};
        text_put_double(&digits, json_real_value(json));
        out->kind = TREE_NUMBER;
        out->text = arena_str(arena, text_str(&digits));
        text_release(&digits);
        return JOBQ_OK;
    }
    case JSON_TRUE:
        out->kind = TREE_BOOL;
        out->text = STR("true");
        return JOBQ_OK;
    case JSON_FALSE:
        out->kind = TREE_BOOL;
        out->text = STR("false");
        return JOBQ_OK;
    case JSON_NULL:
        break;
    }
    out->kind = TREE_NULL;
    return JOBQ_OK;
}

/* True if there are more values than TREE_PARAMS_MAX: each but the first follows a ','
 * or an opening '[' or '{'. A document too short for so many is not scanned. */
static bool has_too_many(struct jobq_str bytes)
{
    int64_t count = 1;
    bool quoted = false;
    if (bytes.len <= TREE_PARAMS_MAX)
        return false;
    for (int64_t i = 0; i < bytes.len; i++) {
        char c = bytes.ptr[i];
        if (c == '"')
            quoted = !quoted;
        else if (quoted)
            i += c == '\\';
        else
            count += c == ',' || c == '[' || c == '{';
    }
    return count > TREE_PARAMS_MAX;
}

int tree_from_json(struct jobq_str bytes, struct arena *arena, struct tree **out,
                   struct jobq_error *err)
{
    assert(arena && out && err);
    json_error_t what;
    if (has_too_many(bytes))
        return jobq_fail(err, JOBQ_LIMIT, "JSON of more than '%d' values",
                         TREE_PARAMS_MAX);
    json_t *json =
        json_loadb(bytes.ptr ? bytes.ptr : "", (size_t)bytes.len, JSON_ALLOW_NUL, &what);
    if (!json)
        return jobq_fail(err, JOBQ_INVALID, "not JSON at byte '%d'", what.position);
    struct tree *tree = arena_zalloc(arena, sizeof *tree);
    int code = JOBQ_OK;
    if (!json_is_object(json))
        code = jobq_fail(err, JOBQ_INVALID, "the JSON is not an object");
    else
        code = tree_convert(json, tree, arena, 0, err);
    json_decref(json);
    if (code == JOBQ_OK)
        *out = tree;
    return code;
}

/* ---- query strings ---------------------------------------------------------------- */

struct pair {
    struct jobq_str key, value;
    int position; /* makes the order total */
};

static int tree_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes %XX and '+'. A text without either is not copied. */
static int tree_decode(struct jobq_str raw, struct arena *arena, struct jobq_str *out,
                       struct jobq_error *err)
{
    if (raw.len == 0 || (!memchr(raw.ptr, '%', (size_t)raw.len) &&
                         !memchr(raw.ptr, '+', (size_t)raw.len))) {
        *out = raw;
        return JOBQ_OK;
    }
    char *to = arena_alloc(arena, (size_t)raw.len + 1);
    int64_t len = 0;
    for (int64_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '%') {
            int high = i + 2 < raw.len ? tree_hex_value(raw.ptr[i + 1]) : -1;
            int low = high >= 0 ? tree_hex_value(raw.ptr[i + 2]) : -1;
            if (low < 0)
                return jobq_fail(err, JOBQ_INVALID, "a broken %%-escape");
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        to[len++] = c;
    }
    to[len] = '\0';
    *out = (struct jobq_str){to, len};
    return JOBQ_OK;
}

static bool is_index(struct jobq_str s, int64_t *out)
{
    return s.len > 0 && s.ptr[0] != '-' && str_to_int(s, out);
}

/* Numbers come first, by value, so that the order is total. */
static int compare_components(struct jobq_str a, struct jobq_str b)
{
    int64_t number_a = 0, number_b = 0;
    bool is_a = is_index(a, &number_a), is_b = is_index(b, &number_b);
    if (is_a != is_b)
        return is_a ? -1 : 1;
    if (is_a && number_a != number_b)
        return number_a < number_b ? -1 : 1;
    return str_cmp(a, b);
}

/* Takes the bytes up to the next '.' off *rest. */
static struct jobq_str take_component(struct jobq_str *rest)
{
    const char *dot = rest->len > 0 ? memchr(rest->ptr, '.', (size_t)rest->len) : NULL;
    struct jobq_str part = {rest->ptr, dot ? dot - rest->ptr : rest->len};
    int64_t used = part.len + (dot ? 1 : 0);
    rest->ptr += used;
    rest->len -= used;
    return part;
}

static int compare_pairs(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    struct jobq_str rest_a = a->key, rest_b = b->key;
    while (rest_a.len > 0 && rest_b.len > 0) {
        int order = compare_components(take_component(&rest_a), take_component(&rest_b));
        if (order)
            return order;
    }
    if (rest_a.len != rest_b.len)
        return rest_a.len < rest_b.len ? -1 : 1;
    return a->position < b->position ? -1 : 1;
}

static int add_pair(struct tree *root, const struct pair *pair, struct arena *arena,
                    struct jobq_error *err)
{
    struct tree *node = root;
    struct jobq_str rest = pair->key;
    for (int depth = 0; rest.len > 0; depth++) {
        if (depth == TREE_DEPTH_MAX)
            return jobq_fail(err, JOBQ_LIMIT, "a parameter nested deeper than '%d'",
                             TREE_DEPTH_MAX);
        struct jobq_str name = take_component(&rest);
        node->kind = TREE_OBJECT;
        /* The keys are sorted, so only the last member can have this name. */
        if (node->last && str_eq(node->last->name, name))
            node = node->last;
        else
            node = add_child(node, name, arena);
        node->from_query = true;
    }
    if (node != root && !node->text.ptr) {
        node->text = pair->value;
        if (node->kind == TREE_NULL)
            node->kind = TREE_TEXT;
    }
    return JOBQ_OK;
}

static int split_pairs(struct jobq_str rest, struct arena *arena, struct pair **list,
                       int *count, int *cap, struct jobq_error *err)
{
    while (rest.len > 0) {
        const char *amp = memchr(rest.ptr, '&', (size_t)rest.len);
        struct jobq_str part = {rest.ptr, amp ? amp - rest.ptr : rest.len};
        int64_t used = part.len + (amp ? 1 : 0);
        rest.ptr += used;
        rest.len -= used;
        if (part.len == 0)
            continue;
        if (*count == TREE_PARAMS_MAX)
            return jobq_fail(err, JOBQ_LIMIT, "more than '%d' parameters",
                             TREE_PARAMS_MAX);
        if (*count == *cap) {
            *cap = *cap ? 2 * *cap : 32;
            struct pair *more = arena_alloc(arena, (size_t)*cap * sizeof *more);
            if (*count > 0)
                memcpy(more, *list, (size_t)*count * sizeof *more);
            *list = more;
        }
        const char *equals = memchr(part.ptr, '=', (size_t)part.len);
        struct jobq_str key = {part.ptr, equals ? equals - part.ptr : part.len};
        struct jobq_str value = {equals ? equals + 1 : "",
                                 equals ? part.len - key.len - 1 : 0};
        struct pair *pair = &(*list)[*count];
        pair->position = *count;
        int code = tree_decode(key, arena, &pair->key, err);
        if (code == JOBQ_OK)
            code = tree_decode(value, arena, &pair->value, err);
        if (code < 0)
            return code;
        if (pair->key.len == 0)
            return jobq_fail(err, JOBQ_INVALID, "a parameter without a name");
        (*count)++;
    }
    return JOBQ_OK;
}

/* The numbered entries, then everything else as one more. Siblings are sorted with
 * numbers first. */
static const struct tree *list_with_unnumbered(const struct tree *node,
                                               const struct tree *unnumbered,
                                               struct arena *arena)
{
    struct tree *list = arena_zalloc(arena, sizeof *list);
    list->kind = TREE_LIST;
    list->name = node->name;
    for (const struct tree *one = node->first; one != unnumbered; one = one->next) {
        struct tree *copied = add_child(list, one->name, arena);
        *copied = *one;
        copied->next = NULL;
    }
    struct tree *last = add_child(list, (struct jobq_str){"", 0}, arena);
    last->text = node->text;
    last->kind = unnumbered ? TREE_OBJECT : TREE_TEXT;
    for (const struct tree *one = unnumbered; one; one = one->next) {
        struct tree *copied = add_child(last, one->name, arena);
        *copied = *one;
        copied->next = NULL;
    }
    return list;
}

const struct tree *tree_list(const struct tree *tree, const char *name,
                             struct arena *arena)
{
    const struct tree *node = tree_get(tree, name);
    int64_t number;
    if (!node || !node->from_query)
        return node;
    const struct tree *unnumbered = node->first;
    while (unnumbered && is_index(unnumbered->name, &number))
        unnumbered = unnumbered->next;
    if (!unnumbered && node->text.len == 0)
        return node;
    return list_with_unnumbered(node, unnumbered, arena);
}

int tree_from_query(const struct jobq_str *part, int count, struct arena *arena,
                    struct tree **out, struct jobq_error *err)
{
    assert(part && count > 0 && arena && out && err);
    struct pair *list = NULL;
    int pairs = 0, cap = 0, code = JOBQ_OK;
    for (int i = 0; i < count && code == JOBQ_OK; i++)
        code = split_pairs(part[i], arena, &list, &pairs, &cap, err);
    struct tree *tree = arena_zalloc(arena, sizeof *tree);
    tree->kind = TREE_OBJECT;
    if (pairs > 0)
        qsort(list, (size_t)pairs, sizeof *list, compare_pairs);
    for (int i = 0; i < pairs && code == JOBQ_OK; i++)
        code = add_pair(tree, &list[i], arena, err);
    if (code == JOBQ_OK)
        *out = tree;
    return code;
}

/* ---- trees of trees ------------------------------------------------------------------- */

static void share_children(struct tree *out, const struct tree *from,
                           const struct tree *unless, struct arena *arena)
{
    for (const struct tree *one = from ? from->first : NULL; one; one = one->next) {
        bool known = false;
        for (const struct tree *k = unless ? unless->first : NULL; k && !known;
             k = k->next)
            known = str_eq(k->name, one->name);
        if (known)
            continue;
        struct tree *copied = add_child(out, one->name, arena);
        *copied = *one;
        copied->next = NULL;
    }
}

const struct tree *tree_merge(const struct tree *first, const struct tree *second,
                              struct arena *arena)
{
    struct tree *out = arena_zalloc(arena, sizeof *out);
    out->kind = TREE_OBJECT;
    share_children(out, first, NULL, arena);
    share_children(out, second, first, arena);
    return out;
}

static void put_escaped(struct text *out, struct jobq_str s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (int64_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            strchr("-_.~:/", c)) {
            text_putc(out, (char)c);
            continue;
        }
        text_putc(out, '%');
        text_putc(out, hex[c >> 4]);
        text_putc(out, hex[c & 15]);
    }
}

/* path: the key's parts above this node. */
struct query_path {
    const struct query_path *above;
    const struct tree *node;
};

static void put_path(struct text *out, const struct query_path *path)
{
    if (path->above) {
        put_path(out, path->above);
        text_putc(out, '.');
    }
    put_escaped(out, path->node->name);
}

static void put_node(struct text *out, const struct tree *node,
                     const struct query_path *above)
{
    const struct query_path path = {above, node};
    if (node->text.ptr) {
        if (out->len > 0)
            text_putc(out, '&');
        put_path(out, &path);
        text_putc(out, '=');
        put_escaped(out, node->text);
    }
    for (const struct tree *one = node->first; one; one = one->next)
        put_node(out, one, &path);
}

void tree_write_query(const struct tree *tree, struct text *out)
{
    for (const struct tree *one = tree ? tree->first : NULL; one; one = one->next)
        put_node(out, one, NULL);
}
