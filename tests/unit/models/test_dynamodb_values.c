/* Numbers, values and expressions of the DynamoDB model. */
#include "models/dynamodb/expression.h"
#include "models/dynamodb/number.h"
#include "models/dynamodb/packed.h"

#include "base/dice.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* ---- numbers ------------------------------------------------------------------------ */

static const char *normal(const char *text)
{
    static char out[NUMBER_TEXT_MAX + 1];
    struct number n;
    enum number_fault fault = number_read(str_of(text), &n);
    if (fault)
        return fault == NUMBER_MALFORMED  ? "malformed"
               : fault == NUMBER_TOO_LONG ? "too long"
               : fault == NUMBER_OVERFLOW ? "overflow"
                                          : "underflow";
    int len = number_write(&n, out);
    out[len] = '\0';
    return out;
}

static void numbers_have_one_text(void **state)
{
    (void)state;
    assert_string_equal(normal("0"), "0");
    assert_string_equal(normal("-0.00"), "0");
    assert_string_equal(normal("007"), "7");
    assert_string_equal(normal("+100"), "100");
    assert_string_equal(normal("1.50"), "1.5");
    assert_string_equal(normal(".5"), "0.5");
    assert_string_equal(normal("5."), "5");
    assert_string_equal(normal("-12.0340"), "-12.034");
    assert_string_equal(normal("1e3"), "1000");
    assert_string_equal(normal("1.23E+1"), "12.3");
    assert_string_equal(normal("1e-3"), "0.001");
    assert_string_equal(normal("0.000123e2"), "0.0123");
    assert_string_equal(normal("12345678901234567890123456789012345678"),
                        "12345678901234567890123456789012345678");
    assert_string_equal(normal("123456789012345678901234567890123456780000"),
                        "123456789012345678901234567890123456780000");
}

