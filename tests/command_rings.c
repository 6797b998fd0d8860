/* Contour lines and axes: what the pictures' drawing rests on. */
#include "cli/plot_axis.h"
#include "cli/plot_rings.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 41, ROWS = 31, RINGS_MAX = 8 };

/* ---- Contour lines */

/* What was found: for each ring its points, and the area that it encloses, positive where the inside lies on its left. */
struct found {
    size_t count;
    size_t points[RINGS_MAX];
    double areas[RINGS_MAX];
    double worst; /* distance of a point from the circle that it should lie on */
    double column, row, radius;
};

static void note_ring(void *context, const struct ring_point *points, size_t count)
{
    struct found *const found = context;
    double area = 0;
    for (size_t i = 0; i < count; ++i) {
        const struct ring_point *a = &points[i], *b = &points[(i + 1) % count];
        area += (a->column * b->row - b->column * a->row) / 2;
        const double radius = hypot(a->column - found->column, a->row - found->row);
        found->worst = fmax(found->worst, fabs(radius - found->radius));
        /* From each point to the next it is at most across a cell. */
        assert_true(hypot(a->column - b->column, a->row - b->row) < 1.5);
    }
    assert_true(found->count < RINGS_MAX);
    found->points[found->count] = count;
    found->areas[found->count++] = area;
}

static struct found rings_of(const double *heights, size_t columns, size_t rows, double level, struct found expected)
{
    const struct ring_grid grid = {.heights = heights, .columns = columns, .rows = rows};
    struct found found = {.column = expected.column, .row = expected.row, .radius = expected.radius};
    assert_true(rings_trace(&grid, level, note_ring, &found));
    return found;
}

static void fill(double *heights, double (*height)(double column, double row))
{
    for (size_t row = 0; row < ROWS; ++row)
        for (size_t column = 0; column < COLUMNS; ++column)
            heights[row * COLUMNS + column] = height((double)column, (double)row);
}

static double cone(double column, double row)
{
    return 20 - hypot(column - 20.3, row - 15.1);
}

static double crater(double column, double row)
{
    return -cone(column, row);
}

/* Along a side of a cell, of length 1, the height of a cone of slope 1 differs from the straight line between its ends by
 * at most an eighth of its curvature, 1 / radius; and so far from the circle is the point where that line meets the level. */
static const double cone_bound = 1.0 / (8 * 9) + 1e-9;

static void the_line_around_a_peak_is_a_circle_with_the_peak_on_its_left(void **state)
{
    (void)state;
    double heights[ROWS * COLUMNS];
    fill(heights, cone);
    const struct found circle = {.column = 20.3, .row = 15.1, .radius = 10};
    const struct found found = rings_of(heights, COLUMNS, ROWS, 10, circle);
    assert_int_equal(found.count, 1);
    assert_true(found.worst < cone_bound);
    const double area = 4 * atan(1) * 100;
    assert_true(found.areas[0] > 0.98 * area && found.areas[0] < area);
}

static void the_line_around_a_hollow_has_it_on_its_right_and_one_around_all_of_the_grid(void **state)
{
    (void)state;
    double heights[ROWS * COLUMNS];
    fill(heights, crater);
    const struct found found = rings_of(heights, COLUMNS, ROWS, -10, (struct found){0});
    assert_int_equal(found.count, 2);
    const size_t outer = found.areas[0] > 0 ? 0U : 1U;
    /* Half a step around the grid, with corners cut off. */
    assert_true(fabs(found.areas[outer] - (COLUMNS * ROWS - 0.5)) < 1e-9);
    assert_true(found.areas[1 - outer] < 0);
}

static void no_height_is_below_every_level(void **state)
{
    (void)state;
    double heights[ROWS * COLUMNS];
    fill(heights, cone);
    const double floor_level = -(double)INFINITY;
    assert_int_equal(rings_of(heights, COLUMNS, ROWS, floor_level, (struct found){0}).count, 1);
    heights[15 * COLUMNS + 20] = (double)NAN;
    const struct found holed = rings_of(heights, COLUMNS, ROWS, floor_level, (struct found){0});
    assert_int_equal(holed.count, 2);
    assert_true(fabs(fmin(holed.areas[0], holed.areas[1]) + 0.5) < 1e-9);
    for (size_t i = 0; i < ROWS * COLUMNS; ++i)
        heights[i] = (double)NAN;
    assert_int_equal(rings_of(heights, COLUMNS, ROWS, floor_level, (struct found){0}).count, 0);
    assert_int_equal(rings_of(heights, COLUMNS, ROWS, 0, (struct found){0}).count, 0);
}

