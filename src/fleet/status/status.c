/* status.c - the status of a queue, from the cheap counts. See status.h. */
#include "fleet/status/status.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/text.h"
#include "fiber/fiber.h"
#include "fleet/enqueue/queues.h"
#include "jobq/units.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* A row that is written during a reading may have an earlier time than the reading. */
#define OVERLAP_MS 60000
#define ALIVE_NS (3 * JOBQ_NS_PER_MIN)
#define HEARD_NS (20 * JOBQ_NS_PER_S) /* a drainer that was seen since is as it said */

struct status {
    struct jobq_backend *b;
    struct arena *memory;
    struct arena scratch;
    struct jobq_str queue_name;
    int queue, dead; /* dead: -1 none */
    struct jobq_self self;
    /* Every drainer that ever wrote a row: those that ended keep their sums. */
    struct status_drainer *drainer;
    int drainer_count, drainer_cap;
    struct status_box *box;
    int box_cap;
    int64_t newest_ms;
    int64_t marked_at_ns, marked_ended; /* an earlier reading, for the rate */
    double jobs_per_s;
    /* The last reading of the queue that succeeded: better than none when the next fails. */
    struct jobq_queue_depth depth;
    int64_t dead_letters, read_wall_ns;
    struct status_sample *sample; /* STATUS_SAMPLES of them */
    int sample_count;
    /* Boxes of the last listing, to notice those that end. */
    struct status_box *before;
    int before_count, before_cap;
    int *place; /* of a box by its id's hash, + 1; 0: none. place_cap: a power of two */
    int place_cap;
    int64_t before_wall_ns;
    struct status_gone gone[STATUS_GONE_MAX];
    int gone_count;
};

int status_new(struct jobq_backend *b, const char *queue, struct status **out,
               struct jobq_error *err)
{
    assert(b && queue && out && err);
    if (job_queue_name_check(queue, err) < 0)
        return err->code;
    struct arena *memory = fiber_proc_arena(b->proc);
    struct status *s = arena_zalloc(memory, sizeof *s);
    s->b = b;
    s->memory = memory;
    arena_init_within(&s->scratch, memory, 8192);
    s->queue_name = str_of(arena_cstr(memory, queue));
    struct queues_options options = {.name = queue, .visibility_ns = -1};
    int ignored;
    if (queues_open(b, &options, jobq_now(b) + JOBQ_NS_PER_MIN, &s->queue, &ignored,
                    err) < 0)
        return err->code;
    int code = queues_open_dead(b, queue, false, &s->dead, err);
    if (code == JOBQ_NOT_FOUND)
        s->dead = -1;
    else if (code < 0)
        return code;
    struct jobq_error no_box;
    if (!b->fleet || jobq_fleet_self(b, &s->self, &no_box) < 0)
        s->self = (struct jobq_self){0};
    s->jobs_per_s = -1;
    s->dead_letters = -1;
    *out = s;
    return JOBQ_OK;
}

static void note_problem(struct status_view *out, const struct jobq_error *err)
{
    if (out->problem[0] == '\0')
        memcpy(out->problem, err->text, sizeof out->problem);
}

/* ---- the drainers' rows -------------------------------------------------------------- */

static struct jobq_str cut_word(struct jobq_str *rest)
{
    const char *at = rest->len ? memchr(rest->ptr, ' ', (size_t)rest->len) : NULL;
    struct jobq_str out = {rest->ptr, at ? at - rest->ptr : rest->len};
    int64_t taken = at ? out.len + 1 : out.len;
    rest->ptr += taken;
    rest->len -= taken;
    return out;
}

static void copy_word(char *out, size_t cap, struct jobq_str word)
{
    size_t len = (size_t)word.len < cap - 1 ? (size_t)word.len : cap - 1;
    memcpy(out, word.ptr, len);
    out[len] = '\0';
}

struct status_drainer status_drainer_of(const struct drainer_view *view, int64_t wall_ns)
{
    const struct drainer_counters *c = &view->counters;
    struct status_drainer out = {.slots = view->slots,
                                 .busy = view->busy,
                                 .held = view->held + view->busy + view->deletes_waiting,
                                 .done = c->done,
                                 .failed = c->failed,
                                 .dead = c->dead,
                                 .attempts = c->attempts,
                                 .seen_wall_ns = wall_ns,
                                 .queue_calls =
                                     c->receives + c->delete_calls + c->beat_calls,
                                 .work_ns = c->work_ns,
                                 .slot_ns = c->busy_slot_ns,
                                 .waited_ns = view->waited_ns,
                                 .notice_wall_ns = view->notice_wall_ns,
                                 .quiet = view->mode != DRAINER_RUNNING};
    memcpy(out.id, view->id, sizeof out.id);
    memcpy(out.box, view->box, sizeof out.box);
    return out;
}

