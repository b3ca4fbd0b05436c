/* formula_json.c - a formula's JSON, read and written.
 *
 * Room:     src/cost, the money.
 * Knows nothing of: files; text in, text out. */
#include "cost/fit/formula.h"

#include "base/arena.h"
#include "base/text.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char SCHEMA[] = "jobq.formula/1";
static const char *const SCALES[FORMULA_SCALE_COUNT] = {"absolute", "value", "instance"};

/* ---- reading --------------------------------------------------------------------------- */

struct reader {
    const char *name;
    struct jobq_error *err;
};

static int formula_fail(const struct reader *r, const char *path, const char *what)
{
    return jobq_fail(r->err, JOBQ_INVALID, "%s: %s: %s", r->name, path, what);
}

static int formula_copy_text(const struct reader *r, const json_t *object,
                             const char *key, char *out, size_t cap)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text)
        return JOBQ_OK; /* a missing input keeps its default */
    if (strlen(text) >= cap || strpbrk(text, "\n\r\t"))
        return formula_fail(r, key, "too long, or not one line");
    strcpy(out, text);
    return JOBQ_OK;
}

static bool formula_number(const json_t *value, double *out)
{
    if (!json_is_number(value))
        return false;
    *out = json_number_value(value);
    return isfinite(*out);
}

/* A number, or null where the domain is unbounded (the value is then left as it is). */
static bool formula_bound(const json_t *value, double *out)
{
    return json_is_null(value) || formula_number(value, out);
}

static int formula_read_domain(const struct reader *r, const json_t *domain,
                               struct formula *f)
{
    const char *key;
    json_t *value;
    for (int i = 0; i < PREDICT_INPUT_COUNT; i++) {
        f->low[i] = (double)-INFINITY;
        f->high[i] = (double)INFINITY;
    }
    if (!json_is_object(domain))
        return formula_fail(r, "domain", "not an object");
    json_object_foreach((json_t *)(uintptr_t)domain, key, value)
    {
        int input = predict_input_find(key);
        if (input < 0)
            return formula_fail(r, "domain", "names an unknown input");
        if (json_array_size(value) != 2 ||
            !formula_bound(json_array_get(value, 0), &f->low[input]) ||
            !formula_bound(json_array_get(value, 1), &f->high[input]) ||
            f->low[input] > f->high[input])
            return formula_fail(r, key, "not [low, high]");
    }
    return JOBQ_OK;
}

static int read_params(const struct reader *r, const json_t *params, struct formula *f)
{
    const char *key;
    json_t *value;
    int code = predict_params_for(f->era, &f->params, r->err);
    if (code) {
        jobq_wrap(r->err, "%s: era", r->name);
        return r->err->code = JOBQ_INVALID;
    }
    json_object_foreach((json_t *)(uintptr_t)params, key, value)
    {
        double given;
        int at = 0;
        while (at < predict_param_count() && strcmp(predict_param_name(at), key) != 0)
            at++;
        if (at == predict_param_count())
            return formula_fail(r, "params", "names an unknown parameter");
        if (!formula_number(value, &given) || given < 0)
            return formula_fail(r, key, "not a valid number");
        predict_param_put(&f->params, at, given);
    }
    return JOBQ_OK;
}

static int read_terms(const struct reader *r, const json_t *terms, const char *where,
                      struct formula_line *line)
{
    size_t count = json_array_size(terms);
    if (count == 0 || count > TERMS_LINE_MAX)
        return formula_fail(r, where, "no terms, or too many");
    for (size_t i = 0; i < count; i++) {
        const json_t *term = json_array_get(terms, i);
        const char *name = json_string_value(json_object_get(term, "term"));
        int at = name ? terms_find(name) : -1;
        if (at < 0)
            return formula_fail(r, where, "an unknown term");
        line->term[i] = at;
        if (!formula_number(json_object_get(term, "coefficient"), &line->coefficient[i]))
            return formula_fail(r, where, "a coefficient that is not a number");
        if (!formula_number(json_object_get(term, "closed"), &line->closed[i]))
            line->closed[i] = (double)NAN;
    }
    line->term_count = (int)count;
    return JOBQ_OK;
}

