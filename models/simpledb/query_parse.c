/* query_parse.c - text to a query.
 *
 * Room:     models, the facts; pure.
 *
 * The where clause is read by operator precedence with two stacks of fixed size instead of
 * by recursion, because it runs on fibers' small stacks and on strangers' bytes. */
#include "models/simpledb/query.h"

#include "base/arena.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

enum token {
    TOKEN_END,
    TOKEN_BAD,
    TOKEN_NAME,   /* a plain or backticked identifier */
    TOKEN_WORD,   /* a reserved word */
    TOKEN_STRING, /* '...' or "..." */
    TOKEN_NUMBER,
    TOKEN_SIGN /* one of * ( ) , or a comparison */
};

enum word {
    WORD_OR,
    WORD_AND,
    WORD_NOT,
    WORD_FROM,
    WORD_WHERE,
    WORD_SELECT,
    WORD_LIKE,
    WORD_NULL,
    WORD_IS,
    WORD_ORDER,
    WORD_BY,
    WORD_ASC,
    WORD_DESC,
    WORD_IN,
    WORD_BETWEEN,
    WORD_INTERSECTION,
    WORD_LIMIT,
    WORD_EVERY,
    WORD_COUNT
};

static const char *const words[WORD_COUNT] = {
    "or",    "and", "not", "from", "where", "select",  "like",         "null",  "is",
    "order", "by",  "asc", "desc", "in",    "between", "intersection", "limit", "every"};

/* '(' and the operators waiting for their right side, loosest first. */
enum pending { PENDING_OPEN, PENDING_INTERSECTION, PENDING_OR, PENDING_AND, PENDING_NOT };

struct parser {
    const char *at, *end; /* behind the token at hand */
    const char *token_at;
    struct arena *arena;
    const struct select_limits *limits;
    struct select_query *query;
    struct jobq_error *err;
    enum select_fault fault;
    /* the token at hand */
    enum token token;
    enum word word;
    bool quoted; /* NAME in backticks */
    struct jobq_str text;
};

/* ---- tokens -------------------------------------------------------------------------- */

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static bool query_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool same_word(struct jobq_str text, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)text.len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = text.ptr[i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c) != word[i])
            return false;
    }
    return true;
}

/* Behind the opening quote: up to the closing one, doubled ones inside made single. */
static void read_quoted(struct parser *p, char quote, enum token token)
{
    const char *from = p->at;
    int64_t doubled = 0;
    while (p->at < p->end) {
        if (*p->at++ != quote)
            continue;
        if (p->at < p->end && *p->at == quote) {
            p->at++;
            doubled++;
            continue;
        }
        int64_t len = p->at - 1 - from;
        p->token = token;
        p->text = (struct jobq_str){from, len};
        if (doubled == 0)
            return;
        char *copy = arena_alloc(p->arena, (size_t)len);
        int64_t out = 0;
        for (int64_t i = 0; i < len; i++) {
            copy[out++] = from[i];
            i += from[i] == quote;
        }
        p->text = (struct jobq_str){copy, out};
        return;
    }
    p->token = TOKEN_BAD;
}

static void read_plain(struct parser *p)
{
    const char *from = p->at;
    while (p->at < p->end && (is_name_start(*p->at) || query_is_digit(*p->at)))
        p->at++;
    p->text = (struct jobq_str){from, p->at - from};
    p->token = TOKEN_NAME;
    for (int i = 0; i < WORD_COUNT; i++) {
        if (same_word(p->text, words[i])) {
            p->token = TOKEN_WORD;
            p->word = (enum word)i;
        }
    }
}

