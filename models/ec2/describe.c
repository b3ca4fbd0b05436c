/* describe.c - finding boxes and their tags.
 *
 * Room:     models, the facts. */
#include "models/ec2/ec2.h"

#include "base/text.h"
#include "models/ec2/box.h"

#include <assert.h>
#include <string.h>

enum { RESULTS_MIN = 5, RESULTS_MAX = 1000 };

/* ---- filters --------------------------------------------------------------------------- */

/* '*' stands for any bytes, '?' for one; '\' takes the next as it is. */
bool ec2_wild(struct jobq_str pattern, struct jobq_str text)
{
    int64_t p = 0, t = 0, star = -1, resume = 0;
    while (t < text.len) {
        char c = p < pattern.len ? pattern.ptr[p] : '\0';
        bool literal = c == '\\' && p + 1 < pattern.len;
        if (literal)
            c = pattern.ptr[p + 1];
        if (p < pattern.len && !literal && c == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.len && ((!literal && c == '?') || c == text.ptr[t])) {
            p += literal ? 2 : 1;
            t++;
        } else if (star >= 0) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

static bool any_wild(const struct ec2_filter *filter, struct jobq_str text)
{
    for (int32_t i = 0; i < filter->value_count; i++) {
        if (ec2_wild(filter->value[i], text))
            return true;
    }
    return false;
}

static bool is_tag_filter(struct jobq_str name)
{
    return name.len > 4 && memcmp(name.ptr, "tag:", 4) == 0;
}

static bool tag_matches(const struct ec2_instance *box, const struct ec2_filter *filter)
{
    struct jobq_str key = {filter->name.ptr + 4, filter->name.len - 4};
    bool named = is_tag_filter(filter->name);
    for (int32_t i = 0; i < box->tag_count; i++) {
        const struct jobq_tag *tag = &box->tag[i];
        if (named && str_eq(tag->key, key) && any_wild(filter, tag->value))
            return true;
        if (!named &&
            any_wild(filter, str_is(filter->name, "tag-key") ? tag->key : tag->value))
            return true;
    }
    return false;
}

/* The filters that look at one text of the box. The order is that of filter_text. */
static const char *const text_filter[] = {"instance-state-name",
                                          "instance-state-code",
                                          "instance-id",
                                          "instance-type",
                                          "instance-lifecycle",
                                          "image-id",
                                          "client-token",
                                          "reservation-id",
                                          "availability-zone",
                                          "architecture",
                                          "key-name",
                                          "private-ip-address",
                                          "state-reason-code",
                                          "spot-instance-request-id",
                                          "launch-index"};
enum { TEXT_FILTERS = sizeof text_filter / sizeof *text_filter };

static int filter_index(struct jobq_str name)
{
    for (int i = 0; i < TEXT_FILTERS; i++) {
        if (str_is(name, text_filter[i]))
            return i;
    }
    return -1;
}

static struct jobq_str filter_text(const struct ec2_instance *box, int index,
                                   char *digits)
{
    switch (index) {
    case 0:
        return str_of(ec2_state_name(box->state));
    case 1:
        return (struct jobq_str){digits,
                                 text_write_int(digits, ec2_state_code(box->state))};
    case 2:
        return str_of(box->id);
    case 3:
        return str_of(box->type.name);
    case 4:
        return str_of(box->spot ? "spot" : "");
    case 5:
        return box->image;
    case 6:
        return box->client_token;
    case 7:
        return str_of(box->reservation);
    case 8:
        return box->zone;
    case 9:
        return str_of(box->type.arch);
    case 10:
        return box->key_name;
    case 11:
        return str_of(box->private_ip);
    case 12:
        return str_of(ec2_reason_code(box->reason));
    case 13:
        return str_of(box->spot_request);
    default:
        return (struct jobq_str){digits, text_write_int(digits, box->launch_index)};
    }
}

static bool box_matches(const struct ec2_instance *box, const struct ec2_query *query)
{
    char digits[24];
    for (int32_t i = 0; i < query->filter_count; i++) {
        const struct ec2_filter *filter = &query->filter[i];
        int index = filter_index(filter->name);
        bool matches = index >= 0 ? any_wild(filter, filter_text(box, index, digits))
                                  : tag_matches(box, filter);
        if (!matches)
            return false;
    }
    return true;
}

static int check_filters(const struct ec2_query *query, struct ec2_reply *reply,
                         struct jobq_error *err)
{
    for (int32_t i = 0; i < query->filter_count; i++) {
        const struct ec2_filter *filter = &query->filter[i];
        if (filter_index(filter->name) < 0 && !is_tag_filter(filter->name) &&
            !str_is(filter->name, "tag-key") && !str_is(filter->name, "tag-value"))
            return ec2_refuse(EC2_FAULT_PARAMETER, reply, err,
                              "The filter '%.*s' is invalid", EC2_STR(filter->name));
        if (filter->value_count == 0)
            return ec2_refuse(EC2_FAULT_PARAMETER, reply, err,
                              "The filter '%.*s' has no values", EC2_STR(filter->name));
    }
    return JOBQ_OK;
}

/* ---- pages ----------------------------------------------------------------------------- */

/* Tokens are "jq-" and the number of the first entry of the next page. */
static int check_page(const struct ec2_query *query, int64_t *from,
                      struct ec2_reply *reply, struct jobq_error *err)
{
    *from = 0;
    if (query->max_results != 0 &&
        (query->max_results < RESULTS_MIN || query->max_results > RESULTS_MAX))
        return ec2_refuse(
            EC2_FAULT_PARAMETER, reply, err,
            "Value ( %d ) for parameter maxResults is invalid. Expecting a value "
            "from %d to %d.",
            (int)query->max_results, RESULTS_MIN, RESULTS_MAX);
    if (query->max_results != 0 && query->id_count > 0)
        return ec2_refuse(EC2_FAULT_COMBINATION, reply, err,
                          "The parameter instancesSet cannot be used with the parameter "
                          "maxResults");
    struct jobq_str token = query->next_token;
    if (token.len == 0)
        return JOBQ_OK;
    struct jobq_str digits = {token.ptr + 3, token.len - 3};
    if (token.len < 4 || token.len > 13 || memcmp(token.ptr, "jq-", 3) != 0 ||
        !str_to_int(digits, from) || *from < 0)
        return ec2_refuse(EC2_FAULT_NEXT_TOKEN, reply, err,
                          "The specified next token is not valid.");
    return JOBQ_OK;
}

static struct jobq_str page_token(struct arena *arena, int64_t next)
{
    char *text = arena_alloc(arena, 24);
    memcpy(text, "jq-", 3);
    return (struct jobq_str){text, 3 + text_write_int(text + 3, next)};
}

static int describe_find(struct ec2 *model, int64_t now_ns, const struct ec2_query *query,
                         bool only_running, struct arena *arena, struct ec2_found *out,
                         struct ec2_reply *reply, struct jobq_error *err)
{
    box_settle(model, now_ns);
    *out = (struct ec2_found){0};
    int64_t from;
    int code = check_page(query, &from, reply, err);
    if (code < 0 || (code = check_filters(query, reply, err)) < 0)
        return code;
    bool by_id = query->id_count > 0;
    int32_t count = by_id ? query->id_count : model->count;
    out->instance = arena_alloc(arena, (size_t)(count ? count : 1) * sizeof(int32_t));
    int32_t *chosen = arena_alloc(arena, (size_t)(by_id ? count : 1) * sizeof *chosen);
    if (by_id &&
        (code = ec2_resolve(model, now_ns, query->id, count, chosen, reply, err)) < 0)
        return code;
    for (int64_t i = from; i < count; i++) {
        int32_t index = by_id ? chosen[i] : (int32_t)i;
        const struct ec2_instance *box = &model->box[index]->view;
        if (!box_visible(model, box, now_ns) ||
            (only_running && box->state != EC2_RUNNING) || !box_matches(box, query))
            continue;
        if (query->max_results != 0 && out->count == query->max_results) {
            out->next_token = page_token(arena, i);
            break;
        }
        out->instance[out->count++] = index;
    }
    ec2_ok(reply);
    return out->count;
}

int ec2_describe(struct ec2 *model, int64_t now_ns, const struct ec2_query *query,
                 struct arena *arena, struct ec2_found *out, struct ec2_reply *reply,
                 struct jobq_error *err)
{
    assert(query && arena && out && reply && err);
    return describe_find(model, now_ns, query, false, arena, out, reply, err);
}

int ec2_describe_status(struct ec2 *model, int64_t now_ns, const struct ec2_query *query,
                        struct arena *arena, struct ec2_found *out,
                        struct ec2_reply *reply, struct jobq_error *err)
{
    return describe_find(model, now_ns, query, !query->all_states, arena, out, reply,
                         err);
}

/* ---- tags ------------------------------------------------------------------------------ */

static int begin_tags(struct ec2 *model, int64_t now_ns, const struct jobq_str *id,
                      int id_count, const struct jobq_tag *tag, int tag_count,
                      bool dry_run, struct ec2_reply *reply, struct jobq_error *err)
{
    box_settle(model, now_ns);
    if (id_count <= 0)
        return ec2_refuse(EC2_FAULT_MISSING, reply, err,
                          "The request must contain the parameter ResourceId");
    for (int i = 0; i < id_count; i++) {
        int32_t index;
        if (id[i].len < 2 || memcmp(id[i].ptr, "i-", 2) != 0)
            return ec2_refuse(EC2_FAULT_RESOURCE_ID, reply, err,
                              "The ID '%.*s' is not valid", EC2_STR(id[i]));
        int code = ec2_resolve(model, now_ns, &id[i], 1, &index, reply, err);
        if (code < 0)
            return code;
    }
    int code = ec2_check_tags(tag, tag_count, reply, err);
    if (code < 0)
        return code;
    if (dry_run)
        return ec2_refuse(EC2_FAULT_DRY_RUN, reply, err,
                          "Request would have succeeded, but DryRun flag is set.");
    return JOBQ_OK;
}

static int32_t find_tag(const struct ec2_instance *box, struct jobq_str key)
{
    for (int32_t i = 0; i < box->tag_count; i++) {
        if (str_eq(box->tag[i].key, key))
            return i;
    }
    return -1;
}

int ec2_create_tags(struct ec2 *model, int64_t now_ns, const struct jobq_str *id,
                    int id_count, const struct jobq_tag *tag, int tag_count, bool dry_run,
                    struct ec2_reply *reply, struct jobq_error *err)
{
    assert(id_count >= 0 && tag_count >= 0 && reply && err);
    if (tag_count <= 0)
        return ec2_refuse(EC2_FAULT_MISSING, reply, err,
                          "The request must contain the parameter Tag");
    int code =
        begin_tags(model, now_ns, id, id_count, tag, tag_count, dry_run, reply, err);
    if (code < 0)
        return code;
    for (int i = 0; i < id_count; i++) {
        const struct ec2_instance *box =
            &model->box[ec2_instance_find(model, id[i])]->view;
        int32_t count = box->tag_count;
        for (int k = 0; k < tag_count; k++)
            count += find_tag(box, tag[k].key) < 0;
        if (count > EC2_TAGS_MAX)
            return ec2_refuse(
                EC2_FAULT_TAG_LIMIT, reply, err,
                "The maximum number of tags for a resource has been reached.");
    }
    for (int i = 0; i < id_count; i++) {
        struct ec2_instance *box = &model->box[ec2_instance_find(model, id[i])]->view;
        for (int k = 0; k < tag_count; k++)
            box_set_tag(box, tag[k]);
    }
    return ec2_ok(reply);
}

int ec2_delete_tags(struct ec2 *model, int64_t now_ns, const struct jobq_str *id,
                    int id_count, const struct jobq_tag *tag, int tag_count, bool dry_run,
                    struct ec2_reply *reply, struct jobq_error *err)
{
    int code =
        begin_tags(model, now_ns, id, id_count, tag, tag_count, dry_run, reply, err);
    if (code < 0)
        return code;
    for (int i = 0; i < id_count; i++) {
        struct ec2_instance *box = &model->box[ec2_instance_find(model, id[i])]->view;
        while (tag_count == 0 && box->tag_count > 0)
            box_drop_tag(box, box->tag_count - 1);
        for (int k = 0; k < tag_count; k++) {
            int32_t at = find_tag(box, tag[k].key);
            if (at >= 0 &&
                (!tag[k].value.ptr || str_eq(tag[k].value, box->tag[at].value)))
                box_drop_tag(box, at);
        }
    }
    return ec2_ok(reply);
}

static bool tag_row_matches(const struct ec2_instance *box, const struct jobq_tag *tag,
                            const struct ec2_query *query)
{
    for (int32_t i = 0; i < query->filter_count; i++) {
        const struct ec2_filter *filter = &query->filter[i];
        struct jobq_str name = filter->name, text;
        if (str_is(name, "key"))
            text = tag->key;
        else if (str_is(name, "value"))
            text = tag->value;
        else if (str_is(name, "resource-id"))
            text = str_of(box->id);
        else if (str_is(name, "resource-type"))
            text = STR("instance");
        else if (str_eq((struct jobq_str){name.ptr + 4, name.len - 4}, tag->key))
            text = tag->value;
        else
            return false;
        if (!any_wild(filter, text))
            return false;
    }
    return true;
}

static int check_tag_filters(const struct ec2_query *query, struct ec2_reply *reply,
                             struct jobq_error *err)
{
    for (int32_t i = 0; i < query->filter_count; i++) {
        struct jobq_str name = query->filter[i].name;
        if (!is_tag_filter(name) && !str_is(name, "key") && !str_is(name, "value") &&
            !str_is(name, "resource-id") && !str_is(name, "resource-type"))
            return ec2_refuse(EC2_FAULT_PARAMETER, reply, err,
                              "The filter '%.*s' is invalid", EC2_STR(name));
    }
    return JOBQ_OK;
}

int ec2_describe_tags(struct ec2 *model, int64_t now_ns, const struct ec2_query *query,
                      struct arena *arena, struct ec2_tag_row **out,
                      struct jobq_str *out_token, struct ec2_reply *reply,
                      struct jobq_error *err)
{
    box_settle(model, now_ns);
    int64_t from, at = 0;
    int code = check_page(query, &from, reply, err);
    if (code < 0 || (code = check_tag_filters(query, reply, err)) < 0)
        return code;
    int64_t total = 0;
    for (int32_t i = 0; i < model->count; i++)
        total += model->box[i]->view.tag_count;
    *out = arena_alloc(arena, (size_t)(total ? total : 1) * sizeof **out);
    *out_token = (struct jobq_str){0};
    int count = 0;
    for (int32_t i = 0; i < model->count; i++) {
        const struct ec2_instance *box = &model->box[i]->view;
        for (int32_t k = 0; k < box->tag_count; k++, at++) {
            if (at < from || !box_visible(model, box, now_ns) ||
                !tag_row_matches(box, &box->tag[k], query))
                continue;
            if (query->max_results != 0 && count == query->max_results) {
                *out_token = page_token(arena, at);
                ec2_ok(reply);
                return count;
            }
            (*out)[count++] = (struct ec2_tag_row){i, box->tag[k]};
        }
    }
    ec2_ok(reply);
    return count;
}
