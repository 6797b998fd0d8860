/* The machine's limits: bandwidth of each level of memory, time of roots and divisions. */
#include "bench_report.h"
#include "output.h"
#include "stop.h"

#include <math.h>
#include <stdio.h>

enum { ISAS_MAX = 8, WORKING_BYTES = 12 };

/* On one thread, and on all. */
struct level_row {
    struct level_speed speeds[2];
    size_t count;
};

static bool measure_level(const struct bench_plan *plan, enum bench_level level, struct level_row *row)
{
    const int threads[2] = {1, plan->threads};
    row->count = plan->threads > 1 ? 2 : 1;
    for (size_t i = 0; i < row->count; ++i) {
        rms_error error;
        row->speeds[i] = (struct level_speed){.level = level, .threads = threads[i]};
        row->speeds[i].bytes = level_bytes(&plan->caches, level, plan->large * WORKING_BYTES);
        if (level_measure(&row->speeds[i], plan->rounds, &error) != RMS_OK) {
            complain("bench: %s", error.message);
            return false;
        }
    }
    return true;
}

static void print_level_heading(const struct bench_plan *plan)
{
    (void)printf("\n%sLimits of this machine%s, GB/s\n", bold(), plain());
    (void)printf("pass: one array read, two read and written, as a step of RMSProp does; copy:\n"
                 "memcpy, bytes read and written. Each thread has L1 and L2 of its own.\n");
    (void)printf("%s%-8s %9s %26s", faint(), "", "", "1 thread");
    if (plan->threads > 1)
        (void)printf("   %16d threads", plan->threads);
    (void)printf("\n%-8s %9s", "level", "data");
    for (int i = 0; i < (plan->threads > 1 ? 2 : 1); ++i)
        (void)printf("%s %8s %8s %8s", i > 0 ? "  " : "", "pass", "read", "copy");
    (void)printf("%s\n", plain());
    (void)fflush(stdout);
}

static void print_level(const struct level_row *row)
{
    char bytes[NUMBER_TEXT_SIZE];
    (void)printf("%-8s %9s", level_name(row->speeds[0].level), bytes_text(bytes, (double)row->speeds[0].bytes));
    for (size_t i = 0; i < row->count; ++i)
        (void)printf("%s %8.1f %8.1f %8.1f", i > 0 ? "  " : "", row->speeds[i].pass, row->speeds[i].read,
                     row->speeds[i].copy);
    (void)putchar('\n');
    (void)fflush(stdout);
}

static json_t *speed_json(const struct level_speed *speed)
{
    return json_pack("{s:s, s:I, s:i, s:o, s:o, s:o}", "level", level_name(speed->level), "bytes",
                     (json_int_t)speed->bytes, "threads", speed->threads, "pass_gb_per_s", json_number(speed->pass),
                     "read_gb_per_s", json_number(speed->read), "copy_gb_per_s", json_number(speed->copy));
}

static bool measure_levels(struct bench_report *report, json_t **bandwidth)
{
    for (int level = 0; level < LEVEL_COUNT && !stop_signal; ++level) {
        struct level_row row;
        if (!measure_level(report->plan, (enum bench_level)level, &row))
            return false;
        if (!report->silent)
            print_level(&row);
        for (size_t i = 0; i < row.count; ++i)
            *bandwidth = json_append(*bandwidth, speed_json(&row.speeds[i]));
    }
    return true;
}

/* ---- arithmetic --------------------------------------------------------------------------------- */

/* The ceilings of the roofline are those of its instruction sets. */
static void note_ceiling(struct bench_report *report, rms_isa isa, double nanoseconds)
{
    for (size_t i = 0; i < report->plan->isa_count; ++i)
        if (report->plan->isas[i] == isa)
            report->ceilings[i] = 1 / nanoseconds;
}

static void measure_arithmetic(struct bench_report *report, json_t **arithmetic)
{
    static const rms_dtype dtypes[] = {RMS_F32, RMS_F64};
    if (!report->silent)
        (void)printf("\n%sOne root and one division%s, ns per number in L1, 1 thread\n%s%-10s %8s %8s%s\n", bold(),
                     plain(), faint(), "isa", "f32", "f64", plain());
    for (int isa = RMS_ISA_BASELINE; rms_isa_name((rms_isa)isa) && !stop_signal; ++isa) {
        if (!rms_isa_supported((rms_isa)isa))
            continue;
        if (!report->silent)
            (void)printf("%-10s", rms_isa_name((rms_isa)isa));
        for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; ++i) {
            const double time = level_arithmetic((rms_isa)isa, dtypes[i] == RMS_F64, report->plan->rounds);
            if (dtypes[i] == RMS_F32)
                note_ceiling(report, (rms_isa)isa, time);
            if (!report->silent)
                (void)printf(" %8.3f", time);
            *arithmetic =
                json_append(*arithmetic, json_pack("{s:s, s:s, s:o}", "isa", rms_isa_name((rms_isa)isa), "dtype",
                                                   rms_dtype_name(dtypes[i]), "ns_per_number", json_number(time)));
        }
        if (!report->silent)
            (void)putchar('\n');
        (void)fflush(stdout);
    }
}

bool bench_limits(struct bench_report *report)
{
    json_t *bandwidth = json_array();
    json_t *arithmetic = json_array();
    if (!report->silent)
        print_level_heading(report->plan);
    const bool measured = measure_levels(report, &bandwidth);
    if (measured && !stop_signal)
        measure_arithmetic(report, &arithmetic);
    report->limits = json_pack("{s:o, s:o}", "bandwidth", bandwidth, "arithmetic", arithmetic);
    return measured;
}
