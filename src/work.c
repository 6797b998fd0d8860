/* Cutting all tensors, laid end to end, into parts. */
#include "work.h"

#include "gradient.h"

enum { ELEMENTS_PER_PAGE = 1024 };
_Static_assert(ELEMENTS_PER_PAGE % BLOCK == 0 && ELEMENTS_PER_PAGE % RMS_STATE_BLOCK == 0, "blocks are not cut");

size_t work_extent(const struct tensor *tensor)
{
    return tensor_is_lazy(tensor) ? tensor->rows->distinct * tensor->rows->width : tensor->count;
}

size_t work_page_edge(const struct tensor *tensor, size_t position)
{
    return position == work_extent(tensor) ? position : position / ELEMENTS_PER_PAGE * ELEMENTS_PER_PAGE;
}

struct cut {
    const struct work *work;
    uint64_t bytes;
    size_t parts;
};

static uint64_t bytes_of(const struct tensor *tensor)
{
    return (uint64_t)work_extent(tensor) * tensor->step_bytes;
}

static uint64_t part_begin(const struct cut *cut, size_t part)
{
    return cut->bytes / cut->parts * part + cut->bytes % cut->parts * part / cut->parts;
}

/* Where byte number place of a tensor's work lies in it. */
static size_t place_in(const struct work *work, const struct tensor *tensor, uint64_t place)
{
    const size_t extent = work_extent(tensor);
    const size_t position = (size_t)(place / tensor->step_bytes);
    return work->edge(tensor, position < extent ? position : extent);
}

static void run_part(void *context, size_t part)
{
    const struct cut *cut = context;
    const struct work *work = cut->work;
    const uint64_t begin = part_begin(cut, part);
    const uint64_t end = part_begin(cut, part + 1);
    uint64_t offset = 0;
    for (size_t t = 0; t < work->tensor_count && offset < end; ++t) {
        const struct tensor *tensor = work->tensors[t];
        const size_t from = place_in(work, tensor, begin > offset ? begin - offset : 0);
        const size_t to = place_in(work, tensor, end - offset);
        if (from < to)
            work->run(work->context, tensor, from, to);
        offset += bytes_of(tensor);
    }
}

static void run_alone(const struct work *work)
{
    for (size_t t = 0; t < work->tensor_count; ++t) {
        const struct tensor *tensor = work->tensors[t];
        const size_t end = work->edge(tensor, work_extent(tensor));
        if (end > 0)
            work->run(work->context, tensor, 0, end);
    }
}

void work_run(const struct work *work, const struct workers *workers)
{
    struct cut cut = {.work = work};
    for (size_t t = 0; workers->threads > 1 && t < work->tensor_count; ++t)
        cut.bytes += bytes_of(work->tensors[t]);
    cut.parts = workers_parts(workers, cut.bytes);
    if (cut.parts == 1)
        run_alone(work);
    else
        workers_run(workers, cut.parts, run_part, &cut);
}
