/* fuzz_formula.c - any bytes as a formula or a ledger: read or refused; what is read can be
 * evaluated and priced without a number that is none. */
#include "cost_driver.h"

#include "base/arena.h"
#include "cost/fit/formula.h"
#include "cost/ledger/ledger_json.h"
#include "cost/ledger/usage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_seeds[] = {
    "{\"schema\":\"jobq.formula/1\",\"name\":\"t\",\"era\":\"aws-2026\",\n"
    "\"domain\":{\"payload\":[100,1000]},\"fixed\":{\"store\":\"simpledb\"},\n"
    "\"params\":{\"put_s\":0.05},\"source\":{\"sweep\":\"s.csv\",\"points\":10},\n"
    "\"lines\":[{\"line\":\"sqs_receive\",\"relative\":true,\"terms\":[{\"term\":"
    "\"receives\",\"coefficient\":1.25,\"closed\":1},{\"term\":\"one\",\"coefficient\":0."
    "5}],\n"
    "\"covariance\":[[0.01,0],[0,0.04]],\"sigma2\":0.0009,\"sigma2_job\":4,\"dof\":10}]}",
    "{\"schema\":\"jobq.ledger/"
    "2\",\"jobs\":{\"done\":10},\"attempts\":11,\"actions\":{\"SendMessage\":{"
    "\"requests\":10,\"bytes_out\":5000},\"PutAttributes\":{\"requests\":30,"
    "\"box_usage_e10h\":6597000}},\"send_kib\":{\"1\":9,\"65\":1},\"store_byte_hours\":1."
    "5e3,"
    "\"instances\":[{\"type\":\"c7g.large\",\"running_at_ns\":5,\"ready_at_ns\":10,"
    "\"ended_at_ns\":100000000000,\"slots\":4,\"busy_slot_ns\":1000000}]}",
    NULL};

static void fail(const char *what)
{
    fprintf(stderr, "fuzz_formula: %s\n", what);
    abort();
}

static void try_formula(const char *text, size_t len)
{
    struct jobq_error err = {0};
    struct formula *f, *again;
    struct formula_value value;
    struct predict_scenario sc;
    char *written;
    size_t written_len;
    if (formula_parse(text, len, "f", &f, &err)) {
        if (strncmp(err.text, "f:", 2) != 0)
            fail(err.text);
        return;
    }
    formula_write(f, &written, &written_len);
    if (formula_parse(written, written_len, "f", &again, &err))
        fail(err.text);
    predict_defaults(&sc);
    if (formula_eval(f, &sc, 1000, &value, &err) == JOBQ_OK)
        for (int i = 0; i < USAGE_LINE_COUNT; i++)
            if (value.usage.line[i] < 0 || isnan(value.usage.line[i]) ||
                isnan(value.variance[i]))
                fail("a usage that cannot be");
    free(written);
    free(f);
    free(again);
}

static void try_ledger(const char *text, size_t len)
{
    struct jobq_error err = {0};
    struct jobq_ledger *ledger = xcalloc(1, sizeof *ledger);
    struct usage usage;
    if (ledger_parse(text, len, "f", ledger, &err) == JOBQ_OK) {
        usage_from_ledger(ledger, &usage);
        for (int i = 0; i < USAGE_LINE_COUNT; i++)
            if (!(usage.line[i] >= 0))
                fail("a ledger's usage that cannot be");
    } else if (strncmp(err.text, "f:", 2) != 0) {
        fail(err.text);
    }
    jobq_ledger_release(ledger);
    free(ledger);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_formula((const char *)data, size);
    try_ledger((const char *)data, size);
    return 0;
}
