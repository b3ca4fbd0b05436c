/* fuzz_offer.c - any bytes as an AWS offer file, JSON or CSV: rows or a refusal with its
 * line, the same in one piece as byte by byte. */
#include "cost_driver.h"

#include "pricing/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_seeds[] = {
    "{\"offerCode\":\"AWSQueueService\",\"version\":\"1\",\"products\":{\"A\":{\"sku\":"
    "\"A\","
    "\"productFamily\":\"API "
    "Request\",\"attributes\":{\"servicecode\":\"AWSQueueService\","
    "\"regionCode\":\"us-east-1\",\"queueType\":\"Standard\",\"x\":"
    "\"\\u00e9\\ud83d\\ude00\"}}},"
    "\"terms\":{\"Reserved\":[1,-2.5e3,null,true],\"OnDemand\":{\"A\":{\"A.T\":{"
    "\"effectiveDate\":\"2026-09-01\",\"priceDimensions\":{\"A.T.1\":{\"beginRange\":"
    "\"0\","
    "\"endRange\":\"5\",\"pricePerUnit\":{\"USD\":\"0.0\"}},\"A.T.2\":{\"beginRange\":"
    "\"5\","
    "\"endRange\":\"Inf\",\"pricePerUnit\":{\"USD\":\"0.0000004\"}}}}}}}}",
    "{\"terms\":{\"OnDemand\":{\"A\":{\"T\":{\"priceDimensions\":{\"1\":{"
    "\"pricePerUnit\":{"
    "\"USD\":\"1\"}}}}}}},\"products\":{\"A\":{\"attributes\":{\"servicecode\":"
    "\"AmazonSimpleDB\",\"usagetype\":\"BoxUsage\"}}}}",
    "\"Version\",\"1\"\n\"OfferCode\",\"AWSQueueService\"\nSKU,TermType,EffectiveDate,"
    "StartingRange,EndingRange,PricePerUnit,Currency,Product Family,serviceCode,Region "
    "Code,"
    "queueType\nA,OnDemand,2026-09-01,0,5,0.0,USD,API Request,AWSQueueService,us-east-1,"
    "Standard\nA,OnDemand,2026-09-01,5,Inf,0.4,USD,API Request,AWSQueueService,us-east-1,"
    "Standard\n",
    NULL};

struct pieces {
    const char *text;
    size_t len, at, piece;
};

static int read_pieces(void *ctx, char *out, size_t cap, size_t *got,
                       struct jobq_error *err)
{
    struct pieces *p = ctx;
    (void)err;
    size_t n = p->len - p->at;
    n = n < p->piece ? n : p->piece;
    n = n < cap ? n : cap;
    memcpy(out, p->text + p->at, n);
    p->at += n;
    *got = n;
    return JOBQ_OK;
}

static int rewind_pieces(void *ctx, struct jobq_error *err)
{
    (void)err;
    ((struct pieces *)ctx)->at = 0;
    return JOBQ_OK;
}

static int import(const uint8_t *data, size_t size, size_t piece, char **out, size_t *len,
                  struct jobq_error *err)
{
    struct pieces p = {(const char *)data, size, 0, piece};
    struct import_source source = {&p, read_pieces, rewind_pieces};
    struct import_counts counts = {0};
    struct sheet *sheet = sheet_new("us-east-1", "2026-11");
    int code = import_offer(&source, "f", sheet, &counts, err);
    if (!code)
        code = sheet_finish(sheet, "f", err);
    if (!code)
        sheet_write(sheet, out, len);
    sheet_free(sheet);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jobq_error a = {0}, b = {0};
    char *whole = NULL, *pieces = NULL;
    size_t whole_len = 0, pieces_len = 0;
    int code = import(data, size, SIZE_MAX, &whole, &whole_len, &a);
    int again = import(data, size, 1, &pieces, &pieces_len, &b);
    bool same = code == again && whole_len == pieces_len &&
                (code ? strcmp(a.text, b.text) == 0 && strncmp(a.text, "f:", 2) == 0
                      : memcmp(whole, pieces, whole_len) == 0);
    if (!same) {
        fprintf(stderr, "fuzz_offer: '%s' and '%s'\n", a.text, b.text);
        abort();
    }
    free(whole);
    free(pieces);
    return 0;
}
