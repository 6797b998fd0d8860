/* The inspect verb: reads a checkpoint tensor by tensor, so that one larger than the memory can be looked into as
 * long as its largest tensor fits. */
#include "inspect.h"

#include "output.h"
#include "text.h"
#include "verbs.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Finer counts, for the median: the upper halves of floats, of which 128 lie between a number and its double. */
enum { FINE_BINS = 0x8000 };

/* One tensor, in memory. */
struct loaded {
    const rms_checkpoint_tensor *tensor;
    rms_options options;
    rms_optimizer *optimizer; /* holds the state */
    rms_optimizer *decoder;   /* holds 16-bit parameters as floats; NULL where there are none */
    void *param;
    float *rates;
    void *sizes; /* numbers that tell how large each element's gradients usually are; NULL where the rule keeps none */
};

double bin_start(size_t bin)
{
    return pow(10, (double)bin / BINS_PER_DECADE - 38);
}

/* ---- reading -------------------------------------------------------------------------------------- */

static void unload(struct loaded *loaded)
{
    rms_free(loaded->optimizer);
    rms_free(loaded->decoder);
    free(loaded->param);
    free(loaded->rates);
    free(loaded->sizes);
}

static bool refuse(const rms_checkpoint_tensor *tensor, const char *sentence)
{
    complain("inspect: tensor \"%s\": %s", tensor->name, sentence);
    return false;
}

static bool read_slots(struct loaded *loaded, const struct inspection *inspection, size_t index)
{
    const rms_checkpoint_tensor *tensor = loaded->tensor;
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
        const char *name = rms_slot_name(loaded->options.rule, slot);
        void *state = name && (tensor->slots >> slot & 1) ? rms_state(loaded->optimizer, 0, name) : NULL;
        rms_error error;
        if (state && rms_checkpoint_read(inspection->checkpoint, index, name, state,
                                         rms_state_size(loaded->optimizer, 0, name), &error) != RMS_OK) {
            complain("%s", error.message);
            return false;
        }
    }
    return true;
}

/* Numbers of the slot that tells how large gradients usually are, whatever it is kept in. */
static bool read_sizes(struct loaded *loaded)
{
    static const char *const names[] = {"v", "sum", "largest"};
    const rms_checkpoint_tensor *tensor = loaded->tensor;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        if (!rms_state(loaded->optimizer, 0, names[i]))
            continue;
        loaded->sizes = calloc(tensor->count, tensor->dtype == RMS_F64 ? sizeof(double) : sizeof(float));
        return loaded->sizes && rms_read_state(loaded->optimizer, 0, names[i], loaded->sizes) == RMS_OK;
    }
    return true;
}

/* A fresh optimizer's master is the parameter as a float. */
static bool decode(struct loaded *loaded, const rms_tensor *tensor)
{
    const rms_options options = rms_options_for(RMS_SGD);
    if (tensor->dtype == RMS_F32 || tensor->dtype == RMS_F64 || !loaded->tensor->has_param)
        return true;
    return rms_create(&loaded->decoder, &options, NULL) == RMS_OK && rms_add(loaded->decoder, tensor) == RMS_OK;
}

/* The count is the file's; a file as large as it says has been seen already. */
static bool load(struct loaded *loaded, const struct inspection *inspection, size_t index)
{
    const rms_checkpoint_tensor *tensor = &inspection->tensors[index].tensor;
    rms_error error;
    *loaded = (struct loaded){.tensor = tensor};
    if (rms_checkpoint_options(inspection->checkpoint, tensor->group, &loaded->options, sizeof loaded->options) !=
        RMS_OK)
        return refuse(tensor, "its group has no options");
    const size_t bytes = tensor->count * rms_dtype_size(tensor->dtype);
    loaded->param = calloc(tensor->count + 1, rms_dtype_size(tensor->dtype));
    loaded->rates = calloc(tensor->count + 1, sizeof *loaded->rates);
    if (!loaded->param || !loaded->rates)
        return refuse(tensor, "out of memory");
    if (tensor->has_param && tensor->count > 0 &&
        rms_checkpoint_read(inspection->checkpoint, index, "param", loaded->param, bytes, &error) != RMS_OK) {
        complain("%s", error.message);
        return false;
    }
    if (rms_create(&loaded->optimizer, &loaded->options, &error) != RMS_OK)
        return refuse(tensor, error.message);
    /* A group of its own number 0, whatever it was there. */
    const rms_tensor added = {
        .name = tensor->name, .count = tensor->count, .param = loaded->param, .dtype = tensor->dtype};
    if (rms_add(loaded->optimizer, &added) != RMS_OK || rms_set_steps(loaded->optimizer, 0, tensor->steps) != RMS_OK)
        return refuse(tensor, rms_message(loaded->optimizer));
    if (!decode(loaded, &added))
        return refuse(tensor, "out of memory");
    if (!read_slots(loaded, inspection, index))
        return false;
    if (!read_sizes(loaded))
        return refuse(tensor, "out of memory");
    return rms_effective_lr(loaded->optimizer, 0, loaded->rates) == RMS_OK;
}