static int read_covariance(const struct reader *r, const json_t *rows, const char *where,
                           struct formula_line *line)
{
    if (json_array_size(rows) != (size_t)line->term_count)
        return formula_fail(r, where, "covariance is not as large as the terms");
    for (int i = 0; i < line->term_count; i++) {
        const json_t *row = json_array_get(rows, (size_t)i);
        if (json_array_size(row) != (size_t)line->term_count)
            return formula_fail(r, where, "covariance is not as large as the terms");
        for (int j = 0; j < line->term_count; j++)
            if (!formula_number(json_array_get(row, (size_t)j), &line->covariance[i][j]))
                return formula_fail(r, where,
                                    "covariance holds something that is not a number");
        if (line->covariance[i][i] < 0)
            return formula_fail(r, where, "a negative variance");
    }
    return JOBQ_OK;
}

static int formula_read_line(const struct reader *r, const json_t *object,
                             struct formula *f)
{
    const char *name = json_string_value(json_object_get(object, "line"));
    int line = name ? usage_line_find(name) : -1;
    if (line < 0)
        return formula_fail(r, "lines", "an unknown line of usage");
    for (int i = 0; i < f->line_count; i++)
        if ((int)f->line[i].line == line)
            return formula_fail(r, name, "given twice");
    struct formula_line *out = &f->line[f->line_count++];
    memset(out, 0, sizeof *out);
    out->line = (enum usage_line)line;
    /* Without a scale: in the line's unit. */
    const char *scale = json_string_value(json_object_get(object, "scale"));
    int at = 0;
    while (at < FORMULA_SCALE_COUNT && scale && strcmp(scale, SCALES[at]) != 0)
        at++;
    if (at == FORMULA_SCALE_COUNT)
        return formula_fail(r, name, "scale is none of absolute, value, instance");
    out->scale = (enum formula_scale)at;
    int code = read_terms(r, json_object_get(object, "terms"), name, out);
    if (!code)
        code = read_covariance(r, json_object_get(object, "covariance"), name, out);
    if (code)
        return code;
    if (!formula_number(json_object_get(object, "sigma2"), &out->sigma2) ||
        out->sigma2 < 0 || !formula_number(json_object_get(object, "dof"), &out->dof) ||
        out->dof < 1)
        return formula_fail(r, name, "sigma2 and dof must be given, not negative");
    if (!formula_number(json_object_get(object, "sigma2_job"), &out->sigma2_job))
        out->sigma2_job = 0;
    if (!formula_number(json_object_get(object, "r2"), &out->r2))
        out->r2 = (double)NAN;
    return out->sigma2_job < 0 ? formula_fail(r, name, "a negative variance") : JOBQ_OK;
}

static int read_head(const struct reader *r, const json_t *root, struct formula *f)
{
    const char *schema = json_string_value(json_object_get(root, "schema"));
    const json_t *source = json_object_get(root, "source");
    if (!schema || strcmp(schema, SCHEMA) != 0)
        return formula_fail(r, "schema", "not jobq.formula/1");
    int code = formula_copy_text(r, root, "name", f->name, sizeof f->name);
    if (!code)
        code = formula_copy_text(r, root, "era", f->era, sizeof f->era);
    if (!code)
        code = formula_copy_text(r, source, "sweep", f->sweep, sizeof f->sweep);
    if (!code)
        code = formula_copy_text(r, source, "model_hash", f->model_hash,
                                 sizeof f->model_hash);
    if (!code)
        code = formula_copy_text(r, source, "version", f->version, sizeof f->version);
    formula_number(json_object_get(source, "points"), &f->points);
    formula_number(json_object_get(source, "jobs_per_point"), &f->jobs_per_point);
    formula_number(json_object_get(source, "seed"), &f->seed);
    const char *store =
        json_string_value(json_object_get(json_object_get(root, "fixed"), "store"));
    f->any_store = !store;
    if (!code && store) {
        struct predict_scenario scratch;
        predict_defaults(&scratch);
        code = predict_set(&scratch, "store", store, r->err);
        if (code)
            jobq_wrap(r->err, "%s: fixed", r->name);
        f->store = scratch.store;
    }
    return code;
}

