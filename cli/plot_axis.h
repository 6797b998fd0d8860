/* Axes: from numbers to places, and where the ticks go. */
#ifndef CLI_PLOT_AXIS_H
#define CLI_PLOT_AXIS_H

#include <stdbool.h>
#include <stddef.h>

struct plot_axis {
    bool logarithmic;
    bool bytes;         /* logarithmic, with ticks at powers of two */
    double least, most; /* numbers */
    double first, last; /* where they lie in the picture */
};

#define PLOT_TICKS_MAX 64
#define PLOT_LABEL_SIZE 32
struct plot_tick {
    double value;
    char label[PLOT_LABEL_SIZE]; /* empty for one between those with labels */
};

double plot_place(const struct plot_axis *axis, double value);

/* About as many labelled ticks as wanted, fewer when round numbers are rare. On a logarithmic axis they are
 * 1, 2 and 5 times the powers of ten, or even steps where those would be too few; on one of bytes, powers of two.
 * Returns how many there are. */
size_t plot_ticks(const struct plot_axis *axis, size_t wanted, struct plot_tick ticks[PLOT_TICKS_MAX]);

#endif
