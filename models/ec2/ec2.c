/* ec2.c - a box's life: launched, running, warned, stopped, terminated.
 *
 * Room:     models, the facts. */
#include "models/ec2/ec2.h"

#include "base/hash.h"
#include "base/text.h"
#include "jobq/units.h"
#include "models/ec2/box.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The draws of one launch: 0 is capacity, then these for each box. */
enum { DRAW_PENDING, DRAW_BOOT, DRAW_TAKE, DRAW_STOP, DRAWS };

/* ---- names ----------------------------------------------------------------------------- */

const char *ec2_state_name(enum ec2_state state)
{
    static const char *const name[] = {"pending",    "running",  "shutting-down",
                                       "terminated", "stopping", "stopped"};
    return name[state];
}

int ec2_state_code(enum ec2_state state)
{
    static const int code[] = {0, 16, 32, 48, 64, 80};
    return code[state];
}

bool ec2_is_over(enum ec2_state state)
{
    return state == EC2_SHUTTING_DOWN || state == EC2_TERMINATED;
}

const char *ec2_reason_code(enum ec2_reason reason)
{
    static const char *const code[] = {"", "Client.UserInitiatedShutdown",
                                       "Client.InstanceInitiatedShutdown",
                                       "Server.SpotInstanceTermination"};
    return code[reason];
}

const char *ec2_reason_text(enum ec2_reason reason)
{
    static const char *const text[] = {
        "", "Client.UserInitiatedShutdown: User initiated shutdown",
        "Client.InstanceInitiatedShutdown: Instance initiated shutdown",
        "Server.SpotInstanceTermination: Spot instance termination"};
    return text[reason];
}

/* ---- life ------------------------------------------------------------------------------ */

struct ec2 *ec2_new(const struct ec2_params *params, const char *zone)
{
    assert(params && zone);
    struct ec2 *model = xcalloc(1, sizeof *model);
    model->params = *params;
    snprintf(model->zone, sizeof model->zone, "%s", zone);
    arena_init(&model->arena, 0);
    return model;
}

static void release_tags(struct ec2 *model)
{
    for (int32_t i = 0; i < model->count; i++) {
        struct ec2_instance *box = &model->box[i]->view;
        while (box->tag_count > 0)
            box_drop_tag(box, box->tag_count - 1);
        free(box->tag);
    }
}

void ec2_free(struct ec2 *model)
{
    if (!model)
        return;
    release_tags(model);
    arena_release(&model->arena);
    free(model->box);
    free(model->planned);
    free(model->queued);
    free(model);
}

void ec2_reset(struct ec2 *model, const struct ec2_params *params)
{
    release_tags(model);
    arena_reset(&model->arena);
    model->count = 0;
    model->planned_count = 0;
    model->queued_first = model->queued_count = 0;
    model->tokens_started = false;
    if (params)
        model->params = *params;
}

void ec2_set_params(struct ec2 *model, const struct ec2_params *params)
{
    /* A bucket that was another one, or none, starts full. */
    if (fabs(params->request_bucket - model->params.request_bucket) > 0 ||
        fabs(params->resource_bucket - model->params.resource_bucket) > 0)
        model->tokens_started = false;
    model->params = *params;
}

const struct ec2_params *ec2_params(const struct ec2 *model)
{
    return &model->params;
}

/* ---- replies --------------------------------------------------------------------------- */

int ec2_ok(struct ec2_reply *reply)
{
    *reply = (struct ec2_reply){EC2_FAULT_NONE, 200};
    return JOBQ_OK;
}

