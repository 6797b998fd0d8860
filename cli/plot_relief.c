/* A surface from the side: a shaded mesh, and the paths upon it, faint where ground hides them. */
#include "plot_map.h"
#include "plot_tags.h"

#include <math.h>
#include <stdint.h>

#define RELIEF_WIDTH 860.0
#define RELIEF_HEIGHT 640.0
#define RELIEF_LEFT 50.0
#define RELIEF_RIGHT 810.0
#define RELIEF_TOP 112.0
#define RELIEF_BOTTOM 586.0

enum { MESH_COLUMNS = 65, MESH_ROWS = 41, MARKED_TICKS = 5 };

#define ANGLE (CIRCLE * 33 / 360)     /* between the near edge and the picture */
#define ELEVATION (CIRCLE * 48 / 360) /* of the eye */
#define DEPTH 0.8                     /* of the block, whose width is 1 */
#define RISE 0.31                     /* its height */
#define HIDDEN_BY 0.012               /* ground so much higher than the line of sight hides */
#define MINIMUM_WORTH 10              /* so many points of paths is a minimum worth */
#define PIECE 3.0                     /* pixels of a path that are told hidden or not */

/* A point of the block: across and deep from 0 to 1, with the corner (0, 0) nearest to the eye; high from 0 to 1. */
struct spot3 {
    double across, deep, high;
};

struct relief {
    const struct canvas *canvas;
    const struct plot_map *map;
    bool flipped[2];                      /* x, y run towards the eye's corner from the other side */
    bool swapped;                         /* x runs deep, y across */
    double mesh[MESH_ROWS][MESH_COLUMNS]; /* shares of the height, by deep and across; NaN for none */
    double scale, left, bottom;           /* from the block to the picture */
};

/* ---- places --------------------------------------------------------------------------------------- */

/* From the block to numbers of the problem, and back: flips and swaps are their own reverse. */
static void problem_place(const struct relief *relief, double across, double deep, double place[2])
{
    const struct plot_map *map = relief->map;
    const double shares[2] = {relief->swapped ? deep : across, relief->swapped ? across : deep};
    for (size_t i = 0; i < 2; ++i)
        place[i] = map->low[i] + (map->high[i] - map->low[i]) * (relief->flipped[i] ? 1 - shares[i] : shares[i]);
}

static double mesh_height(const struct relief *relief, double across, double deep)
{
    const double column = across * (MESH_COLUMNS - 1);
    const double row = deep * (MESH_ROWS - 1);
    if (!(column >= 0 && column <= MESH_COLUMNS - 1 && row >= 0 && row <= MESH_ROWS - 1))
        return (double)NAN;
    const size_t i = (size_t)fmin(column, MESH_COLUMNS - 2);
    const size_t k = (size_t)fmin(row, MESH_ROWS - 2);
    const double right = column - (double)i;
    const double back = row - (double)k;
    return (1 - back) * ((1 - right) * relief->mesh[k][i] + right * relief->mesh[k][i + 1]) +
           back * ((1 - right) * relief->mesh[k + 1][i] + right * relief->mesh[k + 1][i + 1]);
}

static struct spot3 spot_on_ground(const struct relief *relief, const double place[2])
{
    const struct plot_map *map = relief->map;
    double shares[2];
    for (size_t i = 0; i < 2; ++i) {
        const double share = (place[i] - map->low[i]) / (map->high[i] - map->low[i]);
        shares[i] = relief->flipped[i] ? 1 - share : share;
    }
    const double across = shares[relief->swapped];
    const double deep = shares[!relief->swapped];
    return (struct spot3){across, deep, mesh_height(relief, across, deep)};
}

static struct place project(const struct relief *relief, struct spot3 spot)
{
    const double back = DEPTH * spot.deep;
    const double x = spot.across * cos(ANGLE) - back * sin(ANGLE);
    const double y =
        (spot.across * sin(ANGLE) + back * cos(ANGLE)) * sin(ELEVATION) + RISE * spot.high * cos(ELEVATION);
    return (struct place){relief->left + relief->scale * x, relief->bottom - relief->scale * y};
}

/* Whether ground lies between a point and the eye: goes from the one towards the other, until it is above all ground or
 * has left the block. */
