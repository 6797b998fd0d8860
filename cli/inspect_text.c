/* An inspection as text of at most 80 columns. */
#include "inspect.h"

#include "option_text.h"
#include "output.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_COLUMNS = 22, HISTOGRAM_COLUMNS = 30 };

static void print_size(uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double size = (double)bytes;
    size_t unit = 0;
    while (size >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        size /= 1000;
        ++unit;
    }
    (void)printf("%.3g %s", size, units[unit]);
}

/* A group's options that differ from their rule's defaults, as "lr=0.01 momentum=0.9". */
static void append_group(struct text *text, const struct inspection *inspection, size_t group)
{
    rms_options options;
    rms_option_info info;
    if (rms_checkpoint_options(inspection->checkpoint, group, &options, sizeof options) != RMS_OK)
        return;
    text_append(text, "%s", rms_rule_name(options.rule));
    for (size_t i = 0; rms_option_at(options.rule, i, &info); ++i) {
        double value;
        const bool known = rms_options_get(&options, info.key, &value, NULL) == RMS_OK;
        if (!known || (value == info.default_value && strcmp(info.key, "lr") != 0))
            continue;
        text_append(text, " %s=", info.key);
        option_append_value(text, &info, value);
    }
}

/* How the group's state is kept, and what that costs. */
static void print_state(const struct inspection *inspection, size_t group)
{
    rms_options options;
    const double share = inspection_state_share(inspection, group);
    char number[NUMBER_TEXT_SIZE];
    if (!isnan(share) && rms_checkpoint_options(inspection->checkpoint, group, &options, sizeof options) == RMS_OK)
        (void)printf("         state: %s, %s bytes per parameter\n", rms_state_format_name(options.state_format),
                     number_text(number, share, 3));
}

static void print_heading(const struct inspection *inspection)
{
    const rms_checkpoint_info *info = &inspection->info;
    (void)printf("%s%s%s  ", bold(), inspection->path, plain());
    print_size(info->file_bytes);
    (void)printf(", layout %s, format %d%s%s, %" PRIu64 " step%s\n", rms_layout_name(info->layout), info->format,
                 *info->version ? ", rmsprop " : "", info->version, info->steps, info->steps == 1 ? "" : "s");
    for (size_t group = 0; group < info->group_count; ++group) {
        struct text text = {0};
        append_group(&text, inspection, group);
        (void)printf("group %zu  ", group);
        if (!text.failed && text.text)
            print_wrapped(text.text, 9, 9);
        text_free(&text);
        print_state(inspection, group);
    }
}

/* How full a column is, in eighths; what holds anything shows at least one. */
static const char *block_of(double share)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const double eighths = ceil(share * 8);
    return blocks[eighths < 0 ? 0 : eighths > 8 ? 8 : (size_t)eighths];
}

/* Columns of equal width over the bins from first to last; heights are relative to the fullest. */
static void print_histogram(const struct rates *rates, size_t first, size_t last)
{
    size_t columns[HISTOGRAM_COLUMNS] = {0};
    size_t fullest = 1;
    for (size_t bin = first; bin <= last; ++bin) {
        const size_t column = (bin - first) * HISTOGRAM_COLUMNS / (last - first + 1);
        columns[column] += rates->count[bin];
        fullest = columns[column] > fullest ? columns[column] : fullest;
    }
    /* Few bins leave columns between them empty: those repeat what stands to their left. */
    size_t shown = 0;
    for (size_t column = 0; column < HISTOGRAM_COLUMNS; ++column) {
        const size_t bin = first + (column * (last - first + 1) + HISTOGRAM_COLUMNS - 1) / HISTOGRAM_COLUMNS;
        if ((bin - first) * HISTOGRAM_COLUMNS / (last - first + 1) == column)
            shown = columns[column];
        (void)fputs(block_of((double)shown / (double)fullest), stdout);
    }
}

static void print_count(size_t count)
{
    char text[NUMBER_TEXT_SIZE];
    if (count < 10000000)
        (void)snprintf(text, sizeof text, "%zu", count);
    else
        (void)snprintf(text, sizeof text, "%.3gM", (double)count / 1e6);
    print_padded(text, -9);
}

static void print_flag(const char **before, size_t count, const char *what)
{
    if (count == 0)
        return;
    (void)printf("%s%zu %s", *before, count, what);
    *before = ", ";
}

static void print_flags(const struct inspected *found)
{
    const char *before = "    ! ";
    print_flag(&before, found->dead, "dead");
    print_flag(&before, found->exploding, "exploding");
    print_flag(&before, found->nonfinite, "not finite");
    if (*before == ',')
        (void)putchar('\n');
}

static void print_name(const char *name)
{
    if (text_columns(name) < NAME_COLUMNS)
        print_padded(name, NAME_COLUMNS);
    else
        (void)printf("%s\n%*s", name, NAME_COLUMNS, "");
}

static void print_tensor(const struct inspected *found, bool ranged, size_t first, size_t last)
{
    char median[NUMBER_TEXT_SIZE];
    print_name(shown_name(&found->tensor));
    print_padded(rms_dtype_name(found->tensor.dtype), 4);
    print_count(found->tensor.count);
    (void)printf("  ");
    if (ranged)
        print_histogram(&found->rates, first, last);
    else
        (void)printf("%*s", HISTOGRAM_COLUMNS, "");
    print_padded(number_text(median, found->rates.median, 3), -10);
    (void)putchar('\n');
    print_flags(found);
}

static void print_columns(bool ranged, size_t first, size_t last)
{
    char from[NUMBER_TEXT_SIZE] = "";
    char to[NUMBER_TEXT_SIZE] = "";
    if (ranged) {
        (void)number_text(from, bin_start(first), 2);
        (void)number_text(to, bin_start(last + 1), 2);
    }
    (void)printf("\n%s%*s%s", faint(), NAME_COLUMNS + 4 + 9 + 2, "", from);
    print_padded(to, -(int)(HISTOGRAM_COLUMNS - text_columns(from)));
    (void)printf("%s\n%s%s%*s%s", plain(), faint(), "tensor", NAME_COLUMNS - 6, "", "type    count  ");
    print_padded("effective learning rate", HISTOGRAM_COLUMNS);
    (void)printf("    median%s\n", plain());
}

static void print_legend(const struct inspection *inspection)
{
    size_t dead = 0;
    size_t exploding = 0;
    size_t nonfinite = 0;
    for (size_t i = 0; i < inspection->info.tensor_count; ++i) {
        dead += inspection->tensors[i].dead;
        exploding += inspection->tensors[i].exploding;
        nonfinite += inspection->tensors[i].nonfinite;
    }
    if (dead + exploding + nonfinite == 0)
        (void)printf("\nno parameter is dead, exploding or not finite\n");
    if (dead > 0)
        print_wrapped("dead: a gradient of the usual size no longer changes the parameter", 0, 6);
    if (exploding > 0)
        print_wrapped("exploding: the parameter's magnitude is above 10000", 0, 6);
    if (nonfinite > 0)
        print_wrapped("not finite: NaN or infinite, in the parameter or its rate", 0, 6);
}

void inspection_print(const struct inspection *inspection, const char *written)
{
    size_t first = 0;
    size_t last = 0;
    const bool ranged = inspection_range(inspection, &first, &last);
    print_heading(inspection);
    print_columns(ranged, first, last);
    for (size_t i = 0; i < inspection->info.tensor_count; ++i)
        print_tensor(&inspection->tensors[i], ranged, first, last);
    print_legend(inspection);
    if (written) {
        (void)printf("\nwritten ");
        print_wrapped(written, 8, 8);
    }
}
