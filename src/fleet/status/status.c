/* status.c - the status of a queue, from the cheap counts. See status.h. */
#include "fleet/status/status.h"

#include "base/arena.h"
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
                                 .seen_wall_ns = wall_ns};
    memcpy(out.id, view->id, sizeof out.id);
    memcpy(out.box, view->box, sizeof out.box);
    return out;
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
        if (out->taken_wall_ns - one->seen_wall_ns < ALIVE_NS) {
            out->fresh.drainers++;
            out->fresh.slots += one->slots;
            out->fresh.busy += one->busy;
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

/* ---- boxes --------------------------------------------------------------------------- */

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
    out->taken_wall_ns = jobq_wall(s->b);
    /* The calls of a reading take time; the time of the view is their end. */
    if (first_read)
        out->read_wall_ns = out->taken_wall_ns;
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

void status_why(const struct status_view *view, char *out, int cap)
{
    assert(view && out && cap > 0);
    const struct jobq_queue_depth *depth = &view->depth;
    int alive = 0, booting = 0, running = 0;
    bool busy = false;
    for (int i = 0; i < view->drainer_count; i++) {
        const struct status_drainer *one = &view->drainer[i];
        bool fresh = view->taken_wall_ns - one->seen_wall_ns < ALIVE_NS;
        alive += fresh;
        busy = busy || (fresh && one->here && one->busy > 0);
    }
    for (int i = 0; i < view->box_count; i++) {
        booting += view->box[i].state == JOBQ_BOX_PENDING;
        running += view->box[i].state == JOBQ_BOX_RUNNING;
    }
    const char *why = "";
    if (busy || view->unreported)
        why = "";
    else if (!view->depth_known || status_is_stale(view))
        why = "The queue did not answer.";
    else if (depth->in_flight > 0 || depth->visible + depth->delayed == 0)
        why = "";
    else if (depth->visible == 0)
        why = "All waiting jobs are delayed.";
    else if (alive == 0 && !view->boxes_known)
        why = "No drainer was seen for 3 minutes; the boxes could not be read.";
    else if (alive == 0 && running == 0 && booting == 0)
        why = "Nothing drains this queue: no box, and no drainer seen for 3 minutes.";
    else if (alive == 0 && running == 0)
        why = "The boxes are still booting.";
    else if (alive == 0)
        why = "The boxes run, but no drainer was seen for 3 minutes.";
    else
        why = "The drainers take nothing: quiet, stopping or only just started.";
    snprintf(out, (size_t)cap, "%s", why);
}
