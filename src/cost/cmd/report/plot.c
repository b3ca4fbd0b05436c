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
        const char *entity = *plain == '<'    ? "&lt;"
                             : *plain == '>'  ? "&gt;"
                             : *plain == '&'  ? "&amp;"
                             : *plain == '"'  ? "&quot;"
                             : *plain == '\'' ? "&#39;"
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

void report_cell(struct report *r, bool number, const char *format, ...)
{
    va_list args;
    text_puts(&r->page, number ? "<td class=\"n\">" : "<td>");
    va_start(args, format);
    escape_format(&r->page, format, args);
    va_end(args);
    text_puts(&r->page, "</td>");
}

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

/* Feeds the script through a pipe, in the staging folder. What gnuplot says is of no use
 * to anyone (it warns of empty series), only its exit status is. Returns that, 127 if
 * there is no gnuplot, -1 on a fault. */
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

static int take_svg(struct report *r, const char *name, const char *alt,
                    struct jobq_error *err)
{
    struct text path = {0};
    char *svg = NULL;
    size_t len;
    text_printf(&path, "%s/%s.svg", r->stage, name);
    int code = cost_read(path.ptr, &svg, &len, err);
    remove(path.ptr);
    text_release(&path);
    if (code)
        return code;
    text_puts(&r->page, "<figure><div class=\"wide\" role=\"img\" aria-label=\"");
    report_escape(&r->page, alt);
    text_puts(&r->page, "\">\n");
    put_svg(&r->page, svg, name);
    text_puts(&r->page, "</div><figcaption>");
    report_escape(&r->page, alt);
    text_printf(&r->page,
                " <a href=\"%s.png\">picture</a> <a href=\"%s.csv\">data</a>"
                "</figcaption></figure>\n",
                name, name);
    free(svg);
    return JOBQ_OK;
}

int report_plot(struct report *r, const char *name, const char *template_name,
                const char *settings, const char *alt, struct jobq_error *err)
{
    struct text script = {0};
    char file[48];
    snprintf(file, sizeof file, "%s.svg", name);
    put_script(&script,
               "set term svg size 800,450 dynamic noenhanced font 'sans-serif,14'\n",
               file, template_name, settings);
    snprintf(file, sizeof file, "%s.png", name);
    put_script(&script,
               "set term pngcairo size 1600,900 noenhanced fontscale 2 linewidth 2 "
               "pointscale 2 background '#ffffff'\n",
               file, template_name, settings);
    int status = run_gnuplot(r->stage, &script);
    text_release(&script);
    if (status == 127)
        return jobq_fail(err, JOBQ_UNAVAILABLE,
                         "gnuplot is not installed; the report's pictures need it");
    if (status != 0)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "gnuplot failed on '%s'", name);
    int code = note_file(r, file, err);
    return code ? code : take_svg(r, name, alt, err);
}
