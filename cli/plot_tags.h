/* Names put beside what they name, where they cover neither each other nor what else there is to see. */
#ifndef CLI_PLOT_TAGS_H
#define CLI_PLOT_TAGS_H

#include "plot_canvas.h"

enum { TAG_WAY_MAX = 96 };

/* A name for a way through the picture. */
struct tag {
    const char *name;
    const char *detail;
    struct color color;
    struct place way[TAG_WAY_MAX];
    size_t way_count; /* 0: it is not to be seen, and gets no name */
};

/* Draws names within the area; none where there are obstacles, if there is a place elsewhere. */
void draw_tags(const struct canvas *canvas, const struct tag *tags, size_t tag_count, const struct box *area,
               const struct box *obstacles, size_t obstacle_count);

/* Says whose ways are not to be seen. */
void draw_missing(const struct canvas *canvas, const char *const *names, size_t count, double x, double baseline);

#endif