/* What a row says behind its fixed part. */
struct status_more {
    char letter;
    int64_t *value, unit;
};
enum { STATUS_MORE = 5 };

static void status_more(struct status_drainer *d, struct status_more out[STATUS_MORE])
{
    out[0] = (struct status_more){'c', &d->queue_calls, 1};
    out[1] = (struct status_more){'w', &d->work_ns, JOBQ_NS_PER_MS};
    out[2] = (struct status_more){'a', &d->waited_ns, JOBQ_NS_PER_MS};
    out[3] = (struct status_more){'n', &d->notice_wall_ns, JOBQ_NS_PER_MS};
    out[4] = (struct status_more){'b', &d->slot_ns, JOBQ_NS_PER_MS};
}

int status_drainer_write(const struct status_drainer *drainer, char *out)
{
    assert(drainer && out);
    const int64_t numbers[] = {drainer->slots,   drainer->busy,   drainer->held,
                               drainer->done,    drainer->failed, drainer->dead,
                               drainer->attempts};
    char *p = out + text_write_int(out, drainer->seen_wall_ns / JOBQ_NS_PER_MS);
    size_t len = strlen(drainer->box);
    *p++ = ' ';
    memcpy(p, drainer->box, len);
    p += len;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        *p++ = ' ';
        p += text_write_int(p, numbers[i]);
    }
    struct status_more more[STATUS_MORE];
    struct status_drainer copy = *drainer;
    status_more(&copy, more);
    for (int i = 0; i < STATUS_MORE; i++) {
        int64_t value = *more[i].value / more[i].unit;
        if (value == 0)
            continue;
        *p++ = ' ';
        *p++ = more[i].letter;
        *p++ = '=';
        p += text_write_int(p, value);
    }
    if (drainer->quiet) {
        memcpy(p, " q=1", 4);
        p += 4;
    }
    return (int)(p - out);
}

bool status_drainer_read(struct jobq_str id, struct jobq_str value,
                         struct status_drainer *out)
{
    *out = (struct status_drainer){0};
    copy_word(out->id, sizeof out->id, id);
    int64_t ms;
    if (!str_to_int(cut_word(&value), &ms))
        return false;
    out->seen_wall_ns = ms * JOBQ_NS_PER_MS;
    copy_word(out->box, sizeof out->box, cut_word(&value));
    int64_t *const number[] = {&out->slots,  &out->busy, &out->held,    &out->done,
                               &out->failed, &out->dead, &out->attempts};
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++)
        if (!str_to_int(cut_word(&value), number[i]))
            return false;
    struct status_more more[STATUS_MORE];
    status_more(out, more);
    while (value.len > 0) {
        struct jobq_str word = cut_word(&value);
        int64_t read;
        if (word.len < 3 || word.ptr[1] != '=' ||
            !str_to_int((struct jobq_str){word.ptr + 2, word.len - 2}, &read) || read < 0)
            continue;
        for (int i = 0; i < STATUS_MORE; i++)
            if (more[i].letter == word.ptr[0] && read < INT64_MAX / more[i].unit)
                *more[i].value = read * more[i].unit;
        out->quiet = out->quiet || (word.ptr[0] == 'q' && read == 1);
    }
    return true;
}

static struct status_drainer *place(struct status *s, const struct status_drainer *read)
{
    int at = 0;
    while (at < s->drainer_count && strcmp(s->drainer[at].id, read->id) != 0)
        at++;
    if (at == s->drainer_cap) {
        int cap = s->drainer_cap ? 2 * s->drainer_cap : 16;
        struct status_drainer *grown =
            arena_alloc(s->memory, (size_t)cap * sizeof(struct status_drainer));
        if (s->drainer_count)
            memcpy(grown, s->drainer,
                   (size_t)s->drainer_count * sizeof(struct status_drainer));
        s->drainer = grown;
        s->drainer_cap = cap;
    }
    if (at == s->drainer_count)
        s->drainer[s->drainer_count++] = (struct status_drainer){0};
    struct status_drainer *one = &s->drainer[at];
    bool here = one->here || (s->self.id[0] && strcmp(s->self.id, read->box) == 0);
    if (read->seen_wall_ns >= one->seen_wall_ns)
        *one = *read;
    one->here = here;
    return one;
}

