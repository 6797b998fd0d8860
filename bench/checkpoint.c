/* Saving and loading, in turn with bare writing and reading of the same bytes. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64

#include "checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <rmsprop_checkpoint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TENSORS = 8, BLOCK = 1 << 20, PATH_SIZE = 4096 };

/* All that a measurement needs. */
struct stage {
    rms_optimizer *optimizer;
    float *param[TENSORS];
    char *block; /* what bare reading and writing moves: as many bytes as the file has */
    uint64_t bytes;
    char checkpoint[PATH_SIZE];
    char bare[PATH_SIZE];
    rms_error *error;
};

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static rms_status refused(const struct stage *stage, const char *path, const char *call)
{
    (void)snprintf(stage->error->message, sizeof stage->error->message, "%.200s: %s: %s", path, call, strerror(errno));
    return RMS_ERROR_FILE;
}

/* ---- the object ------------------------------------------------------------------------------------ */

static rms_status add_tensors(struct stage *stage, size_t count)
{
    for (size_t i = 0; i < TENSORS; ++i) {
        char name[16];
        (void)snprintf(name, sizeof name, "layer%zu", i);
        stage->param[i] = malloc(count * sizeof(float));
        if (!stage->param[i]) {
            (void)snprintf(stage->error->message, sizeof stage->error->message, "out of memory for %zu parameters",
                           count);
            return RMS_ERROR_MEMORY;
        }
        const rms_tensor tensor = {.name = name, .count = count, .param = stage->param[i]};
        const rms_status status = rms_add(stage->optimizer, &tensor);
        if (status != RMS_OK)
            return status;
        /* Numbers that no disk can compress. */
        float *v = rms_state(stage->optimizer, i, "v");
        uint32_t bits = (uint32_t)i + 1;
        for (size_t k = 0; k < count; ++k) {
            bits = bits * 1664525U + 1013904223U;
            stage->param[i][k] = (float)bits;
            v[k] = 1.0F / (1.0F + (float)(bits >> 7));
        }
    }
    return RMS_OK;
}

static rms_status stage_create(struct stage *stage, uint64_t bytes, int threads)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.threads = threads;
    rms_status status = rms_create(&stage->optimizer, &options, stage->error);
    if (status != RMS_OK)
        return status;
    status = add_tensors(stage, (size_t)(bytes / ((uint64_t)TENSORS * 2 * sizeof(float))) + 1);
    if (status == RMS_OK)
        status = rms_save(stage->optimizer, stage->checkpoint);
    if (status != RMS_OK && stage->error->message[0] == '\0')
        (void)snprintf(stage->error->message, sizeof stage->error->message, "%s", rms_message(stage->optimizer));
    struct stat file;
    if (status != RMS_OK || stat(stage->checkpoint, &file) != 0)
        return status != RMS_OK ? status : refused(stage, stage->checkpoint, "stat");
    stage->bytes = (uint64_t)file.st_size;
    stage->block = malloc((size_t)stage->bytes);
    if (!stage->block) {
        (void)snprintf(stage->error->message, sizeof stage->error->message, "out of memory for a copy of the file");
        return RMS_ERROR_MEMORY;
    }
    memset(stage->block, 0x5a, (size_t)stage->bytes);
    return RMS_OK;
}

static void stage_destroy(struct stage *stage)
{
    (void)unlink(stage->checkpoint);
    (void)unlink(stage->bare);
    rms_free(stage->optimizer);
    for (size_t i = 0; i < TENSORS; ++i)
        free(stage->param[i]);
    free(stage->block);
}

/* ---- what is timed --------------------------------------------------------------------------------- */

static rms_status library_save(struct stage *stage)
{
    return rms_save(stage->optimizer, stage->checkpoint);
}

static rms_status library_load(struct stage *stage)
{
    return rms_load(stage->optimizer, stage->checkpoint);
}