static bool is_hidden(const struct relief *relief, struct spot3 spot)
{
    const double step = 0.5 / MESH_COLUMNS;
    for (size_t i = 1; i < 4 * (size_t)MESH_COLUMNS; ++i) {
        const double way = step * (double)i;
        const double sight = spot.high * RISE + way * tan(ELEVATION);
        const double across = spot.across - way * sin(ANGLE);
        const double deep = spot.deep - way * cos(ANGLE) / DEPTH;
        if (sight > 1.2 * RISE || across < 0 || deep < 0)
            return false;
        if (mesh_height(relief, across, deep) * RISE > sight + HIDDEN_BY)
            return true;
    }
    return false;
}

/* ---- the view ------------------------------------------------------------------------------------- */

static void fill_mesh(struct relief *relief)
{
    for (size_t k = 0; k < MESH_ROWS; ++k)
        for (size_t i = 0; i < MESH_COLUMNS; ++i) {
            double place[2];
            problem_place(relief, (double)i / (MESH_COLUMNS - 1), (double)k / (MESH_ROWS - 1), place);
            /* Rounding must not lead outside. */
            const double x = fmin(fmax(place[0], relief->map->low[0]), relief->map->high[0]);
            const double y = fmin(fmax(place[1], relief->map->low[1]), relief->map->high[1]);
            relief->mesh[k][i] = plot_map_share(relief->map, plot_map_height(relief->map, x, y));
        }
}

static void turn(struct relief *relief, int corner)
{
    relief->flipped[0] = corner % 2;
    relief->flipped[1] = corner / 2;
    relief->swapped = corner == 1 || corner == 2; /* nothing is mirrored */
    fill_mesh(relief);
}

/* How much of the paths and minima is seen, in points; and a little more where the ground in front is low. */
static double worth(const struct relief *relief)
{
    double seen = 0;
    for (size_t i = 0; i < relief->map->path_count; ++i) {
        const struct plot_path *path = &relief->map->paths[i];
        const size_t count = plot_path_count(relief->map, path);
        const size_t stride = count / TAG_WAY_MAX + 1;
        for (size_t k = 0; k < count; k += stride) {
            const struct spot3 spot = spot_on_ground(relief, path->places[k]);
            seen += isfinite(spot.high) && !is_hidden(relief, spot);
        }
    }
    for (size_t i = 0; i < relief->map->minimum_count; ++i) {
        const struct spot3 minimum = spot_on_ground(relief, relief->map->minima[i]);
        seen += isfinite(minimum.high) && !is_hidden(relief, minimum) ? MINIMUM_WORTH : 0;
    }
    for (size_t row = 0; row < MESH_ROWS / 2; ++row)
        for (size_t column = 0; column < MESH_COLUMNS / 2; ++column)
            seen -= isnan(relief->mesh[row][column]) ? 0 : 0.005 * relief->mesh[row][column];
    return seen;
}

/* Of the four corners, that one comes to the front from which most is seen. */
static void choose_view(struct relief *relief)
{
    int best = 0;
    double most = -(double)INFINITY;
    for (int corner = 0; corner < 4; ++corner) {
        turn(relief, corner);
        const double seen = worth(relief);
        if (seen > most) {
            most = seen;
            best = corner;
        }
    }
    turn(relief, best);
}

static void fit_view(struct relief *relief)
{
    const double width = cos(ANGLE) + DEPTH * sin(ANGLE);
    const double height = (sin(ANGLE) + DEPTH * cos(ANGLE)) * sin(ELEVATION) + RISE * cos(ELEVATION);
    relief->scale = fmin((RELIEF_RIGHT - RELIEF_LEFT) / width, (RELIEF_BOTTOM - RELIEF_TOP) / height);
    const double middle = (RELIEF_LEFT + RELIEF_RIGHT) / 2;
    relief->left = middle - relief->scale * (width / 2 - DEPTH * sin(ANGLE));
    relief->bottom = RELIEF_BOTTOM;
}

/* ---- the ground ----------------------------------------------------------------------------------- */

static struct spot3 mesh_spot(const struct relief *relief, size_t column, size_t row)
{
    return (struct spot3){(double)column / (MESH_COLUMNS - 1), (double)row / (MESH_ROWS - 1),
                          relief->mesh[row][column]};
}

static struct color shade(const struct canvas *canvas, double share, double light)
{
    const struct color low = canvas->theme->valley;
    const struct color high = canvas->theme->peak;
    const struct color mark = canvas->theme->muted;
    const double up = fmin(share, 1);
    const double dark = 0.32 * (1 - light);
    const struct color ground = {low.red + up * (high.red - low.red), low.green + up * (high.green - low.green),
                                 low.blue + up * (high.blue - low.blue)};
    return (struct color){ground.red + dark * (mark.red - ground.red),
                          ground.green + dark * (mark.green - ground.green),
                          ground.blue + dark * (mark.blue - ground.blue)};
}

