/* plot.c - the report's files: data, and pictures by gnuplot.
 *
 * Room: src/cost, jobqcost's command line; does I/O, starts gnuplot. */
#include "cost/cmd/report/report.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void report_escape(struct text *page, const char *plain)
{
    for (; *plain; plain++) {
        /* "57 %" stays on one line. */
        const char *entity = strncmp(plain, " %", 2) == 0 ? "&#160;"
                             : *plain == '<'              ? "&lt;"
                             : *plain == '>'              ? "&gt;"
                             : *plain == '&'              ? "&amp;"
                             : *plain == '"'              ? "&quot;"
                             : *plain == '\''             ? "&#39;"
                                                          : NULL;
        if (entity)
            text_puts(page, entity);
        else
            text_putc(page, *plain);
    }
}

static void escape_format(struct text *page, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void escape_format(struct text *page, const char *format, va_list args)
{
    char plain[1200];
    vsnprintf(plain, sizeof plain, format, args);
    report_escape(page, plain);
}

void report_say(struct report *r, const char *class, const char *format, ...)
{
    va_list args;
    if (*class)
        text_printf(&r->page, "<p class=\"%s\">", class);
    else
        text_puts(&r->page, "<p>");
    va_start(args, format);
    escape_format(&r->page, format, args);
    va_end(args);
    text_puts(&r->page, "</p>\n");
}

void report_open(struct report *r, const char *id, const char *kind, const char *title,
                 ...)
{
    va_list args;
    text_printf(&r->page, "<section id=\"%s\"><p class=\"kind\">%s</p><h2>", id, kind);
    va_start(args, title);
    escape_format(&r->page, title, args);
    va_end(args);
    text_puts(&r->page, "</h2>\n");
}

void report_close(struct report *r)
{
    text_puts(&r->page, "</section>\n");
}

void report_fold(struct report *r, const char *summary)
{
    text_puts(&r->page, "<details><summary>");
    report_escape(&r->page, summary);
    text_puts(&r->page, "</summary>\n");
}

void report_unfold(struct report *r)
{
    text_puts(&r->page, "</details>\n");
}

/* ---- tables --------------------------------------------------------------------------- */

/* One column's name, without its '#'; moves on to the next. */
static bool take_column(const char **at, bool *out_number, char name[48])
{
    const char *p = *at;
    if (!p)
        return false;
    *out_number = *p == '#';
    p += *out_number;
    size_t len = strcspn(p, "|");
    snprintf(name, 48, "%.*s", (int)(len < 47 ? len : 47), p);
    *at = p[len] ? p + len + 1 : NULL;
    return true;
}

void report_table(struct report *r, const char *head)
{
    char name[48];
    bool number;
    r->head = head;
    r->in_row = false;
    text_puts(&r->page, "<table class=\"stack\"><thead><tr>");
    for (const char *at = head; take_column(&at, &number, name);) {
        text_puts(&r->page, number ? "<th class=\"n\">" : "<th>");
        report_escape(&r->page, name);
        text_puts(&r->page, "</th>");
    }
    text_puts(&r->page, "</tr></thead><tbody>\n");
}

void report_row(struct report *r)
{
    text_puts(&r->page, r->in_row ? "</tr>\n<tr>" : "<tr>");
    r->in_row = true;
    r->column = r->head;
}

void report_cell(struct report *r, const char *format, ...)
{
    va_list args;
    char name[48] = "";
    bool number = false;
    take_column(&r->column, &number, name);
    text_puts(&r->page, number ? "<td class=\"n\" data-h=\"" : "<td data-h=\"");
    report_escape(&r->page, name);
    text_puts(&r->page, "\">");
    va_start(args, format);
    escape_format(&r->page, format, args);
    va_end(args);
    text_puts(&r->page, "</td>");
}

void report_table_end(struct report *r)
{
    text_puts(&r->page, r->in_row ? "</tr></tbody></table>\n" : "</tbody></table>\n");
}

/* ---- files ---------------------------------------------------------------------------- */

static int note_file(struct report *r, const char *name, struct jobq_error *err)
{
    if (r->files == REPORT_FILES_MAX)
        return jobq_fail(err, JOBQ_LIMIT, "the report has more than %d files",
                         REPORT_FILES_MAX);
    snprintf(r->file[r->files++], sizeof r->file[0], "%s", name);
    return JOBQ_OK;
}

int report_keep(struct report *r, const char *name, const char *text, size_t len,
                struct jobq_error *err)
{
    struct text path = {0};
    text_printf(&path, "%s/%s", r->stage, name);
    int code = note_file(r, name, err);
    if (!code)
        code = cost_write(path.ptr, text, len, err);
    text_release(&path);
    return code;
}

/* ---- gnuplot ------------------------------------------------------------------------------- */

static void put_template(struct text *script, const char *name)
{
    for (int i = 0; i < report_file_count; i++)
        if (strcmp(report_files[i].name, name) == 0)
            text_put(script, (const char *)report_files[i].bytes, report_files[i].len);
}

static void put_script(struct text *script, const char *terminal, const char *name,
                       const char *template_name, const char *settings)
{
    text_puts(script, "reset\n");
    text_puts(script, terminal);
    text_printf(script, "set output '%s'\n", name);
    put_template(script, "style.gp");
    text_printf(script, "%s\n", settings);
    put_template(script, template_name);
    text_puts(script, "\nset output\n");
}

/* Feeds the script through a pipe, in the staging folder. gnuplot's messages are dropped
 * (it warns of empty series); its exit status counts. Returns that, 127 if there is no
 * gnuplot, -1 on a fault. */
static int run_gnuplot(const char *folder, const struct text *script)
{
    int ends[2], status = 0;
    fflush(NULL);
    if (pipe(ends))
        return -1;
    pid_t child = fork();
    if (child == 0) {
        if (dup2(ends[0], 0) < 0 || chdir(folder) || !freopen("/dev/null", "w", stderr))
            _exit(126);
        close(ends[0]);
        close(ends[1]);
        execlp("gnuplot", "gnuplot", "-", (char *)NULL);
        _exit(127);
    }
    close(ends[0]);
    /* A gnuplot that is missing or stops closes its end: a failed write, not a signal. */
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    for (size_t done = 0; child > 0 && done < script->len;) {
        ssize_t n = write(ends[1], script->ptr + done, script->len - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    close(ends[1]);
    signal(SIGPIPE, before);
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

/* ---- the SVG inside the page --------------------------------------------------------- */

/* Without a colour of its own the ink (gnuplot's currentColor) is the page's, light or
 * dark; ids become the picture's own, so that several share a page; titles, which would
 * be shown as tooltips, are bits of the script. */
static void put_svg(struct text *page, const char *svg, const char *name)
{
    const struct {
        const char *from, *to;
        bool named;
    } swap[] = {
        {" color=\"black\"", "", false},
        {"rgb(1,2,3)", "currentColor", false},
        {" id=\"", " id=\"", true},
        {" id='", " id='", true},
        {"xlink:href='#", "xlink:href='#", true},
        {"xlink:href=\"#", "xlink:href=\"#", true},
        {"url(#", "url(#", true},
    };
    const char *p = strstr(svg, "<svg");
    while (p && *p) {
        size_t i = 0;
        const char *end = strncmp(p, "<title>", 7) == 0 ? strstr(p, "</title>") : NULL;
        if (end) {
            p = end + 8;
            continue;
        }
        while (i < sizeof swap / sizeof *swap &&
               strncmp(p, swap[i].from, strlen(swap[i].from)) != 0)
            i++;
        if (i == sizeof swap / sizeof *swap) {
            text_putc(page, *p++);
            continue;
        }
        text_puts(page, swap[i].to);
        if (swap[i].named)
            text_printf(page, "%s-", name);
        p += strlen(swap[i].from);
    }
}

/* Appends stage/FILE.svg and removes it. */
static int take_svg(struct report *r, const char *file, const char *class,
                    struct jobq_error *err)
{
    struct text path = {0};
    char *svg = NULL;
    size_t len;
    text_printf(&path, "%s/%s.svg", r->stage, file);
    int code = cost_read(path.ptr, &svg, &len, err);
    remove(path.ptr);
    text_release(&path);
    if (code)
        return code;
    text_printf(&r->page, "<div class=\"%s\">\n", class);
    put_svg(&r->page, svg, file);
    text_puts(&r->page, "</div>\n");
    free(svg);
    return JOBQ_OK;
}

int report_plot(struct report *r, const struct report_picture *p, struct jobq_error *err)
{
    struct text script = {0};
    char file[48], narrow[40], terminal[200];
    int height = p->height ? p->height : 450;
    snprintf(file, sizeof file, "%.24s.svg", p->name);
    snprintf(terminal, sizeof terminal,
             "set term svg size 800,%d dynamic noenhanced font 'sans-serif,14'\n"
             "NARROW = 0\n",
             height);
    put_script(&script, terminal, file, p->template, p->settings);
    snprintf(narrow, sizeof narrow, "%.24s-narrow", p->name);
    snprintf(file, sizeof file, "%s.svg", narrow);
    snprintf(terminal, sizeof terminal,
             "set term svg size 380,%d dynamic noenhanced font 'sans-serif,12'\n"
             "NARROW = 1\n",
             p->narrow_height ? p->narrow_height : 360);
    put_script(&script, terminal, file, p->template, p->settings);
    snprintf(file, sizeof file, "%.24s.png", p->name);
    snprintf(terminal, sizeof terminal,
             "set term pngcairo size 1600,%d noenhanced fontscale 2 linewidth 2 "
             "pointscale 2 background '#ffffff'\nNARROW = 0\n",
             2 * height);
    put_script(&script, terminal, file, p->template, p->settings);
    int status = run_gnuplot(r->stage, &script);
    text_release(&script);
    if (status == 127)
        return jobq_fail(err, JOBQ_UNAVAILABLE,
                         "gnuplot is not installed; the report's pictures need it");
    if (status != 0)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "gnuplot failed on '%s'", p->name);
    int code = note_file(r, file, err);
    if (code)
        return code;
    text_puts(&r->page, "<figure role=\"img\" aria-label=\"");
    report_escape(&r->page, p->alt);
    text_puts(&r->page, "\">\n");
    code = take_svg(r, p->name, "wide", err);
    if (!code)
        code = take_svg(r, narrow, "narrow", err);
    if (code)
        return code;
    text_puts(&r->page, "<figcaption>");
    report_escape(&r->page, p->alt);
    text_printf(&r->page,
                " <a href=\"%s.png\">picture</a> <a href=\"%s.csv\">data</a>"
                "</figcaption></figure>\n",
                p->name, p->name);
    return JOBQ_OK;
}
