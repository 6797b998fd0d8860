/* Contour lines by marching squares. */
#ifndef CLI_PLOT_RINGS_H
#define CLI_PLOT_RINGS_H

#include <stdbool.h>
#include <stddef.h>

/* A grid of samples, row by row; NaN lies below every level. */
struct ring_grid {
    const double *heights;
    size_t columns, rows;
};

struct ring_point {
    double column, row; /* in steps of the grid */
};

/* Calls visit with each closed line around what is at least as high as the level, whose inside lies on its left. Around
 * the grid there is nothing: lines that would leave it run along it, half a step outside. False when memory is short. */
typedef void ring_visitor(void *context, const struct ring_point *points, size_t count);
bool rings_trace(const struct ring_grid *grid, double level, ring_visitor *visit, void *context);

#endif
