#include "wire/text/table_word.h"

#include "jobq/ports.h"

const char *table_word(int day)
{
    return day == JOBQ_DAY_DRAINERS ? "drainers" : day == JOBQ_DAY_KEYS ? "keys" : NULL;
}
