/* page_parts.c - the pieces of HTML that pages are made of. See page_text.h.
 *
 * Room:     src/fleet, the product. Pure. */
#include "fleet/status/page_text.h"

#include "jobq/units.h"

#include <assert.h>

void page_cell(struct text *out, const char *value)
{
    text_puts(out, "<td>");
    page_put_html(out, str_of(value));
    text_puts(out, "</td>");
}

void page_cell_int(struct text *out, int64_t value)
{
    text_puts(out, "<td class=d>");
    text_put_int(out, value);
    text_puts(out, "</td>");
}

void page_cell_age(struct text *out, int64_t ns)
{
    text_puts(out, "<td class=d>");
    page_put_age(out, ns);
    text_puts(out, "</td>");
}

void page_row(struct text *out, struct jobq_str value, bool here)
{
    text_puts(out, "<tr><th scope=row>");
    page_put_html(out, value);
    if (here)
        text_puts(out, " (this box)");
    text_puts(out, "</th>");
}

void page_row_job(const struct page_look *look, struct text *out, struct jobq_str id)
{
    struct job_id_parts parts;
    struct jobq_error err;
    if (!look->asks || job_id_parse(id, &parts, &err) < 0) {
        page_row(out, id, false);
        return;
    }
    text_puts(out, "<tr><th scope=row><a href=\"/jobs/");
    page_put_html(out, id);
    text_puts(out, "\">");
    page_put_html(out, id);
    text_puts(out, "</a></th>");
}

void page_table(struct text *out, const char *caption, const char *heads)
{
    text_puts(out, "<h2>");
    text_puts(out, caption);
    text_puts(out, "</h2><div class=t><table><thead><tr><th scope=col>");
    for (const char *p = heads; *p; p++)
        if (*p == '|')
            text_puts(out, "</th><th scope=col>");
        else if (*p == '#')
            text_puts(out, "</th><th scope=col class=d>");
        else
            text_putc(out, *p);
    text_puts(out, "</th></tr></thead><tbody>");
}

void page_table_end(struct text *out)
{
    text_puts(out, "</tbody></table></div>");
}

void page_say(struct text *out, const char *class, const char *text)
{
    text_puts(out, "<p");
    if (class)
        text_printf(out, " class=%s", class);
    text_puts(out, ">");
    page_put_html(out, str_of(text));
    text_puts(out, "</p>");
}

/* ---- head and foot ------------------------------------------------------------------- */

static void refresh(const struct page_look *look, struct text *out)
{
    text_puts(out, look->alone ? "" : "<noscript>");
    text_puts(out, "<meta http-equiv=refresh content=");
    text_put_int(out, look->refresh_s);
    text_puts(out, look->alone ? ">" : "></noscript>");
}

static void about_box(const struct status_view *view, struct text *out)
{
    if (!view->self.id[0])
        return;
    text_puts(out, "Box ");
    page_put_html(out, str_of(view->self.id));
    text_puts(out, ", ");
    page_put_html(out, str_of(view->self.type));
    text_puts(out, " in ");
    page_put_html(out, str_of(view->self.zone));
    text_puts(out, view->self.spot ? ", spot. " : ", on demand. ");
}

void page_head(const struct page_look *look, const char *title, struct text *out)
{
    const struct status_view *view = look->view;
    text_puts(out, "<!doctype html><html lang=en><head><meta charset=utf-8>"
                   "<meta name=viewport content=\"width=device-width,initial-scale=1\">");
    if (!title)
        refresh(look, out);
    text_puts(out, "<title>");
    page_put_html(out, str_of(view->queue));
    if (title)
        text_printf(out, " - %s", title);
    text_puts(out, " - jobq</title>");
    if (look->alone) {
        text_puts(out, "<style>");
        text_puts(out, page_style);
        text_puts(out, "</style>");
    } else {
        text_puts(out, "<link rel=stylesheet href=\"/page.css\">");
        if (!title)
            text_puts(out, "<script src=\"/page.js\" defer></script>");
    }
    text_puts(out, "</head><body><header><h1>");
    text_puts(out, title ? "<a href=\"/\">Queue " : "Queue ");
    page_put_html(out, str_of(view->queue));
    text_puts(out, title ? "</a></h1>" : "</h1>");
    text_puts(out, title ? "" : "<p class=m>");
    if (!title) {
        about_box(view, out);
        text_puts(out, "Updated <span id=updated>");
        page_put_time(out, view->taken_wall_ns);
        text_puts(out, "</span>, services asked every ");
        text_put_int(out, look->refresh_s);
        text_puts(out, " s. <span id=live></span> <a href=\"/status.json\">JSON</a> "
                       "<a href=\"/metrics\">metrics</a></p>");
    }
    text_puts(out, "</header>");
    if (!title && look->asks)
        page_search(out);
    text_puts(out, title ? "<main>" : "<main id=page>");
}

void page_foot(struct text *out)
{
    text_puts(out, "</main></body></html>\n");
}

/* ---- forms --------------------------------------------------------------------------- */

void page_search(struct text *out)
{
    text_puts(out,
              "<form action=\"/jobs\" method=get role=search><label for=id>Job</label>"
              "<input id=id name=id maxlength=120 size=32 placeholder=\"a job's id\" "
              "autocomplete=off><button>Show</button></form>"
              "<form action=\"/failures\" method=get><button>Failed and dead "
              "jobs</button></form>");
}

static void button(struct text *out, const char *path, const char *label)
{
    text_printf(out, "<form action=\"%s\" method=post><button>%s</button></form>", path,
                label);
}

static void spawn_form(const struct status_view *view, struct text *out)
{
    text_puts(out, "<form action=\"/spawn\" method=get><label>Start <input name=count "
                   "type=number min=1 max=500 value=1 size=4></label>"
                   "<input name=type size=12 maxlength=23 placeholder=");
    text_puts(out, "\"");
    page_put_html(out, str_of(view->self.type[0] ? view->self.type : "type"));
    text_puts(out, "\"><label><input name=spot type=checkbox value=1> spot</label>"
                   "<button>Spawn...</button></form>");
}

void page_actions(const struct page_look *look, struct text *out)
{
    const struct status_view *view = look->view;
    text_puts(out, "<h2>Actions</h2><div>");
    button(out, "/quiet", "Quiet this box");
    button(out, "/resume", "Resume");
    text_puts(out,
              "<form action=\"/slots\" method=post><button name=by value=-1>One slot "
              "fewer</button><button name=by value=1>One slot more</button></form>");
    if (look->spawns)
        spawn_form(view, out);
    if (view->self.id[0])
        text_puts(out, "<form action=\"/seppuku\" method=get><button class=x>Seppuku: "
                       "drain and end this box...</button></form>");
    text_puts(out, "</div>");
}
