/* A map while its paths grow, frame by frame. */
#include "plot_map.h"

#include <math.h>
#include <stdio.h>

#define NAME_GAP 20.0
#define NAMES_LEFT 330.0

static void draw_ground(struct canvas *canvas, const void *context)
{
    draw_map(canvas, context, MAP_GROUND);
}

static double width_of_names(const struct canvas *canvas, const struct plot_map *map)
{
    double width = 0;
    for (size_t i = 0; i < map->path_count; ++i) {
        cairo_text_extents_t extents;
        cairo_text_extents(canvas->cairo, map->paths[i].name, &extents);
        width += extents.x_advance + NAME_GAP;
    }
    return width;
}

/* Who is who: names beside a path in motion would jump. Smaller where they would leave the picture. */
static void draw_legend(const struct canvas *canvas, const struct plot_map *map)
{
    const double room = MAP_RIGHT - NAMES_LEFT;
    set_font(canvas, LABEL_SIZE, true);
    const double width = width_of_names(canvas, map);
    const double scale = width > room ? room / width : 1;
    set_font(canvas, scale * LABEL_SIZE, true);
    double x = MAP_RIGHT - scale * width + scale * NAME_GAP;
    for (size_t i = 0; i < map->path_count; ++i) {
        set_color(canvas, canvas->theme->lines[map->paths[i].color % THEME_COLORS], 1);
        x = draw_text(canvas, x, MAP_TOP - 14, 0, map->paths[i].name) + scale * NAME_GAP;
    }
}

static void draw_frame(struct canvas *canvas, const void *context)
{
    const struct plot_film *film = context;
    char text[48];
    cairo_set_source_surface(canvas->cairo, film->ground, 0, 0);
    cairo_paint(canvas->cairo);
    draw_map(canvas, &film->map, MAP_MOVING);
    draw_legend(canvas, &film->map);
    (void)snprintf(text, sizeof text, "step %zu of %zu", film->map.shown - 1, film->steps);
    set_color(canvas, canvas->theme->text, 1);
    set_font(canvas, LABEL_SIZE, false);
    (void)draw_text(canvas, MAP_RIGHT, MAP_BOTTOM + 42, 1, text);
}

static struct picture picture_of(const struct plot_film *film, void (*draw)(struct canvas *, const void *),
                                 const void *context)
{
    return (struct picture){
        .title = film->map.title,
        .subtitle = film->map.subtitle,
        .width = MAP_WIDTH,
        .height = MAP_HEIGHT,
        .draw = draw,
        .context = context,
    };
}

bool plot_film_make(struct plot_film *film, const struct plot_map *map)
{
    *film = (struct plot_film){.map = *map};
    for (size_t i = 0; i < map->path_count; ++i)
        if (map->paths[i].count > film->steps + 1)
            film->steps = map->paths[i].count - 1;
    const struct picture picture = picture_of(film, draw_ground, &film->map);
    film->ground = picture_image(&picture, &picture_themes[PICTURE_LIGHT], 1);
    return film->ground != NULL;
}

void plot_film_free(struct plot_film *film)
{
    if (film->ground)
        cairo_surface_destroy(film->ground);
    film->ground = NULL;
}

cairo_surface_t *plot_film_frame(struct plot_film *film, size_t step)
{
    film->map.shown = step + 1;
    const struct picture picture = picture_of(film, draw_frame, film);
    return picture_image(&picture, &picture_themes[PICTURE_LIGHT], 1);
}
