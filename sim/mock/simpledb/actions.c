#include "sim/mock/simpledb/actions.h"

#include "models/simpledb/simpledb.h"
#include "sim/mock/server/respond.h"
#include "sim/mock/server/chars.h"
#include "sim/mock/state/state.h"
#include "wire/text/base64.h"

#include <string.h>

typedef enum call_end sdb_action_fn(struct call *call);

/* call->error from the model's reply. */
static enum call_end fault(struct call *call, const struct simpledb_reply *reply,
                           const struct jobq_error *err)
{
    call->box_usage_e10h = reply->box_usage_e10h;
    return mock_fail(call, reply->http_status, simpledb_fault_name(reply->fault), NULL,
                     "%s", err->text);
}

static enum call_end sdb_done(struct call *call, const struct simpledb_reply *reply,
                              int code, const struct jobq_error *err)
{
    if (code < 0)
        return fault(call, reply, err);
    call->box_usage_e10h = reply->box_usage_e10h;
    return CALL_DONE;
}

/* A refusal of the driver's own, billed as the model bills refused calls. */
static enum call_end sdb_refuse(struct call *call, enum simpledb_fault what,
                                const char *text)
{
    const struct simpledb_params *params = simpledb_params(call->region->sdb);
    call->box_usage_e10h = params->usage_refused_e14h / 10000;
    return mock_fail(call, simpledb_fault_status(what), simpledb_fault_name(what), NULL,
                     "%s", text);
}

static enum call_end missing(struct call *call, const char *name)
{
    return sdb_refuse(
        call, SIMPLEDB_FAULT_MISSING,
        mock_format(call, "The request must contain the parameter %s", name));
}

/* The domain's id: of CreateDomain a new one if need be. False: call->error is filled. */
static bool read_domain(struct call *call, bool create, int *out)
{
    struct jobq_str name = call_text(call, "DomainName");
    if (!name.ptr) {
        missing(call, "DomainName");
        return false;
    }
    *out = create ? simpledb_domain(call->region->sdb, name)
                  : simpledb_domain_find(call->region->sdb, name);
    if (*out != -1)
        return true;
    sdb_refuse(call, SIMPLEDB_FAULT_PARAMETER,
               mock_format(call, "Value (%s) for parameter DomainName is invalid. ",
                           mock_quote(call, name)));
    return false;
}

static bool is_true(struct jobq_str value)
{
    return str_is(value, "true") || str_is(value, "True") || str_is(value, "TRUE") ||
           str_is(value, "1");
}

static bool is_false(struct jobq_str value)
{
    return str_is(value, "false") || str_is(value, "False") || str_is(value, "FALSE") ||
           str_is(value, "0");
}

/* A boolean parameter; absent: false. Returns false with call->error filled. */
static bool read_bool(struct call *call, const struct tree *in, const char *name,
                      bool *out)
{
    struct jobq_str value = tree_text(in, name);
    *out = is_true(value);
    if (!value.ptr || *out || is_false(value))
        return true;
    sdb_refuse(
        call, SIMPLEDB_FAULT_PARAMETER,
        mock_format(call,
                    "Value (%s) for parameter %s is invalid. The boolean value must be "
                    "true or false.",
                    mock_quote(call, value), name));
    return false;
}

/* Reads Attribute.n.{Name,Value,Replace} of one item. values: each must have one. Returns
 * how many, or -1. */
static int read_attributes(struct call *call, const struct tree *in, bool values,
                           struct jobq_attr **out)
{
    const struct tree *list = call_list(call, in, "Attribute");
    int count = 0;
    *out = arena_alloc(&call->mock->arena,
                       (size_t)(list ? list->count : 0) * sizeof **out + 1);
    for (const struct tree *one = list ? list->first : NULL; one; one = one->next) {
        struct jobq_attr *attr = &(*out)[count++];
        struct jobq_str value = tree_text(one, "Value");
        *attr = (struct jobq_attr){.name = tree_text(one, "Name"), .value = value};
        if (!attr->name.ptr) {
            missing(call, "Attribute.Name");
            return -1;
        }
        if (!value.ptr && values) {
            missing(call, "Attribute.Value");
            return -1;
        }
        if (!value.ptr)
            attr->value = (struct jobq_str){"", 0};
        if (!read_bool(call, one, "Replace", &attr->replace))
            return -1;
    }
    return count;
}

