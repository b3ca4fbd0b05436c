/* report.h - the report's sections: what each shows, its data file, its picture.
 *
 * Room:     src/cost, jobqcost's command line; does I/O through cost/cmd/report/plot.c.
 * Callers:  cli_report*.c.
 * Knows nothing of: where the page ends up; all files go to a staging folder, which
 *           cost/cmd/report.c moves into place when every section has succeeded. */
#ifndef JOBQ_COST_CMD_REPORT_REPORT_H
#define JOBQ_COST_CMD_REPORT_REPORT_H

#include "base/text.h"
#include "cost/cmd/shared.h"
#include "cost/search/search.h"

#define REPORT_FILES_MAX 64

/* The templates and the style sheet that are compiled in (reports/). */
struct report_file {
    const char *name; /* "pareto.gp" */
    const unsigned char *bytes;
    size_t len;
};
extern const struct report_file report_files[];
extern const int report_file_count;

struct report {
    struct cost *cli;
    const struct sheet *sheet;
    struct evaluate_context context;
    struct predict_scenario base;
    struct jobq_ledger *scratch;
    const char *sweep_path, *check_path, *assumed_path;
    const struct cost_many *jobs_csv;
    const char *stage; /* folder that the files are made in */
    char file[REPORT_FILES_MAX][48];
    int files;
    struct text page; /* HTML */
    json_t *facts;    /* report.json */
};

/* ---- the page and the files (cost/cmd/report/plot.c, cost/cmd/report.c) */

/* Appends plain text with <, >, & and quotes escaped. */
void report_escape(struct text *page, const char *plain);
/* A paragraph of class `class` ("" for none), escaped. */
void report_say(struct report *r, const char *class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Writes stage/NAME. Returns JOBQ_OK; LIMIT, DENIED. */
int report_keep(struct report *r, const char *name, const char *text, size_t len,
                struct jobq_error *err);
/* Runs gnuplot on a template over the data files that were kept, with `settings` (gnuplot
 * assignments) before it. Keeps NAME.png and appends NAME's SVG, described by `alt`.
 * Blocks for gnuplot. UNAVAILABLE: there is no gnuplot, or it failed. */
int report_plot(struct report *r, const char *name, const char *template_name,
                const char *settings, const char *alt, struct jobq_error *err);
/* One HTML cell. */
void report_cell(struct report *r, bool number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Dollars a million of a scenario; as evaluate_point. */
int report_point(struct report *r, const struct predict_scenario *scenario,
                 double *out_usd, double out_component[BILL_COMPONENT_COUNT],
                 struct predict_state *out_state, struct jobq_error *err);

/* ---- the sections, in the page's order; each returns JOBQ_OK or a fault */

int report_answer(struct report *r,
                  struct jobq_error *err); /* cost/cmd/report/pareto.c */
int report_pareto(struct report *r, struct jobq_error *err);  /* with the tiles */
int report_maps(struct report *r, struct jobq_error *err);    /* cost/cmd/report/maps.c */
int report_cent(struct report *r, struct jobq_error *err);    /* cost/cmd/report/cent.c */
int report_tornado(struct report *r, struct jobq_error *err); /* cost/cmd/report/cent.c */
int report_even(struct report *r, struct jobq_error *err);    /* cost/cmd/report/maps.c */
int report_formula(struct report *r,
                   struct jobq_error *err); /* cost/cmd/report/formula_text.c */
int report_check(struct report *r,
                 struct jobq_error *err); /* cost/cmd/report/formula_text.c */
int report_queue(struct report *r, struct jobq_error *err); /* cost/cmd/report/queue.c */
int report_capacity(struct report *r,
                    struct jobq_error *err); /* cost/cmd/report/queue.c */
int report_assumed(struct report *r,
                   struct jobq_error *err);                  /* cost/cmd/report/queue.c */
int report_source(struct report *r, struct jobq_error *err); /* cost/cmd/report.c */

#endif
