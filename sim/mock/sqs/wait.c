#include "sim/mock/sqs/wait.h"

#include "sim/mock/server/respond.h"
#include "sim/mock/control/meter.h"
#include "sim/mock/sqs/actions.h"
#include "sim/mock/sqs/receive.h"

#include <stdlib.h>
#include <string.h>

struct waiter {
    struct mock *mock;
    struct mock_region *region;
    struct http_exchange *x;
    uint64_t cookie; /* generation in the high half, 1 + index in the low one */
    int next_free;
    int queue;
    bool used, json;
    int64_t request_bytes;
    char request_id[MOCK_UUID_BYTES];
    struct mock_wanted wanted; /* its names are one allocation, freed with it */
};

struct mock_waits {
    struct waiter **slot; /* pointers: a gone callback holds one */
    int count, used, free_head;
};

struct mock_waits *mock_wait_new(void)
{
    struct mock_waits *waits = xcalloc(1, sizeof *waits);
    waits->free_head = -1;
    return waits;
}

void mock_wait_free(struct mock_waits *waits)
{
    if (!waits)
        return;
    for (int i = 0; i < waits->count; i++) {
        free(waits->slot[i]->wanted.name);
        free(waits->slot[i]);
    }
    free(waits->slot);
    free(waits);
}

int mock_wait_count(const struct mock_waits *waits)
{
    return waits->used;
}

uint64_t mock_wait_cookie(struct mock_waits *waits)
{
    if (waits->free_head < 0) {
        waits->slot =
            xrealloc(waits->slot, (size_t)(waits->count + 1) * sizeof *waits->slot);
        struct waiter *fresh = xcalloc(1, sizeof *fresh);
        fresh->cookie = (uint64_t)waits->count + 1;
        fresh->next_free = -1;
        waits->slot[waits->count] = fresh;
        waits->free_head = waits->count++;
    }
    return waits->slot[waits->free_head]->cookie;
}

static struct waiter *find_waiter(struct mock_waits *waits, uint64_t cookie)
{
    uint64_t index = (cookie & UINT32_MAX) - 1;
    if (index >= (uint64_t)waits->count)
        return NULL;
    struct waiter *waiter = waits->slot[index];
    return waiter->used && waiter->cookie == cookie ? waiter : NULL;
}

static void forget(struct waiter *waiter)
{
    struct mock_waits *waits = waiter->mock->waits;
    free(waiter->wanted.name);
    waiter->wanted = (struct mock_wanted){0};
    waiter->used = false;
    int index = (int)(waiter->cookie & UINT32_MAX) - 1;
    waiter->cookie += UINT64_C(1) << 32;
    waiter->next_free = waits->free_head;
    waits->free_head = index;
    waits->used--;
}

/* What is kept of the request, as a call. */
static struct call call_of(const struct waiter *waiter)
{
    struct call call = {
        .mock = waiter->mock,
        .x = waiter->x,
        .region = waiter->region,
        .service = MOCK_SQS,
        .json = waiter->json,
        .fifo = mock_sqs_is_fifo(sqs_name(waiter->region->sqs, waiter->queue)),
        .action = "ReceiveMessage",
        .now_ns = mock_now_ns(waiter->mock),
        .request_bytes = waiter->request_bytes};
    memcpy(call.request_id, waiter->request_id, sizeof call.request_id);
    return call;
}

/* It was asked, so it is billed, though nobody hears an answer. */
static bool client_gone(void *ctx)
{
    struct waiter *waiter = ctx;
    struct call call = call_of(waiter);
    meter_call(waiter->mock->meter, &call, 200, 0);
    /* Granted ones are answered within the call that granted them, so that one found here
     * is still waiting. */
    sqs_cancel(waiter->region->sqs, waiter->cookie);
    forget(waiter);
    return false;
}

/* The names outlive the request: copy them, array and bytes in one allocation. */
static void keep_wanted(struct waiter *waiter, const struct mock_wanted *wanted)
{
    waiter->wanted = *wanted;
    waiter->wanted.name = NULL;
    if (wanted->name_count == 0)
        return;
    size_t head = (size_t)wanted->name_count * sizeof *wanted->name, bytes = head;
    for (int i = 0; i < wanted->name_count; i++)
        bytes += (size_t)wanted->name[i].len;
    waiter->wanted.name = xmalloc(bytes);
    char *at = (char *)waiter->wanted.name + head;
    for (int i = 0; i < wanted->name_count; i++) {
        size_t len = (size_t)wanted->name[i].len;
        if (len > 0)
            memcpy(at, wanted->name[i].ptr, len);
        waiter->wanted.name[i] = (struct jobq_str){at, (int64_t)len};
        at += len;
    }
}

void mock_wait_park(struct call *call, uint64_t cookie, int queue,
                    const struct mock_wanted *wanted)
{
    struct mock_waits *waits = call->mock->waits;
    struct waiter *waiter = waits->slot[waits->free_head];
    waits->free_head = waiter->next_free;
    waits->used++;
    waiter->mock = call->mock;
    waiter->region = call->region;
    waiter->x = call->x;
    waiter->cookie = cookie;
    waiter->queue = queue;
    waiter->used = true;
    waiter->json = call->json;
    waiter->request_bytes = call->request_bytes;
    memcpy(waiter->request_id, call->request_id, sizeof waiter->request_id);
    keep_wanted(waiter, wanted);
    http_on_gone(call->x, client_gone, waiter);
}

static void answer_grant(struct waiter *waiter, const struct sqs_grant *grant)
{
    struct call call = call_of(waiter);
    answer_open(&call, true);
    enum call_end end = CALL_DONE;
    if (grant->fault != SQS_OK)
        end = mock_sqs_fault(&call, grant->fault, NULL);
    else
        mock_receive_write(&call, waiter->queue, &waiter->wanted, &grant->received);
    forget(waiter);
    answer_end(&call, end, true);
}

void mock_wait_drain(struct mock *mock, struct mock_region *region)
{
    struct sqs_grant grant;
    while (sqs_take_grant(region->sqs, &grant)) {
        struct waiter *waiter = find_waiter(mock->waits, grant.cookie);
        if (waiter)
            answer_grant(waiter, &grant);
    }
}
