/* answer.h - what one says first when asked what these jobs cost.
 *
 * Room:     src/cost, jobqcost's command line.
 * Callers:  eval and the report; compare names services by it.
 * Knows nothing of: how a page or a table looks.
 * Units:    dollars a million finished jobs, unless a name says otherwise.
 *
 * Every dollar figure names what it counts (`counts`): one job more, jobs that keep coming, or
 * a whole run; with or without EC2. */
#ifndef JOBQ_COST_CMD_ANSWER_H
#define JOBQ_COST_CMD_ANSWER_H

#include "cost/cmd/shared.h"
#include "cost/search/search.h"

#include "base/text.h"

struct answer_service {
    const char *name; /* "SimpleDB", "EC2" */
    double usd;
};

/* Other settings for the same jobs. */
struct answer_change {
    bool found;     /* it reaches the target; else it is the cheapest that was tried */
    double usd;     /* with them */
    char how[120];  /* "--store none --batch 10"; "": as it is */
    char cost[160]; /* what is given up: "no rows: neither status nor results"; or "" */
    double job_s;   /* found, but only if jobs take no more than this; else 0 */
};

struct answer {
    double usd, low, high; /* 95 %, the usage's doubt and the prices' together */
    double model_half, price_half;
    char doubtful
        [80]; /* the price that the doubt is of: "simpledb.box, last seen 2022-05-13" */
    struct answer_service service[BILL_SERVICE_COUNT]; /* dearest first */
    int services;
    double rate_per_s; /* what day, month and boxes are for; 0: a run */
    bool rate_given;   /* else a million jobs a day */
    double per_day_usd, per_month_usd;
    double run_usd, run_s; /* of a run */
    double box_rate_per_s; /* what one box does at most; 0: no boxes */
    double boxes, domains; /* needed at the rate; domains 0: those that are set suffice */
    struct answer_change half, one;
    struct answer_change
        status;       /* the cheapest rows that still have a status; found: cheaper
                                  * than those of the scenario */
    char jobs[240];   /* "jobs of 1 KiB that take 1 s each, none of it processor time" */
    char counts[240]; /* what the figure is */
};

/* Works out the answer for an evaluation of the scenario under cli's options. */
void answer_make(struct cost *cli, const struct sheet *sheet,
                 const struct predict_scenario *scenario,
                 const struct evaluation *evaluation, struct answer *out);

/* "A million jobs of ... cost $8.94: 93 % is SimpleDB, 6 % EC2, 1 % SQS." */
void answer_sentence(const struct answer *answer, struct text *out);
/* The lines after the sentence, one a call, by index from 0: a label and its text. False: no
 * more. */
bool answer_line(const struct answer *answer, const struct predict_scenario *scenario,
                 int index, const char **out_label, struct text *out);
/* The sentence and its lines, at most 80 columns. */
void answer_print(const struct answer *answer, const struct predict_scenario *scenario,
                  FILE *out);
json_t *answer_json(const struct answer *answer);

/* Sums a bill by service, dearest first; returns how many. scale: as cost_items. */
int answer_services(const struct bill *bill, double scale,
                    struct answer_service out[BILL_SERVICE_COUNT]);

#endif
