/* The norm is a sum over chunks: each tensor is cut into chunks of fixed length, the kernel adds up each
 * chunk in a fixed tree, and the chunks' sums are added in the order of tensors. Threads only change who
 * computes a chunk, never what is added to what. Chunks are dealt in waves, so that their sums fit on the
 * stack whatever the size of the model. */
#include "norm.h"

#include "gradient.h"
#include "kernels/lanes.h"

#include <float.h>
#include <math.h>

enum { CHUNK = 65536, WAVE = 256 };

/* A chunk of a dense gradient, or the distinct rows from row on that have elements in the chunk. */
struct chunk {
    const struct tensor *tensor;
    size_t begin;
    size_t count;
    size_t row;
    double sum;
};

struct wave {
    struct chunk chunks[WAVE];
    size_t chunk_count;
    size_t element_count;
    size_t parts;
    const struct isa_kernels *kernels;
    double scale;
};

static double scaled_square(const struct tensor *tensor, const union block *room, size_t i, double scale)
{
    const double product = tensor->dtype == RMS_F64 ? room->f64[i] * scale : (double)(room->f32[i] * (float)scale);
    return product * product;
}

/* What the kernel would find if the rows were scattered over a chunk of zeros: a lane to which nothing but 0 is added
 * in between has the same bits. */
static double sum_rows(const struct wave *wave, const struct chunk *chunk)
{
    const struct row_gradient *rows = chunk->tensor->rows;
    const size_t end = chunk->begin + chunk->count;
    double lane[LANES] = {0};
    for (size_t row = chunk->row; row < rows->distinct && row_index(rows, row) * rows->width < end; ++row) {
        const size_t start = row_index(rows, row) * rows->width;
        const size_t stop = start + rows->width < end ? start + rows->width : end;
        size_t at = start < chunk->begin ? chunk->begin : start;
        while (at < stop) {
            union block room;
            const size_t count = stop - at < BLOCK ? stop - at : BLOCK;
            row_block(wave->kernels, chunk->tensor, row, at - start, count, &room);
            for (size_t i = 0; i < count; ++i)
                lane[(at - chunk->begin + i) % LANES] += scaled_square(chunk->tensor, &room, i, wave->scale);
            at += count;
        }
    }
    return fold(lane);
}

static double sum_chunk(const struct wave *wave, const struct chunk *chunk)
{
    const struct tensor *tensor = chunk->tensor;
    if (tensor->rows)
        return sum_rows(wave, chunk);
    const struct codec *codec = tensor_codec(wave->kernels, tensor);
    square_sum_kernel *const square_sum = codec ? codec->square_sum : tensor_kernels(wave->kernels, tensor)->square_sum;
    const char *const grad = tensor->grad;
    return square_sum(chunk->count, grad + chunk->begin * rms_dtype_size(tensor->dtype), wave->scale);
}

static void sum_part(void *context, size_t part)
{
    struct wave *wave = context;
    const size_t end = wave->chunk_count * (part + 1) / wave->parts;
    for (size_t i = wave->chunk_count * part / wave->parts; i < end; ++i)
        wave->chunks[i].sum = sum_chunk(wave, &wave->chunks[i]);
}

/* Adds chunk by chunk to the running total, so that the edges of waves leave no trace in it. */
static double add_wave(struct wave *wave, const struct workers *workers, double total)
{
    const size_t parts = workers_parts(workers, wave->element_count);
    wave->parts = parts < wave->chunk_count ? parts : wave->chunk_count;
    if (wave->parts > 0)
        workers_run(workers, wave->parts, sum_part, wave);
    for (size_t i = 0; i < wave->chunk_count; ++i)
        total += wave->chunks[i].sum;
    wave->chunk_count = 0;
    wave->element_count = 0;
    return total;
}

/* Where the next chunk with elements to add begins; the tensor's count if there is none. */
static size_t next_chunk(const struct tensor *tensor, size_t begin, size_t *row)
{
    if (!tensor->rows || begin >= tensor->count)
        return begin;
    const size_t width = tensor->rows->width;
    *row = row_from(tensor->rows, begin / width);
    if (*row == tensor->rows->distinct)
        return tensor->count;
    const size_t start = row_index(tensor->rows, *row) * width;
    return start < begin ? begin : start / CHUNK * CHUNK;
}