static void merge(struct status *s, const struct status_drainer *read)
{
    place(s, read);
    if (read->seen_wall_ns / JOBQ_NS_PER_MS > s->newest_ms)
        s->newest_ms = read->seen_wall_ns / JOBQ_NS_PER_MS;
}

/* newest_ms does not change: it is a time of rows, after which rows of others are
 * read. */
void status_add_drainer(struct status *s, const struct status_drainer *drainer)
{
    assert(s && drainer);
    place(s, drainer)->here = true;
}

static void read_drainer(void *ctx, struct jobq_str id, struct jobq_str line)
{
    struct status_drainer read;
    if (status_drainer_read(id, line, &read))
        merge(ctx, &read);
}

/* Reads the rows that changed since the newest known, so that the row of an ended drainer
 * is read only once. */
static int read_drainers(struct status *s, struct jobq_error *err)
{
    char after[24];
    int64_t since_ms = s->newest_ms > OVERLAP_MS ? s->newest_ms - OVERLAP_MS : 0;
    /* Times have 13 digits from 2001 to 2286, so that they compare as texts do. */
    int len = snprintf(after, sizeof after, "%013lld", (long long)since_ms);
    return rows_drainers(&(struct rows){.b = s->b}, s->queue_name,
                         (struct jobq_str){after, len}, &s->scratch, read_drainer, s,
                         err);
}

/* All sums, and the drainers last seen. */
static void fill_drainers(const struct status *s, struct status_view *out)
{
    out->done = out->failed = out->dead = out->attempts = 0;
    out->queue_calls = out->work_ns = out->slot_ns = 0;
    out->waited_ns = -1;
    out->drainer_count = 0;
    out->rows = s->drainer_count;
    out->rows_stored = s->b->store != NULL;
    out->fresh = (struct status_fresh){0};
    for (int i = 0; i < s->drainer_count; i++) {
        const struct status_drainer *one = &s->drainer[i];
        out->done += one->done;
        out->failed += one->failed;
        out->dead += one->dead;
        out->attempts += one->attempts;
        out->queue_calls += one->queue_calls;
        out->work_ns += one->work_ns;
        out->slot_ns += one->slot_ns;
        if (out->taken_wall_ns - one->seen_wall_ns < ALIVE_NS) {
            out->fresh.drainers++;
            out->fresh.slots += one->slots;
            out->fresh.busy += one->busy;
            out->fresh.quiet += one->quiet;
            if (one->waited_ns > 0 && one->waited_ns > out->waited_ns)
                out->waited_ns = one->waited_ns;
        }
        /* Insertion by the time seen, newest first, ties in the order of rows. */
        int at = out->drainer_count;
        if (at == STATUS_DRAINERS_MAX) {
            if (out->drainer[at - 1].seen_wall_ns >= one->seen_wall_ns)
                continue;
            at--;
        } else {
            out->drainer_count++;
        }
        for (; at > 0 && out->drainer[at - 1].seen_wall_ns < one->seen_wall_ns; at--)
            out->drainer[at] = out->drainer[at - 1];
        out->drainer[at] = *one;
    }
}

/* Drainers write once a minute, so a rate over less is meaningless. */
static void measure_rate(struct status *s, struct status_view *out)
{
    int64_t now_ns = jobq_now(s->b);
    int64_t ended = out->done + out->dead;
    if (s->marked_at_ns == 0 || now_ns - s->marked_at_ns >= JOBQ_NS_PER_MIN) {
        if (s->marked_at_ns != 0)
            s->jobs_per_s = (double)(ended - s->marked_ended) /
                            jobq_seconds_from_ns(now_ns - s->marked_at_ns);
        s->marked_at_ns = now_ns ? now_ns : 1;
        s->marked_ended = ended;
    }
    out->jobs_per_s = s->jobs_per_s;
}

