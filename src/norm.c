/* The norm is a sum over chunks: each tensor is cut into chunks of fixed length, the kernel adds up each
 * chunk in a fixed tree, and the chunks' sums are added in the order of tensors. Threads only change who
 * computes a chunk, never what is added to what. Chunks are dealt in waves, so that their sums fit on the
 * stack whatever the size of the model. */
#include "norm.h"

#include <math.h>

enum { CHUNK = 65536, WAVE = 256 };

struct chunk {
    const float *grad;
    size_t count;
    double sum;
};

struct wave {
    struct chunk chunks[WAVE];
    size_t chunk_count;
    size_t element_count;
    size_t parts;
    square_sum_kernel *square_sum;
    float scale;
};

static void sum_part(void *context, size_t part)
{
    struct wave *wave = context;
    const size_t end = wave->chunk_count * (part + 1) / wave->parts;
    for (size_t i = wave->chunk_count * part / wave->parts; i < end; ++i)
        wave->chunks[i].sum = wave->square_sum(wave->chunks[i].count, wave->chunks[i].grad, wave->scale);
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

double gradient_norm_of(const struct step *step, const struct workers *workers)
{
    struct wave wave;
    wave.chunk_count = 0;
    wave.element_count = 0;
    wave.square_sum = step->kernels->square_sum;
    wave.scale = (float)step->options->grad_scale;
    double total = 0;
    for (size_t t = 0; t < step->tensor_count; ++t) {
        const struct tensor *tensor = step->tensors[t];
        for (size_t begin = 0; begin < tensor->count; begin += CHUNK) {
            const size_t left = tensor->count - begin;
            const size_t count = left < CHUNK ? left : CHUNK;
            wave.chunks[wave.chunk_count++] = (struct chunk){.grad = tensor->grad + begin, .count = count};
            wave.element_count += count;
            if (wave.chunk_count == WAVE)
                total = add_wave(&wave, workers, total);
        }
    }
    return sqrt(add_wave(&wave, workers, total));
}

bool find_nonfinite(const struct step *step, size_t *tensor, size_t *element)
{
    const float scale = (float)step->options->grad_scale;
    for (size_t t = 0; t < step->tensor_count; ++t)
        for (size_t i = 0; i < step->tensors[t]->count; ++i)
            if (!isfinite(step->tensors[t]->grad[i] * scale)) {
                *tensor = t;
                *element = i;
                return true;
            }
    return false;
}
