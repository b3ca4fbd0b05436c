/* fuzz_offer.c - any bytes as an AWS offer file (CSV): rows that make a sheet which reads
 * back, or a refusal that names the file. */
#include "cost_driver.h"

#include "pricing/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_seeds[] = {
    "\"Version\",\"1\"\n\"OfferCode\",\"AWSQueueService\"\nSKU,TermType,EffectiveDate,"
    "StartingRange,EndingRange,PricePerUnit,Currency,Product Family,serviceCode,Region "
    "Code,"
    "queueType\nA,OnDemand,2026-09-01,0,5,0.0,USD,API Request,AWSQueueService,us-east-1,"
    "Standard\nA,OnDemand,2026-09-01,5,Inf,0.4,USD,API Request,AWSQueueService,us-east-1,"
    "Standard\n",
    NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jobq_error err = {0};
    struct import_counts counts = {0};
    if (size == 0)
        return 0;
    FILE *file = fmemopen((void *)(uintptr_t)data, size, "rb");
    struct sheet *sheet = sheet_new("us-east-1", "2026-11"), *again = NULL;
    char *text = NULL;
    size_t len;
    int code = import_offer(file, "f", sheet, &counts, &err);
    if (code && strncmp(err.text, "f:", 2) != 0) {
        fprintf(stderr, "fuzz_offer: '%s'\n", err.text);
        abort();
    }
    if (!code && !sheet_finish(sheet, "f", &err)) {
        sheet_write(sheet, &text, &len);
        if (sheet_parse(text, len, "g", &again, &err)) {
            fprintf(stderr, "fuzz_offer: '%s' of\n%s\n", err.text, text);
            abort();
        }
        sheet_free(again);
        free(text);
    }
    sheet_free(sheet);
    fclose(file);
    return 0;
}
