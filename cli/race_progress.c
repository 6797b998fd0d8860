/* Progress of a race on stderr. */
#include "race.h"

#include "text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BAR_CELLS 8
#define LINE_COLUMNS 80
#define REDRAW_SECONDS 0.1
#define LINES_IN_ALL 10

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* One column stays free: a terminal may wrap a line that fills it. */
static size_t line_limit(void)
{
    struct winsize size;
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return (known && size.ws_col < LINE_COLUMNS ? size.ws_col : LINE_COLUMNS) - 1;
}

/* "1:02", or "-:--" before anything is known. */
static void append_time_left(struct text *line, double elapsed, size_t done, size_t total)
{
    if (done == 0) {
        text_append(line, "-:--");
        return;
    }
    const double seconds = ceil(elapsed / (double)done * (double)(total - done));
    text_append(line, "%.0f:%02.0f", floor(seconds / 60), fmod(seconds, 60));
}

/* As many optimizers as fit: half a number would be a wrong one. */
static void append_losses(struct text *line, const struct race_progress *progress, const struct lab_race *race,
                          size_t limit)
{
    for (size_t i = 0; i < race->entry_count; ++i) {
        char entry[128];
        const int length = snprintf(entry, sizeof entry, " %s %.2g", race->entries[i].name, progress->least_loss[i]);
        if (isfinite(progress->least_loss[i]) && length > 0 && line->length + (size_t)length <= limit)
            text_append(line, "%s", entry);
    }
}

static void draw_bar(const struct race_progress *progress, const struct lab_race *race, double elapsed)
{
    const size_t cells = race->runs_total > 0 ? BAR_CELLS * race->runs_done / race->runs_total : 0;
    const size_t percent = race->runs_total > 0 ? 100 * race->runs_done / race->runs_total : 0;
    struct text line = {0};
    text_append(&line, "[%.*s%.*s] %3zu%% ", (int)cells, "########", (int)(BAR_CELLS - cells), "--------", percent);
    append_time_left(&line, elapsed, race->runs_done, race->runs_total);
    text_append(&line, " left, loss");
    append_losses(&line, progress, race, line_limit());
    if (!line.failed)
        (void)fprintf(stderr, "\r%.*s\033[K", (int)line_limit(), line.text);
    (void)fflush(stderr);
    text_free(&line);
}

static void print_line(const struct race_progress *progress, const struct lab_race *race, double elapsed)
{
    struct text line = {0};
    text_append(&line, "rmsprop: %zu of %zu runs, ", race->runs_done, race->runs_total);
    append_time_left(&line, elapsed, race->runs_done, race->runs_total);
    text_append(&line, " left; least validation loss:");
    append_losses(&line, progress, race, SIZE_MAX);
    if (!line.failed)
        (void)fprintf(stderr, "%s\n", line.text);
    text_free(&line);
}

void race_progress_begin(struct race_progress *progress, bool quiet)
{
    const char *terminal = getenv("TERM");
    const bool redraws = isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
    *progress = (struct race_progress){
        .kind = quiet     ? PROGRESS_NONE
                : redraws ? PROGRESS_BAR
                          : PROGRESS_LINES,
        .started = now(),
    };
    for (size_t i = 0; i < LAB_CONTENDERS_MAX; ++i)
        progress->least_loss[i] = (double)INFINITY;
}

void race_progress_watch(void *context, const struct lab_race *race, const struct lab_run *finished,
                         const struct lab_entry *entry)
{
    struct race_progress *progress = context;
    double *least = &progress->least_loss[entry - race->entries];
    if (finished->final.validation_loss < *least)
        *least = finished->final.validation_loss;

    const double time = now();
    const double elapsed = time - progress->started;
    if (progress->kind == PROGRESS_BAR && time - progress->drawn >= REDRAW_SECONDS) {
        progress->drawn = time;
        draw_bar(progress, race, elapsed);
    }
    const size_t tenths = race->runs_total > 0 ? LINES_IN_ALL * race->runs_done / race->runs_total : 0;
    if (progress->kind == PROGRESS_LINES && tenths > progress->tenths) {
        progress->tenths = tenths;
        print_line(progress, race, elapsed);
    }
}

void race_progress_end(const struct race_progress *progress)
{
    if (progress->kind == PROGRESS_BAR && progress->drawn > 0)
        (void)fprintf(stderr, "\r\033[K");
}