static void the_middle_of_a_saddle_decides_whether_its_hills_are_one(void **state)
{
    (void)state;
    const double apart[] = {1, 0, 0, 1}, joined[] = {1, 0.4, 0.4, 1};
    assert_int_equal(rings_of(apart, 2, 2, 0.6, (struct found){0}).count, 2);
    assert_int_equal(rings_of(joined, 2, 2, 0.6, (struct found){0}).count, 1);
}

static void a_level_above_all_has_no_line_and_a_grid_of_one_sample_may_have_one(void **state)
{
    (void)state;
    const double one = 3;
    assert_int_equal(rings_of(&one, 1, 1, 4, (struct found){0}).count, 0);
    const struct found found = rings_of(&one, 1, 1, 3, (struct found){0});
    assert_int_equal(found.count, 1);
    assert_int_equal(found.points[0], 4);
    assert_true(found.areas[0] == 0.5);
}

/* ---- Axes */

static size_t labelled_ticks(const struct plot_axis *axis, struct plot_tick ticks[PLOT_TICKS_MAX])
{
    const size_t count = plot_ticks(axis, 8, ticks);
    size_t labels = 0;
    for (size_t i = 0; i < count; ++i) {
        assert_true(ticks[i].value >= axis->least - 1e-6 * (axis->most - axis->least));
        assert_true(ticks[i].value <= axis->most + 1e-6 * (axis->most - axis->least));
        assert_true(i == 0 || ticks[i].value > ticks[i - 1].value);
        labels += ticks[i].label[0] != '\0';
    }
    return labels;
}

static void a_linear_axis_goes_below_zero_and_labels_it_once_without_a_sign(void **state)
{
    (void)state;
    struct plot_tick ticks[PLOT_TICKS_MAX];
    const struct plot_axis axis = {.least = -2, .most = 2, .first = 0, .last = 100};
    assert_in_range(labelled_ticks(&axis, ticks), 5, 9);
    assert_string_equal(ticks[0].label, "−2.0");
    size_t zeros = 0;
    for (size_t i = 0; ticks[i].value < 2; ++i)
        zeros += strcmp(ticks[i].label, "0.0") == 0;
    assert_int_equal(zeros, 1);
    assert_true(plot_place(&axis, 0) == 50);
}

static void a_narrow_axis_far_from_zero_has_ticks_within_it(void **state)
{
    (void)state;
    struct plot_tick ticks[PLOT_TICKS_MAX];
    const struct plot_axis narrow = {.least = 1, .most = 1.0000000001, .first = 0, .last = 1};
    assert_in_range(labelled_ticks(&narrow, ticks), 3, 9);
    const struct plot_axis large = {.least = -3e200, .most = 5e200, .first = 0, .last = 1};
    assert_in_range(labelled_ticks(&large, ticks), 3, 9);
    assert_string_equal(ticks[0].label, "−3·10²⁰⁰");
}

static void a_logarithmic_axis_is_labelled_over_any_range(void **state)
{
    (void)state;
    struct plot_tick ticks[PLOT_TICKS_MAX];
    static const double ends[][2] = {{1e-300, 1e300}, {0.9, 1.1}, {1e-12, 1e3}, {3, 40}};
    for (size_t i = 0; i < COUNT_OF(ends); ++i) {
        const struct plot_axis axis = {
            .logarithmic = true, .least = ends[i][0], .most = ends[i][1], .first = 0, .last = 1};
        assert_in_range(labelled_ticks(&axis, ticks), 3, 12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_around_a_peak_is_a_circle_with_the_peak_on_its_left),
        cmocka_unit_test(the_line_around_a_hollow_has_it_on_its_right_and_one_around_all_of_the_grid),
        cmocka_unit_test(no_height_is_below_every_level),
        cmocka_unit_test(the_middle_of_a_saddle_decides_whether_its_hills_are_one),
        cmocka_unit_test(a_level_above_all_has_no_line_and_a_grid_of_one_sample_may_have_one),
        cmocka_unit_test(a_linear_axis_goes_below_zero_and_labels_it_once_without_a_sign),
        cmocka_unit_test(a_narrow_axis_far_from_zero_has_ticks_within_it),
        cmocka_unit_test(a_logarithmic_axis_is_labelled_over_any_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
