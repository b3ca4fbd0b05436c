/* round.c - whose turn is it to keep house? See housekeeping.h.
 *
 * Room:     src/fleet, the product.
 *
 * Every drainer asks once in its first half hour, about once an hour after that, and when it
 * ends early because nothing is left to do; an ask is one read. The one that finds the last
 * round an hour old and replaces the note does the work, and the others read that it is
 * done. A round that dies is made good by the next. Old days are repaired once a day, the
 * last two in each round. */
#include "fleet/housekeeping/housekeeping.h"

#include "base/text.h"
#include "fleet/port/scratch.h"
#include "fleet/rows/rows.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { NOTE_MAX = 64 };

/* "WALL_MS DRAINER". */
static int64_t time_of(struct jobq_str note)
{
    int64_t ms;
    const char *end = note.len ? memchr(note.ptr, ' ', (size_t)note.len) : NULL;
    struct jobq_str word = {note.ptr, end ? end - note.ptr : note.len};
    return note.len && str_to_int(word, &ms) ? ms * JOBQ_NS_PER_MS : 0;
}

/* 1: there are rows of a day before this one, or may be. */
static int has_old_day(const struct housekeeping *h, struct arena *arena,
                       struct jobq_error *err)
{
    int64_t deadline_ns = jobq_now(h->b) + 10 * JOBQ_NS_PER_S, all;
    struct rows rows = {h->b, &deadline_ns, NULL};
    struct jobq_table *table;
    int count = rows_list_tables(&rows, h->queue_name, arena, &table, &all, err);
    int64_t today = jobq_wall(h->b) / JOBQ_NS_PER_DAY;
    for (int i = 0; i < count; i++)
        if (table[i].day == JOBQ_DAY_ALL || (table[i].day > 0 && table[i].day < today))
            return 1;
    return count < 0 ? count : 0;
}

/* 1: ours, and *last_wall_ns is when the one before began; 0: there was none. */
static int take_turn(const struct housekeeping *h, int64_t every_ns, int64_t lived_ns,
                     struct jobq_str drainer, int64_t *last_wall_ns,
                     struct jobq_error *err)
{
    struct rows rows = {.b = h->b};
    struct scratch *scratch = scratch_take(h->b);
    struct jobq_str before;
    char after[NOTE_MAX];
    int64_t wall_ns = jobq_wall(h->b);
    int code = rows_turn_read(&rows, h->queue_name, &scratch->arena, &before, err);
    *last_wall_ns = code == JOBQ_OK ? time_of(before) : 0;
    /* A note of the future is a clock that was wrong. */
    bool due = *last_wall_ns + every_ns <= wall_ns || *last_wall_ns > wall_ns + every_ns;
    if (code == JOBQ_OK && before.len == 0 && lived_ns < every_ns / 2) {
        code = has_old_day(h, &scratch->arena, err);
        due = code == 1;
        code = code == 1 ? JOBQ_OK : code;
    }
    if (code == JOBQ_OK && due) {
        char *p = after + text_write_int(after, wall_ns / JOBQ_NS_PER_MS);
        *p++ = ' ';
        memcpy(p, drainer.ptr, (size_t)drainer.len);
        struct jobq_str note = {after, p + drainer.len - after};
        code = rows_turn_take(&rows, h->queue_name, before, note, err);
        if (code == JOBQ_CONFLICT)
            code = JOBQ_OK;
        else if (code == JOBQ_OK)
            code = 1;
    }
    scratch_give(h->b, scratch);
    return code;
}

int housekeeping_round(const struct housekeeping *h, int64_t every_ns, int64_t lived_ns,
                       struct jobq_str drainer, int64_t *next_ns,
                       struct housekeeping_done *done, struct jobq_error *err)
{
    assert(h && h->b && h->b->store && every_ns > 0 && next_ns && done && err);
    int64_t last_wall_ns, wall_ns = jobq_wall(h->b);
    int turn = take_turn(h, every_ns, lived_ns, drainer, &last_wall_ns, err);
    *done = (struct housekeeping_done){0};
    /* Ours or not: the next is due an hour after the last began. */
    int64_t since_ns = wall_ns - last_wall_ns;
    *next_ns = turn == 0 && since_ns >= 0 && since_ns < every_ns ? every_ns - since_ns
               : turn == 0 && last_wall_ns == 0                  ? every_ns / 2
                                                                 : every_ns;
    if (turn <= 0)
        return turn;
    bool first_today = last_wall_ns / JOBQ_NS_PER_DAY != wall_ns / JOBQ_NS_PER_DAY;
    int from_day = first_today ? 0 : (int)(wall_ns / JOBQ_NS_PER_DAY) - 1;
    int code = housekeeping_prune(h, done, err);
    if (code < 0)
        return code;
    /* A queue that is not empty now is not waited for. */
    code = housekeeping_repair(h, from_day, jobq_now(h->b), done, err);
    return code < 0 && code != JOBQ_TIMEOUT ? code : 1;
}

int housekeeping_make_room(const struct housekeeping *h, struct housekeeping_done *done,
                           struct jobq_error *err)
{
    struct rows rows = {.b = h->b};
    struct scratch *scratch = scratch_take(h->b);
    struct jobq_str note;
    int code = rows_turn_read(&rows, h->queue_name, &scratch->arena, &note, err);
    int64_t since_ns = code == JOBQ_OK ? jobq_wall(h->b) - time_of(note) : 0;
    scratch_give(h->b, scratch);
    *done = (struct housekeeping_done){0};
    if (code < 0 || (since_ns >= 0 && since_ns < JOBQ_NS_PER_DAY))
        return code;
    return housekeeping_prune(h, done, err);
}

void housekeeping_say(const struct housekeeping_done *done, bool dry_run, char *out,
                      int cap)
{
    assert(done && out && cap > 0);
    const struct {
        int64_t count;
        const char *did, *what, *after;
        bool would;
    } parts[] = {
        {done->freed, "freed", "key", "", dry_run},
        {done->dropped, "dropped", "table", " of old days", dry_run},
        {done->sent, "sent", "missing message", "", dry_run},
        {done->kept, "kept", "table", " of old days for live rows", dry_run},
        {done->unreadable, "left", "row", " that cannot be read", false},
    };
    int len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].count && len < cap)
            len += snprintf(out + len, (size_t)(cap - len), "%s%s%s %lld %s%s%s",
                            len ? ", " : "", parts[i].would ? "would have " : "",
                            parts[i].did, (long long)parts[i].count, parts[i].what,
                            parts[i].count == 1 ? "" : "s", parts[i].after);
}
