#include "models/dynamodb/expression.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- what is wrong -------------------------------------------------------------------
 * All of an expression is read before anything is said of it, and of several faults the one
 * that AWS looks for first is said. Within a condition the faults of one comparison are
 * weighed first, and the first comparison that has one counts. */

enum fault_class {
    FAULT_PARENTHESES,
    FAULT_FUNCTION_NAME,
    FAULT_FUNCTION_USE,
    FAULT_RESERVED,
    FAULT_SECTION,
    FAULT_NAME,
    FAULT_VALUE,
    FAULT_COUNT,
    FAULT_DISTINCT,
    FAULT_OVERLAP,
    FAULT_CONFLICT,
    FAULT_OPERAND,
    FAULT_TYPE,
    FAULT_CLASSES
};

struct reader {
    struct jobq_str text;
    struct expression_context *context;
    int64_t at;                    /* of the token */
    struct jobq_str token, before; /* len 0: the end */
    int depth;
    bool broken; /* a syntax error stands in err */
    bool update; /* the functions of an update, not of a condition */
    struct jobq_error *err;
    char fault[FAULT_CLASSES][240];
    char condition[240]; /* the first comparison's fault */
    const struct expression_node
        *wrapped; /* the condition that last ended with a bracket */
};

__attribute__((format(printf, 3, 4))) static void
reader_fault(struct reader *r, enum fault_class class, const char *format, ...)
{
    if (r->fault[class][0])
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(r->fault[class], sizeof r->fault[class], format, args);
    va_end(args);
}

/* A comparison is read: its first fault becomes the condition's, unless one is there. */
static void reader_end_comparison(struct reader *r)
{
    static const enum fault_class order[] = {FAULT_NAME, FAULT_VALUE, FAULT_COUNT,
                                             FAULT_DISTINCT, FAULT_TYPE};
    for (size_t i = 0; i < sizeof order / sizeof *order && !r->condition[0]; i++)
        memcpy(r->condition, r->fault[order[i]], sizeof r->condition);
}

static int reader_verdict(struct reader *r)
{
    static const enum fault_class first[] = {FAULT_PARENTHESES, FAULT_FUNCTION_NAME,
                                             FAULT_FUNCTION_USE, FAULT_RESERVED,
                                             FAULT_SECTION};
    static const enum fault_class then[] = {FAULT_NAME,     FAULT_VALUE,   FAULT_OVERLAP,
                                            FAULT_CONFLICT, FAULT_OPERAND, FAULT_COUNT,
                                            FAULT_DISTINCT, FAULT_TYPE};
    if (r->broken)
        return JOBQ_INVALID;
    if (r->update) /* which says an unknown function after a reserved word */
        if (r->fault[FAULT_RESERVED][0])
            return jobq_fail(r->err, JOBQ_INVALID, "%s", r->fault[FAULT_RESERVED]);
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        if (r->fault[first[i]][0])
            return jobq_fail(r->err, JOBQ_INVALID, "%s", r->fault[first[i]]);
    if (r->condition[0])
        return jobq_fail(r->err, JOBQ_INVALID, "%s", r->condition);
    for (size_t i = 0; i < sizeof then / sizeof *then; i++)
        if (r->fault[then[i]][0])
            return jobq_fail(r->err, JOBQ_INVALID, "%s", r->fault[then[i]]);
    return JOBQ_OK;
}

/* ---- tokens ------------------------------------------------------------------------- */

static bool char_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

static bool char_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct jobq_str reader_scan(const struct reader *r, int64_t *at)
{
    const char *text = r->text.ptr;
    int64_t i = *at, len = r->text.len;
    while (i < len && char_is_space(text[i]))
        i++;
    int64_t start = i;
    *at = start;
    if (i == len)
        return (struct jobq_str){text + len, 0};
    if (char_is_word(text[i]) || text[i] == '#' || text[i] == ':') {
        for (i++; i < len && char_is_word(text[i]); i++)
            ;
    } else if ((text[i] == '<' && i + 1 < len &&
                (text[i + 1] == '=' || text[i + 1] == '>')) ||
               (text[i] == '>' && i + 1 < len && text[i + 1] == '=')) {
        i += 2;
    } else {
        i++;
        while (i < len && ((unsigned char)text[i] & 0xC0) == 0x80)
            i++; /* a whole character of UTF-8 */
    }
    return (struct jobq_str){text + start, i - start};
}

