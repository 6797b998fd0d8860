/* Moving pictures: raw frames piped to ffmpeg, which makes a GIF of them. */
#include "animate.h"

#include "file.h"
#include "output.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The first frame is the last one: it has all colours, and a palette made of it alone need not wait for the others,
 * which ffmpeg would keep in memory until then. */
static const char filter[] =
    "split[a][b];[a]trim=end_frame=1,palettegen[palette];"
    "[b]trim=start_frame=1,setpts=PTS-STARTPTS[frames];[frames][palette]paletteuse=dither=none";

/* ---- the encoder ---------------------------------------------------------------------------------- */

struct encoder {
    pid_t process;
    int frames;      /* where they are written to; -1 for none */
    FILE *sentences; /* what it says on stderr */
};

/* Starts a program found in PATH with these descriptors; what else is open stays here. Returns 0 or an errno. */
static int spawn(pid_t *process, char *const *words, int input, int output, int errors)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t reset;
    (void)sigemptyset(&reset);
    (void)sigaddset(&reset, SIGPIPE);
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure != 0)
        return failure;
    failure = posix_spawnattr_init(&attributes);
    if (failure != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return failure;
    }
    failure = posix_spawnattr_setsigdefault(&attributes, &reset);
    failure = failure != 0 ? failure : posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    failure = failure != 0 ? failure : posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    failure = failure != 0 ? failure : posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    failure = failure != 0 ? failure : posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    failure = failure != 0 ? failure : posix_spawnp(process, words[0], &actions, &attributes, words, environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return failure;
}

/* Its exit status; -1 where it was killed. */
static int wait_for(pid_t process)
{
    int status;
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void keep_from_others(int descriptor)
{
    (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

/* Whether there is an ffmpeg that runs. */
static bool find_encoder(void)
{
    static char name[] = "ffmpeg", wish[] = "-version";
    char *const words[] = {name, wish, NULL};
    pid_t process = -1;
    const int nothing = open("/dev/null", O_RDWR);
    keep_from_others(nothing);
    const int failure = nothing < 0 ? errno : spawn(&process, words, nothing, nothing, nothing);
    const int status = failure == 0 ? wait_for(process) : -1;
    if (nothing >= 0)
        (void)close(nothing);
    if (failure == ENOENT || status == 127)
        complain("--animate: ffmpeg is not there (install ffmpeg; Debian: ffmpeg)");
    else if (failure != 0)
        complain("--animate: cannot start ffmpeg: %s", strerror(failure));
    else if (status != 0)
        complain("--animate: ffmpeg does not run: \"ffmpeg -version\" fails");
    return failure == 0 && status == 0;
}

/* Raw frames from its stdin, a GIF to the descriptor. */
static int start_encoder(struct encoder *encoder, const struct animation *animation, int output)
{
    char size[32], rate[32];
    (void)snprintf(size, sizeof size, "%dx%d", animation->width, animation->height);
    (void)snprintf(rate, sizeof rate, "%g", animation->frames_per_second);
    static char words[][16] = {"ffmpeg",          "-v",   "error",       "-nostdin",   "-f", "rawvideo",
                               "-pixel_format",   "bgr0", "-video_size", "-framerate", "-i", "pipe:0",
                               "-filter_complex", "-f",   "gif",         "pipe:1"};
    char graph[sizeof filter];
    memcpy(graph, filter, sizeof filter);
    char *const command[] = {words[0],  words[1], words[2],  words[3],  words[4],  words[5],  words[6],
                             words[7],  words[8], size,      words[9],  rate,      words[10], words[11],
                             words[12], graph,    words[13], words[14], words[15], NULL};
    int ends[2];
    if (pipe(ends) != 0)
        return errno;
    keep_from_others(ends[0]);
    keep_from_others(ends[1]);
    const int failure = spawn(&encoder->process, command, ends[0], output, fileno(encoder->sentences));
    (void)close(ends[0]);
    encoder->frames = ends[1];
    if (failure != 0) {
        (void)close(ends[1]);
        encoder->frames = -1;
    }
    return failure;
}

/* The first line that it said; empty for none. */
static void read_sentence(FILE *sentences, char *line, int size)
{
    line[0] = '\0';
    rewind(sentences);
    if (!fgets(line, size, sentences))
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
}

/* ---- frames --------------------------------------------------------------------------------------- */

static bool write_bytes(int descriptor, const unsigned char *bytes, size_t count)
{
    while (count > 0) {
        const ssize_t taken = write(descriptor, bytes, count);
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken < 0)
            return false;
        bytes += taken;
        count -= (size_t)taken;
    }
    return true;
}

/* Row by row: cairo may have room between them. False with errno set. */
static bool write_frame(const struct animation *animation, size_t index, int descriptor)
{
    cairo_surface_t *surface = animation->frame(animation->context, index);
    if (!surface) {
        errno = ENOMEM;
        return false;
    }
    cairo_surface_flush(surface);
    const unsigned char *pixels = cairo_image_surface_get_data(surface);
    const size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    bool written = pixels != NULL;
    for (size_t row = 0; written && row < (size_t)animation->height; ++row)
        written = write_bytes(descriptor, pixels + row * stride, 4 * (size_t)animation->width);
    cairo_surface_destroy(surface);
    return written;
}

static bool write_frames(const struct animation *animation, int descriptor)
{
    bool written = write_frame(animation, animation->frame_count - 1, descriptor);
    for (size_t i = 0; written && i < animation->frame_count; ++i)
        written = stop_signal == 0 && write_frame(animation, i, descriptor);
    return written;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

/* An encoder that ends early is known by its status; writing to it must not end us. */
static bool encode(struct encoder *encoder, const struct animation *animation, int output)
{
    struct sigaction before;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigemptyset(&ignore.sa_mask);
    const int failure = start_encoder(encoder, animation, output);
    if (failure != 0) {
        complain("--animate: cannot start ffmpeg: %s", strerror(failure));
        return false;
    }
    (void)sigaction(SIGPIPE, &ignore, &before);
    const bool written = write_frames(animation, encoder->frames);
    const int reason = errno;
    (void)close(encoder->frames);
    (void)sigaction(SIGPIPE, &before, NULL);
    const int status = wait_for(encoder->process);
    if (status != 0) {
        char line[256];
        read_sentence(encoder->sentences, line, sizeof line);
        complain("--animate: ffmpeg failed%s%s", line[0] != '\0' ? ": " : "", line);
    } else if (!written) {
        complain("--animate: %s", stop_signal != 0  ? "stopped"
                                  : reason == EPIPE ? "ffmpeg ended before the film did"
                                                    : strerror(reason));
    }
    return written && status == 0;
}

bool animate_write(const struct animation *animation, const char *folder, const char *name, struct text *written)
{
    struct encoder encoder = {.frames = -1};
    struct text file_name = {0};
    struct file file;
    if (animation->frame_count == 0 || !find_encoder())
        return false;
    text_append(&file_name, "%s.gif", name);
    encoder.sentences = tmpfile();
    bool placed = false;
    if (!encoder.sentences || file_name.failed)
        complain("--animate: no room for what ffmpeg says: %s", strerror(errno));
    else if (file_open(&file, folder, file_name.text)) {
        keep_from_others(fileno(encoder.sentences));
        keep_from_others(fileno(file.stream));
        placed = file_close(&file, encode(&encoder, animation, fileno(file.stream)));
    }
    if (placed) {
        text_append(written, "%s", written->length > 0 ? " " : "");
        path_append(written, folder, file_name.text);
    }
    if (encoder.sentences)
        (void)fclose(encoder.sentences);
    text_free(&file_name);
    return placed;
}