/* ---- looking -------------------------------------------------------------------------------------- */

/* Element i of an array in f64 or f32. */
static double number_at(const void *array, rms_dtype dtype, size_t i)
{
    return dtype == RMS_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

/* Parameters as numbers to compute with; NULL where the file has none. */
static const void *values_of(const struct loaded *loaded)
{
    const void *master = rms_state(loaded->optimizer, 0, "master");
    if (master)
        return master;
    if (!loaded->tensor->has_param)
        return NULL;
    return loaded->decoder ? rms_state(loaded->decoder, 0, "master") : loaded->param;
}

/* How far an element would move at a gradient of the usual size, its root mean square so far; NaN where nothing tells
 * that size. Rules that move by signs have the movement as their rate. */
static double usual_movement(const struct loaded *loaded, size_t i)
{
    const double rate = (double)loaded->rates[i];
    const rms_rule rule = loaded->options.rule;
    if (rule == RMS_RPROP || rule == RMS_LION)
        return rate;
    if (!loaded->sizes)
        return (double)NAN;
    const double value = number_at(loaded->sizes, loaded->tensor->dtype, i);
    if (rule == RMS_ADAMAX)
        return rate * value;
    const double steps = loaded->tensor->steps > 0 ? (double)loaded->tensor->steps : 1.0;
    return rate * sqrt(rule == RMS_ADAGRAD ? value / steps : value);
}

/* Whether adding so little to a number of this precision leaves it as it is. An element that never had a gradient
 * (movement 0, rate not) waits, which is no harm. */
static bool is_dead(double movement, float rate, double value, rms_dtype dtype)
{
    const double half_last_bit = fabs(value) * (dtype == RMS_F64 ? DBL_EPSILON : (double)FLT_EPSILON) / 4;
    return rate == 0 || (movement > 0 && movement < half_last_bit);
}

static void look_at_values(struct inspected *found, const struct loaded *loaded)
{
    const void *values = values_of(loaded);
    const rms_dtype dtype = loaded->tensor->dtype;
    double squares = 0;
    size_t finite = 0;
    found->has_values = values != NULL;
    for (size_t i = 0; i < loaded->tensor->count; ++i) {
        const double value = values ? number_at(values, dtype, i) : 0.0;
        const bool sound = isfinite(value) && isfinite(loaded->rates[i]);
        found->nonfinite += !sound;
        found->dead += sound && is_dead(usual_movement(loaded, i), loaded->rates[i], value, dtype);
        if (!isfinite(value))
            continue;
        found->exploding += fabs(value) > EXPLODING;
        found->largest = fmax(found->largest, fabs(value));
        squares += value * value;
        ++finite;
    }
    found->root_mean_square = finite > 0 ? sqrt(squares / (double)finite) : (double)NAN;
}

static size_t bin_of(double rate)
{
    const double place = floor((log10(rate) + 38) * BINS_PER_DECADE);
    return place < 0 ? 0 : place >= BINS ? BINS - 1 : (size_t)place;
}

/* The middle of the fine bin that holds the median. */
static double median_of(const size_t fine[FINE_BINS], size_t count)
{
    size_t seen = 0;
    size_t bin = 0;
    while (bin + 1 < FINE_BINS && seen + fine[bin] <= count / 2)
        seen += fine[bin++];
    const uint32_t bits = (uint32_t)bin << 16 | 0x8000;
    float middle;
    memcpy(&middle, &bits, sizeof middle);
    return count > 0 ? (double)middle : (double)NAN;
}

static bool look_at_rates(struct rates *found, const struct loaded *loaded)
{
    size_t *fine = calloc(FINE_BINS, sizeof *fine);
    if (!fine)
        return refuse(loaded->tensor, "out of memory");
    size_t count = 0;
    found->minimum = (double)NAN;
    found->maximum = (double)NAN;
    for (size_t i = 0; i < loaded->tensor->count; ++i) {
        const float rate = loaded->rates[i];
        uint32_t bits;
        memcpy(&bits, &rate, sizeof bits);
        found->zero += rate == 0;
        found->nonfinite += isfinite(rate) ? 0 : 1;
        if (!(rate > 0) || !isfinite(rate))
            continue;
        ++fine[bits >> 16];
        ++found->count[bin_of((double)rate)];
        ++count;
        found->minimum = fmin(found->minimum, (double)rate);
        found->maximum = fmax(found->maximum, (double)rate);
    }
    found->median = fmin(fmax(median_of(fine, count), found->minimum), found->maximum);
    free(fine);
    return true;
}

/* ---- the verb ------------------------------------------------------------------------------------- */

const char *shown_name(const rms_checkpoint_tensor *tensor)
{
    return text_is_printable(tensor->name) ? tensor->name : "(unprintable name)";
}

double inspection_state_share(const struct inspection *inspection, size_t group)
{
    double bytes = 0;
    double count = 0;
    for (size_t t = 0; t < inspection->info.tensor_count; ++t)
        if (inspection->tensors[t].tensor.group == group) {
            bytes += (double)inspection->tensors[t].state_bytes;
            count += (double)inspection->tensors[t].tensor.count;
        }
    return count > 0 ? bytes / count : (double)NAN;
}

bool inspection_range(const struct inspection *inspection, size_t *first, size_t *last)
{
    *first = BINS;
    *last = 0;
    for (size_t t = 0; t < inspection->info.tensor_count; ++t)
        for (size_t bin = 0; bin < BINS; ++bin)
            if (inspection->tensors[t].rates.count[bin] > 0) {
                *first = bin < *first ? bin : *first;
                *last = bin > *last ? bin : *last;
            }
    return *first < BINS;
}

static size_t state_bytes(const struct loaded *loaded)
{
    size_t bytes = 0;
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot)
        if (loaded->tensor->slots >> slot & 1)
            bytes += rms_slot_bytes(&loaded->options, loaded->tensor->dtype, slot, loaded->tensor->count);
    return bytes;
}

