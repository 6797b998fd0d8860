/* The norm is a sum over chunks: each tensor is cut into chunks of fixed length, the kernel adds up each
 * chunk in a fixed tree, and the chunks' sums are added in the order of tensors. Threads only change who
 * computes a chunk, never what is added to what. */
#include "norm.h"

#include "gradient.h"
#include "kernels/lanes.h"
#include "work.h"

#include <float.h>
#include <math.h>
#include <string.h>

size_t norm_chunks(size_t count)
{
    return count / NORM_CHUNK + (count % NORM_CHUNK != 0);
}

/* What a part of the pass needs; sums[i] is of chunk i, counted from the first tensor's. */
struct pass {
    const struct step *step;
    double scale;
    double *sums;
};

static double scaled_square(const struct tensor *tensor, const union block *room, size_t i, double scale)
{
    const double product = tensor->dtype == RMS_F64 ? room->f64[i] * scale : (double)(room->f32[i] * (float)scale);
    return product * product;
}

/* What the kernel would find if the rows were scattered over a chunk of zeros: a lane to which nothing but 0 is added
 * in between has the same bits. */
static double sum_rows(const struct pass *pass, const struct tensor *tensor, size_t begin, size_t end, size_t row)
{
    const struct row_gradient *rows = tensor->rows;
    double lane[LANES] = {0};
    for (; row < rows->distinct && row_index(rows, row) * rows->width < end; ++row) {
        const size_t start = row_index(rows, row) * rows->width;
        const size_t stop = start + rows->width < end ? start + rows->width : end;
        size_t at = start < begin ? begin : start;
        while (at < stop) {
            union block room;
            const size_t count = block_length(stop - at);
            row_block(pass->step->kernels, tensor, row, at - start, count, &room);
            for (size_t i = 0; i < count; ++i)
                lane[(at - begin + i) % LANES] += scaled_square(tensor, &room, i, pass->scale);
            at += count;
        }
    }
    return fold(lane);
}

static double sum_dense(const struct pass *pass, const struct tensor *tensor, size_t begin, size_t end)
{
    const struct isa_kernels *kernels = pass->step->kernels;
    const struct codec *codec = tensor_codec(kernels, tensor);
    square_sum_kernel *const square_sum = codec ? codec->square_sum : tensor_kernels(kernels, tensor)->square_sum;
    const char *const grad = tensor->grad;
    return square_sum(end - begin, grad + begin * rms_dtype_size(tensor->dtype), pass->scale);
}

/* Where the next chunk with elements to add begins; the tensor's count if there is none. *row is the first distinct
 * row with elements in it. */
static size_t next_chunk(const struct tensor *tensor, size_t begin, size_t *row)
{
    if (!tensor->rows || begin >= tensor->count)
        return begin;
    const size_t width = tensor->rows->width;
    *row = row_from(tensor->rows, begin / width);
    if (*row == tensor->rows->distinct)
        return tensor->count;
    const size_t start = row_index(tensor->rows, *row) * width;
    return start < begin ? begin : start / NORM_CHUNK * NORM_CHUNK;
}

static void sum_range(const void *context, const struct tensor *tensor, size_t begin, size_t end)
{
    const struct pass *pass = context;
    double *const sums = pass->sums + (tensor->first_chunk - pass->step->tensors[0]->first_chunk);
    size_t row = 0;
    for (begin = next_chunk(tensor, begin, &row); begin < end; begin = next_chunk(tensor, begin + NORM_CHUNK, &row)) {
        const size_t next = tensor->count - begin < NORM_CHUNK ? tensor->count : begin + NORM_CHUNK;
        sums[begin / NORM_CHUNK] =
            tensor->rows ? sum_rows(pass, tensor, begin, next, row) : sum_dense(pass, tensor, begin, next);
    }
}

void norm_sum_range(const struct step *step, const struct tensor *tensor, size_t begin, size_t end)
{
    const struct pass pass = {.step = step, .scale = step->options->grad_scale, .sums = step->sums};
    sum_range(&pass, tensor, begin, end);
}

