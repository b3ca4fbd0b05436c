#include "pricing/csv.h"

#include <assert.h>

int csv_split(char *line, char **field, int cap)
{
    assert(line && field && cap > 0);
    int count = 0;
    char *p = line;
    for (;;) {
        if (count == cap)
            return CSV_FIELDS;
        if (*p == '"') {
            char *to = ++p;
            field[count++] = to;
            for (;; p++) {
                if (!*p)
                    return CSV_QUOTE;
                if (*p == '"' && *++p != '"')
                    break;
                *to++ = *p;
            }
            if (*p && *p != ',')
                return CSV_QUOTE;
            char end = *p;
            *to = '\0';
            if (!end)
                return count;
            p++;
            continue;
        }
        field[count++] = p;
        while (*p && *p != ',') {
            if (*p == '"')
                return CSV_QUOTE;
            p++;
        }
        if (!*p)
            return count;
        *p++ = '\0';
    }
}