static void reader_next(struct reader *r)
{
    r->before = r->token;
    r->at += r->token.len;
    r->token = reader_scan(r, &r->at);
}

/* near: from the token before to the one behind. */
static void *reader_syntax(struct reader *r)
{
    if (r->broken)
        return NULL;
    r->broken = true;
    int64_t from = r->before.ptr ? r->before.ptr - r->text.ptr : r->at;
    int64_t to = r->at + r->token.len;
    struct jobq_str behind = reader_scan(r, &to);
    int64_t end = behind.len > 0 ? to + behind.len : r->at + r->token.len;
    bool over = r->token.len == 0;
    jobq_fail(r->err, JOBQ_INVALID, "Syntax error; token: \"%.*s\", near: \"%.*s\"",
              over ? 5 : (int)r->token.len, over ? "<EOF>" : r->token.ptr,
              (int)(end - from), r->text.ptr + from);
    return NULL;
}

static bool reader_sees(const struct reader *r, const char *token)
{
    return str_is(r->token, token);
}

static bool reader_takes(struct reader *r, const char *token)
{
    if (r->broken || !reader_sees(r, token))
        return false;
    reader_next(r);
    return true;
}

static bool reader_wants(struct reader *r, const char *token)
{
    if (reader_takes(r, token))
        return true;
    reader_syntax(r);
    return false;
}