/* How much light from the upper left falls on a cell, 0 to 1. */
static double light_of(const struct relief *relief, size_t column, size_t row)
{
    const double across = (relief->mesh[row][column + 1] - relief->mesh[row][column]) * RISE * (MESH_COLUMNS - 1);
    const double deep = (relief->mesh[row + 1][column] - relief->mesh[row][column]) * RISE * (MESH_ROWS - 1) / DEPTH;
    const double length = sqrt(across * across + deep * deep + 1);
    return fmax(0, (0.5 * across - 0.35 * deep + 0.79) / length);
}

static void draw_cell(const struct relief *relief, size_t column, size_t row)
{
    cairo_t *const cairo = relief->canvas->cairo;
    double sum = 0;
    for (size_t k = 0; k < 4; ++k) {
        const struct spot3 spot = mesh_spot(relief, column + (k == 1 || k == 2), row + (k >= 2));
        const struct place place = project(relief, spot);
        sum += spot.high;
        cairo_line_to(cairo, place.x, place.y);
    }
    if (isnan(sum)) {
        cairo_new_path(cairo);
        return;
    }
    const struct color color = shade(relief->canvas, sum / 4, light_of(relief, column, row));
    cairo_close_path(cairo);
    set_color(relief->canvas, color, 1);
    cairo_fill_preserve(cairo);
    set_color(relief->canvas, shade(relief->canvas, sum / 4, 0.35), 1);
    cairo_set_line_width(cairo, 0.5);
    cairo_stroke(cairo);
}

/* The cut sides towards the eye: from the ground down to the bottom of the block. */
static void draw_side(const struct relief *relief, bool deep)
{
    cairo_t *const cairo = relief->canvas->cairo;
    const size_t count = deep ? MESH_ROWS : MESH_COLUMNS;
    for (size_t i = 0; i + 1 < count; ++i) {
        struct spot3 from = deep ? mesh_spot(relief, 0, i) : mesh_spot(relief, i, 0);
        struct spot3 to = deep ? mesh_spot(relief, 0, i + 1) : mesh_spot(relief, i + 1, 0);
        if (isnan(from.high) || isnan(to.high))
            continue;
        const struct place a = project(relief, from), b = project(relief, to);
        from.high = to.high = 0;
        const struct place c = project(relief, to), d = project(relief, from);
        cairo_move_to(cairo, a.x, a.y);
        cairo_line_to(cairo, b.x, b.y);
        cairo_line_to(cairo, c.x, c.y);
        cairo_line_to(cairo, d.x, d.y);
        cairo_close_path(cairo);
    }
    set_color(relief->canvas, shade(relief->canvas, 0.7, deep ? 0.1 : 0.5), 1);
    cairo_fill_preserve(cairo);
    cairo_set_line_width(cairo, 0.5);
    cairo_stroke(cairo);
}

/* From the far corner to the near one: what is nearer covers what is behind. */
static void draw_ground(const struct relief *relief)
{
    cairo_set_line_join(relief->canvas->cairo, CAIRO_LINE_JOIN_ROUND);
    for (size_t row = MESH_ROWS - 1; row-- > 0;)
        for (size_t column = MESH_COLUMNS - 1; column-- > 0;)
            draw_cell(relief, column, row);
    draw_side(relief, true);
    draw_side(relief, false);
}

/* ---- the axes ------------------------------------------------------------------------------------- */

