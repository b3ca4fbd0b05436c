/* vcpu.c - see models/ec2/vcpu.h.
 *
 * Room:     models, the facts. */
#include "models/ec2/vcpu.h"

#include "base/arena.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum phase { PHASE_FREE, PHASE_BEFORE, PHASE_CPU, PHASE_AFTER };

enum { V_BITS = 32, SLACK_BITS = 20 /* 2^-12 ns */ };

struct box_part {
    wide_u128 end_v; /* CPU: where V ends it */
    int64_t wake_ns; /* BEFORE, AFTER: when the wait ends */
    int64_t cpu_ns, after_ns;
    uint64_t seq;
    void *tag;
    enum phase phase;
    int32_t place; /* in its heap; FREE: the next free part */
};

void box_init(struct box *box, int32_t vcpus, int64_t now_ns)
{
    assert(vcpus >= 1);
    *box = (struct box){.vcpus = vcpus, .free_head = -1, .at_ns = now_ns};
}

void box_release(struct box *box)
{
    free(box->part);
    free(box->cpu_heap);
    free(box->wait_heap);
    *box = (struct box){.vcpus = 1, .free_head = -1};
}

void box_reset(struct box *box, int32_t vcpus, int64_t now_ns)
{
    struct box kept = *box;
    box_init(box, vcpus, now_ns);
    box->part = kept.part;
    box->cpu_heap = kept.cpu_heap;
    box->wait_heap = kept.wait_heap;
    box->part_cap = kept.part_cap;
}

struct box_job box_split(int64_t total_ns, double cpu_share, double at, void *tag)
{
    assert(total_ns >= 0 && cpu_share >= 0 && cpu_share <= 1 && at >= 0 && at <= 1);
    struct box_job job = {.tag = tag};
    job.cpu_ns = (int64_t)llround((double)total_ns * cpu_share);
    if (job.cpu_ns > total_ns)
        job.cpu_ns = total_ns;
    int64_t waits_ns = total_ns - job.cpu_ns;
    job.before_ns = (int64_t)llround((double)waits_ns * at);
    if (job.before_ns > waits_ns)
        job.before_ns = waits_ns;
    job.after_ns = waits_ns - job.before_ns;
    return job;
}

/* ---- heaps ---------------------------------------------------------------------------- */

static bool vcpu_earlier(const struct box_part *a, const struct box_part *b)
{
    if (a->phase == PHASE_CPU && a->end_v != b->end_v)
        return a->end_v < b->end_v;
    if (a->phase != PHASE_CPU && a->wake_ns != b->wake_ns)
        return a->wake_ns < b->wake_ns;
    return a->seq < b->seq;
}

static void put_at(struct box *box, int32_t *heap, int32_t place, int32_t index)
{
    heap[place] = index;
    box->part[index].place = place;
}

static void vcpu_sift_up(struct box *box, int32_t *heap, int32_t place)
{
    int32_t index = heap[place];
    while (place > 0) {
        int32_t parent = (place - 1) / 2;
        if (!vcpu_earlier(&box->part[index], &box->part[heap[parent]]))
            break;
        put_at(box, heap, place, heap[parent]);
        place = parent;
    }
    put_at(box, heap, place, index);
}

static void vcpu_sift_down(struct box *box, int32_t *heap, int32_t count, int32_t place)
{
    int32_t index = heap[place];
    for (;;) {
        int32_t child = 2 * place + 1;
        if (child >= count)
            break;
        if (child + 1 < count &&
            vcpu_earlier(&box->part[heap[child + 1]], &box->part[heap[child]]))
            child++;
        if (!vcpu_earlier(&box->part[heap[child]], &box->part[index]))
            break;
        put_at(box, heap, place, heap[child]);
        place = child;
    }
    put_at(box, heap, place, index);
}

static void heap_push(struct box *box, int32_t index)
{
    bool cpu = box->part[index].phase == PHASE_CPU;
    int32_t *heap = cpu ? box->cpu_heap : box->wait_heap;
    int32_t place = cpu ? box->cpu_count++ : box->wait_count++;
    heap[place] = index;
    vcpu_sift_up(box, heap, place);
}

static void heap_take(struct box *box, int32_t index)
{
    bool cpu = box->part[index].phase == PHASE_CPU;
    int32_t *heap = cpu ? box->cpu_heap : box->wait_heap;
    int32_t last = cpu ? --box->cpu_count : --box->wait_count;
    int32_t place = box->part[index].place;
    if (place == last)
        return;
    int32_t moved = heap[last];
    put_at(box, heap, place, moved);
    vcpu_sift_up(box, heap, place);
    vcpu_sift_down(box, heap, last, box->part[moved].place);
}

/* ---- time ------------------------------------------------------------------------------ */

static void move_to(struct box *box, int64_t now_ns)
{
    int64_t dt_ns = now_ns - box->at_ns;
    assert(dt_ns >= 0);
    box->at_ns = now_ns;
    int32_t k = box->cpu_count, v = box->vcpus;
    if (k == 0 || dt_ns == 0)
        return;
    wide_u128 dv = (wide_u128)(uint64_t)dt_ns << V_BITS;
    box->v += k <= v ? dv : dv * (uint32_t)v / (uint32_t)k;
    box->busy_ns += dt_ns * (k < v ? k : v);
}

