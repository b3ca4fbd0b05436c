#include "live/aws/secret.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Before what the caller gets. */
struct head {
    alignas(max_align_t) size_t bytes; /* of the whole mapping */
};

void *secret_alloc(size_t bytes)
{
    size_t whole = sizeof(struct head) + bytes;
    struct head *head =
        mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (head == MAP_FAILED) {
        fprintf(stderr, "jobq: out of memory for %zu bytes\n", whole);
        abort();
    }
    madvise(head, whole, MADV_DONTDUMP);
    madvise(head, whole, MADV_WIPEONFORK); /* no business of a forked child */
    head->bytes = whole;
    return head + 1;
}

char *secret_copy(struct jobq_str value)
{
    char *out = secret_alloc((size_t)value.len + 1);
    memcpy(out, value.ptr, (size_t)value.len);
    return out;
}

void secret_free(void *secret)
{
    if (!secret)
        return;
    struct head *head = (struct head *)secret - 1;
    size_t whole = head->bytes;
    explicit_bzero(head, whole);
    munmap(head, whole);
}
