/* Updating stretches of a tensor. */
#ifndef UPDATE_H
#define UPDATE_H

#include "step.h"

/* Updates elements begin to end of those that work_extent counts, by coefficients that are there. */
void update_range(const struct step *step, const struct tensor *tensor, size_t begin, size_t end);

/* Makes the average of every element what its parameter is. */
void update_start_average(const struct step *step, const struct tensor *tensor);

#endif
