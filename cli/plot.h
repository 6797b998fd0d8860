/* Line charts with a logarithmic y axis: one drawing code for light and dark, SVG and PNG. */
#ifndef CLI_PLOT_H
#define CLI_PLOT_H

#include "text.h"

#define PLOT_LINES_MAX 16
#define THEME_COLORS 6

struct plot_line {
    const char *name;
    const char *detail; /* said after the name, less loudly */
    size_t color;       /* stays with whom it stands for, unless one before it has it, too */
    size_t count;
    double *x;
    double *y;    /* what is not finite and positive leaves a gap */
    double *low;  /* a band from low to high; both NULL for none */
    double *high; /* infinite: the band is open above */
    bool *failed; /* points that came to nothing, which get a cross above the chart; NULL for none */
    bool points;  /* a dot at every point */
    bool dashed;
    size_t special; /* the point that gets a ring; SIZE_MAX for none */
    bool cut_short; /* ends with a cross, and has no way from there to its label */
};

/* A stretch of the x axis that has a name: from where the one before it ends. */
struct plot_region {
    const char *name;
    double end; /* infinite: that of the axis */
};

struct plot {
    const char *title;
    const char *subtitle;
    const char *x_title;
    const char *y_title;
    bool x_logarithmic;
    bool x_bytes;                      /* logarithmic, in powers of two */
    const struct plot_region *regions; /* told apart by shades behind the lines; NULL for none */
    size_t region_count;
    double y_span; /* at most so many times the least y is shown; points above that become dots above the chart */
    const char *ring_note; /* what these marks stand for, said if there are any */
    const char *cross_note;
    const char *above_note;
    struct plot_line lines[PLOT_LINES_MAX];
    size_t line_count;
};

/* Writes NAME.svg, NAME.png, NAME-dark.svg and NAME-dark.png to the folder and appends their paths, with
 * spaces between, to *written. False after a sentence at the first that could not be written. */
bool plot_write(const struct plot *plot, const char *folder, const char *name, struct text *written);

/* Gives back the fonts that drawing has loaded. */
void plot_release(void);

#endif