/* Is the first of the computing jobs at its end? */
static bool vcpu_cpu_due(const struct box *box)
{
    return box->cpu_count > 0 &&
           box->part[box->cpu_heap[0]].end_v <= box->v + ((wide_u128)1 << SLACK_BITS);
}

int64_t box_next_at(const struct box *box)
{
    int64_t next_ns = INT64_MAX;
    if (box->wait_count > 0)
        next_ns = box->part[box->wait_heap[0]].wake_ns;
    if (box->cpu_count == 0)
        return next_ns;
    int64_t cpu_at_ns = box->at_ns;
    if (!vcpu_cpu_due(box)) {
        wide_u128 need =
            box->part[box->cpu_heap[0]].end_v - box->v - ((wide_u128)1 << SLACK_BITS);
        wide_u128 per_ns = (wide_u128)1 << V_BITS;
        if (box->cpu_count > box->vcpus) {
            need *= (uint32_t)box->cpu_count;
            per_ns *= (uint32_t)box->vcpus;
        }
        wide_u128 wait_ns = (need + per_ns - 1) / per_ns;
        wide_u128 most_ns = (wide_u128)(INT64_MAX - box->at_ns);
        cpu_at_ns = wait_ns < most_ns ? box->at_ns + (int64_t)wait_ns : INT64_MAX;
    }
    return cpu_at_ns < next_ns ? cpu_at_ns : next_ns;
}

/* Into the phase that comes after `from`, as of at_ns; false: none does, the job is over. */
static bool enter_next(struct box *box, int32_t index, enum phase from)
{
    struct box_part *part = &box->part[index];
    if (from < PHASE_CPU && part->cpu_ns > 0) {
        part->phase = PHASE_CPU;
        part->end_v = box->v + ((wide_u128)(uint64_t)part->cpu_ns << V_BITS);
    } else if (from < PHASE_AFTER && part->after_ns > 0) {
        part->phase = PHASE_AFTER;
        part->wake_ns = box->at_ns + part->after_ns;
    } else {
        return false;
    }
    heap_push(box, index);
    return true;
}

static void free_part(struct box *box, int32_t index)
{
    box->part[index].phase = PHASE_FREE;
    box->part[index].place = box->free_head;
    box->free_head = index;
}

/* The part that is due at at_ns and started first; -1: none. */
static int32_t due_part(const struct box *box)
{
    int32_t due = -1;
    if (box->wait_count > 0 && box->part[box->wait_heap[0]].wake_ns <= box->at_ns)
        due = box->wait_heap[0];
    if (vcpu_cpu_due(box) &&
        (due < 0 || box->part[box->cpu_heap[0]].seq < box->part[due].seq))
        due = box->cpu_heap[0];
    return due;
}

int box_advance(struct box *box, int64_t now_ns, struct box_end *out, int cap)
{
    int count = 0;
    while (count < cap) {
        int64_t next_ns = box_next_at(box);
        if (next_ns > now_ns)
            break;
        if (next_ns > box->at_ns)
            move_to(box, next_ns);
        int32_t index = due_part(box);
        assert(index >= 0);
        struct box_part *part = &box->part[index];
        heap_take(box, index);
        if (enter_next(box, index, part->phase))
            continue;
        out[count++] = (struct box_end){index, box->at_ns, part->tag};
        free_part(box, index);
    }
    if (count < cap)
        move_to(box, now_ns);
    return count;
}

/* ---- jobs ------------------------------------------------------------------------------ */

static int32_t new_part(struct box *box)
{
    int32_t index = box->free_head;
    if (index >= 0) {
        box->free_head = box->part[index].place;
        return index;
    }
    if (box->part_count == box->part_cap) {
        int32_t cap = box->part_cap ? 2 * box->part_cap : 16;
        size_t count = (size_t)cap;
        box->part = xrealloc(box->part, count * sizeof *box->part);
        box->cpu_heap = xrealloc(box->cpu_heap, count * sizeof *box->cpu_heap);
        box->wait_heap = xrealloc(box->wait_heap, count * sizeof *box->wait_heap);
        box->part_cap = cap;
    }
    return box->part_count++;
}

int32_t box_add(struct box *box, int64_t now_ns, const struct box_job *job)
{
    assert(job->before_ns >= 0 && job->cpu_ns >= 0 && job->after_ns >= 0);
    move_to(box, now_ns);
    int32_t index = new_part(box);
    struct box_part *part = &box->part[index];
    *part = (struct box_part){
        .cpu_ns = job->cpu_ns,
        .after_ns = job->after_ns,
        .seq = box->next_seq++,
        .tag = job->tag,
    };
    if (job->before_ns == 0 && enter_next(box, index, PHASE_BEFORE))
        return index;
    /* Waits first, or has nothing to do and ends now. */
    part->phase = PHASE_BEFORE;
    part->wake_ns = now_ns + job->before_ns;
    heap_push(box, index);
    return index;
}

bool box_remove(struct box *box, int64_t now_ns, int32_t handle)
{
    if (handle < 0 || handle >= box->part_count || box->part[handle].phase == PHASE_FREE)
        return false;
    move_to(box, now_ns);
    heap_take(box, handle);
    free_part(box, handle);
    return true;
}

int64_t box_busy_ns(const struct box *box, int64_t now_ns)
{
    int32_t k = box->cpu_count < box->vcpus ? box->cpu_count : box->vcpus;
    return box->busy_ns + (now_ns - box->at_ns) * k;
}
