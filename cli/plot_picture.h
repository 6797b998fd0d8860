/* A picture as files: SVG, PNG and PDF, light and dark, from one drawing code. */
#ifndef CLI_PLOT_PICTURE_H
#define CLI_PLOT_PICTURE_H

#include "plot_canvas.h"

struct picture {
    const char *title; /* these two are also said in the files, for those who cannot see the picture */
    const char *subtitle;
    double width, height;
    void (*draw)(struct canvas *canvas, const void *context);
    const void *context;
};

enum { PICTURE_LIGHT, PICTURE_DARK, PICTURE_THEMES };
extern const struct theme picture_themes[PICTURE_THEMES];

/* Writes NAME.svg, NAME.png, NAME.pdf, NAME-dark.svg and NAME-dark.png to the folder, the same bytes for the same
 * picture, and appends their paths to *written, in braces that a shell expands: "out/NAME{.svg,.png}". False after a
 * sentence at the first that could not be written. */
bool picture_write(const struct picture *picture, const char *folder, const char *name, struct text *written);

/* A line chart as a picture; *plot must outlive it. */
struct picture plot_picture(const struct plot *plot);

/* The picture as pixels; NULL when memory is short. */
cairo_surface_t *picture_image(const struct picture *picture, const struct theme *theme, double scale);

#endif