/* Rows that are given are counted end to end by a part, but chunks are of the tensor that they are rows of. */
size_t norm_edge(const struct tensor *tensor, size_t position)
{
    if (position == work_extent(tensor))
        return tensor->count;
    if (tensor_is_lazy(tensor))
        position = row_index(tensor->rows, position / tensor->rows->width) * tensor->rows->width;
    return position / NORM_CHUNK * NORM_CHUNK;
}

static size_t chunks_of(const struct step *step)
{
    if (step->tensor_count == 0)
        return 0;
    const struct tensor *last = step->tensors[step->tensor_count - 1];
    return last->first_chunk + norm_chunks(last->count) - step->tensors[0]->first_chunk;
}

void norm_clear(const struct step *step)
{
    if (chunks_of(step) > 0)
        memset(step->sums, 0, chunks_of(step) * sizeof *step->sums);
}

double norm_total(const struct step *step)
{
    double total = 0;
    for (size_t i = 0; i < chunks_of(step); ++i)
        total += step->sums[i];
    return total;
}

static double square_sum_of(const struct step *step, const struct workers *workers, double scale)
{
    const struct pass pass = {.step = step, .scale = scale, .sums = step->sums};
    const struct work work = {.tensors = step->tensors,
                              .tensor_count = step->tensor_count,
                              .edge = norm_edge,
                              .run = sum_range,
                              .context = &pass};
    norm_clear(step);
    work_run(&work, workers);
    return norm_total(step);
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
            const size_t count = block_length(rows->width - begin);
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
        const size_t count = block_length(tensor->count - begin);
        const void *const gradient = gradient_block(step->kernels, tensor, begin, count, &room);
        if (find_in_block(step, tensor, gradient, count, begin, result))
            return true;
    }
    return false;
}

/* Without room for all sums there is room for those of a stretch; to be added to total in the same order. Such steps
 * have no rows. */
static double add_in_stretches(const struct step *step, const struct workers *workers, double scale, double total)
{
    enum { STRETCH = 1024 };
    double sums[STRETCH];
    for (size_t t = 0; t < step->tensor_count; ++t) {
        struct tensor stretch = *step->tensors[t];
        struct tensor *const tensors[] = {&stretch};
        const struct step part = {
            .kernels = step->kernels, .options = step->options, .tensors = tensors, .tensor_count = 1, .sums = sums};
        for (size_t left = stretch.count; left > 0; left -= stretch.count) {
            stretch.count = left < (size_t)STRETCH * NORM_CHUNK ? left : (size_t)STRETCH * NORM_CHUNK;
            square_sum_of(&part, workers, scale);
            for (size_t i = 0; i < norm_chunks(stretch.count); ++i)
                total += sums[i];
            stretch.grad = (const char *)stretch.grad + stretch.count * rms_dtype_size(stretch.dtype);
        }
    }
    return total;
}

double norm_add(const struct step *step, const struct workers *workers, double scale, double total)
{
    return step->sums ? square_sum_of(step, workers, scale) : add_in_stretches(step, workers, scale, total);
}

double norm_grow(double square_sum)
{
    const double norm = sqrt(square_sum);
    return norm < DBL_MAX * NORM_SHRINK ? norm / NORM_SHRINK : DBL_MAX;
}

bool norm_find_bad(const struct step *step, struct step_result *result)
{
    for (size_t t = 0; t < step->tensor_count; ++t)
        if (find_in_tensor(step, step->tensors[t], result)) {
            result->bad_tensor = t;
            result->skipped = true;
            return true;
        }
    return false;
}

void norm_finish(const struct step *step, const struct workers *workers, double square_sum, struct step_result *result)
{
    result->gradient_norm = sqrt(square_sum);
    if (!isfinite(result->gradient_norm) && !norm_find_bad(step, result))
        result->gradient_norm = norm_grow(norm_add(step, workers, step->options->grad_scale * NORM_SHRINK, 0));
}

void norm_of(const struct step *step, const struct workers *workers, struct step_result *result)
{
    norm_finish(step, workers, norm_add(step, workers, step->options->grad_scale, 0), result);
}
