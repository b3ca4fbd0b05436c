/* import_row.h - what a product of an offer becomes in a sheet.
 *
 * Room:     pricing, facts.
 * Callers:  import_json.c, import_csv.c.
 * Knows nothing of: JSON, CSV. */
#ifndef JOBQ_PRICING_IMPORT_ROW_H
#define JOBQ_PRICING_IMPORT_ROW_H

#include "pricing/import.h"

#include <stdbool.h>

/* The attributes that decide, by their names with everything but letters and digits left
 * out, in lower case: JSON's preInstalledSw and CSV's "Pre Installed S/W" are one. */
#define IMPORT_ATTRIBUTES(X)                                                             \
    X(family, "productfamily")                                                           \
    X(code, "servicecode")                                                               \
    X(region, "regioncode")                                                              \
    X(usage, "usagetype")                                                                \
    X(operation, "operation")                                                            \
    X(queue, "queuetype")                                                                \
    X(group, "group")                                                                    \
    X(os, "operatingsystem")                                                             \
    X(tenancy, "tenancy")                                                                \
    X(software, "preinstalledsw")                                                        \
    X(capacity, "capacitystatus")                                                        \
    X(type, "instancetype")                                                              \
    X(volume, "volumeapiname")                                                           \
    X(transfer, "transfertype")                                                          \
    X(from_region, "fromregioncode")                                                     \
    X(to, "tolocation")

#define IMPORT_TEXT 80 /* longer attributes are cut: none that decides is as long */

struct import_product {
#define IMPORT_FIELD(field, name) char field[IMPORT_TEXT];
    IMPORT_ATTRIBUTES(IMPORT_FIELD)
#undef IMPORT_FIELD
};

/* The field of an attribute's name as the file writes it, or NULL. */
char *import_field(struct import_product *product, const char *name);
void import_copy(char out[IMPORT_TEXT], const char *text);
/* The comparable form of a name: at most cap - 1 bytes. */
void import_plain_name(const char *name, char *out, size_t cap);

enum import_verdict { IMPORT_ROW, IMPORT_UNUSED, IMPORT_OTHER_REGION };

/* A row without its price; the texts are static or the product's. */
struct import_target {
    char service[16], item[48], unit[24];
};
enum import_verdict import_classify(const struct import_product *product,
                                    const char *region, struct import_target *out);

/* One tier, from the file's texts. from, to: "0", "100000000000", "Inf". NULL err->text
 * positions are added by the caller. */
int import_tier(struct sheet *sheet, const struct import_target *target, const char *from,
                const char *to, const char *usd, const char *date, const char *source,
                struct jobq_error *err);

/* Joins value to a property by "; ", unless it is there. */
void import_property(struct sheet *sheet, const char *key, const char *value);

/* What the two readers do. */
int import_json(const struct import_source *source, const char *name, struct sheet *sheet,
                struct import_counts *counts, struct jobq_error *err);
int import_csv(const struct import_source *source, const char *name, struct sheet *sheet,
               struct import_counts *counts, struct jobq_error *err);

#endif
