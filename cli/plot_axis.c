/* Axes: from numbers to places, and where the ticks go. */
#include "plot_axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

double plot_place(const struct plot_axis *axis, double value)
{
    /* Differences of logarithms, since the quotient of two far apart overflows. */
    const double share = axis->logarithmic ? (log(value) - log(axis->least)) / (log(axis->most) - log(axis->least))
                                           : (value - axis->least) / (axis->most - axis->least);
    return axis->first + share * (axis->last - axis->first);
}

/* The power of ten in raised digits: "10⁻⁵". */
static void append_power(char *label, size_t size, int exponent)
{
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char digits[16];
    (void)snprintf(digits, sizeof digits, "%d", exponent);
    size_t length = strlen(label);
    length += (size_t)snprintf(label + length, size - length, "10");
    for (const char *digit = digits; *digit && length + 4 < size; ++digit)
        length += (size_t)snprintf(label + length, size - length, "%s", *digit == '-' ? "⁻" : raised[*digit - '0']);
}

/* A value in as many decimals as its step has; far from 1, in powers of ten: "2·10⁻⁷". */
static void write_label(char label[PLOT_LABEL_SIZE], double value, double step)
{
    const double margin = 1e-9;
    const double size = fabs(value);
    const char *const sign = value < 0 ? "−" : "";
    const int exponent = size > 0 ? (int)floor(log10(size) + margin) : 0;
    if (exponent >= -5 && exponent <= 4) {
        const int decimals = (int)fmax(0, -floor(log10(step) + margin));
        (void)snprintf(label, PLOT_LABEL_SIZE, "%s%.*f", sign, decimals, size);
        return;
    }
    char mantissa[16];
    (void)snprintf(mantissa, sizeof mantissa, "%.4g·", size / pow(10, exponent));
    (void)snprintf(label, PLOT_LABEL_SIZE, "%s%s", sign, strcmp(mantissa, "1·") == 0 ? "" : mantissa);
    append_power(label, PLOT_LABEL_SIZE, exponent);
}

/* Powers of ten; their doubles and fives as well where there is room for labels, else without. */
static size_t logarithmic_ticks(const struct plot_axis *axis, size_t wanted, struct plot_tick *ticks)
{
    static const int mantissas[] = {1, 2, 5};
    const double decades = log10(axis->most) - log10(axis->least);
    const int stride = 1 + (int)(decades / (double)(wanted + 1));
    const bool all_labelled = 3 * decades <= (double)wanted;
    const double margin = 1e-9;
    size_t count = 0;
    for (int exponent = (int)floor(log10(axis->least)); pow(10, exponent) <= axis->most * (1 + margin); ++exponent)
        for (size_t i = 0; i < sizeof mantissas / sizeof mantissas[0] && count < PLOT_TICKS_MAX; ++i) {
            const double value = mantissas[i] * pow(10, exponent);
            const bool shown = value >= axis->least * (1 - margin) && value <= axis->most * (1 + margin);
            if (!shown || (mantissas[i] != 1 && stride > 1))
                continue;
            struct plot_tick *tick = &ticks[count++];
            tick->value = value;
            tick->label[0] = '\0';
            if (all_labelled || (mantissas[i] == 1 && exponent % stride == 0))
                write_label(tick->label, value, pow(10, exponent));
        }
    return count;
}

/* Whole numbers apart by 1, 2 or 5 times a power of ten; as few digits as tell them apart. */
static size_t linear_ticks(const struct plot_axis *axis, size_t wanted, struct plot_tick *ticks)
{
    const double rough = (axis->most - axis->least) / (double)wanted;
    const double power = pow(10, floor(log10(rough)));
    const double ratio = rough / power;
    const double step = power * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10);
    const double margin = 1e-6 * step;
    const double first = ceil((axis->least - margin) / step);
    size_t count = 0;
    while (count < PLOT_TICKS_MAX && (first + (double)count) * step <= axis->most + margin) {
        struct plot_tick *tick = &ticks[count];
        tick->value = (first + (double)count) * step + 0.0; /* no -0 */
        write_label(tick->label, tick->value, step);
        ++count;
    }
    return count;
}

/* 1, 2, 4 or 5 octaves apart; 10 make a new unit. */
static size_t byte_ticks(const struct plot_axis *axis, size_t wanted, struct plot_tick *ticks)
{
    static const int strides[] = {1, 2, 4, 5, 10, 20};
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    const double octaves = log2(axis->most) - log2(axis->least);
    size_t chosen = 0;
    while (chosen + 1 < sizeof strides / sizeof strides[0] && octaves / strides[chosen] > (double)wanted)
        ++chosen;
    const int stride = strides[chosen];
    size_t count = 0;
    for (int octave = (int)ceil(log2(axis->least) / stride) * stride;
         octave <= log2(axis->most) && octave >= 0 && octave < 70 && count < PLOT_TICKS_MAX; octave += stride) {
        ticks[count].value = ldexp(1, octave);
        (void)snprintf(ticks[count++].label, PLOT_LABEL_SIZE, "%d %s", 1 << octave % 10, units[octave / 10]);
    }
    return count;
}

static size_t labelled(const struct plot_tick *ticks, size_t count)
{
    size_t labels = 0;
    for (size_t i = 0; i < count; ++i)
        labels += ticks[i].label[0] != '\0';
    return labels;
}

/* Fewer labels than this do not tell how a logarithmic axis runs; even steps find more in a short range. */
#define LABELS_MIN 3

size_t plot_ticks(const struct plot_axis *axis, size_t wanted, struct plot_tick ticks[PLOT_TICKS_MAX])
{
    if (axis->bytes)
        return byte_ticks(axis, wanted, ticks);
    if (axis->logarithmic) {
        const size_t count = logarithmic_ticks(axis, wanted, ticks);
        if (labelled(ticks, count) >= LABELS_MIN)
            return count;
    }
    return linear_ticks(axis, wanted, ticks);
}
