/* Labels at the lines' ends, instead of a legend. */
#include "plot_canvas.h"

#include <math.h>
#include <stdlib.h>

struct label {
    const struct plot_line *line;
    struct place end; /* where the line ends */
    bool leader;      /* from there to the label */
    double y;         /* where the label goes */
};

static int by_place(const void *left, const void *right)
{
    const struct label *a = left;
    const struct label *b = right;
    if (a->y < b->y || a->y > b->y)
        return a->y < b->y ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

/* Where a line's label should go. The labels of lines that were cut short gather where those lines were heading: at the
 * top, or at the bottom of a linear axis, where more is better; next to the last value they would look like the end of a
 * flat line. */
static struct label ideal_label(const struct canvas *canvas, const struct plot_line *line)
{
    if (first_point(canvas, line, is_above) < line->count) {
        const double row = row_place(canvas, line);
        return (struct label){line, {canvas->x.last - LEADER_GAP, row}, !line->cut_short, row};
    }
    struct place end = place_of(canvas, line, drawn_count(canvas, line) - 1);
    end.y = fmin(end.y, canvas->y.first);
    if (line->cut_short)
        return (struct label){line, end, false, canvas->plot->y_linear ? AREA_BOTTOM : AREA_TOP};
    return (struct label){line, end, end.x > canvas->x.last - LEADER_MAX, end.y};
}

static size_t collect_labels(const struct canvas *canvas, struct label *labels)
{
    size_t count = 0;
    for (size_t i = 0; i < canvas->plot->line_count; ++i) {
        const struct plot_line *line = &canvas->plot->lines[i];
        if (drawn_count(canvas, line) > 0 || first_point(canvas, line, is_above) < line->count)
            labels[count++] = ideal_label(canvas, line);
    }
    qsort(labels, count, sizeof labels[0], by_place);
    return count;
}

/* Neighbours that are too close push each other away, evenly, until none are. */
static void spread_labels(struct label *labels, size_t count)
{
    for (int round = 0; round < 200; ++round)
        for (size_t i = 0; i < count; ++i) {
            if (i + 1 < count && labels[i + 1].y - labels[i].y < LABEL_GAP) {
                const double push = (LABEL_GAP - (labels[i + 1].y - labels[i].y)) / 2;
                labels[i].y -= push;
                labels[i + 1].y += push;
            }
            labels[i].y = fmin(fmax(labels[i].y, AREA_TOP + 4), AREA_BOTTOM - 4);
        }
}

void draw_labels(const struct canvas *canvas)
{
    struct label labels[PLOT_LINES_MAX];
    const size_t count = collect_labels(canvas, labels);
    spread_labels(labels, count);
    for (size_t i = 0; i < count; ++i) {
        const struct label *label = &labels[i];
        const double x = canvas->x.last + LABEL_INDENT;
        set_color(canvas, line_color(canvas, label->line), 0.55);
        cairo_set_line_width(canvas->cairo, 1);
        if (label->leader)
            stroke_segment(canvas, label->end.x + LEADER_GAP, label->end.y, x - 4, label->y);
        set_color(canvas, line_color(canvas, label->line), 1);
        set_font(canvas, LABEL_SIZE, true);
        const double end = draw_text(canvas, x, label->y + 4.5, 0, label->line->name);
        set_color(canvas, canvas->theme->muted, 1);
        set_font(canvas, TEXT_SIZE, false);
        (void)draw_text(canvas, end + DETAIL_INDENT, label->y + 4.5, 0, label->line->detail);
    }
}

static double label_width(const struct canvas *canvas, const struct plot_line *line)
{
    cairo_text_extents_t name, detail;
    set_font(canvas, LABEL_SIZE, true);
    cairo_text_extents(canvas->cairo, line->name, &name);
    set_font(canvas, TEXT_SIZE, false);
    cairo_text_extents(canvas->cairo, line->detail, &detail);
    return name.x_advance + DETAIL_INDENT + detail.x_advance;
}

double area_right(const struct canvas *canvas)
{
    double right = AREA_RIGHT;
    for (size_t i = 0; i < canvas->plot->line_count; ++i)
        if (canvas->plot->lines[i].count > 0)
            right = fmin(right, WIDTH - MARGIN - LABEL_INDENT - label_width(canvas, &canvas->plot->lines[i]));
    return floor(right);
}
