#include "live/page/money.h"

#include "base/arena.h"
#include "cost/bill/bill.h"
#include "cost/predict/predict.h"
#include "fleet/job/job.h"
#include "jobq/units.h"
#include "pricing/sheet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct money {
    struct sheet *sheet;
    struct predict_scenario scenario;
    bool simpledb, no_store;
    double request_usd; /* of SQS */
    double put_usd;     /* claim or end of a small job */
    double idle_day_requests;
    /* The prediction, for the job time that it was made for. */
    double predicted_for_s, predicted_usd;
};

static double money_of(const struct sheet *sheet, const char *what, double quantity)
{
    struct bill bill;
    struct jobq_error err;
    const struct bill_options how = {.exact_time = true};
    bill_init(&bill);
    double usd = bill_quantity(&bill, what, quantity, sheet, &how, &err) == JOBQ_OK
                     ? bill.usd
                     : (double)NAN;
    bill_release(&bill);
    return usd;
}

struct money *money_new(const struct scenario *scenario, const char *region)
{
    struct money *m = xcalloc(1, sizeof *m);
    struct jobq_error err;
    if (sheet_open(region, NULL, NULL, &m->sheet, &err) < 0 &&
        sheet_open("us-east-1", NULL, NULL, &m->sheet, &err) < 0) {
        free(m);
        return NULL;
    }
    predict_from_scenario(scenario, &m->scenario);
    m->scenario.jobs = 0; /* of one more job, by a fleet that is busy */
    m->simpledb = scenario->store == SCENARIO_STORE_SIMPLEDB;
    m->no_store = scenario->store == SCENARIO_STORE_NONE;
    m->request_usd = money_of(m->sheet, "sqs.standard", 1e6) / 1e6;
    /* BoxUsage of a put of N values (facts): 0.0000219907 + 2e-10 N^3 machine hours. */
    double hours = 0.0000219907 + 2e-10 * pow(JOB_CLAIM_N, 3);
    m->put_usd = m->no_store   ? 0
                 : m->simpledb ? hours * money_of(m->sheet, "simpledb.box", 1)
                               : 2 * money_of(m->sheet, "dynamodb.write", 1);
    double wait_s = jobq_seconds_from_ns(scenario->wait_ns);
    m->idle_day_requests = 86400 / (wait_s > 0 ? wait_s : 1);
    m->predicted_for_s = -1;
    return m;
}

void money_free(struct money *m)
{
    if (m)
        sheet_free(m->sheet);
    free(m);
}

double money_hour(const struct money *m, const char *type, bool spot)
{
    return bill_box_hour(m->sheet, type, spot);
}

/* The closed form for jobs that take what they took here, on a box as this one. */
static double predicted(struct money *m, const struct status_view *view)
{
    int64_t ended = view->done + view->failed + view->dead;
    double job_s = ended > 0 ? jobq_seconds_from_ns(view->work_ns) / (double)ended
                             : m->scenario.job_s;
    if (fabs(job_s - m->predicted_for_s) <= 0.01 * job_s)
        return m->predicted_usd;
    struct predict_scenario s = m->scenario;
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    struct usage usage;
    struct bill bill;
    struct jobq_error err;
    const struct bill_options how = {.exact_time = true};
    const double jobs = 1e6;
    s.job_s = job_s;
    snprintf(s.instance, sizeof s.instance, "%s",
             view->self.type[0] ? view->self.type : "none");
    s.spot = view->self.spot;
    bill_init(&bill);
    jobq_ledger_init(ledger);
    m->predicted_for_s = job_s;
    m->predicted_usd = (double)NAN;
    if (predict_usage(&s, NULL, &usage, NULL, &err) == JOBQ_OK) {
        predict_ledger(&s, &usage, jobs, ledger);
        if (bill_ledger(&bill, ledger, m->sheet, &how, &err) == JOBQ_OK)
            m->predicted_usd = bill.usd / jobs;
    }
    bill_release(&bill);
    jobq_ledger_release(ledger);
    free(ledger);
    return m->predicted_usd;
}

void money_fill(void *ctx, const struct status_view *view, struct page_money *out)
{
    struct money *m = ctx;
    int64_t ended = view->done + view->dead;
    /* A claim and an end each attempt; the rest of what a drainer does is in queue_calls. */
    double puts = m->no_store
                      ? 0
                      : (double)(view->attempts + view->done + view->failed + view->dead);
    double requests = (double)view->queue_calls + puts;
    double usd = (double)view->queue_calls * m->request_usd + puts * m->put_usd;
    double hour_usd = 0;
    for (int i = 0; i < view->box_count; i++) {
        const struct status_box *box = &view->box[i];
        if (box->state != JOBQ_BOX_RUNNING)
            continue;
        double hour = money_hour(m, box->type, box->spot);
        hour_usd += hour;
        usd += hour * (double)(view->taken_wall_ns - box->launched_wall_ns) /
               (double)JOBQ_NS_PER_HOUR;
    }
    for (int i = 0; i < view->gone_count; i++)
        usd += money_hour(m, view->gone[i].type, view->gone[i].spot) *
               (double)view->gone[i].ran_ns / (double)JOBQ_NS_PER_HOUR;
    *out = (struct page_money){.so_far_usd = usd,
                               .requests_a_job =
                                   ended > 0 ? requests / (double)ended : (double)NAN,
                               .job_usd = ended > 0 ? usd / (double)ended : (double)NAN,
                               .hour_usd = hour_usd,
                               .idle_day_usd = m->idle_day_requests * m->request_usd,
                               .predicted_usd = predicted(m, view)};
    snprintf(out->prices, sizeof out->prices, "%s %s", sheet_region(m->sheet),
             sheet_date(m->sheet));
}