static bool look_at_tensor(struct inspection *inspection, size_t index)
{
    struct inspected *found = &inspection->tensors[index];
    struct loaded loaded;
    if (rms_checkpoint_tensor_at(inspection->checkpoint, index, &found->tensor) != RMS_OK) {
        complain("inspect: tensor %zu cannot be read", index);
        return false;
    }
    const bool complete = load(&loaded, inspection, index);
    if (complete) {
        look_at_values(found, &loaded);
        found->state_bytes = state_bytes(&loaded);
    }
    const bool counted = complete && look_at_rates(&found->rates, &loaded);
    unload(&loaded);
    return counted;
}

static bool look(struct inspection *inspection)
{
    rms_error error;
    if (rms_checkpoint_open(&inspection->checkpoint, inspection->path, &error) != RMS_OK) {
        complain("%s", error.message);
        return false;
    }
    if (rms_checkpoint_info_of(inspection->checkpoint, &inspection->info) != RMS_OK)
        return false;
    inspection->tensors = calloc(inspection->info.tensor_count + 1, sizeof *inspection->tensors);
    if (!inspection->tensors) {
        complain("inspect: out of memory");
        return false;
    }
    for (size_t i = 0; i < inspection->info.tensor_count; ++i)
        if (!look_at_tensor(inspection, i))
            return false;
    return true;
}

/* The picture first, as in a race: what is said on stdout includes which files were written. */
static bool report(const struct inspection *inspection, const struct arguments *arguments)
{
    struct text written = {0};
    const bool drawn = !arguments->out_given || inspection_plot(inspection, arguments->out, &written);
    bool told = true;
    if (arguments->json)
        told = print_json(inspection_json(inspection));
    else
        inspection_print(inspection, written.failed ? NULL : written.text);
    text_free(&written);
    return told && drawn;
}

int inspect_verb(const struct arguments *arguments)
{
    if (!arguments->subject) {
        complain("inspect: which file? (expected rmsprop inspect FILE, a checkpoint)");
        return STATUS_USAGE;
    }
    struct inspection inspection = {.path = arguments->subject};
    const bool done = look(&inspection) && report(&inspection, arguments);
    free(inspection.tensors);
    rms_checkpoint_close(inspection.checkpoint);
    return done ? STATUS_OK : STATUS_FAILED;
}
