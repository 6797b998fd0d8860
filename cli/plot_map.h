/* Surfaces over the plane and the paths that were taken on them: seen from above, as a map, and from the side. */
#ifndef CLI_PLOT_MAP_H
#define CLI_PLOT_MAP_H

#include "plot_picture.h"

#define MAP_WIDTH 860.0
#define MAP_HEIGHT 620.0
#define MAP_LEFT 66.0
#define MAP_RIGHT 836.0
#define MAP_TOP 104.0
#define MAP_BOTTOM 564.0

#define MAP_COLUMNS 257
#define MAP_ROWS 161
#define MAP_LEVELS_MAX 24

struct plot_path {
    const char *name;
    const char *detail;
    size_t color;
    enum plot_dash dash;
    size_t count;
    double (*places)[2]; /* what is not finite ends the path */
    bool diverged;       /* it ends with a cross */
};

struct plot_map {
    const char *title;
    const char *subtitle;        /* of the map; */
    const char *relief_subtitle; /* of the view from the side */
    double low[2], high[2];      /* the corner of the picture */
    double minima[8][2];
    size_t minimum_count;
    double *heights; /* MAP_ROWS x MAP_COLUMNS, row by row from low to high; NaN where the surface has none */
    double least;    /* what levels are counted from */
    double levels[MAP_LEVELS_MAX]; /* rising, above the least */
    size_t level_count;
    struct plot_path paths[PLOT_LINES_MAX];
    size_t path_count;
    size_t shown; /* so many points of each path, for what moves; SIZE_MAX for all */
};

/* A film's frames are made of what stays and what moves. */
enum map_part { MAP_WHOLE, MAP_GROUND, MAP_MOVING };

/* Takes the heights, in map->heights, and chooses levels: 1, 2 and 5 times the powers of ten above the least, where that
 * gives enough of them and not too many, else even steps. Returns what to say of the levels: static. */
const char *plot_map_sample(struct plot_map *map, double (*height)(const void *context, double x, double y),
                            const void *context);

/* The pictures; as plot_write. */
bool plot_map_write(const struct plot_map *map, const char *folder, const char *name, struct text *written);
bool plot_relief_write(const struct plot_map *map, const char *folder, const char *name, struct text *written);

/* A film of the map while the paths grow, over its ground, which is the same for all frames and drawn once. *film must
 * stay where it is until plot_film_free. */
struct plot_film {
    struct plot_map map;
    size_t steps; /* points of the longest path, less one */
    cairo_surface_t *ground;
};
bool plot_film_make(struct plot_film *film, const struct plot_map *map);
void plot_film_free(struct plot_film *film);

/* The frame after so many steps, as pixels; NULL when memory is short. */
cairo_surface_t *plot_film_frame(struct plot_film *film, size_t step);

#define STAR_RADIUS 8.0
#define START_RADIUS 5.5

/* What the two views share. Paths that are drawn first are broader: where several lie upon each other, all are seen. */
bool plot_paths_solid(const struct plot_map *map);
double plot_path_breadth(const struct plot_map *map, size_t index);
struct path_pen {
    double width, opacity;
};
struct path_pen plot_path_pen(const struct plot_map *map, size_t index);
size_t plot_path_count(const struct plot_map *map, const struct plot_path *path);
void draw_star(const struct canvas *canvas, struct place place, double radius);
void draw_end(const struct canvas *canvas, struct place place, double breadth, struct color color, bool diverged);
void draw_map(struct canvas *canvas, const struct plot_map *map, enum map_part part);
double draw_map_key(const struct canvas *canvas, const struct plot_map *map, double x, double baseline);

/* The height of the surface at a place in the picture, between samples by straight lines; NaN outside. */
double plot_map_height(const struct plot_map *map, double x, double y);

/* From a height to the share of the way from valley to peak: by log(1 + f / knee), f above the least. That is nearly
 * straight below the knee, so that one sees into wells, and keeps far peaks from hiding all the rest. */
double plot_map_knee(const struct plot_map *map);
double plot_map_share(const struct plot_map *map, double height);

#endif
