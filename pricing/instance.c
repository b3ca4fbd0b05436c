/* instance.c - what an instance type's name says about its processors.
 *
 * Room:     pricing, facts.
 * Knows nothing of: prices.
 *
 * Sizes since the third generation follow one rule: large has 2 vCPUs, each xlarge 4. The
 * first generations and the burstable families are tables. Source: AWS's instance type
 * pages, as recalled (confidence M); --vcpus overrides. */
#include "pricing/sheet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct known {
    const char *type;
    int vcpus;
};

/* Types that do not follow the rule. */
static const struct known KNOWN[] = {
    {"t1.micro", 1},     {"m1.small", 1},     {"m1.medium", 1},    {"m1.large", 2},
    {"m1.xlarge", 4},    {"c1.medium", 2},    {"c1.xlarge", 8},    {"m2.xlarge", 2},
    {"m2.2xlarge", 4},   {"m2.4xlarge", 8},   {"cc1.4xlarge", 16}, {"cc2.8xlarge", 32},
    {"cg1.4xlarge", 16}, {"hi1.4xlarge", 16}, {"hs1.8xlarge", 16}, {"m3.medium", 1},
    {"t2.nano", 1},      {"t2.micro", 1},     {"t2.small", 1},     {"t2.medium", 2},
    {"a1.medium", 1},
};

int sheet_instance_vcpus(const char *type)
{
    assert(type);
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (strcmp(KNOWN[i].type, type) == 0)
            return KNOWN[i].vcpus;
    const char *size = strchr(type, '.');
    if (!size)
        return 0;
    size++;
    if (type[0] == 't' && (strcmp(size, "nano") == 0 || strcmp(size, "micro") == 0 ||
                           strcmp(size, "small") == 0 || strcmp(size, "medium") == 0))
        return 2;
    if (strcmp(size, "medium") == 0)
        return 1; /* Graviton's medium */
    if (strcmp(size, "large") == 0)
        return 2;
    if (strcmp(size, "xlarge") == 0)
        return 4;
    char *end;
    long count = strtol(size, &end, 10);
    return end != size && strcmp(end, "xlarge") == 0 && count > 0 && count <= 224
               ? (int)count * 4
               : 0;
}

/* Families have so many GiB a vCPU; burstable types and those of the first generation are tables.
 * Source: AWS's instance type pages, checked against the spot advisor's list of 2025-06-28. */
double sheet_instance_gib(const char *type)
{
    assert(type);
    static const struct {
        const char *type;
        double gib;
    } known[] = {{"t1.micro", 0.613},  {"m1.small", 1.7},   {"m1.medium", 3.75},
                 {"m1.large", 7.5},    {"m1.xlarge", 15},   {"c1.medium", 1.7},
                 {"c1.xlarge", 7},     {"m2.xlarge", 17.1}, {"m2.2xlarge", 34.2},
                 {"m2.4xlarge", 68.4}, {"m3.medium", 3.75}, {"m3.large", 7.5},
                 {"m3.xlarge", 15},    {"m3.2xlarge", 30}};
    static const struct {
        const char *size;
        double gib;
    } burstable[] = {{"nano", 0.5}, {"micro", 1},   {"small", 2},   {"medium", 4},
                     {"large", 8},  {"xlarge", 16}, {"2xlarge", 32}};
    const char *size = strchr(type, '.');
    if (!size)
        return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].type, type) == 0)
            return known[i].gib;
    for (size_t i = 0; type[0] == 't' && i < sizeof burstable / sizeof *burstable; i++)
        if (strcmp(burstable[i].size, size + 1) == 0)
            return burstable[i].gib;
    /* Since the fifth generation. */
    if (type[1] < '5' || type[1] > '9')
        return 0;
    double a_vcpu = strncmp(type, "c5n.", 4) == 0 ? 2.625
                    : type[0] == 'c'              ? 2
                    : type[0] == 'm'              ? 4
                    : type[0] == 'r'              ? 8
                                                  : 0;
    return a_vcpu * sheet_instance_vcpus(type);
}

/* Baselines: AWS's burstable credits tables (H): t3, t3a and t4g from nano up, t2 apart. */
double sheet_instance_baseline(const char *type)
{
    assert(type);
    static const struct {
        const char *size;
        double now, t2;
    } table[] = {{"nano", 0.05, 0.05},   {"micro", 0.10, 0.10}, {"small", 0.20, 0.20},
                 {"medium", 0.20, 0.20}, {"large", 0.30, 0.30}, {"xlarge", 0.40, 0.225},
                 {"2xlarge", 0.40, 0.17}};
    const char *size = strchr(type, '.');
    if (!size || type[0] != 't' || type[1] < '2')
        return 1;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].size, size + 1) == 0)
            return strncmp(type, "t2.", 3) == 0 ? table[i].t2 : table[i].now;
    return 1;
}
