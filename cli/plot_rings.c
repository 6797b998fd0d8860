/* Contour lines by marching squares. */
#include "plot_rings.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Nodes are the grid's samples with a frame of nothing around. A line enters and leaves a cell of four nodes through
 * its sides; each side that it crosses has one line that comes in there and goes on to another side. */
struct tracing {
    const struct ring_grid *grid;
    double level;
    size_t width, height; /* in nodes */
    size_t *next;         /* by side: where the line goes on to; SIZE_MAX for none */
    struct ring_point *points;
};

/* The corners of a cell and the sides after them, counterclockwise: side k lies between corners k and k + 1. */
static const size_t corner_column[] = {0, 1, 1, 0};
static const size_t corner_row[] = {0, 0, 1, 1};

static double height_of_node(const struct tracing *tracing, size_t column, size_t row)
{
    const bool frame = column == 0 || row == 0 || column + 1 == tracing->width || row + 1 == tracing->height;
    return frame ? (double)NAN : tracing->grid->heights[(row - 1) * tracing->grid->columns + column - 1];
}

/* Two for each node: the side to its right, and the one above it. */
static size_t side_of_cell(const struct tracing *tracing, size_t column, size_t row, size_t side)
{
    const size_t right = side == 1;
    const size_t above = side == 2;
    const size_t upright = side % 2;
    return 2 * ((row + above) * tracing->width + column + right) + upright;
}

/* Where the level lies on the way from a node to another; half-way to one that has no height. */
static double crossing(double level, double from, double to)
{
    if (!isfinite(from) || !isfinite(to) || !(fabs(to - from) > 0))
        return 0.5;
    return fmin(fmax((level - from) / (to - from), 0), 1);
}

static struct ring_point point_of_side(const struct tracing *tracing, size_t side)
{
    const size_t column = side / 2 % tracing->width;
    const size_t row = side / 2 / tracing->width;
    const bool upright = side % 2;
    const double from = height_of_node(tracing, column, row);
    const double to = height_of_node(tracing, column + !upright, row + upright);
    const double share = crossing(tracing->level, from, to);
    return (struct ring_point){(double)column - 1 + (upright ? 0 : share), (double)row - 1 + (upright ? share : 0)};
}

/* The lines through a cell: from each side where the ground falls below the level to one where it rises above it. In a
 * saddle, the middle decides which. */
static void link_cell(const struct tracing *tracing, size_t column, size_t row)
{
    bool inside[4];
    size_t falls = 0;
    double sum = 0;
    for (size_t k = 0; k < 4; ++k) {
        const double height = height_of_node(tracing, column + corner_column[k], row + corner_row[k]);
        inside[k] = height >= tracing->level;
        sum += height;
    }
    for (size_t k = 0; k < 4; ++k)
        falls += inside[k] && !inside[(k + 1) % 4];
    const bool joined = sum / 4 >= tracing->level;
    for (size_t k = 0; k < 4; ++k) {
        if (!inside[k] || inside[(k + 1) % 4])
            continue;
        size_t to = (k + (joined ? 1 : 3)) % 4;
        while (falls == 1 && (inside[to] || !inside[(to + 1) % 4]))
            to = (to + 1) % 4;
        tracing->next[side_of_cell(tracing, column, row, k)] = side_of_cell(tracing, column, row, to);
    }
}

static void follow_ring(const struct tracing *tracing, size_t first, ring_visitor *visit, void *context)
{
    size_t count = 0;
    for (size_t side = first; tracing->next[side] != SIZE_MAX;) {
        const size_t next = tracing->next[side];
        tracing->points[count++] = point_of_side(tracing, side);
        tracing->next[side] = SIZE_MAX;
        side = next;
    }
    visit(context, tracing->points, count);
}

bool rings_trace(const struct ring_grid *grid, double level, ring_visitor *visit, void *context)
{
    struct tracing tracing = {.grid = grid, .level = level, .width = grid->columns + 2, .height = grid->rows + 2};
    const size_t sides = 2 * tracing.width * tracing.height;
    tracing.next = malloc(sides * sizeof *tracing.next);
    tracing.points = malloc(sides * sizeof *tracing.points);
    const bool ready = tracing.next && tracing.points;
    for (size_t i = 0; ready && i < sides; ++i)
        tracing.next[i] = SIZE_MAX;
    for (size_t row = 0; ready && row + 1 < tracing.height; ++row)
        for (size_t column = 0; column + 1 < tracing.width; ++column)
            link_cell(&tracing, column, row);
    for (size_t i = 0; ready && i < sides; ++i)
        if (tracing.next[i] != SIZE_MAX)
            follow_ring(&tracing, i, visit, context);
    free(tracing.next);
    free(tracing.points);
    return ready;
}