/* A sample a minute: those of the last STATUS_SAMPLES minutes. */
static void keep_sample(struct status *s, struct status_view *out)
{
    const struct status_sample now = {.wall_ns = out->taken_wall_ns,
                                      .visible = out->depth.visible,
                                      .in_flight = out->depth.in_flight,
                                      .delayed = out->depth.delayed,
                                      .ended = out->done + out->dead};
    int count = s->sample_count;
    bool due =
        count == 0 || now.wall_ns - s->sample[count - 1].wall_ns >= JOBQ_NS_PER_MIN;
    if (!s->sample)
        s->sample = arena_alloc(s->memory, STATUS_SAMPLES * sizeof *s->sample);
    if (due && count == STATUS_SAMPLES) {
        memmove(s->sample, s->sample + 1, (STATUS_SAMPLES - 1) * sizeof *s->sample);
        s->sample_count--;
    }
    if (due)
        s->sample[s->sample_count++] = now;
    out->sample = s->sample;
    out->sample_count = s->sample_count;
}

/* ---- boxes --------------------------------------------------------------------------- */

static void count_gone(struct status *s, const struct status_box *box)
{
    int at = 0;
    while (at < s->gone_count &&
           (strcmp(s->gone[at].type, box->type) != 0 || s->gone[at].spot != box->spot))
        at++;
    if (at == STATUS_GONE_MAX)
        at--; /* more types than a fleet has: counted as the last of them */
    if (at == s->gone_count) {
        s->gone[s->gone_count++] = (struct status_gone){.spot = box->spot};
        memcpy(s->gone[at].type, box->type, sizeof s->gone[at].type);
    }
    int64_t ran_ns = s->before_wall_ns - box->launched_wall_ns;
    s->gone[at].boxes++;
    s->gone[at].ran_ns += ran_ns > 0 ? ran_ns : 0;
}

/* Both lists are in the order that EC2 gives, which is one order for one fleet; where it is
 * not, a box is looked for. */
static void notice_gone(struct status *s, const struct status_view *view)
{
    int from = 0;
    for (int i = 0; i < s->before_count; i++) {
        const struct status_box *was = &s->before[i];
        int at = from;
        while (at < view->box_count && strcmp(view->box[at].id, was->id) != 0)
            at++;
        for (int k = 0; at == view->box_count && k < from; k++)
            if (strcmp(view->box[k].id, was->id) == 0)
                at = k;
        if (at == view->box_count)
            count_gone(s, was);
        else
            from = at + 1;
    }
    if (view->box_count > s->before_cap) {
        s->before_cap = 2 * view->box_count;
        s->before = arena_alloc(s->memory, (size_t)s->before_cap * sizeof *s->before);
    }
    if (view->box_count)
        memcpy(s->before, view->box, (size_t)view->box_count * sizeof *s->before);
    s->before_count = view->box_count;
    s->before_wall_ns = view->taken_wall_ns;
}

static uint32_t box_hash(const char *id)
{
    return (uint32_t)hash_add(HASH_START, id, strlen(id));
}

static void place_boxes(struct status *s, int count)
{
    int cap = s->place_cap ? s->place_cap : 64;
    while (cap < 2 * count)
        cap *= 2;
    if (cap > s->place_cap)
        s->place = arena_alloc(s->memory, (size_t)cap * sizeof *s->place);
    s->place_cap = cap;
    memset(s->place, 0, (size_t)cap * sizeof *s->place);
    for (int i = 0; i < count; i++) {
        uint32_t at = box_hash(s->box[i].id);
        while (s->place[at & (uint32_t)(cap - 1)])
            at++;
        s->place[at & (uint32_t)(cap - 1)] = i + 1;
    }
}

static struct status_box *find_box(const struct status *s, const char *id)
{
    uint32_t mask = (uint32_t)(s->place_cap - 1);
    for (uint32_t at = box_hash(id); s->place[at & mask]; at++)
        if (strcmp(s->box[s->place[at & mask] - 1].id, id) == 0)
            return &s->box[s->place[at & mask] - 1];
    return NULL;
}

/* Says with each box what its drainers say. */
static void join_boxes(struct status *s, const struct status_view *view)
{
    if (view->box_count == 0)
        return;
    place_boxes(s, view->box_count);
    for (int i = 0; i < view->box_count; i++) {
        struct status_box *box = &s->box[i];
        box->drainers = 0;
        box->slots = box->busy = box->done = 0;
        box->seen_wall_ns = box->notice_wall_ns = 0;
    }
    for (int k = 0; k < s->drainer_count; k++) {
        const struct status_drainer *one = &s->drainer[k];
        struct status_box *box = find_box(s, one->box);
        if (!box)
            continue;
        box->done += one->done;
        if (view->taken_wall_ns - one->seen_wall_ns < ALIVE_NS) {
            box->drainers++;
            box->slots += one->slots;
            box->busy += one->busy;
        }
        if (one->seen_wall_ns > box->seen_wall_ns)
            box->seen_wall_ns = one->seen_wall_ns;
        if (one->notice_wall_ns > box->notice_wall_ns)
            box->notice_wall_ns = one->notice_wall_ns;
    }
}

