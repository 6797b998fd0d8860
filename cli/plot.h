/* Line charts: one drawing code for light and dark, SVG, PNG and PDF. */
#ifndef CLI_PLOT_H
#define CLI_PLOT_H

#include "text.h"

#define PLOT_LINES_MAX 16
#define THEME_COLORS 6

/* How a line is broken: what tells lines of one colour apart, and all of them in print. */
enum plot_dash { PLOT_SOLID, PLOT_DASHED, PLOT_DOTTED, PLOT_MIXED, PLOT_DASH_COUNT };

struct plot_line {
    const char *name;
    const char *detail; /* said after the name, less loudly */
    size_t color;       /* stays with whom it stands for, unless one before it has it, too */
    size_t count;
    double *x;
    double *y;   /* what the axis cannot show leaves a gap: what is not finite, and on a logarithmic one not positive */
    double *low; /* a band from low to high; both NULL for none */
    double *high; /* infinite: the band is open above */
    bool *failed; /* points that came to nothing, which get a cross above the chart; NULL for none */
    bool *strong; /* points between which the line is drawn with a broad edge; NULL for none */
    bool points;  /* a dot at every point */
    bool loose;   /* points alone, no line between them */
    enum plot_dash dash;
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
    bool y_linear;                     /* else logarithmic */
    const struct plot_region *regions; /* told apart by shades behind the lines; NULL for none */
    size_t region_count;
    double
        y_span; /* logarithmic: at most so many times the least y is shown; points above become dots above the chart */
    double y_from, y_to; /* linear: shown at least; the same for none */
    bool cable;          /* earlier lines are broader: where several lie upon each other, all are seen */
    bool y_bands;        /* bands are shown up to their upper edges */
    double y_floor; /* logarithmic: lines leave the chart at its lower edge towards less than this, and 0; 0 for none */
    const char *ring_note; /* what these marks stand for, said if there are any */
    const char *cross_note;
    const char *above_note;
    const char *below_note; /* of points that lie below a logarithmic axis, which are marked on its lower edge */
    const char *strong_note;
    struct plot_line lines[PLOT_LINES_MAX];
    size_t line_count;
};

/* Writes NAME.svg, NAME.png, NAME.pdf, NAME-dark.svg and NAME-dark.png to the folder and appends their paths
 * to *written, in braces that a shell expands: "out/NAME{.svg,.png}". False after a sentence at the first that could not
 * be written. */
bool plot_write(const struct plot *plot, const char *folder, const char *name, struct text *written);

/* Gives back the fonts that drawing has loaded. */
void plot_release(void);

#endif
