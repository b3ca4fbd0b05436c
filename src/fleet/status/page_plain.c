/* page_plain.c - the status page as plain text for a terminal. See page.h.
 *
 * Room:     src/fleet, the product. Pure. */
#include "fleet/status/page.h"

#include "fleet/status/page_text.h"

#include <assert.h>
#include <string.h>

enum { WIDTH = PAGE_PLAIN_WIDTH, IN_A_ROW = 3, TILE = 25, ID = 34, FAILURES_SHOWN = 6 };

/* The first `width` characters, filled up with blanks: on the left of a number. 0: all of it. */
static void plain_put(struct text *out, struct jobq_str value, int width)
{
    int64_t len = value.ptr ? value.len : 0;
    int64_t most = width == 0 ? len : width < 0 ? -width : width;
    if (len > most)
        len = most;
    for (int64_t i = len; width < 0 && i < most; i++)
        text_putc(out, ' ');
    for (int64_t i = 0; i < len; i++)
        text_putc(out, page_shown(value.ptr[i]));
    for (int64_t i = len; width > 0 && i < most; i++)
        text_putc(out, ' ');
}

static void plain_word(struct text *out, const char *value, int width)
{
    plain_put(out, str_of(value), width);
    text_putc(out, ' ');
}

static void plain_int(struct text *out, int64_t value, int width)
{
    char digits[24];
    digits[text_write_int(digits, value)] = '\0';
    plain_word(out, digits, -width);
}

static void plain_age(struct text *out, int64_t ns, int width)
{
    struct text age = {0};
    page_put_age(&age, ns);
    plain_word(out, age.ptr, -width);
    text_release(&age);
}

/* The end of a long one tells jobs of a queue apart. */
static void plain_id(struct text *out, struct jobq_str id)
{
    int64_t cut = id.len > ID ? id.len - ID : 0;
    plain_put(out, (struct jobq_str){id.ptr + cut, id.len - cut}, ID);
    text_putc(out, ' ');
}

/* A cell at a line's end: nothing behind it is filled up. */
static void plain_last(struct text *out, const char *value)
{
    plain_put(out, str_of(value), 0);
    while (out->len > 0 && out->ptr[out->len - 1] == ' ')
        out->ptr[--out->len] = '\0';
    text_putc(out, '\n');
}

/* Broken between words, so that no line is longer than a terminal is wide. */
static void plain_say(struct text *out, const char *before, const char *says)
{
    int64_t at = 0;
    struct text all = {0};
    text_puts(&all, before);
    text_puts(&all, says);
    for (const char *word = all.ptr; *word;) {
        int64_t len = (int64_t)strcspn(word, " ");
        if (at > 0 && at + 1 + len > WIDTH) {
            text_putc(out, '\n');
            at = 0;
        }
        if (at > 0)
            text_putc(out, ' ');
        plain_put(out, (struct jobq_str){word, len}, 0);
        at += len + (at > 0);
        word += len + (word[len] == ' ');
    }
    text_putc(out, '\n');
    text_release(&all);
}

/* The number whole, and as much of its name as there is room for. */
static void plain_tile(struct text *out, const struct page_tile *tile)
{
    const char *value = tile->value[0] ? tile->value : "-";
    int left = TILE - 1 - (int)strlen(value);
    plain_word(out, tile->label, left > 1 ? left : 1);
    plain_word(out, value, 0);
}

static void plain_tiles(const struct page_look *look, struct text *out)
{
    struct page_tile tile[PAGE_TILES_MAX];
    int count = page_tiles(look, tile), rows = (count + IN_A_ROW - 1) / IN_A_ROW;
    for (int row = 0; row < rows; row++) {
        for (int i = row; i < count; i += rows) {
            text_puts(out, i == row ? "" : " ");
            plain_tile(out, &tile[i]);
        }
        plain_last(out, "");
    }
}

static void plain_problems(const struct page_look *look, struct text *out)
{
    const struct status_view *view = look->view;
    char says[200];
    status_why(view, says, sizeof says);
    if (says[0])
        plain_say(out, "Why do jobs wait? ", says);
    if (view->depth_known && status_is_stale(view)) {
        struct text age = {0};
        page_put_age(&age, view->taken_wall_ns - view->read_wall_ns);
        plain_say(out, "Stale: the queue's counts are so old: ", age.ptr);
        text_release(&age);
    }
    if (view->problem[0])
        plain_say(out, "Not everything could be read: ", view->problem);
    if (look->local && look->local->view.trouble[0])
        plain_say(out, "Trouble: ", look->local->view.trouble);
}

