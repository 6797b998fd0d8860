/* Data on stdout, sentences on stderr. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A closed descriptor would be given to the next file opened, and data would end up where messages go. */
static void occupy(int descriptor)
{
    if (fcntl(descriptor, F_GETFD) == -1)
        (void)open("/dev/null", O_RDWR);
}

bool output_begin(void)
{
    /* A lost reader or a full quota is then an error of the write, which gets its sentence. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);

    const bool closed = fcntl(STDOUT_FILENO, F_GETFD) == -1;
    occupy(STDIN_FILENO);
    occupy(STDOUT_FILENO);
    occupy(STDERR_FILENO);
    if (closed)
        complain("standard output is closed; there is nowhere to put the result");
    return !closed;
}

/* Why a write to stdout failed, where that was noticed. */
static int lost_reason;

bool output_end(void)
{
    errno = lost_reason;
    const bool lost_before = ferror(stdout) != 0;
    if (fflush(stdout) == 0 && !lost_before && (close(STDOUT_FILENO) == 0 || errno == EBADF))
        return true;
    complain("cannot write to standard output: %s", errno != 0 ? strerror(errno) : "some of it was lost");
    return false;
}

void complain(const char *format, ...)
{
    char sentence[1024];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(sentence, sizeof sentence, format, values);
    va_end(values);
    for (char *c = sentence; *c; ++c)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = '?';
    (void)fprintf(stderr, "rmsprop: %s\n", sentence);
}

static const char *style(const char *sequence)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    const bool styled = isatty(STDOUT_FILENO) && !(no_color && *no_color) && terminal && strcmp(terminal, "dumb") != 0;
    return styled ? sequence : "";
}

const char *bold(void)
{
    return style("\033[1m");
}

const char *faint(void)
{
    return style("\033[2m");
}

const char *plain(void)
{
    return style("\033[0m");
}

json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_append(json_t *array, json_t *value)
{
    if (array && json_array_append_new(array, value) == 0)
        return array;
    if (!array)
        json_decref(value);
    json_decref(array);
    return NULL;
}

/* 15 digits give back whatever a person has typed, as 0.005; 17 would be exact, and say 0.0050000000000000001. */
bool json_write(const json_t *document, FILE *stream)
{
    return document && json_dumpf(document, stream, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) == 0 &&
           fputc('\n', stream) != EOF;
}

bool print_json(json_t *document)
{
    const bool written = json_write(document, stdout);
    if (!written && ferror(stdout)) /* gets its sentence at the end */
        lost_reason = errno;
    else if (!written)
        complain("out of memory for the JSON document");
    json_decref(document);
    return written;
}