int ec2_refuse(enum ec2_fault fault, struct ec2_reply *reply, struct jobq_error *err,
               const char *format, ...)
{
    static const enum jobq_code code[EC2_FAULT_COUNT] = {[EC2_FAULT_NONE] = JOBQ_OK,
#define FAULT_CODE(id, name, status, code) [EC2_FAULT_##id] = code,
                                                         EC2_FAULTS(FAULT_CODE)
#undef FAULT_CODE
    };
    char text[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    *reply = (struct ec2_reply){fault, ec2_fault_status(fault)};
    return jobq_fail(err, code[fault], "%s", text);
}

/* ---- boxes ----------------------------------------------------------------------------- */

int32_t ec2_instance_count(const struct ec2 *model)
{
    return model->count;
}

const struct ec2_instance *ec2_instance_at(const struct ec2 *model, int32_t index)
{
    assert(index >= 0 && index < model->count);
    return &model->box[index]->view;
}

/* Ids are a one-to-one mixture of the box's number (SplitMix64's finaliser), so that they
 * look like AWS's and are never given twice. */
static uint64_t ec2_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

void ec2_salt_ids(struct ec2 *model, uint64_t salt)
{
    model->id_salt = salt;
}

static void ec2_make_id(const struct ec2 *model, char *out, const char *prefix,
                        int32_t number)
{
    size_t len = strlen(prefix);
    memcpy(out, prefix, len);
    text_write_hex64(out + len, ec2_mix((uint32_t)number ^ model->id_salt));
    out[len + 16] = '\0';
}

int32_t ec2_instance_find(const struct ec2 *model, struct jobq_str id)
{
    for (int32_t i = 0; i < model->count; i++) {
        if (str_is(id, model->box[i]->view.id))
            return i;
    }
    return -1;
}

int64_t ec2_ready_at(const struct ec2 *model, int32_t index)
{
    const struct ec2_instance *box = ec2_instance_at(model, index);
    if (box->running_at_ns == EC2_NEVER)
        return EC2_NEVER;
    return box->running_at_ns + distribution_ns(&model->params.boot, box->boot_u);
}

bool box_visible(const struct ec2 *model, const struct ec2_instance *box, int64_t now_ns)
{
    if (box->span_count == 0 &&
        now_ns < box->launched_at_ns + model->params.visible_after_ns)
        return false;
    return box->state != EC2_TERMINATED || box->gone_at_ns == EC2_NEVER ||
           now_ns - box->gone_at_ns < model->params.remembered_ns;
}

double box_draw(double u, uint64_t which)
{
    uint64_t bits;
    memcpy(&bits, &u, sizeof bits);
    return ((double)(ec2_mix(bits + ec2_mix(which)) >> 12) + 0.5) * 0x1p-52;
}

/* ---- tags ------------------------------------------------------------------------------ */

static struct jobq_str heap_str(struct jobq_str str)
{
    char *copy = xmalloc((size_t)str.len + 1);
    if (str.len)
        memcpy(copy, str.ptr, (size_t)str.len);
    copy[str.len] = '\0';
    return (struct jobq_str){copy, str.len};
}

static void heap_free(struct jobq_str str)
{
    char *ptr;
    memcpy(&ptr, &str.ptr, sizeof ptr); /* ours to free, though seen as const */
    free(ptr);
}

void box_set_tag(struct ec2_instance *box, struct jobq_tag tag)
{
    int32_t at = 0;
    while (at < box->tag_count && str_cmp(box->tag[at].key, tag.key) < 0)
        at++;
    struct jobq_str value = heap_str(tag.value);
    if (at < box->tag_count && str_eq(box->tag[at].key, tag.key)) {
        heap_free(box->tag[at].value);
        box->tag[at].value = value;
        return;
    }
    size_t count = (size_t)box->tag_count;
    box->tag = xrealloc(box->tag, (count + 1) * sizeof *box->tag);
    memmove(&box->tag[at + 1], &box->tag[at], (count - (size_t)at) * sizeof *box->tag);
    box->tag[at] = (struct jobq_tag){heap_str(tag.key), value};
    box->tag_count++;
}

void box_drop_tag(struct ec2_instance *box, int32_t index)
{
    heap_free(box->tag[index].key);
    heap_free(box->tag[index].value);
    box->tag_count--;
    memmove(&box->tag[index], &box->tag[index + 1],
            (size_t)(box->tag_count - index) * sizeof *box->tag);
}

/* ---- what is planned ------------------------------------------------------------------- */

static bool planned_before(const struct ec2_planned *a, const struct ec2_planned *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->instance < b->instance;
}

static void planned_pop(struct ec2 *model)
{
    struct ec2_planned *heap = model->planned;
    struct ec2_planned last = heap[--model->planned_count];
    int32_t count = model->planned_count, at = 0;
    for (;;) {
        int32_t child = 2 * at + 1;
        if (child >= count)
            break;
        if (child + 1 < count && planned_before(&heap[child + 1], &heap[child]))
            child++;
        if (!planned_before(&heap[child], &last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
}

static void drop_stale(struct ec2 *model)
{
    while (model->planned_count > 0) {
        const struct ec2_planned *first = &model->planned[0];
        if (model->box[first->instance]->stamp == first->stamp)
            return;
        planned_pop(model);
    }
}

void box_plan(struct ec2 *model, int32_t index, int64_t at_ns, enum ec2_change_kind next)
{
    struct ec2_box *box = model->box[index];
    box->next_at_ns = at_ns;
    box->next = next;
    box->stamp++;
    if (at_ns != EC2_NEVER) {
        if (model->planned_count == model->planned_cap) {
            model->planned_cap = model->planned_cap ? 2 * model->planned_cap : 64;
            model->planned = xrealloc(model->planned, (size_t)model->planned_cap *
                                                          sizeof *model->planned);
        }
        struct ec2_planned made = {at_ns, index, box->stamp};
        int32_t at = model->planned_count++;
        while (at > 0 && planned_before(&made, &model->planned[(at - 1) / 2])) {
            model->planned[at] = model->planned[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        model->planned[at] = made;
    }
    drop_stale(model);
}

/* ---- what happens ---------------------------------------------------------------------- */

static void ec2_tell(struct ec2 *model, int64_t at_ns, int32_t index,
                     enum ec2_change_kind kind)
{
    if (model->queued_first > 0 && model->queued_first == model->queued_count)
        model->queued_first = model->queued_count = 0;
    if (model->queued_count == model->queued_cap) {
        model->queued_cap = model->queued_cap ? 2 * model->queued_cap : 64;
        model->queued =
            xrealloc(model->queued, (size_t)model->queued_cap * sizeof *model->queued);
    }
    model->queued[model->queued_count++] = (struct ec2_change){at_ns, index, kind};
}

/* to: SHUTTING_DOWN or STOPPING. */
static void go_down(struct ec2 *model, int64_t at_ns, int32_t index, enum ec2_state to,
                    enum ec2_reason reason)
{
    struct ec2_box *box = model->box[index];
    if (box->view.state == EC2_STOPPED || box->view.state == EC2_STOPPING) {
        box->view.state = to; /* it has been down and unbilled since it was stopped */
        box->view.reason = reason;
        box_plan(model, index,
                 at_ns + distribution_ns(&model->params.stopping, box->stop_u), EC2_GONE);
        return;
    }
    box->view.state = to;
    box->view.reason = reason;
    box->view.ended_at_ns = at_ns;
    ec2_tell(model, at_ns, index, EC2_WENT_DOWN);
    box_plan(model, index, at_ns + distribution_ns(&model->params.stopping, box->stop_u),
             EC2_GONE);
}

/* Warn a spot box, or take it where there is no warning. */
static void ec2_warn(struct ec2 *model, int64_t at_ns, int32_t index)
{
    struct ec2_box *box = model->box[index];
    box->view.notice_at_ns = at_ns;
    box->view.take_at_ns = box->planned_take_ns;
    ec2_tell(model, at_ns, index, EC2_WARNED);
    box_plan(model, index, box->planned_take_ns, EC2_WENT_DOWN);
}

static void plan_take(struct ec2 *model, int32_t index)
{
    struct ec2_box *box = model->box[index];
    if (box->planned_take_ns == EC2_NEVER) {
        box_plan(model, index, EC2_NEVER, EC2_GONE);
        return;
    }
    if (model->params.spot_notice_ns == 0) {
        box_plan(model, index, box->planned_take_ns, EC2_WENT_DOWN);
        return;
    }
    int64_t notice_ns = box->planned_take_ns - model->params.spot_notice_ns;
    if (notice_ns < box->view.running_at_ns)
        notice_ns = box->view.running_at_ns;
    box_plan(model, index, notice_ns, EC2_WARNED);
}

static void ec2_happen(struct ec2 *model, int32_t index)
{
    struct ec2_box *box = model->box[index];
    int64_t at_ns = box->next_at_ns;
    switch (box->next) {
    case EC2_CAME_UP:
        box->view.state = EC2_RUNNING;
        box->view.running_at_ns = at_ns;
        ec2_tell(model, at_ns, index, EC2_CAME_UP);
        plan_take(model, index);
        break;
    case EC2_WARNED:
        ec2_warn(model, at_ns, index);
        break;
    case EC2_WENT_DOWN:
        go_down(model, at_ns, index, EC2_SHUTTING_DOWN, EC2_REASON_SPOT);
        break;
    case EC2_GONE:
        if (box->view.state == EC2_STOPPING) {
            box->view.state = EC2_STOPPED;
        } else {
            box->view.state = EC2_TERMINATED;
            box->view.gone_at_ns = at_ns;
        }
        ec2_tell(model, at_ns, index, EC2_GONE);
        box_plan(model, index, EC2_NEVER, EC2_GONE);
        break;
    }
}

void box_settle(struct ec2 *model, int64_t now_ns)
{
    while (model->planned_count > 0 && model->planned[0].at_ns <= now_ns)
        ec2_happen(model, model->planned[0].instance);
}

int64_t ec2_next_at(const struct ec2 *model)
{
    if (model->queued_first < model->queued_count)
        return model->queued[model->queued_first].at_ns;
    return model->planned_count > 0 ? model->planned[0].at_ns : EC2_NEVER;
}

int ec2_advance(struct ec2 *model, int64_t now_ns, struct ec2_change *out, int cap)
{
    assert(out && cap > 0);
    box_settle(model, now_ns);
    int count = 0;
    while (count < cap && model->queued_first < model->queued_count)
        out[count++] = model->queued[model->queued_first++];
    return count;
}

void ec2_guest_shutdown(struct ec2 *model, int64_t now_ns, double u, int32_t instance)
{
    assert(u > 0 && u < 1);
    box_settle(model, now_ns);
    struct ec2_box *box = model->box[instance];
    if (box->view.state >= EC2_SHUTTING_DOWN)
        return;
    box->stop_u = box_draw(u, DRAW_STOP);
    go_down(model, now_ns, instance, box->view.stops ? EC2_STOPPING : EC2_SHUTTING_DOWN,
            EC2_REASON_GUEST);
}

void ec2_interrupt(struct ec2 *model, int64_t now_ns, int32_t instance)
{
    box_settle(model, now_ns);
    struct ec2_box *box = model->box[instance];
    if (!box->view.spot || box->view.state >= EC2_SHUTTING_DOWN ||
        box->view.take_at_ns != EC2_NEVER)
        return;
    box->planned_take_ns = now_ns + model->params.spot_notice_ns;
    if (model->params.spot_notice_ns > 0)
        ec2_warn(model, now_ns, instance);
    else
        go_down(model, now_ns, instance, EC2_SHUTTING_DOWN, EC2_REASON_SPOT);
}

/* ---- launching ------------------------------------------------------------------------- */

static bool is_hex_id(struct jobq_str id, const char *prefix)
{
    int64_t skip = (int64_t)strlen(prefix);
    if (id.len != skip + 8 && id.len != skip + 17)
        return false;
    if (memcmp(id.ptr, prefix, (size_t)skip) != 0)
        return false;
    for (int64_t i = skip; i < id.len; i++) {
        char c = id.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

int ec2_check_tags(const struct jobq_tag *tag, int count, struct ec2_reply *reply,
                   struct jobq_error *err)
{
    for (int i = 0; i < count; i++) {
        if (tag[i].key.len == 0)
            return ec2_refuse(EC2_FAULT_PARAMETER, reply, err,
                              "Tag key cannot be null or empty");
        if (tag[i].key.len >= 4 && memcmp(tag[i].key.ptr, "aws:", 4) == 0)
            return ec2_refuse(EC2_FAULT_PARAMETER, reply, err,
                              "Value ( %.*s ) for parameter key is invalid. Tag keys "
                              "starting with 'aws:' are reserved for internal use",
                              EC2_STR(tag[i].key));
        if (tag[i].key.len > 127)
            return ec2_refuse(EC2_FAULT_PARAMETER, reply, err,
                              "Tag key exceeds the maximum length of 127 characters");
        if (tag[i].value.len > 255)
            return ec2_refuse(EC2_FAULT_PARAMETER, reply, err,
                              "Tag value exceeds the maximum length of 255 characters");
        for (int k = 0; k < i; k++) {
            if (str_eq(tag[i].key, tag[k].key))
                return ec2_refuse(EC2_FAULT_PARAMETER, reply, err,
                                  "Duplicate tag key '%.*s' specified.",
                                  EC2_STR(tag[i].key));
        }
    }
    if (count > EC2_TAGS_MAX)
        return ec2_refuse(EC2_FAULT_TAG_LIMIT, reply, err,
                          "The maximum number of tags for a resource has been reached.");
    return JOBQ_OK;
}

static int check_run(const struct ec2_run *run, struct ec2_type *type,
                     struct ec2_reply *reply, struct jobq_error *err)
{
    if (run->image.len == 0)
        return ec2_refuse(EC2_FAULT_MISSING, reply, err,
                          "The request must contain the parameter ImageId");
    if (!is_hex_id(run->image, "ami-"))
        return ec2_refuse(EC2_FAULT_AMI_MALFORMED, reply, err,
                          "Invalid id: \"%.*s\" (expecting \"ami-...\")",
                          EC2_STR(run->image));
    if (run->type.len == 0)
        return ec2_refuse(EC2_FAULT_MISSING, reply, err,
                          "The request must contain the parameter InstanceType");
    if (!ec2_type_find(run->type, type))
        return ec2_refuse(EC2_FAULT_PARAMETER, reply, err,
                          "Invalid value '%.*s' for InstanceType.", EC2_STR(run->type));
    if (run->min_count < 1)
        return ec2_refuse(
            EC2_FAULT_PARAMETER, reply, err,
            "Value (%d) for parameter minCount is invalid. Expecting a value "
            "greater than 0.",
            (int)run->min_count);
    if (run->max_count < run->min_count)
        return ec2_refuse(EC2_FAULT_COMBINATION, reply, err,
                          "The parameter MinCount cannot be greater than MaxCount");
    if (run->user_data.len > EC2_USER_DATA_MAX)
        return ec2_refuse(EC2_FAULT_PARAMETER, reply, err,
                          "User data is limited to %d bytes", EC2_USER_DATA_MAX);
    if (run->client_token.len > 64)
        return ec2_refuse(EC2_FAULT_PARAMETER, reply, err,
                          "Value (%.*s) for parameter ClientToken is invalid. It exceeds "
                          "64 characters",
                          EC2_STR(run->client_token));
    return ec2_check_tags(run->tag, run->tag_count, reply, err);
}

static uint64_t print_bytes(uint64_t print, const void *ptr, size_t len)
{
    return ec2_mix(hash_add(print, ptr, len) ^ len);
}

/* Of the parameters that a repeated token must repeat. */
static uint64_t run_print(const struct ec2_run *run)
{
    const struct jobq_str str[] = {run->image, run->type, run->user_data, run->key_name,
                                   run->zone};
    uint64_t print = HASH_START;
    for (size_t i = 0; i < sizeof str / sizeof *str; i++)
        print = print_bytes(print, str[i].ptr, (size_t)str[i].len);
    const int32_t number[] = {run->min_count, run->max_count, run->spot};
    print = print_bytes(print, number, sizeof number);
    for (int32_t i = 0; i < run->tag_count; i++) {
        print = print_bytes(print, run->tag[i].key.ptr, (size_t)run->tag[i].key.len);
        print = print_bytes(print, run->tag[i].value.ptr, (size_t)run->tag[i].value.len);
    }
    return print;
}

/* The launch that used this token: its first box and how many; 0: none. */
static int launched_by(const struct ec2 *model, struct jobq_str token, int32_t *first)
{
    for (int32_t i = 0; i < model->count; i++) {
        if (!str_eq(model->box[i]->view.client_token, token))
            continue;
        int count = 0;
        while (i + count < model->count && strcmp(model->box[i + count]->view.reservation,
                                                  model->box[i]->view.reservation) == 0)
            count++;
        *first = i;
        return count;
    }
    return 0;
}

static void ec2_refill(struct ec2 *model, int64_t now_ns)
{
    const struct ec2_params *params = &model->params;
    if (!model->tokens_started) {
        model->tokens_started = true;
        model->request_tokens = params->request_bucket;
        model->resource_tokens = params->resource_bucket;
        model->tokens_at_ns = now_ns;
    }
    double since_s = (double)(now_ns - model->tokens_at_ns) / 1e9;
    model->tokens_at_ns = now_ns;
    model->request_tokens =
        fmin(params->request_bucket,
             model->request_tokens + since_s * params->request_refill_per_s);
    model->resource_tokens =
        fmin(params->resource_bucket,
             model->resource_tokens + since_s * params->resource_refill_per_s);
}

/* How many of `count` boxes the account's limits leave; below run->min_count: refused. */
static int within_limits(const struct ec2 *model, const struct ec2_run *run,
                         const struct ec2_type *type, int count, struct ec2_reply *reply,
                         struct jobq_error *err)
{
    const struct ec2_params *params = &model->params;
    int64_t vcpus = 0, boxes = 0;
    for (int32_t i = 0; i < model->count; i++) {
        const struct ec2_instance *box = &model->box[i]->view;
        if (box->state >= EC2_SHUTTING_DOWN)
            continue;
        boxes++;
        vcpus += box->spot == run->spot ? box->type.vcpus : 0;
    }
    int64_t limit = run->spot ? params->spot_vcpu_limit : params->vcpu_limit;
    int64_t room = limit > 0 ? (limit - vcpus) / type->vcpus : count;
    if (room < run->min_count && run->spot)
        return ec2_refuse(EC2_FAULT_SPOT_LIMIT, reply, err,
                          "Max spot instance count exceeded");
    if (room < run->min_count)
        return ec2_refuse(
            EC2_FAULT_VCPU_LIMIT, reply, err,
            "You have requested more vCPU capacity than your current vCPU limit "
            "of %lld allows for the instance bucket that the specified instance "
            "type belongs to.",
            (long long)limit);
    if (params->instance_limit > 0 && room > params->instance_limit - boxes)
        room = params->instance_limit - boxes;
    if (room < run->min_count)
        return ec2_refuse(
            EC2_FAULT_INSTANCE_LIMIT, reply, err,
            "You have requested more instances (%lld) than your current instance "
            "limit of %lld allows for the specified instance type.",
            (long long)(boxes + run->min_count), (long long)params->instance_limit);
    return room < count ? (int)room : count;
}

static int decide_count(struct ec2 *model, double u, const struct ec2_run *run,
                        const struct ec2_type *type, struct ec2_reply *reply,
                        struct jobq_error *err)
{
    const struct ec2_params *params = &model->params;
    int count = run->max_count;
    if (params->resource_bucket > 0) {
        double tokens = model->resource_tokens + 1e-9;
        if (tokens < run->min_count)
            return ec2_refuse(EC2_FAULT_THROTTLED, reply, err, "Request limit exceeded.");
        if (tokens < count)
            count = (int)tokens;
    }
    count = within_limits(model, run, type, count, reply, err);
    if (count < 0)
        return count;
    double price = ec2_spot_price(model, type);
    if (run->spot && run->spot_max_price_usd > 0 && run->spot_max_price_usd < price)
        return ec2_refuse(
            EC2_FAULT_SPOT_PRICE, reply, err,
            "Your Spot request price of %.6g is lower than the minimum required "
            "Spot request fulfillment price of %.6g.",
            run->spot_max_price_usd, price);
    double p = run->spot ? params->spot_capacity_failure_p : params->capacity_failure_p;
    if (box_draw(u, 0) < p)
        return ec2_refuse(EC2_FAULT_CAPACITY, reply, err,
                          "We currently do not have sufficient %s capacity in the "
                          "Availability Zone you requested (%s).",
                          type->name, model->zone);
    if (params->resource_bucket > 0)
        model->resource_tokens -= count;
    return count;
}

static struct ec2_box *add_box(struct ec2 *model)
{
    if (model->count == model->cap) {
        model->cap = model->cap ? 2 * model->cap : 64;
        model->box = xrealloc(model->box, (size_t)model->cap * sizeof *model->box);
    }
    struct ec2_box *box = arena_zalloc(&model->arena, sizeof *box);
    model->box[model->count++] = box;
    return box;
}

static void ec2_launch(struct ec2 *model, int64_t now_ns, double u,
                       const struct ec2_run *run, const struct ec2_type *type,
                       int32_t first, int which)
{
    const struct ec2_params *params = &model->params;
    int32_t index = model->count;
    struct ec2_box *box = add_box(model);
    uint64_t draw = 1 + (uint64_t)which * DRAWS;
    struct ec2_instance *view = &box->view;
    bool lead = which == 0; /* the others share its strings */
    const struct ec2_instance *shared = &model->box[first]->view;
    *view = (struct ec2_instance){
        .image = lead ? arena_str(&model->arena, run->image) : shared->image,
        .user_data = lead ? arena_str(&model->arena, run->user_data) : shared->user_data,
        .client_token =
            lead ? arena_str(&model->arena, run->client_token) : shared->client_token,
        .key_name = lead ? arena_str(&model->arena, run->key_name) : shared->key_name,
        .zone = !lead               ? shared->zone
                : run->zone.len > 0 ? arena_str(&model->arena, run->zone)
                                    : str_of(model->zone),
        .type = *type,
        .state = EC2_PENDING,
        .spot = run->spot,
        .stops = run->stops && !run->spot,
        .launch_index = which,
        .launched_at_ns = now_ns,
        .running_at_ns = EC2_NEVER,
        .notice_at_ns = EC2_NEVER,
        .take_at_ns = EC2_NEVER,
        .ended_at_ns = EC2_NEVER,
        .gone_at_ns = EC2_NEVER,
        .boot_u = box_draw(u, draw + DRAW_BOOT),
    };
    ec2_make_id(model, view->id, "i-0", index);
    ec2_make_id(model, view->reservation, "r-0", first);
    if (run->spot)
        snprintf(view->spot_request, sizeof view->spot_request, "sir-%08x",
                 (unsigned)(ec2_mix((uint64_t)index ^ model->id_salt) >> 32));
    snprintf(view->private_ip, sizeof view->private_ip, "10.%d.%d.%d",
             (int)(index >> 16 & 127), (int)(index >> 8 & 255), (int)(index & 255));
    for (int32_t i = 0; i < run->tag_count; i++)
        box_set_tag(view, run->tag[i]);
    box->stop_u = box_draw(u, draw + DRAW_STOP);
    box->view.run_print = run_print(run);
    int64_t up_ns =
        now_ns + distribution_ns(&params->pending, box_draw(u, draw + DRAW_PENDING));
    box->planned_take_ns = EC2_NEVER;
    if (run->spot && params->spot_hazard_per_hour > 0) {
        double hours = -log(box_draw(u, draw + DRAW_TAKE)) / params->spot_hazard_per_hour;
        int64_t life_ns = jobq_ns_from_seconds(hours * 3600);
        if (life_ns < INT64_MAX / 4)
            box->planned_take_ns = up_ns + life_ns;
    }
    box_plan(model, index, up_ns, EC2_CAME_UP);
}

int ec2_run(struct ec2 *model, int64_t now_ns, double u, const struct ec2_run *run,
            int32_t *out_first, struct ec2_reply *reply, struct jobq_error *err)
{
    assert(u > 0 && u < 1 && run && out_first && reply && err);
    box_settle(model, now_ns);
    ec2_refill(model, now_ns);
    if (model->params.request_bucket > 0) {
        if (model->request_tokens + 1e-9 < 1)
            return ec2_refuse(EC2_FAULT_THROTTLED, reply, err, "Request limit exceeded.");
        model->request_tokens -= 1;
    }
    struct ec2_type type;
    int code = check_run(run, &type, reply, err);
    if (code < 0)
        return code;
    if (run->client_token.len > 0) {
        int count = launched_by(model, run->client_token, out_first);
        uint64_t print = count > 0 ? model->box[*out_first]->view.run_print : 0;
        if (print != 0 && print != run_print(run))
            return ec2_refuse(
                EC2_FAULT_MISMATCH, reply, err,
                "Arguments on this idempotent request are inconsistent with "
                "arguments used in previous request(s).");
        if (count > 0) {
            ec2_ok(reply);
            return count;
        }
    }
    if (run->dry_run)
        return ec2_refuse(EC2_FAULT_DRY_RUN, reply, err,
                          "Request would have succeeded, but DryRun flag is set.");
    int count = decide_count(model, u, run, &type, reply, err);
    if (count < 0)
        return count;
    int32_t first = model->count;
    for (int i = 0; i < count; i++)
        ec2_launch(model, now_ns, u, run, &type, first, i);
    *out_first = first;
    box_settle(model, now_ns);
    ec2_ok(reply);
    return count;
}

double ec2_spot_price(const struct ec2 *model, const struct ec2_type *type)
{
    return type->spot_usd > 0 ? type->spot_usd
                              : type->on_demand_usd * model->params.spot_price_factor;
}

/* ---- ending ---------------------------------------------------------------------------- */

int ec2_resolve(const struct ec2 *model, int64_t now_ns, const struct jobq_str *id,
                int count, int32_t *out, struct ec2_reply *reply, struct jobq_error *err)
{
    for (int i = 0; i < count; i++) {
        if (!id[i].ptr || !is_hex_id(id[i], "i-"))
            return ec2_refuse(EC2_FAULT_ID_MALFORMED, reply, err, "Invalid id: \"%.*s\"",
                              EC2_STR(id[i]));
        out[i] = ec2_instance_find(model, id[i]);
        if (out[i] < 0 || !box_visible(model, &model->box[out[i]]->view, now_ns))
            return ec2_refuse(EC2_FAULT_ID_NOT_FOUND, reply, err,
                              "The instance ID '%.*s' does not exist", EC2_STR(id[i]));
    }
    return JOBQ_OK;
}

int ec2_terminate(struct ec2 *model, int64_t now_ns, double u, const struct jobq_str *id,
                  int count, bool dry_run, struct ec2_transition *out,
                  struct ec2_reply *reply, struct jobq_error *err)
{
    assert(u > 0 && u < 1 && count >= 0 && reply && err);
    box_settle(model, now_ns);
    if (count <= 0)
        return ec2_refuse(EC2_FAULT_MISSING, reply, err,
                          "The request must contain the parameter InstanceId");
    for (int i = 0; i < count; i++) {
        int code = ec2_resolve(model, now_ns, &id[i], 1, &out[i].instance, reply, err);
        if (code < 0)
            return code;
    }
    if (dry_run)
        return ec2_refuse(EC2_FAULT_DRY_RUN, reply, err,
                          "Request would have succeeded, but DryRun flag is set.");
    for (int i = 0; i < count; i++) {
        struct ec2_box *box = model->box[out[i].instance];
        out[i].before = box->view.state;
        if (!ec2_is_over(box->view.state)) {
            box->stop_u = box_draw(u, (uint64_t)i);
            go_down(model, now_ns, out[i].instance, EC2_SHUTTING_DOWN, EC2_REASON_USER);
        }
        out[i].after = box->view.state;
    }
    box_settle(model, now_ns);
    return ec2_ok(reply);
}

/* ---- stopping, starting, rebooting ------------------------------------------------------ */

/* The boxes of ids that are all in a state that the call takes; refused otherwise. */
static int resolve_all(const struct ec2 *model, int64_t now_ns, const struct jobq_str *id,
                       int count, unsigned states, const char *verb,
                       struct ec2_transition *out, struct ec2_reply *reply,
                       struct jobq_error *err)
{
    if (count <= 0)
        return ec2_refuse(EC2_FAULT_MISSING, reply, err,
                          "The request must contain the parameter InstanceId");
    for (int i = 0; i < count; i++) {
        int code = ec2_resolve(model, now_ns, &id[i], 1, &out[i].instance, reply, err);
        if (code < 0)
            return code;
        const struct ec2_instance *box = &model->box[out[i].instance]->view;
        out[i].before = box->state;
        if (!(states >> box->state & 1))
            return ec2_refuse(
                EC2_FAULT_STATE, reply, err,
                "The instance '%s' is not in a state from which it can be %s.", box->id,
                verb);
    }
    return JOBQ_OK;
}

static int refuse_dry(struct ec2_reply *reply, struct jobq_error *err)
{
    return ec2_refuse(EC2_FAULT_DRY_RUN, reply, err,
                      "Request would have succeeded, but DryRun flag is set.");
}

int ec2_stop(struct ec2 *model, int64_t now_ns, double u, const struct jobq_str *id,
             int count, bool dry_run, struct ec2_transition *out, struct ec2_reply *reply,
             struct jobq_error *err)
{
    box_settle(model, now_ns);
    int code = resolve_all(model, now_ns, id, count,
                           1u << EC2_RUNNING | 1u << EC2_STOPPING | 1u << EC2_STOPPED,
                           "stopped", out, reply, err);
    if (code < 0)
        return code;
    for (int i = 0; i < count; i++)
        if (model->box[out[i].instance]->view.spot)
            return ec2_refuse(
                EC2_FAULT_UNSUPPORTED, reply, err,
                "You can't stop the Spot Instance '%s' because it is associated with a "
                "one-time Spot Instance request. You can only stop Spot Instances "
                "associated with persistent Spot Instance requests.",
                model->box[out[i].instance]->view.id);
    if (dry_run)
        return refuse_dry(reply, err);
    for (int i = 0; i < count; i++) {
        struct ec2_box *box = model->box[out[i].instance];
        if (box->view.state == EC2_RUNNING) {
            box->stop_u = box_draw(u, (uint64_t)i);
            go_down(model, now_ns, out[i].instance, EC2_STOPPING, EC2_REASON_USER);
        }
        out[i].after = box->view.state;
    }
    box_settle(model, now_ns);
    return ec2_ok(reply);
}

static void start_box(struct ec2 *model, int64_t now_ns, double u, int32_t index)
{
    struct ec2_box *box = model->box[index];
    struct ec2_instance *view = &box->view;
    if (view->running_at_ns != EC2_NEVER) {
        size_t count = (size_t)view->span_count;
        struct ec2_span *span = arena_alloc(&model->arena, (count + 1) * sizeof *span);
        if (count > 0)
            memcpy(span, view->span, count * sizeof *span);
        span[count] = (struct ec2_span){view->running_at_ns, view->ended_at_ns};
        view->span = span;
        view->span_count++;
    }
    view->state = EC2_PENDING;
    view->reason = EC2_REASON_NONE;
    view->launched_at_ns = now_ns;
    view->running_at_ns = view->ended_at_ns = EC2_NEVER;
    view->boot_u = box_draw(u, DRAW_BOOT);
    box_plan(model, index,
             now_ns + distribution_ns(&model->params.pending, box_draw(u, DRAW_PENDING)),
             EC2_CAME_UP);
}

int ec2_start(struct ec2 *model, int64_t now_ns, double u, const struct jobq_str *id,
              int count, bool dry_run, struct ec2_transition *out,
              struct ec2_reply *reply, struct jobq_error *err)
{
    box_settle(model, now_ns);
    int code = resolve_all(model, now_ns, id, count,
                           1u << EC2_PENDING | 1u << EC2_RUNNING | 1u << EC2_STOPPED,
                           "started", out, reply, err);
    if (code < 0)
        return code;
    if (dry_run)
        return refuse_dry(reply, err);
    ec2_refill(model, now_ns);
    for (int i = 0; i < count; i++) {
        const struct ec2_instance *box = &model->box[out[i].instance]->view;
        const struct ec2_run one = {.min_count = 1, .max_count = 1};
        code = box->state == EC2_STOPPED ? decide_count(model, box_draw(u, (uint64_t)i),
                                                        &one, &box->type, reply, err)
                                         : JOBQ_OK;
        if (code < 0)
            return code;
    }
    for (int i = 0; i < count; i++) {
        struct ec2_box *box = model->box[out[i].instance];
        if (box->view.state == EC2_STOPPED)
            start_box(model, now_ns, box_draw(u, 1000 + (uint64_t)i), out[i].instance);
        out[i].after = box->view.state;
    }
    box_settle(model, now_ns);
    return ec2_ok(reply);
}

int ec2_reboot(struct ec2 *model, int64_t now_ns, const struct jobq_str *id, int count,
               bool dry_run, struct ec2_reply *reply, struct jobq_error *err)
{
    box_settle(model, now_ns);
    for (int i = 0; i < count; i++) {
        struct ec2_transition one;
        int code =
            resolve_all(model, now_ns, &id[i], 1, 1u << EC2_PENDING | 1u << EC2_RUNNING,
                        "rebooted", &one, reply, err);
        if (code < 0)
            return code;
    }
    if (count <= 0)
        return ec2_refuse(EC2_FAULT_MISSING, reply, err,
                          "The request must contain the parameter InstanceId");
    return dry_run ? refuse_dry(reply, err) : ec2_ok(reply);
}

/* ---- restoring ------------------------------------------------------------------------- */

int32_t ec2_restore(struct ec2 *model, int64_t now_ns, const struct ec2_instance *saved)
{
    int32_t index = model->count;
    struct ec2_box *box = add_box(model);
    struct ec2_instance *view = &box->view;
    *view = *saved;
    view->image = arena_str(&model->arena, saved->image);
    view->user_data = arena_str(&model->arena, saved->user_data);
    view->client_token = arena_str(&model->arena, saved->client_token);
    view->key_name = arena_str(&model->arena, saved->key_name);
    view->zone = arena_str(&model->arena, saved->zone);
    struct ec2_span *span =
        arena_alloc(&model->arena, (size_t)saved->span_count * sizeof *span + 1);
    if (saved->span_count > 0)
        memcpy(span, saved->span, (size_t)saved->span_count * sizeof *span);
    view->span = span;
    view->tag = NULL;
    view->tag_count = 0;
    for (int32_t i = 0; i < saved->tag_count; i++)
        box_set_tag(view, saved->tag[i]);
    box->stop_u = saved->boot_u;
    box->planned_take_ns = saved->take_at_ns;
    if (saved->state == EC2_PENDING)
        box_plan(model, index, now_ns, EC2_CAME_UP);
    else if (saved->state == EC2_RUNNING && saved->take_at_ns != EC2_NEVER)
        box_plan(model, index, saved->take_at_ns, EC2_WENT_DOWN);
    else if (saved->state == EC2_SHUTTING_DOWN || saved->state == EC2_STOPPING)
        box_plan(model, index, now_ns, EC2_GONE);
    else
        box_plan(model, index, EC2_NEVER, EC2_GONE);
    return index;
}