/* Expected.{Name,Value,Exists}, or Expected.1.* as the guide writes it. Returns 1 with
 * *out filled, 0 if there is none, -1 with call->error filled. */
static int read_expected(struct call *call, struct jobq_expect *out)
{
    const struct tree *list = call_list(call, call->params, "Expected"), *in;
    if (!list || list->count == 0)
        return 0;
    if (list->count > 1) {
        sdb_refuse(call, SIMPLEDB_FAULT_MULTIPLE_NAMES,
                   "Only one attribute name can be specified in the Expected list");
        return -1;
    }
    in = list->first;
    const struct tree *value = tree_get(in, "Value"), *exists = tree_get(in, "Exists");
    out->name = tree_text(in, "Name");
    if (!out->name.ptr || (!value && !exists)) {
        sdb_refuse(
            call, SIMPLEDB_FAULT_INCOMPLETE_EXPECTED,
            "If Expected.Exists=true or unspecified, then Expected.Value has to be "
            "specified");
        return -1;
    }
    out->exists = true;
    if (exists && !read_bool(call, in, "Exists", &out->exists))
        return -1;
    if (out->exists && !value) {
        sdb_refuse(
            call, SIMPLEDB_FAULT_INCOMPLETE_EXPECTED,
            "If Expected.Exists=true or unspecified, then Expected.Value has to be "
            "specified");
        return -1;
    }
    if (!out->exists && value) {
        sdb_refuse(
            call, SIMPLEDB_FAULT_EXISTS_AND_VALUE,
            "Expected.Exists=false and Expected.Value cannot be specified together");
        return -1;
    }
    out->value = value ? value->text : (struct jobq_str){"", 0};
    return 1;
}

/* ---- domains ---------------------------------------------------------------------- */

static enum call_end create_domain(struct call *call)
{
    struct simpledb_reply reply;
    struct jobq_error err = {0};
    int domain;
    if (!read_domain(call, true, &domain))
        return CALL_FAILED;
    int code =
        simpledb_create_domain(call->region->sdb, call->now_ns, domain, &reply, &err);
    if (code == JOBQ_OK)
        state_domain(call->mock->state, call->region, call_text(call, "DomainName"));
    return sdb_done(call, &reply, code, &err);
}

static enum call_end delete_domain(struct call *call)
{
    struct simpledb_reply reply;
    struct jobq_error err = {0};
    int domain;
    if (!read_domain(call, true, &domain))
        return CALL_FAILED;
    int code =
        simpledb_delete_domain(call->region->sdb, call->now_ns, domain, &reply, &err);
    if (code == JOBQ_OK)
        state_domain(call->mock->state, call->region, call_text(call, "DomainName"));
    return sdb_done(call, &reply, code, &err);
}

static enum call_end list_domains(struct call *call)
{
    struct simpledb_reply reply;
    struct jobq_error err = {0};
    struct jobq_str name[100], next = {NULL, 0};
    struct jobq_str token = call_text(call, "NextToken");
    struct jobq_str max_text = call_text(call, "MaxNumberOfDomains");
    int64_t max = 0;
    if (max_text.ptr && (!str_to_int(max_text, &max) || max < 1 || max > 100))
        return sdb_refuse(call, SIMPLEDB_FAULT_PARAMETER,
                          "Value for parameter MaxNumberOfDomains is invalid. "
                          "MaxNumberOfDomains must be between 1 and 100.");
    int count = simpledb_list_domains(call->region->sdb, call->now_ns,
                                      token.ptr ? token : (struct jobq_str){"", 0},
                                      (int)max, name, &next, &reply, &err);
    if (count < 0)
        return fault(call, &reply, &err);
    for (int i = 0; i < count; i++)
        emit_xml(call->out.out, "DomainName", name[i]);
    if (next.len > 0)
        emit_xml(call->out.out, "NextToken", next);
    return sdb_done(call, &reply, JOBQ_OK, &err);
}

