/* Replaces a file as a whole. Everything is named relative to the folder's descriptor, so that a folder that is
 * moved meanwhile is still the one that was meant. */
#if defined(__linux__)
#define _GNU_SOURCE /* fallocate, sync_file_range, flock */
#else
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* flock */
#endif
#define _FILE_OFFSET_BITS 64

#include "replace_file.h"

#include "message.h"
#include "read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".partial";

/* How often another saver may rename the file that we are about to lock. */
enum { ATTEMPTS = 100 };

/* The disk begins with so many bytes while the next are being prepared. */
enum { BATCH_BYTES = 8 << 20 };

static rms_status refused(const struct replacement *replacement, const char *what, int number, rms_error *error)
{
    char reason[REASON_SIZE] = "";
    return fail(error, RMS_ERROR_FILE, "%.200s: %s: %s (the old file, if there was one, is unchanged)",
                replacement->path, what, reason_of(number, reason));
}

static rms_status out_of_memory(const struct replacement *replacement, rms_error *error)
{
    return fail(error, RMS_ERROR_MEMORY, "%.200s: out of memory for its name", replacement->path);
}

/* What path means once a link in its last component is followed; NULL and errno otherwise. To be freed. */
static char *resolved(const char *path)
{
    struct stat status;
    if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
        return realpath(path, NULL);
    return strdup(path);
}