int formula_parse(const char *text, size_t len, const char *name, struct formula **out,
                  struct jobq_error *err)
{
    assert(name && out && err && (text || len == 0));
    struct reader r = {name, err};
    json_error_t fault;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &fault);
    if (!root) {
        char shown[120];
        text_escape(fault.text, (int64_t)strlen(fault.text), shown, sizeof shown);
        return jobq_fail(err, JOBQ_INVALID, "%s:%d: %s", name,
                         fault.line > 0 ? fault.line : 1, shown);
    }
    struct formula *f = xcalloc(1, sizeof *f);
    int code = read_head(&r, root, f);
    if (!code)
        code = formula_read_domain(&r, json_object_get(root, "domain"), f);
    if (!code)
        code = read_params(&r, json_object_get(root, "params"), f);
    const json_t *lines = json_object_get(root, "lines");
    if (!code && (!json_is_array(lines) || json_array_size(lines) > USAGE_LINE_COUNT))
        code = formula_fail(&r, "lines", "not an array, or too many");
    for (size_t i = 0; !code && i < json_array_size(lines); i++)
        code = formula_read_line(&r, json_array_get(lines, i), f);
    json_decref(root);
    if (code) {
        free(f);
        return code;
    }
    *out = f;
    return JOBQ_OK;
}

/* ---- writing ---------------------------------------------------------------------------- */

static json_t *bound_json(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *line_json(const struct formula_line *line)
{
    json_t *terms = json_array(), *rows = json_array();
    for (int i = 0; i < line->term_count; i++) {
        json_t *term = json_object(), *row = json_array();
        json_object_set_new(term, "term", json_string(terms_at(line->term[i])->name));
        json_object_set_new(term, "coefficient", json_real(line->coefficient[i]));
        if (isfinite(line->closed[i]))
            json_object_set_new(term, "closed", json_real(line->closed[i]));
        json_array_append_new(terms, term);
        for (int j = 0; j < line->term_count; j++)
            json_array_append_new(row, json_real(line->covariance[i][j]));
        json_array_append_new(rows, row);
    }
    json_t *object = json_object();
    json_object_set_new(object, "line", json_string(usage_line_name(line->line)));
    json_object_set_new(object, "unit", json_string(usage_line_unit(line->line)));
    json_object_set_new(object, "scale", json_string(SCALES[line->scale]));
    json_object_set_new(object, "terms", terms);
    json_object_set_new(object, "covariance", rows);
    json_object_set_new(object, "sigma2", json_real(line->sigma2));
    json_object_set_new(object, "sigma2_job", json_real(line->sigma2_job));
    json_object_set_new(object, "dof", json_real(line->dof));
    if (isfinite(line->r2))
        json_object_set_new(object, "r2", json_real(line->r2));
    return object;
}

void formula_write(const struct formula *f, char **out, size_t *out_len)
{
    assert(f && out && out_len);
    json_t *root = json_object(), *source = json_object(), *domain = json_object();
    json_t *params = json_object(), *lines = json_array(), *fixed = json_object();
    json_object_set_new(root, "schema", json_string(SCHEMA));
    json_object_set_new(root, "name", json_string(f->name));
    json_object_set_new(root, "era", json_string(f->era));
    json_object_set_new(source, "sweep", json_string(f->sweep));
    json_object_set_new(source, "points", json_real(f->points));
    json_object_set_new(source, "jobs_per_point", json_real(f->jobs_per_point));
    json_object_set_new(source, "seed", json_real(f->seed));
    json_object_set_new(source, "model_hash", json_string(f->model_hash));
    json_object_set_new(source, "version", json_string(f->version));
    json_object_set_new(root, "source", source);
    for (int i = 0; i < PREDICT_INPUT_COUNT; i++)
        if (isfinite(f->low[i]) || isfinite(f->high[i]))
            json_object_set_new(
                domain, predict_input_name((enum predict_input)i),
                json_pack("[o, o]", bound_json(f->low[i]), bound_json(f->high[i])));
    json_object_set_new(root, "domain", domain);
    if (!f->any_store)
        json_object_set_new(fixed, "store", json_string(predict_store_name(f->store)));
    json_object_set_new(root, "fixed", fixed);
    for (int i = 0; i < predict_param_count(); i++)
        json_object_set_new(params, predict_param_name(i),
                            json_real(predict_param_get(&f->params, i)));
    json_object_set_new(root, "params", params);
    for (int i = 0; i < f->line_count; i++)
        json_array_append_new(lines, line_json(&f->line[i]));
    json_object_set_new(root, "lines", lines);
    *out = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    *out_len = strlen(*out);
    json_decref(root);
}