static enum call_end domain_metadata(struct call *call)
{
    struct simpledb_reply reply;
    struct jobq_error err = {0};
    struct simpledb_stats stats;
    int domain;
    if (!read_domain(call, false, &domain))
        return CALL_FAILED;
    int code =
        simpledb_metadata(call->region->sdb, call->now_ns, domain, &stats, &reply, &err);
    if (code < 0)
        return fault(call, &reply, &err);
    struct emit *e = &call->out;
    emit_int(e, "ItemCount", stats.items);
    emit_int(e, "ItemNamesSizeBytes", stats.item_bytes);
    emit_int(e, "AttributeNameCount", stats.names);
    emit_int(e, "AttributeNamesSizeBytes", stats.name_bytes);
    emit_int(e, "AttributeValueCount", stats.values);
    emit_int(e, "AttributeValuesSizeBytes", stats.value_bytes);
    emit_int(e, "Timestamp", call->now_ns / JOBQ_NS_PER_S);
    return sdb_done(call, &reply, code, &err);
}

/* ---- writes ----------------------------------------------------------------------- */

static enum call_end write_item(struct call *call, bool put)
{
    struct simpledb_reply reply;
    struct jobq_error err = {0};
    struct jobq_expect expect;
    struct jobq_attr *attr;
    struct jobq_str item = call_text(call, "ItemName");
    int domain;
    if (!read_domain(call, false, &domain))
        return CALL_FAILED;
    if (!item.ptr)
        return missing(call, "ItemName");
    int count = read_attributes(call, call->params, put, &attr);
    if (count < 0)
        return CALL_FAILED;
    int expects = read_expected(call, &expect);
    if (expects < 0)
        return CALL_FAILED;
    call->entries = 1;
    struct simpledb *sdb = call->region->sdb;
    int code = put ? simpledb_put(sdb, call->now_ns, domain, item, attr, count,
                                  expects ? &expect : NULL, &reply, &err)
                   : simpledb_delete(sdb, call->now_ns, domain, item, attr, count,
                                     expects ? &expect : NULL, &reply, &err);
    if (code == JOBQ_OK)
        state_row(call->mock->state, call->region, domain, item);
    return sdb_done(call, &reply, code, &err);
}

static enum call_end put_attributes(struct call *call)
{
    return write_item(call, true);
}

static enum call_end delete_attributes(struct call *call)
{
    return write_item(call, false);
}

static enum call_end write_batch(struct call *call, bool put)
{
    struct simpledb_reply reply;
    struct jobq_error err = {0};
    const struct tree *list = call_list(call, call->params, "Item");
    int domain, count = 0;
    if (!read_domain(call, false, &domain))
        return CALL_FAILED;
    if (!list || list->count == 0)
        return missing(call, "Item");
    struct jobq_item *item =
        arena_alloc(&call->mock->arena, (size_t)list->count * sizeof *item);
    for (const struct tree *one = list->first; one; one = one->next) {
        struct jobq_attr *attr;
        struct jobq_str name = tree_text(one, "ItemName");
        if (!name.ptr)
            return missing(call, "Item.ItemName");
        int attr_count = read_attributes(call, one, put, &attr);
        if (attr_count < 0)
            return CALL_FAILED;
        item[count++] = (struct jobq_item){name, attr, attr_count};
    }
    call->entries = count;
    struct simpledb *sdb = call->region->sdb;
    int code =
        put ? simpledb_put_batch(sdb, call->now_ns, domain, item, count, &reply, &err)
            : simpledb_delete_batch(sdb, call->now_ns, domain, item, count, &reply, &err);
    for (int i = 0; code == JOBQ_OK && i < count; i++)
        state_row(call->mock->state, call->region, domain, item[i].name);
    return sdb_done(call, &reply, code, &err);
}

static enum call_end batch_put_attributes(struct call *call)
{
    return write_batch(call, true);
}

static enum call_end batch_delete_attributes(struct call *call)
{
    return write_batch(call, false);
}

/* ---- reads ------------------------------------------------------------------------ */

/* <name>text</name>, in base64 where XML could not carry it. */
static void emit_value(struct call *call, const char *name, struct jobq_str value)
{
    struct text *out = call->out.out;
    if (mock_chars_ok(value)) {
        emit_xml(out, name, value);
        return;
    }
    text_putc(out, '<');
    text_puts(out, name);
    text_puts(out, " encoding=\"base64\">");
    text_put_str(out, base64_encode(value, &call->mock->arena));
    text_puts(out, "</");
    text_puts(out, name);
    text_putc(out, '>');
}

