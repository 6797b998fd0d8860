/* The global gradient norm, in an order that neither threads nor instruction sets change. */
#ifndef NORM_H
#define NORM_H

#include "step.h"
#include "workers.h"

enum { NORM_CHUNK = 65536 };

/* How many chunks a tensor of count elements has. */
size_t norm_chunks(size_t count);

/* Stores the L2 norm of all gradients times grad_scale in result->gradient_norm. When one of those products is not
 * finite, the norm is not either, result->skipped is true, and the first of them is described there. */
void norm_of(const struct step *step, const struct workers *workers, struct step_result *result);

/* ---- The same in pieces. */

/* Where a tensor may be cut, for work_run. */
size_t norm_edge(const struct tensor *tensor, size_t position);

/* Sets step->sums, which is not NULL, to 0; sets those of the chunks from begin to end, which are such edges; adds all up. */
void norm_clear(const struct step *step);
void norm_sum_range(const struct step *step, const struct tensor *tensor, size_t begin, size_t end);
double norm_total(const struct step *step);

/* total plus the squares of all gradients times scale; total is 0 where step->sums is not NULL. */
double norm_add(const struct step *step, const struct workers *workers, double scale, double total);

/* Stores what norm_of stores, from the sum of squares. */
void norm_finish(const struct step *step, const struct workers *workers, double square_sum, struct step_result *result);

/* The squares of floats cannot overflow a double; those of doubles can, although every gradient is finite. Then they
 * are added up again, made smaller by this power of two: what is lost at the lower end is too small to count; and this
 * is the norm of that sum. One that no double can hold is the largest double, so that clipping still clips. */
#define NORM_SHRINK 0x1p-600
double norm_grow(double square_sum);

/* Looks for the first gradient that is not finite after unscaling; describes it. */
bool norm_find_bad(const struct step *step, struct step_result *result);

#endif
