/* What the pictures of a surface share: its heights, and the levels that tell them. */
#include "plot_map.h"

#include <math.h>
#include <stdlib.h>

#define LEVELS_WANTED 10
#define LEVELS_LEAST 6
#define FOOT_SHARE 0.004 /* of the picture lies below the lowest level */

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* 1, 2 and 5 times the powers of ten, or the powers alone where those would be too many. */
static size_t choose_logarithmic(double *levels, double foot, double most)
{
    static const double mantissas[] = {1, 2, 5};
    const double decades = log10(most) - log10(foot);
    const size_t stride = 3 * decades > MAP_LEVELS_MAX ? 3 : 1;
    const int skip = stride == 3 ? 1 + (int)(decades / MAP_LEVELS_MAX) : 1;
    size_t count = 0;
    for (int exponent = (int)floor(log10(foot)); pow(10, exponent) < most && count < MAP_LEVELS_MAX; exponent += skip)
        for (size_t i = 0; i < 3 && count < MAP_LEVELS_MAX; i += stride) {
            const double level = mantissas[i] * pow(10, exponent);
            if (level >= foot && level < most)
                levels[count++] = level;
        }
    return count;
}

static size_t choose_even(double *levels, double most)
{
    for (size_t i = 0; i < LEVELS_WANTED; ++i)
        levels[i] = most * (double)(i + 1) / (LEVELS_WANTED + 1);
    return LEVELS_WANTED;
}

/* Levels from where a small part of the picture lies below the lowest, so that the bottom of a valley is told. */
static const char *choose_levels(struct plot_map *map, const double *sorted, size_t count)
{
    const double foot = sorted[(size_t)(FOOT_SHARE * (double)(count - 1))] - map->least;
    const double most = sorted[count - 1] - map->least;
    map->level_count = foot > 0 ? choose_logarithmic(map->levels, foot, most) : 0;
    const bool powers = 3 * (log10(most) - log10(foot)) > MAP_LEVELS_MAX;
    const bool even = map->level_count < LEVELS_LEAST;
    if (even)
        map->level_count = most > 0 ? choose_even(map->levels, most) : 0;
    for (size_t i = 0; i < map->level_count; ++i)
        map->levels[i] += map->least;
    return map->level_count == 0 ? "the ground is level"
           : even                ? "lines in even steps"
           : powers              ? "lines at powers of ten above the least"
                                 : "lines at 1, 2, 5 · 10ⁿ above the least";
}

static double place_between(const double low[2], const double high[2], size_t axis, size_t index, size_t count)
{
    return low[axis] + (high[axis] - low[axis]) * (double)index / (double)(count - 1);
}

const char *plot_map_sample(struct plot_map *map, double (*height)(const void *context, double x, double y),
                            const void *context)
{
    size_t count = 0;
    double *const sorted = calloc((size_t)MAP_ROWS * MAP_COLUMNS, sizeof *sorted);
    if (!sorted)
        return NULL;
    for (size_t row = 0; row < MAP_ROWS; ++row)
        for (size_t column = 0; column < MAP_COLUMNS; ++column) {
            const double value = height(context, place_between(map->low, map->high, 0, column, MAP_COLUMNS),
                                        place_between(map->low, map->high, 1, row, MAP_ROWS));
            map->heights[row * MAP_COLUMNS + column] = isfinite(value) ? value : (double)NAN;
            if (isfinite(value))
                sorted[count++] = value;
        }
    for (size_t i = 0; i < map->minimum_count; ++i)
        map->least = fmin(map->least, height(context, map->minima[i][0], map->minima[i][1]));
    qsort(sorted, count, sizeof sorted[0], by_value);
    const char *note = "nowhere a finite number";
    if (count > 0) {
        map->least = fmin(map->least, sorted[0]);
        note = choose_levels(map, sorted, count);
    }
    free(sorted);
    return note;
}

double plot_map_height(const struct plot_map *map, double x, double y)
{
    const double column = (x - map->low[0]) / (map->high[0] - map->low[0]) * (MAP_COLUMNS - 1);
    const double row = (y - map->low[1]) / (map->high[1] - map->low[1]) * (MAP_ROWS - 1);
    if (!(column >= 0 && column <= MAP_COLUMNS - 1 && row >= 0 && row <= MAP_ROWS - 1))
        return (double)NAN;
    const size_t left = (size_t)fmin(column, MAP_COLUMNS - 2);
    const size_t below = (size_t)fmin(row, MAP_ROWS - 2);
    const double *const at = &map->heights[below * MAP_COLUMNS + left];
    const double across = column - (double)left;
    const double up = row - (double)below;
    return (1 - up) * ((1 - across) * at[0] + across * at[1]) +
           up * ((1 - across) * at[MAP_COLUMNS] + across * at[MAP_COLUMNS + 1]);
}

double plot_map_knee(const struct plot_map *map)
{
    if (map->level_count == 0)
        return 1;
    const double foot = map->levels[0] - map->least;
    const double top = map->levels[map->level_count - 1] - map->least;
    return sqrt(foot * top);
}

double plot_map_share(const struct plot_map *map, double height)
{
    if (map->level_count == 0 || isnan(height))
        return height - height; /* 0, or no number */
    const double top = map->levels[map->level_count - 1] - map->least;
    const double above = fmax(height - map->least, 0);
    const double knee = plot_map_knee(map);
    return fmin(log1p(above / knee) / log1p(top / knee), 1.15);
}