static void emit_attributes(struct call *call, const struct jobq_item *item)
{
    for (int i = 0; i < item->attr_count; i++) {
        text_puts(call->out.out, "<Attribute>");
        emit_value(call, "Name", item->attr[i].name);
        emit_value(call, "Value", item->attr[i].value);
        text_puts(call->out.out, "</Attribute>");
    }
}

static enum call_end get_attributes(struct call *call)
{
    struct simpledb_reply reply;
    struct jobq_error err = {0};
    struct jobq_item out;
    struct jobq_str item = call_text(call, "ItemName");
    const struct tree *names = call_list(call, call->params, "AttributeName");
    bool consistent;
    int domain, count = 0;
    if (!read_domain(call, false, &domain) ||
        !read_bool(call, call->params, "ConsistentRead", &consistent))
        return CALL_FAILED;
    if (!item.ptr)
        return missing(call, "ItemName");
    struct jobq_str *name = arena_alloc(
        &call->mock->arena, (size_t)(names ? names->count : 0) * sizeof *name + 1);
    for (const struct tree *one = names ? names->first : NULL; one; one = one->next)
        name[count++] = one->text;
    int code =
        simpledb_get(call->region->sdb, call->now_ns, mock_u(call->mock), domain, item,
                     name, count, consistent, &call->mock->arena, &out, &reply, &err);
    if (code < 0)
        return fault(call, &reply, &err);
    call->entries = 1;
    emit_attributes(call, &out);
    return sdb_done(call, &reply, code, &err);
}

static enum call_end select_items(struct call *call)
{
    struct simpledb_reply reply;
    struct jobq_error err = {0};
    struct simpledb_page page;
    struct jobq_str expression = call_text(call, "SelectExpression");
    struct jobq_str token = call_text(call, "NextToken");
    bool consistent;
    if (!expression.ptr)
        return missing(call, "SelectExpression");
    if (!read_bool(call, call->params, "ConsistentRead", &consistent))
        return CALL_FAILED;
    int code = simpledb_select(call->region->sdb, call->now_ns, mock_u(call->mock),
                               expression, token.ptr ? token : (struct jobq_str){"", 0},
                               consistent, &call->mock->arena, &page, &reply, &err);
    if (code < 0)
        return fault(call, &reply, &err);
    call->entries = page.item_count;
    for (int i = 0; i < page.item_count; i++) {
        text_puts(call->out.out, "<Item>");
        emit_value(call, "Name", page.item[i].name);
        emit_attributes(call, &page.item[i]);
        text_puts(call->out.out, "</Item>");
    }
    if (page.next_token.len > 0)
        emit_xml(call->out.out, "NextToken", page.next_token);
    return sdb_done(call, &reply, JOBQ_OK, &err);
}

/* ---- the table -------------------------------------------------------------------- */

static const struct action {
    const char *name;
    sdb_action_fn *fn;
    bool has_result;
} actions[] = {
    {"PutAttributes", put_attributes, false},
    {"GetAttributes", get_attributes, true},
    {"Select", select_items, true},
    {"BatchPutAttributes", batch_put_attributes, false},
    {"DeleteAttributes", delete_attributes, false},
    {"BatchDeleteAttributes", batch_delete_attributes, false},
    {"CreateDomain", create_domain, false},
    {"DeleteDomain", delete_domain, false},
    {"ListDomains", list_domains, true},
    {"DomainMetadata", domain_metadata, true},
};

static const struct action *sdb_find_action(struct jobq_str name)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (str_is(name, actions[i].name))
            return &actions[i];
    return NULL;
}

bool mock_sdb_knows(struct jobq_str action)
{
    return sdb_find_action(action) != NULL;
}

void mock_sdb(struct call *call)
{
    const struct action *action = sdb_find_action(str_of(call->action));
    if (!action) {
        mock_fail(call, 400, "InvalidAction", NULL, "The action %s is not valid.",
                  call->action);
        answer_end(call, CALL_FAILED, false);
        return;
    }
    call->action = action->name;
    answer_open(call, action->has_result);
    answer_end(call, action->fn(call), action->has_result);
}
