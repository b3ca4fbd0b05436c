/* fuzz_sheet.c - any bytes as a price sheet: read or refused with a line, written back the
 * same, and never a price that is not a number. */
#include "cost_driver.h"

#include "pricing/sheet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_seeds[] = {
    "# c\n#: region = us-east-1\n#: date = 2012-10\n#: era = aws-2012\n"
    "service,item,unit,from,to,usd,source,date,confidence\n"
    "sqs,standard,request/64KiB,0,100,0.0000004,\"a, \"\"b\"\"\",2012-03-05,H\n"
    "sqs,standard,request/64KiB,100,,0.0000003,x,2012,M\n"
    "ec2,m1.small,hour/1h,0,,0.08,x,2012,L\nec2,c7g.large,hour/1s/"
    "60s,0,,0.0725,x,2026,H\n"
    "sqs,free,request,0,1e6,0,x,2026-01-01,H\n",
    NULL};

static void fail(const char *what)
{
    fprintf(stderr, "fuzz_sheet: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jobq_error err = {0};
    struct sheet *sheet, *again;
    char *text;
    size_t len;
    int code = sheet_parse((const char *)data, size, "f", &sheet, &err);
    if (code) {
        if (strncmp(err.text, "f:", 2) != 0)
            fail("a refusal without a place");
        return 0;
    }
    for (int i = 0; i < sheet_row_count(sheet); i++) {
        const struct sheet_row *row = sheet_row_at(sheet, i);
        struct sheet_price price;
        if (sheet_find(sheet, row->service, row->item, &price, &err))
            fail("a row that is not found");
        double usd =
            sheet_cost(&price, 1e12, sheet_free_units(sheet, "sqs", "standard"), 2);
        if (!(usd >= 0) || !isfinite(usd) || !(sheet_billed_seconds(row, 61.5) >= 61.5))
            fail("a price that is no number");
    }
    sheet_write(sheet, &text, &len);
    if (sheet_parse(text, len, "f", &again, &err))
        fail(err.text);
    if (sheet_row_count(again) != sheet_row_count(sheet))
        fail("rows lost");
    free(text);
    sheet_free(again);
    sheet_free(sheet);
    return 0;
}