static void plain_slots(const struct page_local *local, struct text *out)
{
    text_puts(out, "\nRUNNING HERE                       KIND   ATTEMPT        FOR"
                   " RETURNS IN PROGRESS\n");
    for (int i = 0; i < local->slot_count; i++) {
        const struct drainer_slot *slot = &local->slot[i];
        plain_id(out, slot->job_id);
        plain_word(out, job_kind_name(slot->kind), 6);
        plain_int(out, slot->attempt, 7);
        plain_age(out, local->now_ns - slot->started_at_ns, 10);
        plain_age(out, slot->visible_at_ns - local->now_ns, 10);
        if (slot->progress_percent >= 0)
            text_printf(out, "%d %%", slot->progress_percent);
        plain_last(out, "");
    }
}

static void plain_failures(const struct page_failures *failures, int64_t wall_ns,
                           struct text *out)
{
    text_puts(out, "\nFAILED HERE                        STATE  ATTEMPT EXIT        AGO"
                   " WHY\n");
    for (int64_t i = failures->count - 1; i >= 0 && i >= failures->count - FAILURES_SHOWN;
         i--) {
        const struct page_failure *one = &failures->of[i % PAGE_FAILURES];
        plain_id(out, str_of(one->id));
        plain_word(out, job_state_name(one->state), 6);
        plain_int(out, one->attempt, 7);
        plain_int(out, one->exit_code, 4);
        plain_age(out, wall_ns - one->at_wall_ns, 10);
        plain_word(out, one->why, 14);
        plain_last(out, "");
    }
}

static void plain_drainers(const struct status_view *view, struct text *out)
{
    text_puts(out, "\nDRAINER      BOX                 SLOTS   BUSY   HELD     DONE"
                   "   FAILED  SEEN AGO\n");
    for (int i = 0; i < view->drainer_count; i++) {
        const struct status_drainer *one = &view->drainer[i];
        plain_word(out, one->id, 12);
        plain_word(out, one->box, 19);
        plain_int(out, one->slots, 5);
        plain_int(out, one->busy, 6);
        plain_int(out, one->held, 6);
        plain_int(out, one->done, 8);
        plain_int(out, one->failed, 8);
        plain_age(out, view->taken_wall_ns - one->seen_wall_ns, 9);
        plain_last(out, "");
    }
}

static void plain_boxes(const struct status_view *view, struct text *out)
{
    text_puts(out, "\nBOX                 TYPE         STATE       UP FOR SLOTS  BUSY"
                   "  LAST WORD NOTE\n");
    for (int i = 0; i < view->box_count; i++) {
        const struct status_box *one = &view->box[i];
        int64_t ago_ns = view->taken_wall_ns - one->seen_wall_ns;
        plain_word(out, one->id, 19);
        plain_word(out, one->type, 12);
        plain_word(out, page_box_state_name(one->state), 8);
        plain_age(out, view->taken_wall_ns - one->launched_wall_ns, 9);
        plain_int(out, one->slots, 5);
        plain_int(out, one->busy, 5);
        if (one->seen_wall_ns)
            plain_age(out, ago_ns, 10);
        else
            plain_word(out, "none", -10);
        plain_last(out, one->notice_wall_ns > view->taken_wall_ns      ? "leaves"
                        : one->seen_wall_ns && ago_ns >= PAGE_STALE_NS ? "silent"
                        : one->here                                    ? "here"
                                                                       : "");
    }
}

void page_plain(const struct page_look *look, struct text *out)
{
    assert(look && look->view && out);
    const struct status_view *view = look->view;
    text_puts(out, "Queue ");
    plain_word(out, view->queue, 49);
    page_put_time(out, view->taken_wall_ns);
    text_putc(out, '\n');
    plain_tiles(look, out);
    plain_problems(look, out);
    if (look->local && look->local->slot_count > 0)
        plain_slots(look->local, out);
    if (look->local && look->local->failures && look->local->failures->count > 0)
        plain_failures(look->local->failures, view->taken_wall_ns, out);
    if (view->drainer_count > 0)
        plain_drainers(view, out);
    if (view->box_count > 0)
        plain_boxes(view, out);
}