/* Opens the folder of name and stores what follows its last slash, and the same with the suffix. */
static rms_status open_folder(struct replacement *replacement, char *name, rms_error *error)
{
    char *slash = strrchr(name, '/');
    const char *last = slash ? slash + 1 : name;
    if (last[0] == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        return fail(error, RMS_ERROR_FILE, "%.200s: names a folder (expected the name of a file)", replacement->path);
    const size_t length = strlen(last);
    replacement->target = strdup(last);
    replacement->partial = malloc(length + sizeof suffix);
    if (!replacement->target || !replacement->partial)
        return out_of_memory(replacement, error);
    memcpy(replacement->partial, last, length);
    memcpy(replacement->partial + length, suffix, sizeof suffix);

    if (slash)
        slash[slash == name ? 1 : 0] = '\0';
    replacement->folder = open(slash ? name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (replacement->folder < 0)
        return refused(replacement, "cannot open its folder", errno, error);
    return RMS_OK;
}

/* What may be replaced: nothing, or a regular file, whose permissions the new one takes over. */
static rms_status look_at_target(const struct replacement *replacement, bool *exists, mode_t *mode, rms_error *error)
{
    struct stat status;
    *exists = fstatat(replacement->folder, replacement->target, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (!*exists)
        return errno == ENOENT ? RMS_OK : refused(replacement, "cannot look at the old file", errno, error);
    if (!S_ISREG(status.st_mode))
        return fail(error, RMS_ERROR_FILE, "%.200s: %s, and no regular file that could be replaced", replacement->path,
                    S_ISDIR(status.st_mode) ? "a folder" : "a device, pipe or link");
    *mode = status.st_mode & 0777;
    return RMS_OK;
}

/* Whether the name still leads to what is open, *status: another saver may have renamed it. */
static bool is_still_there(const struct replacement *replacement, struct stat *status)
{
    struct stat named;
    return fstat(replacement->file, status) == 0 &&
           fstatat(replacement->folder, replacement->partial, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           status->st_dev == named.st_dev && status->st_ino == named.st_ino;
}

/* Without locks (some network file systems have none) savers have to keep out of each other's way themselves. */
static rms_status lock_partial(const struct replacement *replacement, rms_error *error)
{
    while (flock(replacement->file, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return fail(error, RMS_ERROR_FILE, "%.200s: another process or thread is saving to it right now",
                        replacement->path);
        if (errno != EINTR)
            return errno == ENOSYS || errno == ENOTSUP || errno == ENOLCK || errno == EINVAL
                       ? RMS_OK
                       : refused(replacement, "cannot lock its .partial", errno, error);
    }
    return RMS_OK;
}

static rms_status take_partial(struct replacement *replacement, rms_error *error)
{
    for (int attempt = 0; attempt < ATTEMPTS; ++attempt) {
        struct stat status;
        replacement->file = openat(replacement->folder, replacement->partial,
                                   O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
        if (replacement->file < 0)
            return refused(replacement, "cannot create its .partial", errno, error);
        const rms_status locked = lock_partial(replacement, error);
        if (locked != RMS_OK)
            return locked;
        if (is_still_there(replacement, &status))
            return S_ISREG(status.st_mode) && status.st_nlink == 1
                       ? RMS_OK
                       : fail(error, RMS_ERROR_FILE,
                              "%.200s: its .partial is there already and is no file of its own (remove it first)",
                              replacement->path);
        (void)close(replacement->file);
        replacement->file = -1;
    }
    return fail(error, RMS_ERROR_FILE, "%.200s: other processes keep saving to it", replacement->path);
}

/* Takes the space before anything is written, so that a full disk shows at once. */
static int reserve(int file, uint64_t bytes)
{
#if defined(__linux__)
    while (bytes > 0 && fallocate(file, 0, 0, (off_t)bytes) != 0)
        if (errno != EINTR)
            return errno == EOPNOTSUPP || errno == ENOSYS ? ftruncate(file, (off_t)bytes) : -1;
    return 0;
#else
    return ftruncate(file, (off_t)bytes);
#endif
}

/* Empties what a killed process may have left, and makes the file as long as it will be. */
static rms_status prepare_partial(struct replacement *replacement, uint64_t bytes, rms_error *error)
{
    bool exists = false;
    mode_t mode = 0;
    const rms_status status = look_at_target(replacement, &exists, &mode, error);
    if (status != RMS_OK)
        return status;
    if (bytes > INT64_MAX || (uint64_t)(off_t)bytes != bytes)
        return fail(error, RMS_ERROR_FILE, "%.200s: %llu bytes are more than a file can have", replacement->path,
                    (unsigned long long)bytes);
    if (exists && fchmod(replacement->file, mode) != 0)
        return refused(replacement, "cannot give the new file the permissions of the old one", errno, error);
    if (ftruncate(replacement->file, 0) != 0 || reserve(replacement->file, bytes) != 0)
        return refused(replacement, "no room for the new file", errno, error);
    replacement->lock = fcntl(replacement->file, F_DUPFD_CLOEXEC, 0);
    if (replacement->lock < 0)
        return refused(replacement, "no second descriptor for its .partial", errno, error);
    return RMS_OK;
}

rms_status replacement_begin(struct replacement *replacement, const char *path, uint64_t bytes, rms_error *error)
{
    *replacement = (struct replacement){.path = path, .folder = -1, .file = -1, .lock = -1};
    if (!path || path[0] == '\0')
        return fail(error, RMS_ERROR_ARGUMENT, "path: %s (expected the name of a file)", path ? "empty" : "NULL");
    char *name = resolved(path);
    if (!name)
        return errno == ENOMEM ? out_of_memory(replacement, error)
                               : refused(replacement, "cannot follow the link", errno, error);
    bool exists;
    mode_t mode;
    rms_status status = open_folder(replacement, name, error);
    free(name);
    /* Before anything is made beside what may be no file at all; once more when it is locked. */
    if (status == RMS_OK)
        status = look_at_target(replacement, &exists, &mode, error);
    if (status == RMS_OK)
        status = take_partial(replacement, error);
    replacement->made = status == RMS_OK;
    if (status == RMS_OK)
        status = prepare_partial(replacement, bytes, error);
    if (status != RMS_OK)
        replacement_end(replacement);
    return status;
}

/* No promise, only a head start; a failure will show when the file is forced to the disk. */
static void start_writing(struct replacement *replacement, uint64_t end)
{
#if defined(__linux__)
    const uint64_t begin = end > replacement->waiting ? end - replacement->waiting : 0;
    (void)sync_file_range(replacement->file, (off_t)begin, (off_t)(end - begin), SYNC_FILE_RANGE_WRITE);
#else
    (void)end;
#endif
    replacement->waiting = 0;
}

rms_status replacement_write(struct replacement *replacement, const void *data, size_t bytes, uint64_t offset,
                             rms_error *error)
{
    size_t done = 0;
    while (done < bytes) {
        const ssize_t count =
            pwrite(replacement->file, (const char *)data + done, bytes - done, (off_t)(offset + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return refused(replacement, "cannot write its .partial", count < 0 ? errno : EIO, error);
        done += (size_t)count;
    }
    replacement->waiting += bytes;
    if (replacement->waiting >= BATCH_BYTES)
        start_writing(replacement, offset + bytes);
    return RMS_OK;
}

/* A folder that cannot be forced to the disk (EINVAL) is one of a file system that has no such notion. */
static rms_status sync_folder(const struct replacement *replacement, rms_error *error)
{
    if (fsync(replacement->folder) == 0 || errno == EINVAL)
        return succeed(error);
    char reason[REASON_SIZE] = "";
    return fail(error, RMS_ERROR_FILE,
                "%.200s: the new file is in place, but its folder could not be forced to the disk: %s (after a power "
                "cut, the old file may be back)",
                replacement->path, reason_of(errno, reason));
}

rms_status replacement_commit(struct replacement *replacement, rms_error *error)
{
    /* Once: after a failure the system may have dropped what it could not write, and a second call succeed. */
    if (fsync(replacement->file) != 0)
        return refused(replacement, "cannot force its .partial to the disk", errno, error);
    const int file = replacement->file;
    replacement->file = -1;
    if (close(file) != 0)
        return refused(replacement, "cannot close its .partial", errno, error);
    if (renameat(replacement->folder, replacement->partial, replacement->folder, replacement->target) != 0)
        return refused(replacement, "cannot rename its .partial", errno, error);
    replacement->made = false;
    return sync_folder(replacement, error);
}

void replacement_end(struct replacement *replacement)
{
    /* Deleted while it is locked, or it might be another saver's by then. */
    if (replacement->made)
        (void)unlinkat(replacement->folder, replacement->partial, 0);
    /* Said aloud, because a child that was forked meanwhile holds the same open file. */
    if (replacement->lock >= 0)
        (void)flock(replacement->lock, LOCK_UN);
    const int descriptors[] = {replacement->file, replacement->lock, replacement->folder};
    for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; ++i)
        if (descriptors[i] >= 0)
            (void)close(descriptors[i]);
    free(replacement->target);
    free(replacement->partial);
    *replacement = (struct replacement){.folder = -1, .file = -1, .lock = -1};
}