static void numbers_have_limits(void **state)
{
    (void)state;
    assert_string_equal(normal("123456789012345678901234567890123456789"), "too long");
    assert_string_equal(normal("1000000000000000000000000000000000000001"), "too long");
    assert_string_equal(normal("1e126"), "overflow");
    assert_int_equal(strlen(normal("9.9999999999999999999999999999999999999e125")), 126);
    assert_string_equal(normal("1e-131"), "underflow");
    assert_int_equal(strlen(normal("-1e-130")), 133);
    assert_string_equal(normal("1e999999999999"), "overflow");
    static const char *const wrong[] = {"",    "-",     ".",    "e5",  "1e",
                                        "1e+", "1.2.3", "abc",  "1 ",  " 1",
                                        "1x",  "--1",   "0x10", "NaN", "Infinity"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_string_equal(normal(wrong[i]), "malformed");
}

/* Sums and comparisons against 64-bit integers, shifted by a random power of ten. */
static void sums_are_exact(void **state)
{
    (void)state;
    struct dice dice;
    dice_init(&dice, 20261124, "sums", 0);
    for (int round = 0; round < 20000; round++) {
        int64_t a = (int64_t)(dice_bits(&dice) >> 20) - (INT64_C(1) << 43);
        int64_t b = (int64_t)(dice_bits(&dice) >> 20) - (INT64_C(1) << 43);
        if (round % 7 == 0)
            b = -a;
        int shift = (int)(dice_bits(&dice) % 200) - 110;
        char at[64], bt[64], want[64], out[NUMBER_TEXT_MAX + 1];
        struct number x, y, sum, wanted;
        snprintf(at, sizeof at, "%llde%d", (long long)a, shift);
        snprintf(bt, sizeof bt, "%llde%d", (long long)b, shift);
        assert_int_equal(number_read(str_of(at), &x), NUMBER_OK);
        assert_int_equal(number_read(str_of(bt), &y), NUMBER_OK);
        int order = number_compare(&x, &y);
        assert_true(a < b ? order < 0 : a > b ? order > 0 : order == 0);
        for (int minus = 0; minus < 2; minus++) {
            snprintf(want, sizeof want, "%llde%d", (long long)(minus ? a - b : a + b),
                     shift);
            assert_int_equal(number_read(str_of(want), &wanted), NUMBER_OK);
            assert_int_equal(number_add(&x, &y, minus, &sum), NUMBER_OK);
            out[number_write(&sum, out)] = '\0';
            char expect[NUMBER_TEXT_MAX + 1];
            expect[number_write(&wanted, expect)] = '\0';
            assert_string_equal(out, expect);
        }
    }
    struct number big, one, sum;
    number_read(STR("9.9999999999999999999999999999999999999e125"), &big);
    number_read(STR("1e88"), &one);
    assert_int_equal(number_add(&big, &one, false, &sum), NUMBER_OVERFLOW);
    number_read(STR("1e-130"), &one);
    assert_int_equal(number_add(&big, &one, false, &sum), NUMBER_TOO_LONG);
}

static void numbers_are_charged_by_their_digits(void **state)
{
    (void)state;
    struct number n;
    number_read(STR("12345"), &n);
    assert_int_equal(number_bytes(&n), 4);
    number_read(STR("-1234000"), &n);
    assert_int_equal(number_bytes(&n), 4);
}

/* ---- a small language for values: s"text", n12, true, null, [..], {a:..} ------------- */

static struct dynamodb_value value(const char **at);

static struct dynamodb_value list(const char **at, enum dynamodb_type type, char end)
{
    struct dynamodb_value out = {.type = type},
                          *element = arena_alloc(&arena, 8 * sizeof *element);
    while (**at != end) {
        element[out.count++] = value(at);
        *at += **at == ',';
    }
    (*at)++;
    out.of.element = element;
    return out;
}

static struct dynamodb_value map(const char **at)
{
    struct dynamodb_value out = {.type = DYNAMODB_M};
    struct dynamodb_attr *member = arena_alloc(&arena, 8 * sizeof *member);
    while (**at != '}') {
        size_t len = strcspn(*at, ":");
        member[out.count].name = (struct jobq_str){*at, (int64_t)len};
        *at += len + 1;
        member[out.count++].value = value(at);
        *at += **at == ',';
    }
    (*at)++;
    out.of.member = member;
    return out;
}

static struct dynamodb_value value(const char **at)
{
    char c = *(*at)++;
    struct dynamodb_value out = {.type = DYNAMODB_NULL};
    size_t len = strcspn(*at, ",]}>)");
    switch (c) {
    case '[':
        return list(at, DYNAMODB_L, ']');
    case '<':
        return list(at, DYNAMODB_SS, '>');
    case '(':
        return list(at, DYNAMODB_NS, ')');
    case '{':
        return map(at);
    case 's':
    case 'n':
        out.type = c == 's' ? DYNAMODB_S : DYNAMODB_N;
        out.of.text = (struct jobq_str){*at, (int64_t)len};
        break;
    case 't':
    case 'f':
        out.type = DYNAMODB_BOOL;
        out.truth = c == 't';
        break;
    default:
        break;
    }
    *at += len;
    return out;
}

static struct dynamodb_item item(const char *text)
{
    struct dynamodb_value whole = value(&text);
    return (struct dynamodb_item){whole.of.member, whole.count};
}

static void print(const struct dynamodb_value *v, struct text *out)
{
    static const char open[] = {
        [DYNAMODB_L] = '[', [DYNAMODB_M] = '{', [DYNAMODB_SS] = '<', [DYNAMODB_NS] = '('};
    static const char close[] = {
        [DYNAMODB_L] = ']', [DYNAMODB_M] = '}', [DYNAMODB_SS] = '>', [DYNAMODB_NS] = ')'};
    if (v->type <= DYNAMODB_B) {
        text_putc(out, v->type == DYNAMODB_S ? 's' : 'n');
        text_put_str(out, v->of.text);
        return;
    }
    if (v->type <= DYNAMODB_NULL) {
        text_putc(out, v->type == DYNAMODB_NULL ? '0' : v->truth ? 't' : 'f');
        return;
    }
    text_putc(out, open[v->type]);
    for (int32_t i = 0; i < v->count; i++) {
        if (i)
            text_putc(out, ',');
        if (v->type == DYNAMODB_M) {
            text_put_str(out, v->of.member[i].name);
            text_putc(out, ':');
        }
        print(v->type == DYNAMODB_M ? &v->of.member[i].value : &v->of.element[i], out);
    }
    text_putc(out, close[v->type]);
}

static void assert_item(const struct dynamodb_item *it, const char *want)
{
    struct text out = {0};
    struct dynamodb_value whole = {
        .type = DYNAMODB_M, .count = it->count, .of.member = it->attr};
    print(&whole, &out);
    assert_string_equal(out.ptr, want);
    text_release(&out);
}

/* names "#a=real,..." and values "{:v:...}" */
static struct expression_context context(const char *names, const char *values)
{
    struct expression_context c = {.arena = &arena};
    c.name = arena_zalloc(&arena, 8 * sizeof *c.name);
    c.value = arena_zalloc(&arena, 8 * sizeof *c.value);
    while (*names) {
        size_t key = strcspn(names, "="), len = strcspn(names + key + 1, ",");
        c.name[c.name_count].placeholder = (struct jobq_str){names, (int64_t)key};
        c.name[c.name_count++].name = (struct jobq_str){names + key + 1, (int64_t)len};
        names += key + 1 + len;
        names += *names == ',';
    }
    for (const char *at = values; *at;) {
        size_t len = strcspn(at, "=");
        c.value[c.value_count].placeholder = (struct jobq_str){at, (int64_t)len};
        at += len + 1;
        c.value[c.value_count++].value = value(&at);
        at += *at == ',';
    }
    return c;
}

static const char ITEM[] = "{a:n5,s:shello,l:[n1,sx,{d:n2}],m:{k:n7,z:0},g:<sx,sy>,b:t}";
static const char VALUES[] = ":five=n5,:six=n6,:h=she,:x=sx,:t=sS,:l=[n9]";

static bool holds(const char *text)
{
    struct expression_context c = context("#a=a,#r=size", VALUES);
    const struct expression_node *node;
    struct jobq_error err;
    struct dynamodb_item it = item(ITEM);
    if (expression_condition(str_of(text), &c, &node, &err) != JOBQ_OK)
        fail_msg("%s: %s", text, err.text);
    return expression_holds(node, &it);
}

static void conditions_hold_or_not(void **state)
{
    (void)state;
    static const char *const yes[] = {"a = :five",
                                      "#a=:five",
                                      "a <> :six",
                                      "a < :six",
                                      "a<=:five",
                                      ":six > a",
                                      "a >= :five",
                                      "a BETWEEN :five AND :six",
                                      "a between :five and :six",
                                      "a IN (:six, :five)",
                                      "attribute_exists(m.k)",
                                      "attribute_not_exists(m.q)",
                                      "attribute_exists(l[2].d)",
                                      "attribute_not_exists(l[3])",
                                      "attribute_type(s, :t)",
                                      "begins_with(s, :h)",
                                      "contains(s, :h)",
                                      "contains(g, :x)",
                                      "contains(l, :x)",
                                      "size(s) = :five",
                                      "size(l) < :five",
                                      "NOT a = :six",
                                      "NOT (a = :six OR a > :six)",
                                      "a = :six OR a = :five AND s <> :h",
                                      "(a = :six OR a = :five) AND begins_with(s,:h)",
                                      "(a) = :five",
                                      "(a = :five)",
                                      "gone <> :five",
                                      "a = :five OR gone = :six",
                                      "NOT gone = :five",
                                      "attribute_exists(#a) and not attribute_exists(q)"};
    static const char *const no[] = {"a = :six",
                                     "a < :five",
                                     "a = :h",
                                     "a < :h",
                                     "gone = :five",
                                     "gone < :five",
                                     "a BETWEEN :six AND :six",
                                     "a IN (:six, :h)",
                                     "attribute_exists(q)",
                                     "begins_with(a, :h)",
                                     "contains(a, :five)",
                                     "size(a) = :five",
                                     "size(b) > :five",
                                     "NOT a = :five",
                                     "a = :five AND s = :h",
                                     "attribute_type(a, :t)",
                                     "s = :five"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!holds(yes[i]))
            fail_msg("does not hold: %s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (holds(no[i]))
            fail_msg("holds: %s", no[i]);
}

static void condition_faults(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } wrong[] = {
        {"", "The expression can not be empty;"},
        {"a", "Syntax error; token: \"<EOF>\", near: \"a\""},
        {"a = ", "Syntax error; token: \"<EOF>\", near: \"= \""},
        {"a > :five > :six", "Syntax error; token: \">\", near: \":five > :six\""},
        {"a = :five)", "Syntax error; token: \")\", near: \":five)\""},
        {"a = :none", "An expression attribute value used in expression is not defined; "
                      "attribute value: :none"},
        {"#q = :five", "An expression attribute name used in the document path is not "
                       "defined; attribute name: #q"},
        {"size = :five", "Attribute name is a reserved keyword; reserved keyword: size"},
        {"m.Abort = :five",
         "Attribute name is a reserved keyword; reserved keyword: Abort"},
        {"nosuch(a)", "Invalid function name; function: nosuch"},
        {"if_not_exists(a, :five)", "Invalid function name; function: if_not_exists"},
        {"size(a)", "The function is not allowed to be used this way in an expression; "
                    "function: size"},
        {"a = attribute_exists(b)", "The function is not allowed to be used this way in "
                                    "an expression; function: attribute_exists"},
        {"((a = :five))", "The expression has redundant parentheses;"},
        {"((a)) = :five", "The expression has redundant parentheses;"},
        {"attribute_exists(:five)", "Operator or function requires a document path; "
                                    "operator or function: attribute_exists"},
        {"begins_with(a, :five)", "Incorrect operand type for operator or function; "
                                  "operator or function: begins_with, operand type: N"},
        {"contains(a)", "Incorrect number of operands for operator or function; operator "
                        "or function: contains, number of operands: 1"},
        {"attribute_type(a, :h)", "Invalid attribute type name found; type: he, valid "
                                  "types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
        {"a = a", "The first operand must be distinct from the remaining operands for "
                  "this operator or function; operator: =, first operand: [a]"},
        {"a BETWEEN :six AND :five",
         "The BETWEEN operator requires upper bound to be greater than or equal to lower "
         "bound; lower bound operand: AttributeValue: {N:6}, upper bound operand: "
         "AttributeValue: {N:5}"},
        {"a BETWEEN :six AND :h",
         "The BETWEEN operator requires same data type for lower and upper bounds; lower "
         "bound operand: AttributeValue: {N:6}, upper bound operand: AttributeValue: "
         "{S:he}"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct expression_context c = context("#a=a", VALUES);
        const struct expression_node *node;
        struct jobq_error err = {0};
        assert_int_equal(expression_condition(str_of(wrong[i].text), &c, &node, &err),
                         JOBQ_INVALID);
        assert_string_equal(err.text, wrong[i].want);
    }
}

static void used_placeholders_are_marked(void **state)
{
    (void)state;
    struct expression_context c = context("#a=a,#b=b", VALUES);
    const struct expression_node *node;
    struct jobq_error err;
    assert_int_equal(expression_condition(STR("#a = :six"), &c, &node, &err), JOBQ_OK);
    assert_true(c.name[0].used && !c.name[1].used && c.value[1].used && !c.value[0].used);
}

static void deep_brackets_are_refused(void **state)
{
    (void)state;
    struct expression_context c = context("", VALUES);
    const struct expression_node *node;
    struct jobq_error err;
    struct text text = {0};
    for (int i = 0; i < 500; i++)
        text_puts(&text, "NOT (");
    assert_int_equal(expression_condition(text_str(&text), &c, &node, &err),
                     JOBQ_INVALID);
    text_clear(&text);
    for (int i = 0; i < 2000; i++)
        text_putc(&text, '(');
    assert_int_equal(expression_condition(text_str(&text), &c, &node, &err),
                     JOBQ_INVALID);
    text_release(&text);
}

static void updates_change_items(void **state)
{
    (void)state;
    static const struct {
        const char *text, *before, *after;
    } update[] = {
        {"SET a = :five", "{}", "{a:n5}"},
        {"SET a = :five, z = :h", "{a:n1}", "{a:n5,z:she}"},
        {"set m.k = :six REMOVE m.z", "{m:{k:n7,z:0}}", "{m:{k:n6}}"},
        {"SET l[1] = :six", "{l:[n1,n2,n3]}", "{l:[n1,n6,n3]}"},
        {"SET l[9] = :six", "{l:[n1]}", "{l:[n1,n6]}"},
        {"REMOVE l[0], l[2]", "{l:[n0,n1,n2,n3]}", "{l:[n1,n3]}"},
        {"SET l[0] = :six REMOVE l[1]", "{l:[n1,n2,n3]}", "{l:[n6,n3]}"},
        {"SET a = a + :five", "{a:n1.5}", "{a:n6.5}"},
        {"SET a = :five - a", "{a:n1}", "{a:n4}"},
        {"SET a = if_not_exists(a, :five)", "{}", "{a:n5}"},
        {"SET a = if_not_exists(a, :five) + :six", "{a:n1}", "{a:n7}"},
        {"SET l = list_append(l, :l)", "{l:[n1]}", "{l:[n1,n9]}"},
        {"SET l = list_append(if_not_exists(l, :l), :l)", "{}", "{l:[n9,n9]}"},
        {"SET a = b, b = a", "{a:n1,b:n2}", "{a:n2,b:n1}"},
        {"ADD a :five", "{a:n1}", "{a:n6}"},
        {"ADD a :five", "{}", "{a:n5}"},
        {"ADD t :set", "{t:<sp>}", "{t:<sp,sx,sy>}"},
        {"ADD t :set", "{t:<sx>}", "{t:<sx,sy>}"},
        {"DELETE t :set", "{t:<sx,sy,sz>}", "{t:<sz>}"},
        {"DELETE t :set", "{t:<sx>}", "{}"},
        {"DELETE t :set", "{}", "{}"},
        {"REMOVE q", "{a:n1}", "{a:n1}"},
        {"SET a = (a + :five)", "{a:n1}", "{a:n6}"},
    };
    for (size_t i = 0; i < sizeof update / sizeof *update; i++) {
        struct expression_context c =
            context("", ":five=n5,:six=n6,:h=she,:l=[n9],:set=<sx,sy>");
        struct expression_update parsed;
        struct jobq_error err = {0};
        struct dynamodb_item it = item(update[i].before), out;
        if (expression_update(str_of(update[i].text), &c, &parsed, &err) ||
            expression_apply(&parsed, &it, &arena, &out, &err))
            fail_msg("%s: %s", update[i].text, err.text);
        assert_item(&out, update[i].after);
    }
}

static void update_faults(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } wrong[] = {
        {"", "The expression can not be empty;"},
        {"SET", "Syntax error; token: \"<EOF>\", near: \"SET\""},
        {"SET a = :five SET b = :five",
         "The \"SET\" section can only be used once in an update expression;"},
        {"SET a = :five, a.b = :six",
         "Two document paths overlap with each other; must remove or rewrite one of "
         "these paths; path one: [a], path two: [a, b]"},
        {"SET a[1] = :five, a.b = :six",
         "Two document paths conflict with each other; must remove or rewrite one of "
         "these paths; path one: [a, [1]], path two: [a, b]"},
        {"SET a = :h + :five", "Incorrect operand type for operator or function; "
                               "operator or function: +, operand type: S"},
        {"SET a = list_append(:h, b)",
         "Incorrect operand type for operator or function; operator or function: "
         "list_append, operand type: S"},
        {"ADD a :h", "Incorrect operand type for operator or function; operator: ADD, "
                     "operand type: STRING"},
        {"DELETE a :five", "Incorrect operand type for operator or function; operator: "
                           "DELETE, operand type: NUMBER"},
        {"SET a = contains(b, :five)", "Invalid function name; function: contains"},
        {"SET a = if_not_exists(b)",
         "Incorrect number of operands for operator or function; operator or function: "
         "if_not_exists, number of operands: 1"},
        {"SET date = :five",
         "Attribute name is a reserved keyword; reserved keyword: date"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct expression_context c = context("", VALUES);
        struct expression_update parsed;
        struct jobq_error err = {0};
        assert_int_equal(expression_update(str_of(wrong[i].text), &c, &parsed, &err),
                         JOBQ_INVALID);
        assert_string_equal(err.text, wrong[i].want);
    }
    static const struct {
        const char *text, *before, *want;
    } cannot[] = {
        {"SET a = b", "{}",
         "The provided expression refers to an attribute that does not exist in the "
         "item"},
        {"SET a.b = :five", "{a:n1}",
         "The document path provided in the update expression is invalid for update"},
        {"SET a.b.c = :five", "{a:{}}",
         "The document path provided in the update expression is invalid for update"},
        {"SET a = a + :five", "{a:sx}",
         "An operand in the update expression has an incorrect data type"},
        {"ADD a :five", "{a:sx}",
         "An operand in the update expression has an incorrect data type"},
        {"SET a = a + :five", "{a:n9.9999999999999999999999999999999999999e125}",
         "Attempting to store more than 38 significant digits in a Number"},
    };
    for (size_t i = 0; i < sizeof cannot / sizeof *cannot; i++) {
        struct expression_context c = context("", VALUES);
        struct expression_update parsed;
        struct jobq_error err = {0};
        struct dynamodb_item it = item(cannot[i].before), out;
        assert_int_equal(expression_update(str_of(cannot[i].text), &c, &parsed, &err),
                         JOBQ_OK);
        assert_int_equal(expression_apply(&parsed, &it, &arena, &out, &err),
                         JOBQ_INVALID);
        assert_string_equal(err.text, cannot[i].want);
    }
}

static void projections_keep_the_shape(void **state)
{
    (void)state;
    struct expression_context c = context("#a=a", "");
    struct expression_projection p;
    struct jobq_error err;
    struct dynamodb_item it = item(ITEM);
    assert_int_equal(
        expression_project(STR("l[2].d, #a, m.k, q, l[0], s.d"), &c, &p, &err), JOBQ_OK);
    struct dynamodb_item out = expression_pick(p.path, p.count, &it, &arena);
    assert_item(&out, "{a:n5,l:[n1,{d:n2}],m:{k:n7}}");
    assert_int_equal(expression_project(STR("m, m.k"), &c, &p, &err), JOBQ_INVALID);
    assert_int_equal(expression_project(STR("a,"), &c, &p, &err), JOBQ_INVALID);
}

static void sizes_and_copies(void **state)
{
    (void)state;
    struct dynamodb_item it = item(ITEM);
    /* a 1+2, s 1+5, l 1+(3+3+2+1+(3+1+1+2)), m 1+(3+2+1+2+1+1), g 1+2, b 1+1 */
    assert_int_equal(dynamodb_item_bytes(&it), 3 + 6 + 17 + 11 + 3 + 2);
    struct blocks blocks = {.large = 0};
    struct dynamodb_packed *packed =
        dynamodb_pack(&it, dynamodb_item_bytes(&it), &blocks);
    assert_int_equal(packed->bytes, dynamodb_item_bytes(&it));
    assert_item(&packed->item,
                "{a:n5,s:shello,l:[n1,sx,{d:n2}],m:{k:n7,z:0},g:<sx,sy>,b:t}");
    struct dynamodb_item copy = dynamodb_copy_item(&packed->item, &arena);
    blocks_give(&blocks, packed);
    blocks_release(&blocks);
    assert_item(&copy, "{a:n5,s:shello,l:[n1,sx,{d:n2}],m:{k:n7,z:0},g:<sx,sy>,b:t}");
    const char *x = "<sa,sb>", *y = "<sb,sa>", *z = "<sa,sc>";
    struct dynamodb_value a = value(&x), b = value(&y), d = value(&z);
    assert_true(dynamodb_equal(&a, &b) && !dynamodb_equal(&a, &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_one_text),
        cmocka_unit_test(numbers_have_limits),
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(numbers_are_charged_by_their_digits),
        cmocka_unit_test(conditions_hold_or_not),
        cmocka_unit_test(condition_faults),
        cmocka_unit_test(used_placeholders_are_marked),
        cmocka_unit_test(deep_brackets_are_refused),
        cmocka_unit_test(updates_change_items),
        cmocka_unit_test(update_faults),
        cmocka_unit_test(projections_keep_the_shape),
        cmocka_unit_test(sizes_and_copies),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
