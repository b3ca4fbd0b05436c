/* timeline_svg.c - a timeline as one picture. See timeline.h.
 *
 * Room:     sim.
 *
 * One row an entry, time downwards but not to scale (calls take milliseconds, visibility
 * timeouts seconds), a lane for each process. An attempt is a bar from its start to its end. Of
 * a gap of more than a second the length is written between the rows. No script, no font and
 * no address from outside; light and dark by the reader's own setting. */
#include "sim/torture/timeline.h"

#include "base/arena.h"
#include "jobq/units.h"

#include <stdlib.h>
#include <string.h>

enum { TOP = 92, ROW = 22, GAP = 16, LEFT = 84, LANE = 310, MARGIN = 20 };

static const char STYLE[] =
    "<style>svg{background:#fff;color:#1b1f24;font:13px system-ui,sans-serif}"
    "text{fill:currentColor}.q{fill:#6a737d}.l{stroke:#c8cdd3}.f{fill:#b42318}"
    ".c{fill:#2f6feb}.x{fill:#b42318}.b{fill:#2f6feb;opacity:.18}.h{font-weight:600}"
    "@media(prefers-color-scheme:dark){svg{background:#14171a;color:#e6e8ea}"
    ".q{fill:#9aa4ae}.l{stroke:#3a4148}.f{fill:#ff8a7a}.x{fill:#ff8a7a}"
    ".c{fill:#79a8ff}.b{fill:#79a8ff;opacity:.25}}</style>\n";

struct picture {
    const struct timeline *timeline;
    const int64_t *index;
    int count;
    int *y;     /* of each entry */
    int *place; /* of each lane, from the left; -1: nothing happened there */
    int lanes, height;
};

static void put_xml(struct text *out, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '<':
            text_puts(out, "&lt;");
            break;
        case '>':
            text_puts(out, "&gt;");
            break;
        case '&':
            text_puts(out, "&amp;");
            break;
        case '"':
            text_puts(out, "&quot;");
            break;
        default:
            text_putc(out, (unsigned char)*s < ' ' ? ' ' : *s);
        }
}

static const struct timeline_entry *picture_at(const struct picture *p, int i)
{
    return timeline_at(p->timeline, p->index[i]);
}

/* Lanes without an entry are left out. Faults that belong to no process have the first. */
static void picture_lay_out(struct picture *p)
{
    int lanes = timeline_lanes(p->timeline), y = TOP;
    p->place = xmalloc((size_t)(lanes + 1) * sizeof *p->place);
    p->y = xmalloc((size_t)(p->count + 1) * sizeof *p->y);
    for (int lane = -1; lane < lanes; lane++) {
        p->place[lane + 1] = -1;
        for (int i = 0; i < p->count && p->place[lane + 1] < 0; i++)
            if (picture_at(p, i)->lane == lane)
                p->place[lane + 1] = p->lanes++;
    }
    for (int i = 0; i < p->count; i++) {
        int64_t before_ns = i ? picture_at(p, i - 1)->at_ns : picture_at(p, 0)->at_ns;
        y += i && picture_at(p, i)->at_ns - before_ns > JOBQ_NS_PER_S ? ROW + GAP : ROW;
        p->y[i] = y;
    }
    p->height = y + ROW + MARGIN;
}

static int picture_x(const struct picture *p, int lane)
{
    return LEFT + MARGIN + p->place[lane + 1] * LANE;
}

static void put_lanes(const struct picture *p, struct text *out)
{
    for (int lane = -1; lane < timeline_lanes(p->timeline); lane++) {
        int x = picture_x(p, lane);
        if (p->place[lane + 1] < 0)
            continue;
        text_printf(out,
                    "<line class=\"l\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>"
                    "<text class=\"h\" x=\"%d\" y=\"%d\">",
                    x, TOP, x, p->height - MARGIN, x - 4, TOP - 10);
        put_xml(out, lane < 0 ? "faults" : timeline_lane_name(p->timeline, lane));
        text_puts(out, "</text>\n");
    }
}