/* What dd bs=1M conv=fsync does with a source in memory. */
static rms_status bare_write(struct stage *stage)
{
    const int file = open(stage->bare, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    bool well = file >= 0;
    for (uint64_t done = 0; well && done < stage->bytes;) {
        const size_t count = stage->bytes - done < BLOCK ? (size_t)(stage->bytes - done) : BLOCK;
        const ssize_t written = write(file, stage->block + done, count);
        well = written > 0;
        done += well ? (uint64_t)written : 0;
    }
    well = well && fsync(file) == 0;
    if (file >= 0)
        (void)close(file);
    return well ? RMS_OK : refused(stage, stage->bare, "write");
}

static rms_status bare_read(struct stage *stage)
{
    const int file = open(stage->checkpoint, O_RDONLY);
    bool well = file >= 0;
    for (uint64_t done = 0; well && done < stage->bytes;) {
        const size_t count = stage->bytes - done < BLOCK ? (size_t)(stage->bytes - done) : BLOCK;
        const ssize_t some = read(file, stage->block + done, count);
        well = some > 0;
        done += well ? (uint64_t)some : 0;
    }
    if (file >= 0)
        (void)close(file);
    return well ? RMS_OK : refused(stage, stage->checkpoint, "read");
}

/* Out of the system's cache, which needs no rights for a file that has been forced to the disk. */
static bool forget(const struct stage *stage)
{
    const int file = open(stage->checkpoint, O_RDONLY);
    const bool done = file >= 0 && posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0;
    if (file >= 0)
        (void)close(file);
    return done;
}

/* ---- rounds ---------------------------------------------------------------------------------------- */

static int by_size(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static rms_status time_one(struct stage *stage, rms_status (*call)(struct stage *), bool cold, double *time)
{
    if (cold && !forget(stage)) {
        *time = (double)NAN;
        return RMS_OK;
    }
    const double before = seconds();
    const rms_status status = call(stage);
    *time = seconds() - before;
    if (status < 0 && rms_message(stage->optimizer)[0] != '\0')
        (void)snprintf(stage->error->message, sizeof stage->error->message, "%s", rms_message(stage->optimizer));
    return status < 0 ? status : RMS_OK;
}

/* The two in turn, each once before anything counts. */
static rms_status compare(struct stage *stage, rms_status (*ours)(struct stage *), rms_status (*bare)(struct stage *),
                          bool cold, size_t rounds, struct bench_speed *speed)
{
    double *times = malloc(3 * rounds * sizeof *times);
    double *const limits = times + rounds, *const ratios = limits + rounds;
    if (!times)
        return RMS_ERROR_MEMORY;
    double unused;
    rms_status status = time_one(stage, ours, cold, &unused);
    if (status == RMS_OK)
        status = time_one(stage, bare, cold, &unused);
    for (size_t i = 0; status == RMS_OK && i < rounds; ++i) {
        status = time_one(stage, ours, cold, &times[i]);
        if (status == RMS_OK)
            status = time_one(stage, bare, cold, &limits[i]);
        if (status == RMS_OK)
            ratios[i] = limits[i] / times[i];
    }
    if (status == RMS_OK) {
        speed->gb_per_s = (double)stage->bytes / median(times, rounds) / 1e9;
        speed->limit_gb_per_s = (double)stage->bytes / median(limits, rounds) / 1e9;
        speed->ratio_to_limit = median(ratios, rounds);
    }
    free(times);
    return status;
}

rms_status bench_checkpoint(const char *folder, uint64_t bytes, int threads, size_t rounds,
                            struct bench_checkpoint_result *result, rms_error *error)
{
    struct stage stage = {.error = error};
    error->message[0] = '\0';
    (void)snprintf(stage.checkpoint, sizeof stage.checkpoint, "%.4000s/rmsprop-bench-%ld.safetensors", folder,
                   (long)getpid());
    (void)snprintf(stage.bare, sizeof stage.bare, "%.4000s/rmsprop-bench-%ld.bare", folder, (long)getpid());
    rms_status status = stage_create(&stage, bytes, threads);
    result->bytes = stage.bytes;
    if (status == RMS_OK)
        status = compare(&stage, library_save, bare_write, false, rounds, &result->save);
    if (status == RMS_OK)
        status = compare(&stage, library_load, bare_read, false, rounds, &result->load);
    if (status == RMS_OK)
        status = compare(&stage, library_load, bare_read, true, rounds, &result->cold);
    stage_destroy(&stage);
    return status;
}
