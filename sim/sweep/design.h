/* design.h - which points a sweep visits.
 *
 * Room:     sim/, the virtual-time world.
 * Callers:  sweep, jobqsim's sweep subcommand, tests.
 * Knows nothing of: what a point is run with, or what comes out.
 *
 * An axis is one scenario option with several values, written
 *
 *     64,1k,64k          a list; a piece "name=..." belongs to the value before it, so
 *                        that "exp:2s,lognormal:mean=2s,cv=1.5" is two values
 *     10ms..100s:log:9   nine values from 10 ms to 100 s, evenly on a log scale
 *     1..16:lin:6        evenly on a linear scale
 *     10ms..100s         a range alone: only its ends in a grid, all of it in an lhs
 *
 * A full grid visits every combination, the last axis fastest. A Latin hypercube of N
 * points (McKay, Beckman and Conover, Technometrics 21(2), 1979) cuts each axis into N
 * strata and visits each once, in an order drawn from (seed, axis name), so that an axis
 * added later does not change the others. Ranges are sampled within the stratum, on a log
 * scale if they say log; lists are cut into equal parts. A Sobol sequence of N points (GSL's,
 * of up to 40 axes) is scrambled by Owen's method, in the hashed form of Burley (Journal of
 * Computer Graphics Techniques 9(4), 2020), by the seed: it fills the product of the axes
 * evenly, best when N is a power of two. Random points are independent: for checks. */
#ifndef JOBQ_SIM_SWEEP_DESIGN_H
#define JOBQ_SIM_SWEEP_DESIGN_H

#include "jobq/error.h"

#include <stdbool.h>
#include <stdint.h>

enum design_kind {
    DESIGN_TEXT,
    DESIGN_SIZE,
    DESIGN_DURATION,
    DESIGN_COUNT,
    DESIGN_NUMBER
};

#define DESIGN_AXES_MAX 24
#define DESIGN_VALUES_MAX 4096      /* of one axis */
#define DESIGN_POINTS_MAX 100000000 /* of a design */

struct design;

/* An empty design: one point, no axis. Never NULL; free with design_free. */
struct design *design_new(void);
void design_free(struct design *design);

/* Add an axis: option name (without dashes), its kind and its text. INVALID: malformed,
 * empty, a range of text; LIMIT: too many values, axes or points. A text of one value is
 * no axis but a fixed option: it is kept all the same. */
int design_axis(struct design *design, const char *option, enum design_kind kind,
                const char *text, struct jobq_error *err);

enum design_fill { DESIGN_GRID, DESIGN_LHS, DESIGN_SOBOL, DESIGN_RANDOM };
#define DESIGN_FILL_MAX 1000000 /* points that are not a grid */

/* "grid", "lhs:N", "sobol:N", "random:N". INVALID or LIMIT: the text names the limit. */
int design_fill_parse(const char *text, enum design_fill *out, int64_t *points,
                      struct jobq_error *err);
/* Visit `points` (1..DESIGN_FILL_MAX) so instead of the full grid; after the last axis. */
int design_fill(struct design *design, enum design_fill how, int64_t points,
                uint64_t seed, struct jobq_error *err);

/* An axis whose text is made from the coordinates of all axes of the design (by index from
 * `first` on, the axes of one call of design_made), for settings that depend on each other.
 * Only with a fill. make must be pure; ctx lives as long as the design. */
typedef void design_make_fn(const void *ctx, const double *unit, int index, char *out,
                            int cap);
int design_made(struct design *design, const char *const *option, int count,
                design_make_fn *make, const void *ctx, struct jobq_error *err);

int64_t design_points(const struct design *design);
int design_axes(const struct design *design);
const char *design_option(const struct design *design, int axis);
/* The normalised text of an axis, as a header shows it. Lives as long as the design. */
const char *design_text(const struct design *design, int axis);

/* The value of an axis at a point (0-based), as the option reads it: "64", "31.6ms".
 * Written to out, terminated; INVALID never happens for a point in range. Pure: any point
 * may be asked for at any time, on any thread. */
#define DESIGN_VALUE_CAP 160
void design_value(const struct design *design, int64_t point, int axis,
                  char out[DESIGN_VALUE_CAP]);

#endif
