/* Cutting work into parts and running them. */
#include "workers.h"

#ifdef _OPENMP
#include <omp.h>
#endif

enum { BYTES_PER_PART = 640 * 1024 }; /* fewer are moved in about the time that waking a thread takes */

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

size_t workers_parts(const struct workers *workers, uint64_t bytes)
{
    const uint64_t worthwhile = bytes / BYTES_PER_PART;
    const size_t threads = (size_t)workers->threads;
    if (worthwhile < 2 || threads < 2)
        return 1;
    return worthwhile < threads ? (size_t)worthwhile : threads;
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
