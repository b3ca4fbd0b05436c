/* cost_driver.h - what a fuzz target of the money gives its driver. */
#ifndef JOBQ_TESTS_COST_DRIVER_H
#define JOBQ_TESTS_COST_DRIVER_H

#include <stddef.h>
#include <stdint.h>

/* Aborts when a promise is broken; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Well-formed inputs to change; ends with NULL. */
extern const char *const fuzz_seeds[];

#endif