static void draw_axis(const struct relief *relief, bool deep)
{
    const struct canvas *const canvas = relief->canvas;
    const struct plot_map *const map = relief->map;
    const size_t axis = deep != relief->swapped;
    const struct plot_axis numbers = {.least = map->low[axis], .most = map->high[axis], .first = 0, .last = 1};
    struct plot_tick ticks[PLOT_TICKS_MAX];
    const size_t count = plot_ticks(&numbers, MARKED_TICKS, ticks);
    const double aside = deep ? -1 : 1;
    set_color(canvas, canvas->theme->muted, 1);
    set_font(canvas, TEXT_SIZE, false);
    cairo_set_line_width(canvas->cairo, 1);
    const struct place corner = project(relief, (struct spot3){0, 0, 0});
    const struct place end = project(relief, (struct spot3){deep ? 0 : 1, deep ? 1 : 0, 0});
    stroke_segment(canvas, corner.x, corner.y, end.x, end.y);
    for (size_t i = 0; i < count; ++i) {
        const double share = plot_place(&numbers, ticks[i].value);
        const double along = relief->flipped[axis] ? 1 - share : share;
        const struct place foot = project(relief, (struct spot3){deep ? 0 : along, deep ? along : 0, 0});
        stroke_segment(canvas, foot.x, foot.y, foot.x + 4 * aside, foot.y + 5);
        (void)draw_text(canvas, foot.x + 7 * aside, foot.y + 17, deep ? 1 : 0, ticks[i].label);
    }
    const struct place middle = project(relief, (struct spot3){deep ? 0 : 0.5, deep ? 0.5 : 0, 0});
    set_font(canvas, LABEL_SIZE, true);
    (void)draw_text(canvas, middle.x + 34 * aside, middle.y + 38, 0.5, axis == 0 ? "x" : "y");
}

/* ---- the paths ------------------------------------------------------------------------------------ */

static bool is_seen(struct spot3 spot)
{
    return isfinite(spot.high);
}

/* The part of a path between two of its places, as far as it is on the ground, in pieces that are seen or hidden. open:
 * whether a line has been drawn up to where it begins; returns the same of its end. */
static bool trace_pieces(const struct relief *relief, struct place from, struct place to, bool hidden, bool open)
{
    static const struct box block = {0, 0, 1, 1};
    cairo_t *const cairo = relief->canvas->cairo;
    const struct place start = from;
    if (!cut_to_box(&block, &from, &to))
        return false;
    open = open && from.x == start.x && from.y == start.y;
    const struct place a = project(relief, (struct spot3){from.x, from.y, 0});
    const struct place b = project(relief, (struct spot3){to.x, to.y, 0});
    const size_t pieces = (size_t)(hypot(b.x - a.x, b.y - a.y) / PIECE) + 1;
    for (size_t i = 0; i <= pieces; ++i) {
        const double share = (double)i / (double)pieces;
        const double across = from.x + share * (to.x - from.x);
        const double deep = from.y + share * (to.y - from.y);
        const struct spot3 spot = {across, deep, mesh_height(relief, across, deep)};
        const struct place place = project(relief, spot);
        const bool drawn = is_seen(spot) && is_hidden(relief, spot) == hidden;
        if (drawn)
            (open ? cairo_line_to : cairo_move_to)(cairo, place.x, place.y);
        open = drawn;
    }
    return open;
}

static void draw_path(const struct relief *relief, size_t index, bool hidden)
{
    const struct canvas *const canvas = relief->canvas;
    const struct plot_path *path = &relief->map->paths[index];
    const size_t count = plot_path_count(relief->map, path);
    const struct path_pen pen = plot_path_pen(relief->map, index);
    struct place from = {0};
    bool open = false;
    for (size_t i = 0; i < count; ++i) {
        const struct spot3 spot = spot_on_ground(relief, path->places[i]);
        const struct place to = {spot.across, spot.deep};
        if (i > 0)
            open = trace_pieces(relief, from, to, hidden, open);
        from = to;
    }
    set_color(canvas, canvas->theme->lines[path->color % THEME_COLORS], hidden ? 0.35 : pen.opacity);
    cairo_set_line_width(canvas->cairo, hidden ? 1.2 : pen.width);
    if (!hidden)
        set_dash(canvas->cairo, print_dash(canvas, path->dash, index, plot_paths_solid(relief->map)));
    cairo_stroke(canvas->cairo);
    set_dash(canvas->cairo, PLOT_SOLID);
}

/* ---- marks and names ------------------------------------------------------------------------------ */

