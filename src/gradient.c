/* Bringing gradients into blocks. */
#include "gradient.h"

#include <string.h>

size_t row_index(const struct row_gradient *rows, size_t i)
{
    return (size_t)rows->indices[rows->order[rows->first[i]]];
}

size_t row_from(const struct row_gradient *rows, size_t index)
{
    size_t low = 0;
    size_t high = rows->distinct;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (row_index(rows, middle) < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* count numbers of the tensor's dtype, as those of the computation. */
static const void *decoded(const struct isa_kernels *kernels, const struct tensor *tensor, const void *from,
                           size_t count, union block *room)
{
    const struct codec *codec = tensor_codec(kernels, tensor);
    if (!codec)
        return from;
    codec->decode(count, from, room->f32);
    return room->f32;
}

static void add(const struct tensor *tensor, const void *values, size_t count, size_t at, union block *sum)
{
    if (tensor->dtype == RMS_F64) {
        const double *const restrict from = values;
        for (size_t i = 0; i < count; ++i)
            sum->f64[at + i] += from[i];
    } else {
        const float *const restrict from = values;
        for (size_t i = 0; i < count; ++i)
            sum->f32[at + i] += from[i];
    }
}

/* Elements begin to begin + count of a distinct row, written to room from element at on. The first of equal rows is
 * taken as it is: 0 + x would turn a negative zero into a positive one. */
static void sum_row(const struct isa_kernels *kernels, const struct tensor *tensor, size_t i, size_t begin,
                    size_t count, union block *room, size_t at)
{
    const struct row_gradient *rows = tensor->rows;
    const size_t size = rms_dtype_size(tensor->dtype);
    for (size_t k = rows->first[i]; k < rows->first[i + 1]; ++k) {
        union block value;
        const char *from = rows->values + (rows->order[k] * rows->width + begin) * size;
        const void *const numbers = decoded(kernels, tensor, from, count, &value);
        if (k == rows->first[i])
            memcpy((char *)room + at * tensor_real_size(tensor), numbers, count * tensor_real_size(tensor));
        else
            add(tensor, numbers, count, at, room);
    }
}

const void *row_block(const struct isa_kernels *kernels, const struct tensor *tensor, size_t i, size_t begin,
                      size_t count, union block *room)
{
    sum_row(kernels, tensor, i, begin, count, room, 0);
    return room;
}

static const void *scattered_block(const struct isa_kernels *kernels, const struct tensor *tensor, size_t begin,
                                   size_t count, union block *room)
{
    const struct row_gradient *rows = tensor->rows;
    const size_t width = rows->width;
    memset(room, 0, count * tensor_real_size(tensor));
    for (size_t i = row_from(rows, begin / width); i < rows->distinct; ++i) {
        const size_t start = row_index(rows, i) * width;
        if (start >= begin + count)
            break;
        const size_t from = start < begin ? begin : start;
        const size_t to = start + width < begin + count ? start + width : begin + count;
        sum_row(kernels, tensor, i, from - start, to - from, room, from - begin);
    }
    return room;
}

const void *gradient_block(const struct isa_kernels *kernels, const struct tensor *tensor, size_t begin, size_t count,
                           union block *room)
{
    if (tensor->rows)
        return scattered_block(kernels, tensor, begin, count, room);
    const char *const grad = tensor->grad;
    return decoded(kernels, tensor, grad + begin * rms_dtype_size(tensor->dtype), count, room);
}
