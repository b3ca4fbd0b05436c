/* simpledb.c - the model's life, its domains, and what others may look at.
 *
 * Room:     models, the facts. */
#include "models/simpledb/simpledb.h"

#include "base/text.h"
#include "models/simpledb/call.h"
#include "models/simpledb/box_usage.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { DOMAIN_NAME_MIN = 3, DOMAIN_NAME_MAX = 255, LIST_MAX = 100 };

/* ---- life ---------------------------------------------------------------------------- */

struct simpledb *simpledb_new(const struct simpledb_params *params)
{
    assert(params);
    struct simpledb *model = xcalloc(1, sizeof *model);
    names_init(&model->domain_names);
    names_init(&model->names);
    simpledb_set_params(model, params);
    return model;
}

void simpledb_free(struct simpledb *model)
{
    if (!model)
        return;
    for (int32_t i = 0; i < model->domain_cap; i++) {
        free(model->domain[i].slot);
        free(model->domain[i].past);
        free(model->domain[i].name_values);
    }
    names_release(&model->domain_names);
    names_release(&model->names);
    blobs_release(&model->blobs);
    free(model->domain);
    free(model->listed);
    free(model->mark);
    free(model->id);
    free(model->scratch);
    free(model->change);
    free(model->found);
    free(model);
}

void simpledb_reset(struct simpledb *model, const struct simpledb_params *params)
{
    for (int32_t i = 0; i < model->domain_names.count; i++)
        row_reset(&model->domain[i]);
    names_reset(&model->domain_names);
    names_reset(&model->names);
    blobs_reset(&model->blobs);
    model->listed_count = 0;
    model->billed_bytes = 0;
    model->byte_ns = 0;
    model->account_at_ns = 0;
    if (params)
        simpledb_set_params(model, params);
}

void simpledb_set_params(struct simpledb *model, const struct simpledb_params *params)
{
    assert(params->name_bytes_max >= 1 && params->name_bytes_max <= ROW_STRING_MAX);
    assert(params->item_pairs_max >= 1 && params->item_pairs_max <= ROW_PAIRS_MAX);
    assert(params->put_pairs_max >= 1 && params->put_pairs_max <= ROW_PAIRS_MAX);
    assert(params->window.points >= 0 && params->window.points <= SIMPLEDB_WINDOW_MAX);
    /* Links into the past are good for the window that they were made in. */
    bool same =
        memcmp(&params->window, &model->params.window, sizeof params->window) == 0;
    model->params = *params;
    model->plain_bytes = UINT64_C(1)
                         << (63 - __builtin_clzll((uint64_t)params->name_bytes_max));
    if (!same) {
        for (int32_t i = 0; i < model->domain_names.count; i++)
            row_forget_all(model, &model->domain[i]);
    }
}

const struct simpledb_params *simpledb_params(const struct simpledb *model)
{
    return &model->params;
}

/* ---- replies ------------------------------------------------------------------------- */

int call_ok(struct simpledb_reply *reply, int64_t box_usage_e10h)
{
    reply->fault = SIMPLEDB_FAULT_NONE;
    reply->http_status = 200;
    reply->box_usage_e10h = box_usage_e10h;
    return JOBQ_OK;
}

static const enum jobq_code fault_code[SIMPLEDB_FAULT_COUNT] = {
    [SIMPLEDB_FAULT_NONE] = JOBQ_OK,
#define FAULT_CODE(id, name, status, code) [SIMPLEDB_FAULT_##id] = code,
    SIMPLEDB_FAULTS(FAULT_CODE)
#undef FAULT_CODE
};

int simpledb_refuse(const struct simpledb *model, enum simpledb_fault fault,
                    const char *text, struct simpledb_reply *reply,
                    struct jobq_error *err)
{
    const struct simpledb_params *params = &model->params;
    reply->fault = fault;
    reply->http_status = simpledb_fault_status(fault);
    reply->box_usage_e10h =
        (fault == SIMPLEDB_FAULT_UNAVAILABLE ? params->usage_throttled_e14h
                                             : params->usage_refused_e14h) /
        10000;
    return jobq_fail(err, fault_code[fault], "%s", text);
}

