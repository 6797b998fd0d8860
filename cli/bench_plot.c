/* The roofline: what the machine allows at each size, and what a step reaches. */
#include "bench_report.h"
#include "output.h"
#include "plot.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

enum { COLOR_PASS = 0, COLOR_BEST = 3, COLOR_NEXT = 2, NAME_SIZE = 32 };

/* The lines' numbers and names. */
struct drawing {
    double bytes[BENCH_POINTS_MAX];
    double pass[BENCH_POINTS_MAX];
    double step[BENCH_ISAS_MAX][BENCH_POINTS_MAX];
    double ends[2]; /* of the axis, for lines of one height */
    double ceiling[BENCH_ISAS_MAX][2];
    char name[BENCH_ISAS_MAX][NAME_SIZE];
};

static struct plot_line *add_line(struct plot *plot, const char *name, const char *detail, size_t color)
{
    struct plot_line *const line = &plot->lines[plot->line_count++];
    *line = (struct plot_line){.name = name, .detail = detail, .color = color, .special = SIZE_MAX};
    return line;
}

/* The limits lie below the steps. */
static void add_limits(struct plot *plot, const struct bench_report *report, struct drawing *drawing)
{
    struct plot_line *const pass = add_line(plot, "bare pass", "memory alone", COLOR_PASS);
    pass->count = report->point_count;
    pass->x = drawing->bytes;
    pass->y = drawing->pass;
    for (size_t i = report->plan->isa_count; i-- > 0;) {
        if (!(report->ceilings[i] > 0))
            continue;
        const bool best = i + 1 == report->plan->isa_count;
        struct plot_line *const line =
            add_line(plot, drawing->name[i], "√ and ÷ alone", best ? COLOR_BEST : COLOR_NEXT);
        drawing->ceiling[i][0] = drawing->ceiling[i][1] = report->ceilings[i];
        line->count = 2;
        line->x = drawing->ends;
        line->y = drawing->ceiling[i];
        line->dash = PLOT_DASHED;
    }
}

static void add_steps(struct plot *plot, const struct bench_report *report, struct drawing *drawing)
{
    for (size_t i = report->plan->isa_count; i-- > 0;) {
        const bool best = i + 1 == report->plan->isa_count;
        struct plot_line *const line = add_line(plot, drawing->name[i], "step", best ? COLOR_BEST : COLOR_NEXT);
        line->count = report->point_count;
        line->x = drawing->bytes;
        line->y = drawing->step[i];
        line->points = true;
    }
}

static void fill(struct drawing *drawing, const struct bench_report *report)
{
    for (size_t k = 0; k < report->point_count; ++k) {
        drawing->bytes[k] = report->points[k].bytes;
        drawing->pass[k] = report->points[k].pass;
        for (size_t i = 0; i < report->plan->isa_count; ++i)
            drawing->step[i][k] = report->points[k].step[i];
    }
    drawing->ends[0] = drawing->bytes[0];
    drawing->ends[1] = drawing->bytes[report->point_count - 1];
    for (size_t i = 0; i < report->plan->isa_count; ++i)
        (void)snprintf(drawing->name[i], NAME_SIZE, "%s", rms_isa_name(report->plan->isas[i]));
}

bool bench_plot(const struct bench_report *report, const char *folder, struct text *written)
{
    if (report->point_count == 0)
        return true;
    const struct bench_plan *plan = report->plan;
    const struct plot_region regions[] = {{"L1", (double)plan->caches.bytes[0]},
                                          {"L2", (double)plan->caches.bytes[1]},
                                          {"L3", (double)plan->caches.bytes[2]},
                                          {"memory", (double)INFINITY}};
    char processor[SYSTEM_NAME_SIZE];
    struct drawing drawing;
    struct text subtitle = {0};
    text_append(&subtitle, "RMSProp, f32, 1 thread, %.40s · medians of %zu rounds%s%s · rmsprop %s",
                system_processor(processor), plan->rounds, plan->quick ? " · quick: indicative only" : "",
                report->interrupted ? " · interrupted" : "", rms_version());
    struct plot plot = {
        .title = "How near a step comes to what this machine allows",
        .subtitle = subtitle.text,
        .x_title = "gradients, parameters and state, log scale",
        .y_title = "billion parameters a second, log scale",
        .x_bytes = true,
        .y_span = (double)INFINITY,
        .regions = regions,
        .region_count = sizeof regions / sizeof regions[0],
    };
    fill(&drawing, report);
    add_limits(&plot, report, &drawing);
    add_steps(&plot, report, &drawing);
    if (subtitle.failed)
        complain("out of memory for the picture");
    const bool complete = !subtitle.failed && plot_write(&plot, folder, "bench-roofline", written);
    text_free(&subtitle);
    plot_release();
    return complete;
}