static void boxes_make_room(struct status *s, int count)
{
    if (count <= s->box_cap)
        return;
    int cap = s->box_cap ? s->box_cap : 64;
    while (cap < count)
        cap *= 2;
    struct status_box *grown = arena_alloc(s->memory, (size_t)cap * sizeof *grown);
    if (s->box_cap)
        memcpy(grown, s->box, (size_t)s->box_cap * sizeof *grown);
    s->box = grown;
    s->box_cap = cap;
}

static void add_boxes(struct status *s, struct status_view *out,
                      const struct jobq_box *box, int count)
{
    boxes_make_room(s, out->box_count + count);
    out->box = s->box;
    for (int i = 0; i < count; i++) {
        struct status_box *one = &s->box[out->box_count++];
        copy_word(one->id, sizeof one->id, box[i].id);
        copy_word(one->type, sizeof one->type, box[i].type);
        copy_word(one->zone, sizeof one->zone, box[i].zone);
        one->state = box[i].state;
        one->spot = box[i].spot;
        one->launched_wall_ns = box[i].launched_wall_ns;
        one->here = s->self.id[0] && strcmp(s->self.id, one->id) == 0;
    }
}

static int read_boxes(struct status *s, struct status_view *out, struct jobq_error *err)
{
    struct jobq_box *box = arena_alloc(&s->scratch, JOBQ_BOXES_PAGE * sizeof *box);
    struct jobq_tag tag = {STR(STATUS_TAG), s->queue_name};
    struct jobq_str token = {0};
    do {
        int count = jobq_fleet_describe(s->b, tag, &token, &s->scratch, box, err);
        if (count < 0)
            return count;
        if (out->box_count + count > STATUS_BOXES_MAX)
            return jobq_fail(err, JOBQ_LIMIT, "more than '%d' boxes", STATUS_BOXES_MAX);
        add_boxes(s, out, box, count);
    } while (token.len > 0);
    out->boxes_known = true;
    notice_gone(s, out);
    return JOBQ_OK;
}

int status_read(struct status *s, struct status_view *out, struct jobq_error *err)
{
    assert(s && out && err);
    struct jobq_error why = {0};
    struct jobq_queue_depth dead;
    memset(out, 0, sizeof *out);
    arena_reset(&s->scratch);
    copy_word(out->queue, sizeof out->queue, s->queue_name);
    out->self = s->self;
    struct jobq_queue_depth depth;
    int first = jobq_queue_depth(s->b, s->queue, &depth, &why), code;
    bool first_read = first == JOBQ_OK;
    if (first == JOBQ_OK) {
        s->depth = depth;
        s->read_wall_ns = jobq_wall(s->b);
    } else {
        note_problem(out, &why);
    }
    if (s->dead >= 0 && jobq_queue_depth(s->b, s->dead, &dead, &why) == JOBQ_OK)
        s->dead_letters = dead.visible + dead.in_flight + dead.delayed;
    out->depth_known = s->read_wall_ns > 0;
    out->read_wall_ns = s->read_wall_ns;
    out->depth = s->depth;
    out->dead_letters = s->dead_letters;
    if (s->b->store && (code = read_drainers(s, &why)) < 0) {
        note_problem(out, &why);
        first = first ? first : code;
    }
    out->taken_wall_ns = jobq_wall(s->b);
    fill_drainers(s, out);
    measure_rate(s, out);
    out->boxes_known = !s->b->fleet;
    if (s->b->fleet && (code = read_boxes(s, out, &why)) < 0) {
        note_problem(out, &why);
        first = first ? first : code;
    }
    join_boxes(s, out);
    memcpy(out->gone, s->gone, sizeof out->gone);
    out->gone_count = s->gone_count;
    out->taken_wall_ns = jobq_wall(s->b);
    /* The calls of a reading take time; the time of the view is their end. */
    if (first_read)
        out->read_wall_ns = out->taken_wall_ns;
    out->sample = s->sample;
    out->sample_count = s->sample_count;
    if (first_read)
        keep_sample(s, out);
    if (first < 0)
        jobq_fail(err, (enum jobq_code)first, "%s", out->problem);
    return first;
}