/* How many elements of a chunk there are to add: with rows, at most those of the rows from row on that begin in it. */
static size_t elements_in(const struct tensor *tensor, size_t begin, size_t count, size_t row)
{
    if (!tensor->rows)
        return count;
    const size_t width = tensor->rows->width;
    const size_t rows = row_from(tensor->rows, (begin + count - 1) / width + 1) - row;
    return rows < count / width ? rows * width : count;
}

static double square_sum_of(const struct step *step, const struct workers *workers, double scale)
{
    struct wave wave;
    wave.chunk_count = 0;
    wave.element_count = 0;
    wave.kernels = step->kernels;
    wave.scale = scale;
    double total = 0;
    for (size_t t = 0; t < step->tensor_count; ++t) {
        const struct tensor *tensor = step->tensors[t];
        size_t row = 0;
        for (size_t begin = next_chunk(tensor, 0, &row); begin < tensor->count;
             begin = next_chunk(tensor, begin + CHUNK, &row)) {
            const size_t left = tensor->count - begin;
            const size_t count = left < CHUNK ? left : CHUNK;
            wave.chunks[wave.chunk_count++] =
                (struct chunk){.tensor = tensor, .begin = begin, .count = count, .row = row};
            wave.element_count += elements_in(tensor, begin, count, row);
            if (wave.chunk_count == WAVE)
                total = add_wave(&wave, workers, total);
        }
    }
    return add_wave(&wave, workers, total);
}

/* Looks for the first product that is not finite in count elements. */
static bool find_in_block(const struct step *step, const struct tensor *tensor, const void *gradient, size_t count,
                          size_t begin, struct step_result *result)
{
    const bool wide = tensor->dtype == RMS_F64;
    const float scale = (float)step->options->grad_scale;
    for (size_t i = 0; i < count; ++i) {
        const double g = wide ? ((const double *)gradient)[i] : (double)((const float *)gradient)[i];
        if (isfinite(wide ? g * step->options->grad_scale : (double)((float)g * scale)))
            continue;
        result->bad_element = begin + i;
        result->bad_gradient = g;
        return true;
    }
    return false;
}

static bool find_in_rows(const struct step *step, const struct tensor *tensor, struct step_result *result)
{
    const struct row_gradient *rows = tensor->rows;
    for (size_t row = 0; row < rows->distinct; ++row)
        for (size_t begin = 0; begin < rows->width; begin += BLOCK) {
            union block room;
            const size_t count = rows->width - begin < BLOCK ? rows->width - begin : BLOCK;
            const void *const gradient = row_block(step->kernels, tensor, row, begin, count, &room);
            if (find_in_block(step, tensor, gradient, count, row_index(rows, row) * rows->width + begin, result))
                return true;
        }
    return false;
}

static bool find_in_tensor(const struct step *step, const struct tensor *tensor, struct step_result *result)
{
    if (tensor->rows)
        return find_in_rows(step, tensor, result);
    for (size_t begin = 0; begin < tensor->count; begin += BLOCK) {
        union block room;
        const size_t count = tensor->count - begin < BLOCK ? tensor->count - begin : BLOCK;
        const void *const gradient = gradient_block(step->kernels, tensor, begin, count, &room);
        if (find_in_block(step, tensor, gradient, count, begin, result))
            return true;
    }
    return false;
}

/* The squares of floats cannot overflow a double; those of doubles can, although every gradient is finite. Then they
 * are added up again, made smaller by a power of two: what is lost at the lower end is too small to count. A norm that
 * no double can hold is the largest double, so that clipping still clips. */
static double overflowing_norm(const struct step *step, const struct workers *workers)
{
    const double norm = sqrt(square_sum_of(step, workers, step->options->grad_scale * 0x1p-600));
    return norm < DBL_MAX * 0x1p-600 ? norm * 0x1p600 : DBL_MAX;
}

void gradient_norm_of(const struct step *step, const struct workers *workers, struct step_result *result)
{
    result->gradient_norm = sqrt(square_sum_of(step, workers, step->options->grad_scale));
    if (isfinite(result->gradient_norm))
        return;
    for (size_t t = 0; t < step->tensor_count; ++t)
        if (find_in_tensor(step, step->tensors[t], result)) {
            result->bad_tensor = t;
            result->skipped = true;
            return;
        }
    result->gradient_norm = overflowing_norm(step, workers);
}
