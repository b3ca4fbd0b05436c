/* report.h - the report's sections: what each shows, its data file, its picture.
 *
 * Room:     src/cost, jobqcost's command line; does I/O through cost/cmd/report/plot.c.
 * Callers:  report.c and the sections.
 * Knows nothing of: where the page ends up; all files go to a staging folder, which
 *           cost/cmd/report.c moves into place when every section has succeeded. */
#ifndef JOBQ_COST_CMD_REPORT_REPORT_H
#define JOBQ_COST_CMD_REPORT_REPORT_H

#include "base/text.h"
#include "cost/cmd/answer.h"
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
    struct evaluation e; /* of base */
    struct answer answer;
    struct jobq_ledger *scratch;
    const char *sweep_path, *check_path, *assumed_path;
    const struct cost_many *jobs_csv, *ledgers; /* ledgers: NAME=FILE */
    const char *stage;                          /* folder that the files are made in */
    char file[REPORT_FILES_MAX][48];
    int files;
    struct text page;          /* HTML */
    const char *head, *column; /* of the table at hand */
    bool in_row;
    json_t *facts; /* report.json */
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
/* A picture: a template over the data files that were kept. */
struct report_picture {
    const char *name;     /* of its files, at most 24 bytes; its data is NAME.csv */
    const char *template; /* "pareto.gp" */
    const char *settings; /* gnuplot assignments before it */
    const char *alt;      /* what it shows, as caption and as alternative text */
    int height;           /* of the wide form, which is 800 wide; the narrow one is 380 */
    int narrow_height;
};
/* Keeps NAME.png and appends the picture as SVG in two forms, for a screen and for a phone; the
 * template sees NARROW (0 or 1). Blocks for gnuplot. UNAVAILABLE: there is no gnuplot, or it
 * failed. */
int report_plot(struct report *r, const struct report_picture *picture,
                struct jobq_error *err);
/* Opens a section; the title says the finding, `kind` what sort of section it is. */
void report_open(struct report *r, const char *id, const char *kind, const char *title,
                 ...) __attribute__((format(printf, 4, 5)));
void report_close(struct report *r);
/* What is folded until a reader opens it. */
void report_fold(struct report *r, const char *summary);
void report_unfold(struct report *r);
/* A table of columns "name|#number|...": on a phone each cell carries its column's name. Rows
 * are report_row and then one report_cell a column. The head must outlive the table. */
void report_table(struct report *r, const char *head);
void report_row(struct report *r);
void report_cell(struct report *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void report_table_end(struct report *r);
/* Dollars a million of a scenario; as evaluate_point. */
int report_point(struct report *r, const struct predict_scenario *scenario,
                 double *out_usd, double out_component[BILL_COMPONENT_COUNT],
                 struct predict_state *out_state, struct jobq_error *err);

/* ---- the sections, in the page's order; each returns JOBQ_OK or a fault */

int report_answer(struct report *r, struct jobq_error *err);   /* report/first.c */
int report_services(struct report *r, struct jobq_error *err); /* report/cent.c */
int report_maps(struct report *r, struct jobq_error *err);     /* report/maps.c */
int report_tornado(struct report *r, struct jobq_error *err);  /* report/cent.c */
int report_pareto(struct report *r, struct jobq_error *err);   /* report/pareto.c */
int report_even(struct report *r, struct jobq_error *err);     /* report/maps.c */
int report_formula(struct report *r, struct jobq_error *err);  /* report/formula_text.c */
int report_check(struct report *r, struct jobq_error *err);    /* report/formula_text.c */
int report_queue(struct report *r, struct jobq_error *err);    /* report/queue.c */
int report_capacity(struct report *r, struct jobq_error *err); /* report/queue.c */
int report_valid(struct report *r, struct jobq_error *err);    /* report/valid.c */
int report_assumed(struct report *r, struct jobq_error *err);  /* report/valid.c */
int report_source(struct report *r, struct jobq_error *err);   /* report.c */

#endif