static void read_sign(struct parser *p, char c)
{
    p->text = (struct jobq_str){p->at++, 1};
    p->token = TOKEN_SIGN;
    bool more = p->at < p->end && *p->at == '=';
    if (more && (c == '<' || c == '>' || c == '!')) {
        p->text.len = 2;
        p->at++;
    } else if (!strchr("*(),=<>", c) || c == '\0') {
        p->token = TOKEN_BAD;
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void query_advance(struct parser *p)
{
    while (p->at < p->end && is_space(*p->at))
        p->at++;
    p->quoted = false;
    p->token_at = p->at;
    if (p->at == p->end) {
        p->token = TOKEN_END;
        return;
    }
    char c = *p->at;
    if (c == '\'' || c == '"') {
        p->at++;
        read_quoted(p, c, TOKEN_STRING);
    } else if (c == '`') {
        p->at++;
        read_quoted(p, c, TOKEN_NAME);
        p->quoted = true;
        if (p->token == TOKEN_NAME && p->text.len == 0)
            p->token = TOKEN_BAD;
    } else if (is_name_start(c)) {
        read_plain(p);
    } else if (query_is_digit(c)) {
        const char *from = p->at;
        while (p->at < p->end && query_is_digit(*p->at))
            p->at++;
        p->text = (struct jobq_str){from, p->at - from};
        p->token = p->at < p->end && is_name_start(*p->at) ? TOKEN_BAD : TOKEN_NUMBER;
    } else {
        read_sign(p, c);
    }
}

static bool query_fail(struct parser *p, enum select_fault fault)
{
    static const char *const text[] = {
        [SELECT_OK] = "",
        [SELECT_SYNTAX] = "The specified query expression syntax is not valid.",
        [SELECT_PREDICATES] = "Too many predicates in the query expression.",
        [SELECT_VALUES] = "Too many value tests per predicate in the query expression.",
        [SELECT_ATTRIBUTES] = "Too many attributes requested.",
        [SELECT_SORT] =
            ("The sort attribute must be present in at least one of the "
             "predicates, and the predicate cannot contain the is null operator."),
    };
    if (p->fault == SELECT_OK) {
        p->fault = fault;
        bool limit = fault == SELECT_PREDICATES || fault == SELECT_VALUES ||
                     fault == SELECT_ATTRIBUTES;
        jobq_fail(p->err, limit ? JOBQ_LIMIT : JOBQ_INVALID, "%s", text[fault]);
    }
    return false;
}

static bool query_is_word(const struct parser *p, enum word word)
{
    return p->token == TOKEN_WORD && p->word == word;
}

static bool query_take_word(struct parser *p, enum word word)
{
    if (!query_is_word(p, word))
        return false;
    query_advance(p);
    return true;
}

static bool is_sign(const struct parser *p, const char *sign)
{
    return p->token == TOKEN_SIGN && str_is(p->text, sign);
}

static bool take_sign(struct parser *p, const char *sign)
{
    if (!is_sign(p, sign))
        return false;
    query_advance(p);
    return true;
}

static bool need_word(struct parser *p, enum word word)
{
    return query_take_word(p, word) || query_fail(p, SELECT_SYNTAX);
}

static bool need_sign(struct parser *p, const char *sign)
{
    return take_sign(p, sign) || query_fail(p, SELECT_SYNTAX);
}

/* ---- attributes ---------------------------------------------------------------------- */

/* The index of a name among the query's attributes, new or old; SELECT_NONE: failed. */
static int32_t query_intern(struct parser *p, struct jobq_str name)
{
    struct select_query *query = p->query;
    for (int32_t i = 0; i < query->attr_count; i++) {
        if (str_eq(query->attr[i].name, name))
            return i;
    }
    if (query->attr_count >= p->limits->attributes) {
        query_fail(p, SELECT_ATTRIBUTES);
        return SELECT_NONE;
    }
    query->attr[query->attr_count] = (struct select_attr){name, -1};
    return query->attr_count++;
}

/* ATTR or itemName(); SELECT_NONE: failed. */
static int32_t read_attr(struct parser *p)
{
    if (p->token != TOKEN_NAME) {
        query_fail(p, SELECT_SYNTAX);
        return SELECT_NONE;
    }
    struct jobq_str name = p->text;
    bool quoted = p->quoted;
    query_advance(p);
    if (!quoted && same_word(name, "itemname") && take_sign(p, "("))
        return need_sign(p, ")") ? SELECT_ITEM : SELECT_NONE;
    return query_intern(p, name);
}

static bool query_read_output(struct parser *p)
{
    struct select_query *query = p->query;
    if (take_sign(p, "*")) {
        query->output = SELECT_ALL;
        return true;
    }
    if (p->token == TOKEN_NAME && !p->quoted && same_word(p->text, "count")) {
        struct parser before = *p;
        query_advance(p);
        if (take_sign(p, "(")) {
            query->output = SELECT_COUNT;
            return need_sign(p, "*") && need_sign(p, ")");
        }
        *p = before;
    }
    query->output = SELECT_ATTRS;
    query->out_attr =
        arena_alloc(p->arena, (size_t)p->limits->attributes * sizeof *query->out_attr);
    do {
        int32_t attr = read_attr(p);
        if (attr == SELECT_NONE)
            return false;
        if (attr == SELECT_ITEM) {
            /* itemName() stands alone. */
            query->output = SELECT_ITEM_NAME;
            return query->out_count == 0 || query_fail(p, SELECT_SYNTAX);
        }
        bool again = false;
        for (int32_t i = 0; i < query->out_count; i++)
            again = again || query->out_attr[i] == attr;
        if (!again)
            query->out_attr[query->out_count++] = attr;
    } while (take_sign(p, ","));
    return true;
}

/* ---- comparisons --------------------------------------------------------------------- */

static bool query_read_value(struct parser *p, struct jobq_str *out)
{
    if (p->token != TOKEN_STRING)
        return query_fail(p, SELECT_SYNTAX);
    *out = p->text;
    query_advance(p);
    return true;
}

/* Cut a pattern at its %s; \% and \\ stand for % and \. */
static void compile_like(struct parser *p, struct jobq_str text,
                         struct select_pattern *out)
{
    int32_t pieces = 1;
    for (int64_t i = 0; i < text.len; i++)
        pieces += text.ptr[i] == '%';
    struct jobq_str *piece = arena_alloc(p->arena, (size_t)pieces * sizeof *piece);
    char *copy = arena_alloc(p->arena, (size_t)text.len + 1);
    int64_t used = 0;
    out->count = 0;
    piece[0] = (struct jobq_str){copy, 0};
    for (int64_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            piece[++out->count] = (struct jobq_str){copy + used, 0};
            continue;
        }
        if (c == '\\' && i + 1 < text.len &&
            (text.ptr[i + 1] == '%' || text.ptr[i + 1] == '\\'))
            c = text.ptr[++i];
        copy[used++] = c;
        piece[out->count].len++;
    }
    out->count++;
    out->piece = piece;
}

static bool query_read_list(struct parser *p, struct select_test *test)
{
    struct jobq_str *value =
        arena_alloc(p->arena, (size_t)p->limits->values * sizeof *value);
    if (!need_sign(p, "("))
        return false;
    do {
        struct jobq_str one;
        if (!query_read_value(p, &one))
            return false;
        if (test->value_count == p->limits->values)
            return query_fail(p, SELECT_VALUES);
        value[test->value_count++] = one;
    } while (take_sign(p, ","));
    test->value = value;
    return need_sign(p, ")");
}

static bool read_comparison_values(struct parser *p, struct select_test *test, int count)
{
    struct jobq_str *value = arena_alloc(p->arena, (size_t)count * sizeof *value);
    test->value = value;
    test->value_count = count;
    return query_read_value(p, &value[0]) &&
           (count == 1 || (need_word(p, WORD_AND) && query_read_value(p, &value[1])));
}

static bool read_operator(struct parser *p, struct select_test *test)
{
    static const struct {
        const char *sign;
        enum select_op op;
    } sign[] = {{"=", SELECT_EQ},  {"!=", SELECT_NE}, {"<", SELECT_LT},
                {"<=", SELECT_LE}, {">", SELECT_GT},  {">=", SELECT_GE}};
    for (size_t i = 0; i < sizeof sign / sizeof *sign; i++) {
        if (take_sign(p, sign[i].sign)) {
            test->op = sign[i].op;
            return read_comparison_values(p, test, 1);
        }
    }
    if (query_take_word(p, WORD_BETWEEN)) {
        test->op = SELECT_BETWEEN;
        return read_comparison_values(p, test, 2);
    }
    if (query_take_word(p, WORD_IN)) {
        test->op = SELECT_IN;
        return query_read_list(p, test);
    }
    if (query_take_word(p, WORD_IS)) {
        test->op = query_take_word(p, WORD_NOT) ? SELECT_IS_NOT_NULL : SELECT_IS_NULL;
        return need_word(p, WORD_NULL);
    }
    test->op = query_take_word(p, WORD_NOT) ? SELECT_NOT_LIKE : SELECT_LIKE;
    struct jobq_str pattern;
    if (!need_word(p, WORD_LIKE) || !query_read_value(p, &pattern))
        return false;
    compile_like(p, pattern, &test->like);
    return true;
}

static int32_t add_node(struct parser *p, struct select_node node)
{
    struct select_query *query = p->query;
    if (query->node_count == SELECT_NODES_MAX) {
        query_fail(p, SELECT_SYNTAX);
        return -1;
    }
    node.group = node.next_group = node.mate = -1;
    query->node[query->node_count] = node;
    return query->node_count++;
}

/* OPERAND operator values. Returns its node; -1: failed. */
static int32_t read_test(struct parser *p)
{
    struct select_query *query = p->query;
    struct select_test test = {0};
    if (query_take_word(p, WORD_EVERY)) {
        test.every = true;
        if (!need_sign(p, "("))
            return -1;
    }
    test.attr = read_attr(p);
    if (test.attr == SELECT_NONE || (test.every && !need_sign(p, ")")) ||
        !read_operator(p, &test))
        return -1;
    if (query->test_count == p->limits->comparisons) {
        query_fail(p, SELECT_PREDICATES);
        return -1;
    }
    query->test[query->test_count] = test;
    bool single = !test.every && test.op < SELECT_IS_NULL;
    return add_node(p, (struct select_node){
                           .kind = SELECT_TEST,
                           .first = query->node_count,
                           .pure = single ? test.attr : SELECT_NONE,
                           .test = query->test_count++,
                       });
}

/* ---- the expression ------------------------------------------------------------------ */

struct stacks {
    int32_t operand[SELECT_NODES_MAX];
    unsigned char pending[SELECT_NODES_MAX];
    int operands, pendings;
};

/* Apply the newest pending operator. */
static bool query_reduce(struct parser *p, struct stacks *s)
{
    const struct select_node *node = p->query->node;
    enum pending op = (enum pending)s->pending[--s->pendings];
    int32_t right = s->operand[--s->operands];
    if (op == PENDING_NOT) {
        int32_t made = node[right].kind == SELECT_NOT
                           ? node[right].left
                           : add_node(p, (struct select_node){.kind = SELECT_NOT,
                                                              .left = right,
                                                              .first = node[right].first,
                                                              .pure = SELECT_NONE});
        s->operand[s->operands++] = made;
        return made >= 0;
    }
    int32_t left = s->operand[--s->operands];
    bool pure = op != PENDING_INTERSECTION && node[left].pure == node[right].pure;
    int32_t made = add_node(p, (struct select_node){
                                   .kind = op == PENDING_OR ? SELECT_OR : SELECT_AND,
                                   .joins = op == PENDING_AND,
                                   .left = left,
                                   .right = right,
                                   .first = node[left].first,
                                   .pure = pure ? node[left].pure : SELECT_NONE,
                               });
    s->operand[s->operands++] = made;
    return made >= 0;
}

static bool query_push(struct parser *p, struct stacks *s, enum pending op)
{
    if (s->pendings == SELECT_NODES_MAX)
        return query_fail(p, SELECT_SYNTAX);
    s->pending[s->pendings++] = (unsigned char)op;
    return true;
}

/* An operator of two sides at hand? */
static bool at_binary(const struct parser *p, enum pending *op)
{
    if (query_is_word(p, WORD_AND))
        *op = PENDING_AND;
    else if (query_is_word(p, WORD_OR))
        *op = PENDING_OR;
    else if (query_is_word(p, WORD_INTERSECTION))
        *op = PENDING_INTERSECTION;
    else
        return false;
    return true;
}

/* Behind an operand: closing brackets, then a binary operator, or the end of it. */
static bool read_after_operand(struct parser *p, struct stacks *s, bool *more)
{
    while (is_sign(p, ")")) {
        while (s->pendings && s->pending[s->pendings - 1] != PENDING_OPEN) {
            if (!query_reduce(p, s))
                return false;
        }
        if (s->pendings == 0)
            return query_fail(p, SELECT_SYNTAX);
        s->pendings--;
        query_advance(p);
    }
    enum pending op;
    *more = at_binary(p, &op);
    if (!*more)
        return true;
    /* All are left-associative; a greater value binds tighter. */
    while (s->pendings && s->pending[s->pendings - 1] >= op) {
        if (!query_reduce(p, s))
            return false;
    }
    query_advance(p);
    return query_push(p, s, op);
}

static bool read_expression(struct parser *p)
{
    struct stacks s = {.operands = 0, .pendings = 0};
    bool more = true;
    while (more) {
        bool opened = true;
        while (opened) {
            if (take_sign(p, "("))
                opened = query_push(p, &s, PENDING_OPEN);
            else if (query_take_word(p, WORD_NOT))
                opened = query_push(p, &s, PENDING_NOT);
            else
                break;
        }
        if (!opened)
            return false;
        int32_t test = read_test(p);
        if (test < 0)
            return false;
        s.operand[s.operands++] = test;
        if (!read_after_operand(p, &s, &more))
            return false;
    }
    while (s.pendings) {
        if (s.pending[s.pendings - 1] == PENDING_OPEN)
            return query_fail(p, SELECT_SYNTAX);
        if (!query_reduce(p, &s))
            return false;
    }
    p->query->root = s.operand[0];
    return true;
}

/* ---- who is asked what --------------------------------------------------------------- */

/* Put a conjunct into its attribute's group of the chain, or into one of its own. */
static void parse_join(struct select_node *node, int32_t top, int32_t conjunct)
{
    int32_t *link = &node[top].group;
    while (*link >= 0) {
        if (node[conjunct].pure != SELECT_NONE &&
            node[*link].pure == node[conjunct].pure) {
            node[conjunct].mate = node[*link].mate;
            node[*link].mate = conjunct;
            return;
        }
        link = &node[*link].next_group;
    }
    *link = conjunct;
}

static void gather_chain(struct select_node *node, int32_t top)
{
    int32_t todo[SELECT_NODES_MAX];
    int todos = 0;
    todo[todos++] = top;
    while (todos) {
        int32_t at = todo[--todos];
        if (node[at].kind == SELECT_AND && node[at].joins &&
            node[at].pure == SELECT_NONE) {
            todo[todos++] = node[at].left;
            todo[todos++] = node[at].right;
            continue;
        }
        node[at].asked = node[at].pure == SELECT_NONE;
        parse_join(node, top, at);
    }
}

static void decide_asked(struct select_query *query)
{
    struct select_node *node = query->node;
    node[query->root].asked = true;
    for (int32_t i = query->root; i >= 0; i--) {
        if (!node[i].asked || node[i].pure != SELECT_NONE || node[i].kind == SELECT_TEST)
            continue;
        if (node[i].kind == SELECT_AND && node[i].joins) {
            gather_chain(node, i);
            continue;
        }
        node[node[i].left].asked = true;
        if (node[i].kind != SELECT_NOT)
            node[node[i].right].asked = true;
    }
}

/* ---- the whole ----------------------------------------------------------------------- */

static bool read_sort(struct parser *p)
{
    struct select_query *query = p->query;
    if (!need_word(p, WORD_BY))
        return false;
    int32_t sort = read_attr(p);
    if (sort == SELECT_NONE)
        return false;
    query->sort = sort;
    query->descending = query_take_word(p, WORD_DESC);
    if (!query->descending)
        query_take_word(p, WORD_ASC);
    bool constrained = false;
    for (int32_t i = 0; i < query->test_count; i++) {
        if (query->test[i].attr != sort)
            continue;
        if (query->test[i].op == SELECT_IS_NULL)
            return query_fail(p, SELECT_SORT);
        constrained = true;
    }
    return constrained || query_fail(p, SELECT_SORT);
}

static bool read_limit(struct parser *p)
{
    int64_t limit = 0;
    if (p->token != TOKEN_NUMBER || p->text.len > 9 || !str_to_int(p->text, &limit) ||
        limit < 1 || limit > p->limits->items)
        return query_fail(p, SELECT_SYNTAX);
    p->query->limit = limit;
    query_advance(p);
    return true;
}

static bool read_query(struct parser *p)
{
    struct select_query *query = p->query;
    if (!need_word(p, WORD_SELECT) || !query_read_output(p) || !need_word(p, WORD_FROM))
        return false;
    if (p->token != TOKEN_NAME)
        return query_fail(p, SELECT_SYNTAX);
    const char *from = p->token_at;
    query->domain = p->text;
    query_advance(p);
    if (query_take_word(p, WORD_WHERE)) {
        if (!read_expression(p))
            return false;
        decide_asked(query);
    }
    if (query_take_word(p, WORD_ORDER) && !read_sort(p))
        return false;
    query->rows = (struct jobq_str){from, p->token_at - from};
    while (is_space(query->rows.ptr[query->rows.len - 1]))
        query->rows.len--;
    if (query_take_word(p, WORD_LIMIT) && !read_limit(p))
        return false;
    return p->token == TOKEN_END || query_fail(p, SELECT_SYNTAX);
}

enum select_fault select_parse(struct jobq_str text, const struct select_limits *limits,
                               struct arena *arena, struct select_query *out,
                               struct jobq_error *err)
{
    assert(limits->comparisons <= SELECT_TESTS_MAX && limits->comparisons >= 1);
    assert(limits->attributes <= SELECT_ATTRS_MAX && limits->attributes >= 1);
    struct parser p = {.at = text.ptr,
                       .end = text.ptr,
                       .arena = arena,
                       .limits = limits,
                       .query = out,
                       .err = err};
    *out = (struct select_query){.sort = SELECT_NONE, .root = -1};
    out->attr = arena_alloc(arena, SELECT_ATTRS_MAX * sizeof *out->attr);
    out->test = arena_alloc(arena, SELECT_TESTS_MAX * sizeof *out->test);
    out->node = arena_alloc(arena, SELECT_NODES_MAX * sizeof *out->node);
    if (!text.ptr) {
        query_fail(&p, SELECT_SYNTAX);
        return p.fault;
    }
    p.end = text.ptr + text.len;
    query_advance(&p);
    read_query(&p);
    return p.fault;
}
