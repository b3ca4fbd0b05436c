/* first.c - the report's first screen: the answer, in words.
 *
 * Room: src/cost, jobqcost's command line; does I/O. */
#include "cost/cmd/report/report.h"

#include <stdio.h>
#include <string.h>

static void first_title(struct report *r, struct text *out)
{
    char usd[40];
    const struct answer *a = &r->answer;
    text_printf(out, "A million of these jobs cost %s", cost_money(a->usd, usd, 40));
    if (a->services > 0 && a->usd > 0)
        text_printf(out, "; %.0f %% of it is %s", 100 * a->service[0].usd / a->usd,
                    a->service[0].name);
    if (a->status.found)
        text_printf(out, "; with %s they cost %s", a->status.how,
                    cost_money(a->status.usd, usd, 40));
}

int report_answer(struct report *r, struct jobq_error *err)
{
    const char *label;
    struct text line = {0};
    char name[120];
    (void)err;
    text_puts(&r->page,
              "<section id=\"answer\"><p class=\"kind\">What a job costs</p><h1>");
    first_title(r, &line);
    report_escape(&r->page, line.ptr);
    text_puts(&r->page, "</h1>\n<p class=\"answer\">");
    text_clear(&line);
    answer_sentence(&r->answer, &line);
    report_escape(&r->page, line.ptr);
    text_puts(&r->page, "</p>\n<dl>\n");
    for (int i = 0; answer_line(&r->answer, &r->base, i, &label, &line); i++) {
        text_puts(&r->page, "<dt>");
        report_escape(&r->page, label);
        text_puts(&r->page, "</dt><dd>");
        report_escape(&r->page, line.ptr);
        text_puts(&r->page, "</dd>\n");
    }
    text_puts(&r->page, "</dl>\n");
    text_release(&line);
    report_say(r, "note", "Prices: %s. Formula: %s.%s%s",
               cost_sheet_title(r->sheet, name, sizeof name), r->cli->formula_name,
               r->e.value.fitted && r->e.value.outside > 0
                   ? " Outside its domain, so the interval is widened: "
                   : "",
               r->e.value.fitted && r->e.value.outside > 0 ? r->e.value.outside_of : "");
    report_close(r);
    json_object_set_new(r->facts, "per_million_usd", json_real(r->answer.usd));
    json_object_set_new(r->facts, "interval95_per_million_usd",
                        json_pack("[f,f]", r->answer.low, r->answer.high));
    json_object_set_new(r->facts, "answer", answer_json(&r->answer));
    return JOBQ_OK;
}