/* Keywords are case-insensitive. */
static bool reader_sees_word(const struct reader *r, const char *upper)
{
    size_t len = strlen(upper);
    if ((size_t)r->token.len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((r->token.ptr[i] & ~0x20) != upper[i])
            return false;
    return true;
}

static bool reader_takes_word(struct reader *r, const char *upper)
{
    if (r->broken || !reader_sees_word(r, upper))
        return false;
    reader_next(r);
    return true;
}

static bool reader_enter(struct reader *r)
{
    if (++r->depth <= EXPRESSION_DEPTH_MAX)
        return !r->broken;
    if (!r->broken)
        jobq_fail(r->err, JOBQ_INVALID, "The expression is nested deeper than %d levels",
                  EXPRESSION_DEPTH_MAX);
    r->broken = true;
    return false;
}

/* ---- nodes -------------------------------------------------------------------------- */

static struct expression_node *reader_node(struct reader *r, enum expression_kind kind,
                                           int count, struct expression_node **arg)
{
    struct expression_node *node = arena_zalloc(r->context->arena, sizeof *node);
    node->kind = kind;
    node->count = count;
    if (count > 0) {
        node->arg = arena_alloc(r->context->arena, (size_t)count * sizeof(void *));
        memcpy(node->arg, arg, (size_t)count * sizeof(void *));
    }
    return node;
}

static struct expression_node *reader_pair(struct reader *r, enum expression_kind kind,
                                           struct expression_node *a,
                                           struct expression_node *b)
{
    struct expression_node *arg[2] = {a, b};
    return reader_node(r, kind, 2, arg);
}

static bool node_is_operand(const struct expression_node *node)
{
    return node->kind <= EXPRESSION_MINUS;
}

/* "[a, [1], b]" */
static const char *path_text(const struct expression_path *path, char *out, size_t cap)
{
    size_t at = (size_t)snprintf(out, cap, "[");
    for (int i = 0; i < path->count && at < cap; i++) {
        const struct expression_step *step = &path->step[i];
        at += (size_t)(step->index >= 0
                           ? snprintf(out + at, cap - at, "%s[%d]", i ? ", " : "",
                                      step->index)
                           : snprintf(out + at, cap - at, "%s%.*s", i ? ", " : "",
                                      (int)step->name.len, step->name.ptr));
    }
    if (at < cap)
        snprintf(out + at, cap - at, "]");
    return out;
}

static bool step_equal(const struct expression_step *a, const struct expression_step *b)
{
    return a->index == b->index && (a->index >= 0 || str_eq(a->name, b->name));
}

static struct jobq_str reader_name(struct reader *r, struct jobq_str token)
{
    for (int i = 0; i < r->context->name_count; i++) {
        struct expression_name *name = &r->context->name[i];
        if (!str_eq(name->placeholder, token))
            continue;
        name->used = true;
        return name->name;
    }
    reader_fault(r, FAULT_NAME,
                 "An expression attribute name used in the document path is not defined; "
                 "attribute name: %.*s",
                 (int)token.len, token.ptr);
    return token;
}

/* The word that a path may have at the token; NULL ptr: none, a syntax error. */
static struct jobq_str reader_step_name(struct reader *r)
{
    struct jobq_str token = r->token;
    char c = token.len > 0 ? token.ptr[0] : '\0';
    if (c == '#' && token.len > 1) {
        reader_next(r);
        return reader_name(r, token);
    }
    if (!char_is_word(c) || (c >= '0' && c <= '9') || c == '_')
        return (struct jobq_str){reader_syntax(r), 0};
    if (expression_is_reserved(token))
        reader_fault(r, FAULT_RESERVED,
                     "Attribute name is a reserved keyword; reserved keyword: %.*s",
                     (int)token.len, token.ptr);
    reader_next(r);
    return token;
}

static struct expression_path reader_path(struct reader *r)
{
    struct expression_step step[EXPRESSION_STEPS_MAX];
    int count = 0;
    step[count++] = (struct expression_step){reader_step_name(r), -1};
    while (!r->broken && (reader_sees(r, ".") || reader_sees(r, "["))) {
        if (count == EXPRESSION_STEPS_MAX) {
            r->broken = true;
            jobq_fail(
                r->err, JOBQ_INVALID,
                "The document path has too many nesting elements; nesting levels: %d",
                count + 1);
            break;
        }
        if (reader_takes(r, ".")) {
            step[count++] = (struct expression_step){reader_step_name(r), -1};
            continue;
        }
        reader_next(r);
        int64_t index;
        if (!str_to_int(r->token, &index) || index < 0 || index > INT32_MAX) {
            reader_syntax(r);
            break;
        }
        reader_next(r);
        reader_wants(r, "]");
        step[count++] = (struct expression_step){{NULL, 0}, (int32_t)index};
    }
    struct expression_step *copy =
        arena_alloc(r->context->arena, (size_t)count * sizeof *copy);
    memcpy(copy, step, (size_t)count * sizeof *copy);
    return (struct expression_path){copy, count};
}

static const struct dynamodb_value *reader_value(struct reader *r, struct jobq_str token)
{
    for (int i = 0; i < r->context->value_count; i++) {
        struct expression_value *value = &r->context->value[i];
        if (!str_eq(value->placeholder, token))
            continue;
        value->used = true;
        return &value->value;
    }
    reader_fault(r, FAULT_VALUE,
                 "An expression attribute value used in expression is not defined; "
                 "attribute value: %.*s",
                 (int)token.len, token.ptr);
    return NULL;
}

/* ---- functions ---------------------------------------------------------------------- */

static const struct function {
    const char *name;
    enum expression_kind kind;
    int operands;
    bool of_update;
} FUNCTION[] = {
    {"attribute_exists", EXPRESSION_EXISTS, 1, false},
    {"attribute_not_exists", EXPRESSION_NOT_EXISTS, 1, false},
    {"attribute_type", EXPRESSION_TYPE_IS, 2, false},
    {"begins_with", EXPRESSION_BEGINS_WITH, 2, false},
    {"contains", EXPRESSION_CONTAINS, 2, false},
    {"size", EXPRESSION_SIZE, 1, false},
    {"if_not_exists", EXPRESSION_IF_NOT_EXISTS, 2, true},
    {"list_append", EXPRESSION_LIST_APPEND, 2, true},
};

static const char *node_function_name(const struct expression_node *node)
{
    for (size_t i = 0; i < sizeof FUNCTION / sizeof *FUNCTION; i++)
        if (FUNCTION[i].kind == node->kind)
            return FUNCTION[i].name;
    return NULL;
}

/* The type that a node will have whatever the item; NULL: not known. */
static const char *node_type(const struct expression_node *node)
{
    switch ((int)node->kind) {
    case EXPRESSION_VALUE:
        return node->value ? dynamodb_type_name(node->value->type) : NULL;
    case EXPRESSION_SIZE:
    case EXPRESSION_PLUS:
    case EXPRESSION_MINUS:
        return "N";
    case EXPRESSION_LIST_APPEND:
        return "L";
    case EXPRESSION_BEGINS_WITH:
    case EXPRESSION_TYPE_IS:
    case EXPRESSION_CONTAINS:
        return "BOOL";
    case EXPRESSION_IF_NOT_EXISTS:
        return node->count == 2 ? node_type(node->arg[1]) : NULL;
    default:
        return NULL;
    }
}

static bool type_among(const char *type, const char *list)
{
    char word[8];
    snprintf(word, sizeof word, " %s ", type);
    return strstr(list, word) != NULL;
}

static void reader_operand_type(struct reader *r, const char *what, const char *type)
{
    reader_fault(
        r, FAULT_TYPE,
        "Incorrect operand type for operator or function; operator or function: %s, "
        "operand type: %s",
        what, type);
}

static void reader_distinct(struct reader *r, const char *what,
                            const struct expression_node *a,
                            const struct expression_node *b)
{
    char text[80];
    if (a->kind != EXPRESSION_PATH || b->kind != EXPRESSION_PATH ||
        a->path.count != b->path.count)
        return;
    for (int i = 0; i < a->path.count; i++)
        if (!step_equal(&a->path.step[i], &b->path.step[i]))
            return;
    reader_fault(
        r, FAULT_DISTINCT,
        "The first operand must be distinct from the remaining operands for this "
        "operator or function; operator: %s, first operand: %s",
        what, path_text(&a->path, text, sizeof text));
}

static void reader_type_word(struct reader *r, const struct expression_node *arg)
{
    const char *type = node_type(arg);
    if (!type || strcmp(type, "S") != 0) {
        reader_operand_type(r, "attribute_type",
                            type ? type : "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
        return;
    }
    struct jobq_str word = arg->value->of.text;
    for (int i = 0; i < DYNAMODB_TYPE_COUNT; i++)
        if (str_is(word, dynamodb_type_name((enum dynamodb_type)i)))
            return;
    reader_fault(r, FAULT_TYPE,
                 "Invalid attribute type name found; type: %.*s, valid types: "
                 "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
                 (int)word.len, word.ptr);
}

static void reader_check_function(struct reader *r, const struct function *f,
                                  const struct expression_node *node)
{
    if (node->count != f->operands) {
        reader_fault(r, r->update ? FAULT_TYPE : FAULT_COUNT,
                     "Incorrect number of operands for operator or function; operator or "
                     "function: %s, number of operands: %d",
                     f->name, node->count);
        return;
    }
    if (node->count == 2 && !f->of_update)
        reader_distinct(r, f->name, node->arg[0], node->arg[1]);
    switch ((int)f->kind) {
    case EXPRESSION_EXISTS:
    case EXPRESSION_NOT_EXISTS:
    case EXPRESSION_IF_NOT_EXISTS:
        if (node->arg[0]->kind != EXPRESSION_PATH)
            reader_fault(r, FAULT_TYPE,
                         "Operator or function requires a document path; operator or "
                         "function: %s",
                         f->name);
        return;
    case EXPRESSION_BEGINS_WITH:
        for (int i = 0; i < 2; i++)
            if (node_type(node->arg[i]) && !type_among(node_type(node->arg[i]), " S B "))
                reader_operand_type(r, f->name, node_type(node->arg[i]));
        return;
    case EXPRESSION_TYPE_IS:
        reader_type_word(r, node->arg[1]);
        return;
    case EXPRESSION_SIZE:
        if (node_type(node->arg[0]) &&
            type_among(node_type(node->arg[0]), " N BOOL NULL "))
            reader_operand_type(r, f->name, node_type(node->arg[0]));
        return;
    case EXPRESSION_LIST_APPEND:
        for (int i = 0; i < 2; i++)
            if (node->arg[i]->kind == EXPRESSION_VALUE && node_type(node->arg[i]) &&
                strcmp(node_type(node->arg[i]), "L") != 0)
                reader_operand_type(r, f->name, node_type(node->arg[i]));
        return;
    default:
        return;
    }
}

/* Anything but size() is a condition by itself, no operand. */
static void reader_operand_use(struct reader *r, const struct expression_node *node)
{
    if (!node_is_operand(node) && node_function_name(node))
        reader_fault(r, FAULT_FUNCTION_USE,
                     "The function is not allowed to be used this way in an expression; "
                     "function: %s",
                     node_function_name(node));
}

static void reader_condition_use(struct reader *r, const struct expression_node *node)
{
    if (node->kind == EXPRESSION_SIZE)
        reader_fault(r, FAULT_FUNCTION_USE,
                     "The function is not allowed to be used this way in an expression; "
                     "function: size");
}

static struct expression_node *reader_operand(struct reader *r);

/* "a, b, c)" behind the opening bracket. */
static struct expression_node **reader_list(struct reader *r, int *count)
{
    int cap = 4;
    struct expression_node **list =
        arena_alloc(r->context->arena, (size_t)cap * sizeof *list);
    *count = 0;
    do {
        struct expression_node *node = reader_operand(r);
        if (!node)
            return NULL;
        if (!r->update)
            reader_operand_use(r, node);
        if (*count == cap) {
            struct expression_node **more =
                arena_alloc(r->context->arena, (size_t)cap * 2 * sizeof *list);
            memcpy(more, list, (size_t)cap * sizeof *list);
            list = more;
            cap *= 2;
        }
        list[(*count)++] = node;
    } while (reader_takes(r, ","));
    return reader_wants(r, ")") ? list : NULL;
}

static struct expression_node *reader_function(struct reader *r, struct jobq_str name)
{
    int count;
    reader_next(r);
    reader_next(r);
    if (!reader_enter(r))
        return NULL;
    struct expression_node **arg = reader_list(r, &count);
    r->depth--;
    if (!arg)
        return NULL;
    for (size_t i = 0; i < sizeof FUNCTION / sizeof *FUNCTION; i++) {
        const struct function *f = &FUNCTION[i];
        if (!str_is(name, f->name) || f->of_update != r->update)
            continue;
        struct expression_node *node = reader_node(r, f->kind, count, arg);
        reader_check_function(r, f, node);
        return node;
    }
    reader_fault(r, FAULT_FUNCTION_NAME, "Invalid function name; function: %.*s",
                 (int)name.len, name.ptr);
    return reader_node(r, EXPRESSION_SIZE, count, arg);
}

/* A word before a bracket, unless it is one of the language's own. */
static bool reader_sees_function(const struct reader *r)
{
    static const char *const word[] = {"AND", "OR", "NOT", "BETWEEN", "IN"};
    int64_t at = r->at + r->token.len;
    char c = r->token.len > 0 ? r->token.ptr[0] : '\0';
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (reader_sees_word(r, word[i]))
            return false;
    return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) &&
           str_is(reader_scan(r, &at), "(");
}

static struct expression_node *reader_operand(struct reader *r)
{
    if (r->broken)
        return NULL;
    if (reader_takes(r, "(")) {
        if (!reader_enter(r))
            return NULL;
        if (reader_sees(r, "(") && !r->update)
            reader_fault(r, FAULT_PARENTHESES,
                         "The expression has redundant parentheses;");
        struct expression_node *node = reader_operand(r);
        r->depth--;
        return node && reader_wants(r, ")") ? node : NULL;
    }
    struct expression_node *node = NULL;
    struct jobq_str token = r->token;
    if (token.len > 1 && token.ptr[0] == ':') {
        node = reader_node(r, EXPRESSION_VALUE, 0, NULL);
        reader_next(r);
        node->value = reader_value(r, token);
    } else if (reader_sees_function(r)) {
        node = reader_function(r, token);
    } else {
        node = reader_node(r, EXPRESSION_PATH, 0, NULL);
        node->path = reader_path(r);
    }
    return r->broken ? NULL : node;
}

/* ---- conditions --------------------------------------------------------------------- */

static const struct {
    const char *token;
    enum expression_kind kind;
} COMPARATOR[] = {
    {"=", EXPRESSION_EQUAL}, {"<>", EXPRESSION_DIFFERENT},
    {"<", EXPRESSION_LESS},  {"<=", EXPRESSION_LESS_EQUAL},
    {">", EXPRESSION_MORE},  {">=", EXPRESSION_MORE_EQUAL},
};

static void value_brief(const struct dynamodb_value *v, char *out, size_t cap)
{
    snprintf(out, cap, "{%s:%.*s}", dynamodb_type_name(v->type),
             v->type <= DYNAMODB_B ? (int)v->of.text.len : 0,
             v->type <= DYNAMODB_B ? v->of.text.ptr : "");
}

static void reader_check_bounds(struct reader *r, const struct expression_node *low,
                                const struct expression_node *high)
{
    char a[60], b[60];
    int order = 0;
    if (!low->value || !high->value)
        return;
    bool same = low->value->type == high->value->type;
    if (same && (!dynamodb_compare(low->value, high->value, &order) || order <= 0))
        return;
    value_brief(low->value, a, sizeof a);
    value_brief(high->value, b, sizeof b);
    reader_fault(
        r, FAULT_TYPE,
        "The BETWEEN operator requires %s; lower bound operand: AttributeValue: %s, "
        "upper bound operand: AttributeValue: %s",
        same ? "upper bound to be greater than or equal to lower bound"
             : "same data type for lower and upper bounds",
        a, b);
}

static struct expression_node *reader_between(struct reader *r, struct expression_node *x)
{
    struct expression_node *low = reader_operand(r);
    if (!low)
        return NULL;
    if (!reader_takes_word(r, "AND"))
        return reader_syntax(r);
    struct expression_node *high = reader_operand(r);
    if (!high)
        return NULL;
    reader_operand_use(r, x);
    reader_operand_use(r, low);
    reader_operand_use(r, high);
    reader_check_bounds(r, low, high);
    struct expression_node *arg[3] = {x, low, high};
    return reader_node(r, EXPRESSION_BETWEEN, 3, arg);
}

static struct expression_node *reader_in(struct reader *r, struct expression_node *x)
{
    int count;
    if (!reader_wants(r, "("))
        return NULL;
    struct expression_node **list = reader_list(r, &count);
    if (!list)
        return NULL;
    reader_operand_use(r, x);
    struct expression_node *node = reader_node(r, EXPRESSION_IN, 0, NULL);
    node->count = count + 1;
    node->arg = arena_alloc(r->context->arena, (size_t)node->count * sizeof(void *));
    node->arg[0] = x;
    memcpy(node->arg + 1, list, (size_t)count * sizeof(void *));
    return node;
}

/* What follows an operand: a comparison, or nothing if it is a condition by itself. */
static struct expression_node *reader_comparison(struct reader *r,
                                                 struct expression_node *x)
{
    struct expression_node *node = NULL;
    for (size_t i = 0; i < sizeof COMPARATOR / sizeof *COMPARATOR && !node; i++) {
        if (!reader_takes(r, COMPARATOR[i].token))
            continue;
        struct expression_node *y = reader_operand(r);
        if (!y)
            return NULL;
        reader_operand_use(r, x);
        reader_operand_use(r, y);
        reader_distinct(r, COMPARATOR[i].token, x, y);
        node = reader_pair(r, COMPARATOR[i].kind, x, y);
    }
    if (!node && reader_takes_word(r, "BETWEEN"))
        node = reader_between(r, x);
    else if (!node && reader_takes_word(r, "IN"))
        node = reader_in(r, x);
    else if (!node)
        node = node_function_name(x) ? x : reader_syntax(r);
    reader_end_comparison(r);
    return node;
}

static struct expression_node *reader_or(struct reader *r);

/* A condition in brackets, or a comparison, which may begin with an operand in brackets. */
static struct expression_node *reader_primary(struct reader *r)
{
    struct expression_node *node;
    if (!reader_sees(r, "(")) {
        node = reader_operand(r);
        return node ? reader_comparison(r, node) : NULL;
    }
    reader_next(r);
    if (!reader_enter(r))
        return NULL;
    bool twice = reader_sees(r, "(");
    /* An operand stands by itself in its brackets; a condition goes on. */
    struct reader saved = *r;
    node = reader_operand(r);
    if (node && reader_sees(r, ")")) {
        reader_next(r);
        r->depth--;
        if (twice)
            reader_fault(r, FAULT_PARENTHESES,
                         "The expression has redundant parentheses;");
        return reader_comparison(r, node);
    }
    *r = saved;
    node = reader_or(r);
    r->depth--;
    if (!node || !reader_wants(r, ")"))
        return NULL;
    if (node == r->wrapped)
        reader_fault(r, FAULT_PARENTHESES, "The expression has redundant parentheses;");
    r->wrapped = node;
    return node;
}

static struct expression_node *reader_not(struct reader *r)
{
    if (!reader_takes_word(r, "NOT"))
        return reader_primary(r);
    if (!reader_enter(r))
        return NULL;
    struct expression_node *node = reader_not(r);
    r->depth--;
    if (!node)
        return NULL;
    reader_condition_use(r, node);
    return reader_node(r, EXPRESSION_NOT, 1, &node);
}

static struct expression_node *reader_and(struct reader *r)
{
    struct expression_node *node = reader_not(r);
    while (node && reader_takes_word(r, "AND")) {
        struct expression_node *next = reader_not(r);
        if (!next)
            return NULL;
        reader_condition_use(r, node);
        reader_condition_use(r, next);
        node = reader_pair(r, EXPRESSION_AND, node, next);
    }
    return node;
}

static struct expression_node *reader_or(struct reader *r)
{
    struct expression_node *node = reader_and(r);
    while (node && reader_takes_word(r, "OR")) {
        struct expression_node *next = reader_and(r);
        if (!next)
            return NULL;
        reader_condition_use(r, node);
        reader_condition_use(r, next);
        node = reader_pair(r, EXPRESSION_OR, node, next);
    }
    return node;
}

/* JOBQ_OK and a reader at the first token. */
static int reader_begin(struct reader *r, struct jobq_str text,
                        struct expression_context *context, struct jobq_error *err)
{
    memset(r, 0, sizeof *r);
    r->text = text;
    r->context = context;
    r->err = err;
    if (text.len == 0)
        return jobq_fail(err, JOBQ_INVALID, "The expression can not be empty;");
    if (text.len > EXPRESSION_BYTES_MAX)
        return jobq_fail(
            err, JOBQ_INVALID,
            "Expression size has exceeded the maximum allowed size; expression "
            "size: %lld",
            (long long)text.len);
    reader_next(r);
    r->before = (struct jobq_str){NULL, 0};
    return JOBQ_OK;
}

int expression_condition(struct jobq_str text, struct expression_context *context,
                         const struct expression_node **out, struct jobq_error *err)
{
    struct reader r;
    int code = reader_begin(&r, text, context, err);
    if (code)
        return code;
    struct expression_node *node = reader_or(&r);
    if (node && r.token.len > 0)
        reader_syntax(&r);
    if (node && !r.broken)
        reader_condition_use(&r, node);
    *out = node;
    return reader_verdict(&r);
}

/* ---- updates ------------------------------------------------------------------------ */

/* No path may be another's beginning, nor take one thing for a map here and a list there. */
static void reader_check_paths(struct reader *r, const struct expression_path *a,
                               const struct expression_path *b)
{
    char one[64], two[64];
    int common = a->count < b->count ? a->count : b->count;
    for (int i = 0; i < common; i++) {
        if ((a->step[i].index >= 0) != (b->step[i].index >= 0)) {
            reader_fault(
                r, FAULT_CONFLICT,
                "Two document paths conflict with each other; must remove or rewrite "
                "one of these paths; path one: %s, path two: %s",
                path_text(a, one, sizeof one), path_text(b, two, sizeof two));
            return;
        }
        if (!step_equal(&a->step[i], &b->step[i]))
            return;
    }
    reader_fault(
        r, FAULT_OVERLAP,
        "Two document paths overlap with each other; must remove or rewrite one of "
        "these paths; path one: %s, path two: %s",
        path_text(a, one, sizeof one), path_text(b, two, sizeof two));
}

static struct expression_node *reader_sum(struct reader *r)
{
    struct expression_node *node = reader_operand(r);
    if (!node || !(reader_sees(r, "+") || reader_sees(r, "-")))
        return node;
    bool plus = reader_sees(r, "+");
    reader_next(r);
    struct expression_node *other = reader_operand(r);
    if (!other)
        return NULL;
    struct expression_node *sum =
        reader_pair(r, plus ? EXPRESSION_PLUS : EXPRESSION_MINUS, node, other);
    for (int i = 0; i < 2; i++)
        if (sum->arg[i]->kind == EXPRESSION_VALUE && node_type(sum->arg[i]) &&
            strcmp(node_type(sum->arg[i]), "N") != 0)
            reader_operand_type(r, plus ? "+" : "-", node_type(sum->arg[i]));
    return sum;
}

/* What SET assigns, perhaps in brackets as a whole: "(a + b)". */
static struct expression_node *reader_assigned(struct reader *r)
{
    struct reader saved = *r;
    struct expression_node *node = reader_sum(r);
    if (node || !reader_sees(&saved, "("))
        return node;
    *r = saved;
    reader_next(r);
    node = reader_sum(r);
    return node && reader_wants(r, ")") ? node : NULL;
}

static void reader_set_operand(struct reader *r, enum expression_verb verb,
                               const struct expression_node *operand)
{
    static const char *const word[DYNAMODB_TYPE_COUNT] = {
        [DYNAMODB_S] = "STRING", [DYNAMODB_N] = "NUMBER",     [DYNAMODB_B] = "BINARY",
        [DYNAMODB_L] = "LIST",   [DYNAMODB_BOOL] = "BOOLEAN", [DYNAMODB_NULL] = "NULL",
        [DYNAMODB_M] = "MAP"};
    const struct dynamodb_value *v = operand->value;
    if (!v || !word[v->type] || (verb == EXPRESSION_ADD && v->type == DYNAMODB_N))
        return;
    reader_fault(
        r, FAULT_OPERAND,
        "Incorrect operand type for operator or function; operator: %s, operand type: "
        "%s",
        verb == EXPRESSION_ADD ? "ADD" : "DELETE", word[v->type]);
}

static bool reader_action(struct reader *r, enum expression_verb verb,
                          struct expression_action *out)
{
    out->verb = verb;
    out->path = reader_path(r);
    out->operand = NULL;
    if (r->broken)
        return false;
    if (verb == EXPRESSION_SET) {
        out->operand = reader_wants(r, "=") ? reader_assigned(r) : NULL;
    } else if (verb != EXPRESSION_REMOVE) {
        if (r->token.len < 2 || r->token.ptr[0] != ':')
            reader_syntax(r);
        else
            out->operand = reader_operand(r);
        if (out->operand)
            reader_set_operand(r, verb, out->operand);
    }
    return !r->broken;
}

int expression_update(struct jobq_str text, struct expression_context *context,
                      struct expression_update *out, struct jobq_error *err)
{
    static const char *const VERB[] = {"SET", "REMOVE", "ADD", "DELETE"};
    struct reader r;
    bool seen[4] = {false};
    int cap = 8;
    int code = reader_begin(&r, text, context, err);
    if (code)
        return code;
    r.update = true;
    out->count = 0;
    out->action = arena_alloc(context->arena, (size_t)cap * sizeof *out->action);
    while (!r.broken && (r.token.len > 0 || out->count == 0)) {
        int verb = 0;
        while (verb < 4 && !reader_takes_word(&r, VERB[verb]))
            verb++;
        if (verb == 4) {
            reader_syntax(&r);
            break;
        }
        if (seen[verb])
            reader_fault(
                &r, FAULT_SECTION,
                "The \"%s\" section can only be used once in an update expression;",
                VERB[verb]);
        seen[verb] = true;
        do {
            if (out->count == cap) {
                struct expression_action *more =
                    arena_alloc(context->arena, (size_t)cap * 2 * sizeof *more);
                memcpy(more, out->action, (size_t)cap * sizeof *more);
                out->action = more;
                cap *= 2;
            }
            struct expression_action *action = &out->action[out->count];
            if (!reader_action(&r, (enum expression_verb)verb, action))
                break;
            for (int i = 0; i < out->count; i++)
                reader_check_paths(&r, &out->action[i].path, &action->path);
            out->count++;
        } while (reader_takes(&r, ","));
    }
    return reader_verdict(&r);
}

/* ---- projections -------------------------------------------------------------------- */

int expression_project(struct jobq_str text, struct expression_context *context,
                       struct expression_projection *out, struct jobq_error *err)
{
    struct reader r;
    int cap = 8;
    int code = reader_begin(&r, text, context, err);
    if (code)
        return code;
    out->count = 0;
    out->path = arena_alloc(context->arena, (size_t)cap * sizeof *out->path);
    do {
        if (out->count == cap) {
            struct expression_path *more =
                arena_alloc(context->arena, (size_t)cap * 2 * sizeof *more);
            memcpy(more, out->path, (size_t)cap * sizeof *more);
            out->path = more;
            cap *= 2;
        }
        struct expression_path path = reader_path(&r);
        for (int i = 0; i < out->count && !r.broken; i++)
            reader_check_paths(&r, &out->path[i], &path);
        out->path[out->count++] = path;
    } while (reader_takes(&r, ","));
    if (!r.broken && r.token.len > 0)
        reader_syntax(&r);
    return reader_verdict(&r);
}
