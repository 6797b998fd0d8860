/* Cutting work into parts and running them. */
#include "workers.h"

#ifdef _OPENMP
#include <omp.h>
#endif

enum {
    ELEMENTS_PER_PART = 32768, /* fewer are updated in about the time that waking a thread takes */
    ELEMENTS_PER_PAGE = 1024
};

struct workers workers_of(const rms_options *options)
{
    struct workers workers = {.threads = options->threads};
    if (options->parallel)
        workers.parallel = *options->parallel;
#ifdef _OPENMP
    else if (workers.threads == 0)
        workers.threads = omp_get_max_threads();
#else
    else
        workers.threads = 1;
#endif
    return workers;
}

size_t workers_parts(const struct workers *workers, size_t count)
{
    const size_t worthwhile = count / ELEMENTS_PER_PART;
    const size_t threads = (size_t)workers->threads;
    if (worthwhile < 2 || threads < 2)
        return 1;
    return worthwhile < threads ? worthwhile : threads;
}

void workers_run(const struct workers *workers, size_t parts, rms_task *task, void *context)
{
    if (parts == 1) {
        task(context, 0);
    } else if (workers->parallel.parallel_for) {
        workers->parallel.parallel_for(workers->parallel.context, parts, task, context);
    } else {
#ifdef _OPENMP
#pragma omp parallel for num_threads((int)parts) schedule(static, 1)
#endif
        for (size_t i = 0; i < parts; ++i)
            task(context, i);
    }
}

size_t workers_edge(size_t count, size_t parts, size_t part)
{
    if (part == 0 || part == parts)
        return part == 0 ? 0 : count;
    const size_t edge = count / parts * part + count % parts * part / parts;
    return edge / ELEMENTS_PER_PAGE * ELEMENTS_PER_PAGE;
}
