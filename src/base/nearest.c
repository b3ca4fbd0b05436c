#include "base/nearest.h"

#include <string.h>

enum { WORD_MAX = 31, FAR = 99, NEAR = 2 };

static int nearest_least(int a, int b)
{
    return a < b ? a : b;
}

int nearest_distance(const char *a, const char *b)
{
    int rows[3][WORD_MAX + 1], n = (int)strlen(a), m = (int)strlen(b);
    if (n > WORD_MAX || m > WORD_MAX)
        return FAR;
    for (int j = 0; j <= m; j++)
        rows[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            row[j] = nearest_least(above[j - 1] + (a[i - 1] != b[j - 1]),
                                   nearest_least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = nearest_least(row[j], before[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

void nearest_try(struct nearest *best, const char *typed, const char *word)
{
    size_t len = strlen(typed);
    int distance = nearest_distance(typed, word);
    if (len >= 2 && strncmp(typed, word, len) == 0)
        distance = distance > 1 ? 1 : distance;
    /* With as many changes as it has letters, a word becomes any other. */
    if (distance > NEAR || distance >= (int)len)
        return;
    if (!best->word || distance < best->distance)
        *best = (struct nearest){word, distance};
}
