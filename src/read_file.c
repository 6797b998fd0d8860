/* A regular file, read at offsets. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64

#include "read_file.h"

#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *reason_of(int number, char text[REASON_SIZE])
{
    if (strerror_r(number, text, REASON_SIZE) != 0)
        (void)snprintf(text, REASON_SIZE, "error %d", number);
    return text;
}

static rms_status refused(const struct source *source, const char *call, int number, rms_error *error)
{
    char reason[REASON_SIZE] = "";
    return fail(error, RMS_ERROR_FILE, "%.200s: %s: %s", source->path, call, reason_of(number, reason));
}

rms_status source_open(struct source *source, const char *path, rms_error *error)
{
    *source = (struct source){.path = path, .file = -1};
    if (!path || path[0] == '\0')
        return fail(error, RMS_ERROR_ARGUMENT, "path: %s (expected the name of a file)", path ? "empty" : "NULL");
    /* Not blocking: nobody may ever open the other end of a pipe. */
    source->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (source->file < 0)
        return refused(source, "cannot open it", errno, error);
    struct stat status;
    if (fstat(source->file, &status) != 0) {
        const int number = errno;
        source_close(source);
        return refused(source, "cannot look at it", number, error);
    }
    if (!S_ISREG(status.st_mode)) {
        source_close(source);
        return fail(error, RMS_ERROR_FILE, "%.200s: not a regular file, so no checkpoint can be read from it", path);
    }
    source->bytes = (uint64_t)status.st_size;
    (void)posix_fadvise(source->file, 0, 0, POSIX_FADV_SEQUENTIAL); /* reads further ahead; no more than a hint */
    return succeed(error);
}

rms_status source_read(const struct source *source, void *out, size_t bytes, uint64_t offset, rms_error *error)
{
    size_t done = 0;
    while (done < bytes) {
        const ssize_t count = pread(source->file, (char *)out + done, bytes - done, (off_t)(offset + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return refused(source, "cannot read it", errno, error);
        if (count == 0)
            return fail(error, RMS_ERROR_FILE, "%.200s: ends at byte %llu, though it had %llu when it was opened",
                        source->path, (unsigned long long)(offset + done), (unsigned long long)source->bytes);
        done += (size_t)count;
    }
    return RMS_OK;
}

void source_close(struct source *source)
{
    if (source->file >= 0)
        (void)close(source->file);
    source->file = -1;
}