static void draw_marks(const struct relief *relief)
{
    const struct canvas *const canvas = relief->canvas;
    const struct plot_map *const map = relief->map;
    for (size_t i = 0; i < map->path_count; ++i) {
        const struct plot_path *path = &map->paths[i];
        const size_t count = plot_path_count(map, path);
        const struct spot3 start =
            count > 0 ? spot_on_ground(relief, path->places[0]) : (struct spot3){.high = (double)NAN};
        if (is_seen(start) && !is_hidden(relief, start))
            draw_ring(canvas, project(relief, start), START_RADIUS, canvas->theme->text);
        const struct spot3 end =
            count > 1 ? spot_on_ground(relief, path->places[count - 1]) : (struct spot3){.high = (double)NAN};
        if (is_seen(end) && !is_hidden(relief, end))
            draw_end(canvas, project(relief, end), plot_path_breadth(map, i),
                     canvas->theme->lines[path->color % THEME_COLORS], path->diverged);
    }
    for (size_t i = 0; i < map->minimum_count; ++i) {
        const struct spot3 minimum = spot_on_ground(relief, map->minima[i]);
        if (is_seen(minimum) && !is_hidden(relief, minimum))
            draw_star(canvas, project(relief, minimum), STAR_RADIUS);
    }
}

/* What is to be seen of a path, thinned out evenly. */
static void find_way(const struct relief *relief, const struct plot_path *path, struct tag *tag)
{
    const size_t count = plot_path_count(relief->map, path);
    size_t seen = 0;
    for (size_t i = 0; i < count; ++i) {
        const struct spot3 spot = spot_on_ground(relief, path->places[i]);
        seen += is_seen(spot) && !is_hidden(relief, spot);
    }
    const size_t stride = seen / TAG_WAY_MAX + 1;
    size_t met = 0;
    for (size_t i = 0; i < count; ++i) {
        const struct spot3 spot = spot_on_ground(relief, path->places[i]);
        if (is_seen(spot) && !is_hidden(relief, spot) && met++ % stride == 0)
            tag->way[tag->way_count++] = project(relief, spot);
    }
}

static struct box box_around(const struct relief *relief, const double where[2], double radius)
{
    const struct place place = project(relief, spot_on_ground(relief, where));
    return (struct box){place.x - radius, place.y - radius, place.x + radius, place.y + radius};
}

static void draw_names(const struct relief *relief)
{
    const struct canvas *const canvas = relief->canvas;
    const struct plot_map *const map = relief->map;
    const struct box area = {MARGIN, RELIEF_TOP - 8, RELIEF_WIDTH - MARGIN, RELIEF_BOTTOM};
    struct tag tags[PLOT_LINES_MAX];
    struct box obstacles[PLOT_LINES_MAX + 8];
    const char *missing[PLOT_LINES_MAX];
    size_t missing_count = 0;
    size_t count = 0;
    size_t obstacle_count = 0;
    for (size_t i = 0; i < map->path_count; ++i) {
        const struct plot_path *path = &map->paths[i];
        tags[count] = (struct tag){
            .name = path->name, .detail = path->detail, .color = canvas->theme->lines[path->color % THEME_COLORS]};
        find_way(relief, path, &tags[count]);
        if (tags[count].way_count > 0)
            ++count;
        else
            missing[missing_count++] = path->name;
        if (path->count > 0)
            obstacles[obstacle_count++] = box_around(relief, path->places[0], START_RADIUS + 2);
    }
    for (size_t i = 0; i < map->minimum_count; ++i)
        obstacles[obstacle_count++] = box_around(relief, map->minima[i], STAR_RADIUS);
    draw_tags(canvas, tags, count, &area, obstacles, obstacle_count);
    draw_missing(canvas, missing, missing_count, MARGIN, RELIEF_HEIGHT - 20);
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static void draw_relief(struct canvas *canvas, const void *context)
{
    const struct plot_map *const map = context;
    struct relief relief = {.canvas = canvas, .map = map};
    choose_view(&relief);
    fit_view(&relief);
    draw_title(canvas, map->title, map->relief_subtitle);
    (void)draw_map_key(canvas, map, MARGIN + START_RADIUS, RELIEF_TOP - 22);
    draw_ground(&relief);
    draw_axis(&relief, false);
    draw_axis(&relief, true);
    cairo_set_line_cap(canvas->cairo, CAIRO_LINE_CAP_ROUND);
    for (size_t i = 0; i < map->path_count; ++i)
        draw_path(&relief, i, true);
    for (size_t i = 0; i < map->path_count; ++i)
        draw_path(&relief, i, false);
    draw_marks(&relief);
    draw_names(&relief);
}

bool plot_relief_write(const struct plot_map *map, const char *folder, const char *name, struct text *written)
{
    const struct picture picture = {
        .title = map->title,
        .subtitle = map->relief_subtitle,
        .width = RELIEF_WIDTH,
        .height = RELIEF_HEIGHT,
        .draw = draw_relief,
        .context = map,
    };
    return picture_write(&picture, folder, name, written);
}