/* From an attempt's start to its end, or to the end of what is shown. */
static void put_attempts(const struct picture *p, struct text *out)
{
    for (int i = 0; i < p->count; i++) {
        const struct timeline_entry *e = picture_at(p, i);
        int end = i;
        if (e->kind != TIMELINE_START)
            continue;
        for (int k = i + 1; k < p->count; k++) {
            const struct timeline_entry *other = picture_at(p, k);
            bool gone = other->lane == e->lane && other->kind == TIMELINE_WORD &&
                        other->job < 0 && other->failed;
            end = k;
            if (gone || (other->lane == e->lane && other->job == e->job &&
                         other->kind == TIMELINE_END))
                break;
        }
        text_printf(out,
                    "<rect class=\"b\" x=\"%d\" y=\"%d\" width=\"16\" height=\"%d\" "
                    "rx=\"4\"/>\n",
                    picture_x(p, e->lane) - 8, p->y[i] - 4, p->y[end] - p->y[i] + 8);
    }
}

static void put_gap(const struct picture *p, int i, struct text *out)
{
    char took[24];
    int64_t ns = picture_at(p, i)->at_ns - picture_at(p, i - 1)->at_ns;
    if (ns <= JOBQ_NS_PER_S)
        return;
    text_printf(out, "<text class=\"q\" x=\"%d\" y=\"%d\" text-anchor=\"end\">+%s</text>",
                LEFT, p->y[i] - ROW / 2 - GAP / 2 + 3,
                jobq_format_duration(ns / (JOBQ_NS_PER_S / 10) * (JOBQ_NS_PER_S / 10),
                                     took, sizeof took));
}

static void put_entry(const struct picture *p, int i, struct text *out)
{
    const struct timeline_entry *e = picture_at(p, i);
    int x = picture_x(p, e->lane), y = p->y[i];
    if (i)
        put_gap(p, i, out);
    text_printf(
        out, "<text class=\"q\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%.3f</text>", LEFT,
        y + 4, (double)(e->at_ns - timeline_at(p->timeline, 0)->at_ns) / 1e9);
    if (e->failed)
        text_printf(
            out,
            "<path class=\"x\" d=\"M%d %dl4 -4 2 2-4 4 4 4-2 2-4-4-4 4-2-2 4-4-4-4 "
            "2-2z\"/>",
            x, y - 2);
    else
        text_printf(out, "<circle class=\"c\" cx=\"%d\" cy=\"%d\" r=\"4\"/>", x, y);
    text_printf(out, "<text%s x=\"%d\" y=\"%d\">", e->failed ? " class=\"f\"" : "",
                x + 14, y + 4);
    if (e->job >= 0)
        text_printf(out, "j%d ", e->job + 1);
    put_xml(out, e->what);
    if (e->result[0] && strcmp(e->result, "ok") != 0) {
        text_puts(out, ": ");
        put_xml(out, e->result);
    }
    text_puts(out, "</text>\n");
}

/* The finding, in lines that fit. */
static void put_head(const char *title, const char *finding, int width, struct text *out)
{
    size_t most = (size_t)(width - 2 * MARGIN) / 7, len = strlen(finding);
    text_printf(out, "<text class=\"h\" x=\"%d\" y=\"28\">", MARGIN);
    put_xml(out, title);
    text_puts(out, "</text>\n");
    for (int line = 0; line < 2 && len > 0; line++) {
        char part[400];
        size_t cut = len < most ? len : most;
        while (cut < len && cut > most / 2 && finding[cut] != ' ')
            cut--;
        cut = cut < sizeof part - 1 ? cut : sizeof part - 1;
        memcpy(part, finding, cut);
        part[cut] = '\0';
        text_printf(out, "<text class=\"f\" x=\"%d\" y=\"%d\">", MARGIN, 48 + 18 * line);
        put_xml(out, part);
        text_puts(out, "</text>\n");
        finding += cut;
        len -= cut;
    }
}

void timeline_svg(struct timeline *t, const char *title, const char *finding, int most,
                  struct text *out)
{
    int64_t *index;
    struct picture p = {.timeline = t};
    p.count = timeline_select(t, finding, most, &index);
    p.index = index;
    picture_lay_out(&p);
    int width = LEFT + 2 * MARGIN + (p.lanes > 2 ? p.lanes : 2) * LANE;
    text_printf(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                "viewBox=\"0 0 %d %d\" role=\"img\">\n<title>",
                width, p.height, width, p.height);
    put_xml(out, title);
    text_puts(out, "</title>\n");
    text_puts(out, STYLE);
    put_head(title, finding, width, out);
    put_lanes(&p, out);
    put_attempts(&p, out);
    for (int i = 0; i < p.count; i++)
        put_entry(&p, i, out);
    text_puts(out, "</svg>\n");
    free(index);
    free(p.y);
    free(p.place);
}