int call_fail(const struct simpledb *model, enum simpledb_fault fault,
              struct simpledb_reply *reply, struct jobq_error *err, const char *format,
              ...)
{
    char text[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return simpledb_refuse(model, fault, text, reply, err);
}

struct row_domain *call_refuse_domain(const struct simpledb *model, int domain,
                                      struct simpledb_reply *reply,
                                      struct jobq_error *err)
{
    if (domain == -1)
        call_fail(model, SIMPLEDB_FAULT_PARAMETER, reply, err,
                  "Value for parameter DomainName is invalid. ");
    else
        call_fail(model, SIMPLEDB_FAULT_NO_SUCH_DOMAIN, reply, err,
                  "The specified domain does not exist.");
    return NULL;
}

int call_string(const struct simpledb *model, struct jobq_str str, const char *parameter,
                struct simpledb_reply *reply, struct jobq_error *err)
{
    bool is_value = parameter[0] == 'V';
    if (str.len <= model->params.name_bytes_max && (is_value || (str.len > 0 && str.ptr)))
        return JOBQ_OK;
    if (str.len == 0 || (!str.ptr && !is_value))
        return call_fail(model, SIMPLEDB_FAULT_PARAMETER, reply, err,
                         "Value () for parameter %s is invalid. The empty string is an "
                         "illegal %s name",
                         parameter, parameter[0] == 'N' ? "attribute" : "item");
    return call_fail(
        model, SIMPLEDB_FAULT_PARAMETER, reply, err,
        "Value (\"%.*s\") for parameter %s is invalid. Value exceeds maximum "
        "length of %lld.",
        CALL_STR(str), parameter, (long long)model->params.name_bytes_max);
}

/* ---- domains ------------------------------------------------------------------------- */

static bool legal_domain_name(struct jobq_str name)
{
    if (!name.ptr || name.len < DOMAIN_NAME_MIN || name.len > DOMAIN_NAME_MAX)
        return false;
    for (int64_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-'))
            return false;
    }
    return true;
}

int simpledb_domain(struct simpledb *model, struct jobq_str name)
{
    if (!legal_domain_name(name))
        return -1;
    int32_t id = names_intern(&model->domain_names, name);
    if (id >= model->domain_cap) {
        int32_t cap = model->domain_cap ? 2 * model->domain_cap : 8;
        model->domain = xrealloc(model->domain, (size_t)cap * sizeof *model->domain);
        memset(model->domain + model->domain_cap, 0,
               (size_t)(cap - model->domain_cap) * sizeof *model->domain);
        model->domain_cap = cap;
    }
    return id;
}

int simpledb_domain_find(const struct simpledb *model, struct jobq_str name)
{
    if (!legal_domain_name(name))
        return -1;
    int32_t id = names_find(&model->domain_names, name);
    return id < 0 ? -2 : id;
}

struct jobq_str simpledb_domain_name(const struct simpledb *model, int domain)
{
    assert(domain >= 0 && domain < model->domain_names.count);
    return model->domain_names.str[domain];
}

bool simpledb_domain_exists(const struct simpledb *model, int domain)
{
    return call_domain_exists(model, domain);
}

int simpledb_domain_count(const struct simpledb *model)
{
    return model->domain_names.count;
}

/* Where name is, or belongs, among the existing domains in order. */
static int32_t listed_place(const struct simpledb *model, struct jobq_str name)
{
    int32_t low = 0, high = model->listed_count;
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (str_cmp(model->domain_names.str[model->listed[middle]], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void simpledb_open_domain(struct simpledb *model, int64_t now_ns, int domain)
{
    if (model->listed_count == model->listed_cap) {
        model->listed_cap = model->listed_cap ? 2 * model->listed_cap : 16;
        model->listed =
            xrealloc(model->listed, (size_t)model->listed_cap * sizeof *model->listed);
    }
    int32_t at = listed_place(model, model->domain_names.str[domain]);
    memmove(&model->listed[at + 1], &model->listed[at],
            (size_t)(model->listed_count - at) * sizeof *model->listed);
    model->listed[at] = domain;
    model->listed_count++;
    model->domain[domain].exists = true;
    model->domain[domain].tokens = model->params.write_burst;
    model->domain[domain].tokens_at_ns = now_ns;
}

int simpledb_create_domain(struct simpledb *model, int64_t now_ns, int domain,
                           struct simpledb_reply *reply, struct jobq_error *err)
{
    if (domain < 0 || domain >= model->domain_names.count)
        return call_fail(model, SIMPLEDB_FAULT_PARAMETER, reply, err,
                         "Value for parameter DomainName is invalid. ");
    if (!model->domain[domain].exists) {
        if (model->params.domains_max && model->listed_count >= model->params.domains_max)
            return call_fail(model, SIMPLEDB_FAULT_DOMAINS, reply, err,
                             "The domain limit was exceeded.");
        simpledb_open_domain(model, now_ns, domain);
    }
    return call_ok(reply, simpledb_usage_domain(&model->params));
}

int simpledb_delete_domain(struct simpledb *model, int64_t now_ns, int domain,
                           struct simpledb_reply *reply, struct jobq_error *err)
{
    if (domain == -1)
        return call_fail(model, SIMPLEDB_FAULT_PARAMETER, reply, err,
                         "Value for parameter DomainName is invalid. ");
    if (simpledb_domain_exists(model, domain)) {
        int32_t at = listed_place(model, model->domain_names.str[domain]);
        model->listed_count--;
        memmove(&model->listed[at], &model->listed[at + 1],
                (size_t)(model->listed_count - at) * sizeof *model->listed);
        row_drop_all(model, &model->domain[domain], now_ns);
    }
    return call_ok(reply, simpledb_usage_domain(&model->params));
}

int simpledb_list_domains(struct simpledb *model, int64_t now_ns, struct jobq_str token,
                          int max, struct jobq_str *out, struct jobq_str *out_token,
                          struct simpledb_reply *reply, struct jobq_error *err)
{
    assert(out && out_token && reply && err);
    (void)now_ns;
    if (max < 0 || max > LIST_MAX)
        return call_fail(model, SIMPLEDB_FAULT_PARAMETER, reply, err,
                         "Value (%d) for parameter MaxNumberOfDomains is invalid. "
                         "MaxNumberOfDomains must be between 1 and 100.",
                         max);
    int32_t at = 0;
    if (token.len > 0) {
        if (!legal_domain_name(token))
            return call_fail(model, SIMPLEDB_FAULT_NEXT_TOKEN, reply, err,
                             "The specified next token is not valid.");
        at = listed_place(model, token);
        if (at < model->listed_count &&
            str_eq(model->domain_names.str[model->listed[at]], token))
            at++;
    }
    int count = 0;
    while (at < model->listed_count && count < (max ? max : LIST_MAX))
        out[count++] = model->domain_names.str[model->listed[at++]];
    *out_token = at < model->listed_count ? out[count - 1] : (struct jobq_str){0};
    call_ok(reply, simpledb_usage_list(&model->params));
    return count;
}

int simpledb_metadata(struct simpledb *model, int64_t now_ns, int domain,
                      struct simpledb_stats *out, struct simpledb_reply *reply,
                      struct jobq_error *err)
{
    assert(out && reply && err);
    (void)now_ns;
    const struct row_domain *d = call_domain(model, domain, reply, err);
    if (!d)
        return err->code;
    *out = d->stats;
    return call_ok(reply, simpledb_usage_list(&model->params));
}

/* ---- accounts ------------------------------------------------------------------------ */

int64_t simpledb_billed_bytes(const struct simpledb *model)
{
    return model->billed_bytes;
}

double simpledb_byte_hours(struct simpledb *model, int64_t now_ns)
{
    row_account(model, now_ns);
    return model->byte_ns / 3600e9;
}

int64_t simpledb_memory(const struct simpledb *model)
{
    int64_t bytes = blobs_memory(&model->blobs) + names_memory(&model->names) +
                    names_memory(&model->domain_names) + model->scratch_bytes +
                    (int64_t)(model->change_cap * sizeof *model->change) +
                    (int64_t)(model->id_cap * sizeof *model->id) +
                    model->mark_cap * (int64_t)sizeof *model->mark +
                    model->domain_cap * (int64_t)sizeof *model->domain +
                    (int64_t)sizeof *model;
    for (int32_t i = 0; i < model->domain_cap; i++) {
        const struct row_domain *d = &model->domain[i];
        bytes += d->slots * (int64_t)sizeof *d->slot +
                 d->past_cap * (int64_t)sizeof *d->past +
                 d->name_cap * (int64_t)sizeof *d->name_values;
    }
    return bytes;
}

/* ---- iteration ----------------------------------------------------------------------- */

uint32_t call_renew_serials(struct simpledb *model)
{
    if (model->mark_cap < model->names.count) {
        int32_t cap = model->names.cap;
        model->mark = xrealloc(model->mark, (size_t)cap * sizeof *model->mark);
        memset(model->mark + model->mark_cap, 0,
               (size_t)(cap - model->mark_cap) * sizeof *model->mark);
        model->mark_cap = cap;
    }
    if (++model->serial == 0) {
        memset(model->mark, 0, (size_t)model->mark_cap * sizeof *model->mark);
        model->serial = 1;
    }
    return model->serial;
}

int call_copy_row(struct simpledb *model, const char *row, uint32_t only_marked,
                  struct arena *arena, struct jobq_item *out)
{
    struct row_head head = row_head(row);
    const char *name = row_name(row);
    int pairs = head.pairs & ROW_PAIRS;
    out->name = arena_str(arena, (struct jobq_str){name, head.name_len});
    struct jobq_attr *attr = arena_alloc(arena, (size_t)pairs * sizeof *attr);
    out->attr = attr;
    out->attr_count = 0;
    int distinct = 0;
    /* A name that has been counted carries the serial in `replace`. */
    uint32_t counted = only_marked ? only_marked : call_serial(model);
    const char *at = name + head.name_len;
    for (int i = 0; i < pairs; i++) {
        struct row_pair pair = row_pair(at);
        at = pair.next;
        struct name_mark *mark = &model->mark[pair.name];
        if (only_marked && mark->seen != only_marked)
            continue;
        distinct += mark->replace != counted;
        mark->replace = counted;
        struct jobq_str value = {pair.phantom ? NULL : pair.bytes, pair.len};
        attr[out->attr_count++] = (struct jobq_attr){
            .name = arena_str(arena, model->names.str[pair.name]),
            .value = arena_str(arena, value),
        };
    }
    return distinct;
}

bool simpledb_next_row(struct simpledb *model, int domain, struct simpledb_cursor *cursor,
                       struct arena *arena, struct jobq_item *out)
{
    if (!simpledb_domain_exists(model, domain))
        return false;
    const struct row_domain *d = &model->domain[domain];
    int64_t at = cursor->started
                     ? row_seek(model, d, cursor->name, row_hash(d, cursor->name), true)
                     : row_next(d, -1);
    for (; at >= 0; at = row_next(d, at)) {
        const char *row = row_visible(model, d->slot[at].blob, 0, -1);
        if (!row)
            continue;
        call_copy_row(model, row, 0, arena, out);
        cursor->started = true;
        cursor->name = out->name;
        return true;
    }
    return false;
}

void simpledb_restore_domain(struct simpledb *model, int64_t now_ns, int domain)
{
    assert(domain >= 0 && domain < model->domain_names.count);
    if (!model->domain[domain].exists)
        simpledb_open_domain(model, now_ns, domain);
}
