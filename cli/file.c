/* Files that are whole or not there: written under another name, renamed when complete. */
#include "file.h"

#include "output.h"
#include "stop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void path_append(struct text *text, const char *folder, const char *name)
{
    size_t length = strlen(folder);
    while (length > 0 && folder[length - 1] == '/')
        --length;
    text_append(text, "%.*s/%s", (int)length, folder, name);
}

/* As mkstemp, which fills in the name before it makes the file: once known to what cleans up after a second
 * signal, the file is not left behind whenever and on whatever thread that comes. */
static int make_temporary(char *temporary)
{
    stop_removes(temporary);
    const int descriptor = mkstemp(temporary);
    if (descriptor < 0)
        stop_removes(NULL);
    return descriptor;
}

/* mkdir -p. What cannot be made shows when the probe file is tried. */
static int make_folders(char *folder)
{
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(folder, 0777);
        *slash = '/';
    }
    return mkdir(folder, 0777) == 0 || errno == EEXIST ? 0 : errno;
}

bool folder_prepare(const char *folder)
{
    struct text probe = {0};
    text_append(&probe, "%s", folder);
    int reason = probe.failed ? ENOMEM : probe.length == 0 ? ENOENT : make_folders(probe.text);
    if (reason == 0) {
        text_append(&probe, "/.rmsprop-XXXXXX");
        const int descriptor = probe.failed ? -1 : make_temporary(probe.text);
        reason = descriptor < 0 ? errno : 0;
        if (descriptor >= 0) {
            (void)close(descriptor);
            (void)unlink(probe.text);
            stop_removes(NULL);
        }
    }
    text_free(&probe);
    if (reason != 0)
        complain("--out: cannot write files in the folder \"%s\": %s", folder, strerror(reason));
    return reason == 0;
}

static void release(struct file *file)
{
    stop_removes(NULL);
    free(file->path);
    free(file->temporary);
    *file = (struct file){0};
}

/* As mkstemp, but with the permissions that other files get. */
static FILE *open_temporary(char *temporary)
{
    const int descriptor = make_temporary(temporary);
    if (descriptor < 0)
        return NULL;
    const mode_t mask = umask(0);
    (void)umask(mask);
    (void)fchmod(descriptor, 0666 & ~mask);
    FILE *stream = fdopen(descriptor, "w");
    if (!stream) {
        (void)close(descriptor);
        (void)unlink(temporary);
    }
    return stream;
}

bool file_open(struct file *file, const char *folder, const char *name)
{
    struct text path = {0};
    struct text temporary = {0};
    path_append(&path, folder, name);
    text_append(&temporary, "%s/.%s-XXXXXX", folder, name);
    *file = (struct file){.path = path.text, .temporary = temporary.text};

    errno = ENOMEM;
    if (!path.failed && !temporary.failed)
        file->stream = open_temporary(file->temporary);
    if (file->stream)
        return true;
    complain("cannot write %s: %s", path.failed ? name : file->path, strerror(errno));
    release(file);
    return false;
}

bool file_close(struct file *file, bool complete)
{
    errno = 0;
    const bool written = complete && fflush(file->stream) == 0 && !ferror(file->stream) &&
                         (fsync(fileno(file->stream)) == 0 || errno == EINVAL);
    int reason = errno;
    const bool closed = fclose(file->stream) == 0;
    reason = reason != 0 || closed ? reason : errno;

    bool placed = false;
    if (written && closed) {
        placed = rename(file->temporary, file->path) == 0;
        reason = errno;
    }
    if (!placed) {
        (void)unlink(file->temporary);
        complain("cannot write %s: %s (it was left as it was)", file->path,
                 reason != 0 ? strerror(reason) : "its content could not be made");
    }
    release(file);
    return placed;
}