void status_count(struct status *s, struct status_view *view)
{
    assert(s && view);
    bool stale = status_is_stale(view);
    view->taken_wall_ns = jobq_wall(s->b);
    fill_drainers(s, view);
    join_boxes(s, view);
    if (!stale)
        view->read_wall_ns = view->taken_wall_ns;
}

struct jobq_queue_depth status_depth(const struct status_view *view)
{
    struct jobq_queue_depth out = view->depth;
    int64_t busy = 0;
    for (int i = 0; i < view->drainer_count; i++) {
        const struct status_drainer *one = &view->drainer[i];
        if (one->here && view->taken_wall_ns - one->seen_wall_ns < HEARD_NS)
            busy += one->busy;
    }
    int64_t since = busy - out.in_flight;
    if (since > 0) {
        out.in_flight += since;
        out.visible -= since < out.visible ? since : out.visible;
    }
    return out;
}

int64_t status_running(const struct status_view *view)
{
    int64_t in_flight = status_depth(view).in_flight, busy = view->fresh.busy;
    if (view->unreported || (in_flight > 0 && busy == 0))
        return -1; /* a row may be a minute old, and the first one yet to come */
    return busy < in_flight ? busy : in_flight;
}

bool status_is_stale(const struct status_view *view)
{
    return view->read_wall_ns != view->taken_wall_ns;
}

int64_t status_eta_ns(const struct status_view *view)
{
    struct jobq_queue_depth depth = status_depth(view);
    if (!view->depth_known || view->jobs_per_s <= 0)
        return -1;
    return jobq_ns_from_seconds(
        (double)(depth.visible + depth.in_flight + depth.delayed) / view->jobs_per_s);
}

/* Why nothing runs: "" if something does. */
static const char *why_idle(const struct status_view *view, int alive)
{
    int booting = 0, running = 0;
    bool all_quiet =
        view->fresh.drainers > 0 && view->fresh.quiet == view->fresh.drainers;
    for (int i = 0; i < view->box_count; i++) {
        booting += view->box[i].state == JOBQ_BOX_PENDING;
        running += view->box[i].state == JOBQ_BOX_RUNNING;
    }
    if (view->depth.visible == 0)
        return "All waiting jobs are delayed.";
    if (alive == 0 && !view->boxes_known)
        return "No drainer was seen for 3 minutes; the boxes could not be read.";
    if (alive == 0 && running == 0 && booting == 0)
        return "Nothing drains this queue: no box, and no drainer seen for 3 minutes.";
    if (alive == 0 && running == 0)
        return "The boxes are still booting.";
    if (alive == 0)
        return "The boxes run, but no drainer was seen for 3 minutes.";
    if (all_quiet)
        return "Every drainer was told to take no more work (quiet, or stopping).";
    return "The drainers take nothing: quiet, stopping or only just started.";
}

void status_why(const struct status_view *view, char *out, int cap)
{
    assert(view && out && cap > 0);
    struct jobq_queue_depth depth = status_depth(view);
    int alive = 0;
    bool busy = false;
    out[0] = '\0';
    for (int i = 0; i < view->drainer_count; i++) {
        const struct status_drainer *one = &view->drainer[i];
        bool fresh = view->taken_wall_ns - one->seen_wall_ns < ALIVE_NS;
        alive += fresh;
        busy = busy || (fresh && one->here && one->busy > 0);
    }
    if (view->unreported)
        return;
    if (!view->depth_known || (status_is_stale(view) && !busy))
        snprintf(out, (size_t)cap, "The queue did not answer.");
    else if (depth.visible + depth.delayed == 0)
        return;
    else if (!busy && depth.in_flight == 0)
        snprintf(out, (size_t)cap, "%s", why_idle(view, alive));
    else if (depth.visible == 0)
        return;
    else if (alive == 0)
        snprintf(
            out, (size_t)cap,
            "%lld messages are in flight, but no drainer was seen for 3 minutes: they "
            "come back when their visibility timeout ends.",
            (long long)depth.in_flight);
    else if (view->fresh.quiet == view->fresh.drainers)
        snprintf(out, (size_t)cap,
                 "Every drainer was told to take no more work (quiet, or stopping).");
    else if (view->fresh.slots > 0 && view->fresh.busy >= view->fresh.slots)
        snprintf(out, (size_t)cap,
                 "All %lld slots are busy: jobs wait for a slot, not for a drainer.",
                 (long long)view->fresh.slots);
}
