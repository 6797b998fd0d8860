/* Progress of a race on stderr. */
#include "race.h"
#include "race_words.h"
#include "stop.h"
#include "terminal.h"
#include "text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_CELLS_MAX 24
#define LINE_COLUMNS 80
#define TABLE_COLUMNS_SHOWN 100 /* wider lines are hard to follow */
#define REDRAW_SECONDS 0.1
#define TICK_NANOSECONDS 250000000L
#define LINES_IN_ALL 10
#define LEAST_SECONDS_TOLD 2 /* in lines: of less there is nothing to wait for */

/* From where the cursor stands, the first cell of the table, to the end of the screen. */
#define CLEAR_TABLE "\r\033[J"

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- words ---------------------------------------------------------------------------------------- */

/* Rounded up; NaN before anything is known. Runs that were recalled took no time. */
static double seconds_left(const struct race_progress *progress, double elapsed)
{
    const size_t made = progress->runs_done - progress->runs_recalled;
    if (made == 0)
        return (double)NAN;
    return ceil(elapsed / (double)made * (double)(progress->runs_total - progress->runs_done));
}

/* "1:02", or "-:--" before anything is known. */
static void append_time_left(struct text *line, const struct race_progress *progress, double elapsed)
{
    const double seconds = seconds_left(progress, elapsed);
    if (isnan(seconds))
        text_append(line, "-:--");
    else if (seconds < 3600)
        text_append(line, "%.0f:%02.0f", floor(seconds / 60), fmod(seconds, 60));
    else
        text_append(line, "%.0f:%02.0f:%02.0f", floor(seconds / 3600), floor(fmod(seconds, 3600) / 60),
                    fmod(seconds, 60));
}

/* "; best: sgd 0.2 adam 0.1", once all have a run, and where all fit: who is missing would look like the worst. "-" is
 * who has diverged so far. */
static void append_scores(struct text *line, const struct race_progress *progress)
{
    struct text scores = {0};
    bool all = true;
    text_append(&scores, "; best:");
    for (size_t i = 0; i < progress->plan->contender_count; ++i) {
        char number[QUANTITY_TEXT_SIZE];
        const struct race_progress_row *const row = &progress->rows[i];
        all = all && row->done > 0;
        text_append(
            &scores, " %s %s", progress->plan->contenders[i].name,
            quantity_text(number, &progress->plan->instance->validation, row->known ? row->score : (double)NAN));
    }
    if (all && !scores.failed && text_columns(line->text) + text_columns(scores.text) <= LINE_COLUMNS)
        text_append(line, "%s", scores.text);
    text_free(&scores);
}

static void print_line(const struct race_progress *progress, double elapsed)
{
    struct text line = {0};
    text_append(&line, "rmsprop: %s%zu of %zu runs", progress->note, progress->runs_done, progress->runs_total);
    if (seconds_left(progress, elapsed) >= LEAST_SECONDS_TOLD) {
        text_append(&line, ", ");
        append_time_left(&line, progress, elapsed);
        text_append(&line, " left");
    }
    if (!line.failed)
        append_scores(&line, progress);
    if (!line.failed)
        (void)fprintf(stderr, "%.*s\n", LINE_COLUMNS, line.text);
    text_free(&line);
}

/* ---- the table ------------------------------------------------------------------------------------ */

/* How wide its columns are; 0 for those that have no room. */
struct layout {
    size_t width;
    size_t gap;
    size_t name, runs, rate, score, curve;
    bool unicode;
};

/* Appends at most so many columns of the words, and spaces up to them; to the right, if so. */
static void append_cell(struct text *line, const char *words, size_t columns, bool right)
{
    char cell[128];
    size_t bytes = 0;
    size_t used = 0;
    for (; words[bytes] && bytes + 1 < sizeof cell; ++bytes) {
        used += ((unsigned char)words[bytes] & 0xC0U) != 0x80U;
        if (used > columns)
            break;
        cell[bytes] = words[bytes];
    }
    cell[bytes] = '\0';
    used = text_columns(cell);
    const int padding = (int)(columns - used);
    text_append(line, "%*s%s%*s", right ? padding : 0, "", cell, right ? 0 : padding, "");
}

/* Places of a curve, of PROGRESS_CELLS, in as many cells as there are. */
static double curve_at(const struct race_progress_row *row, size_t cell, size_t cells)
{
    return row->curve[cells > 1 ? cell * (PROGRESS_CELLS - 1) / (cells - 1) : PROGRESS_CELLS - 1];
}

/* What all curves lie between, as they are drawn: by logarithms where that can be. */
struct span {
    bool logarithmic;
    double low;
    double high;
};

static struct span find_span(const struct race_progress *progress)
{
    struct span span = {
        .logarithmic = !progress->plan->instance->training.rising, .low = (double)INFINITY, .high = -(double)INFINITY};
    for (size_t i = 0; i < progress->plan->contender_count; ++i)
        for (size_t cell = 0; progress->rows[i].known && cell < PROGRESS_CELLS; ++cell) {
            const double value = progress->rows[i].curve[cell];
            if (!isfinite(value))
                continue;
            span.low = value < span.low ? value : span.low;
            span.high = value > span.high ? value : span.high;
        }
    span.logarithmic = span.logarithmic && span.low > 0;
    return span;
}

static size_t height_of(const struct span *span, double value)
{
    const double share = span->high <= span->low ? 0
                         : span->logarithmic     ? (log(value) - log(span->low)) / (log(span->high) - log(span->low))
                                                 : (value - span->low) / (span->high - span->low);
    return share >= 1 ? 7 : share > 0 ? (size_t)(share * 8) : 0;
}

static void append_curve(struct text *line, const struct race_progress_row *row, const struct span *span,
                         const struct layout *layout)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const letters[] = {"_", ".", "-", "~", "=", "+", "*", "#"};
    const size_t cells = layout->curve < PROGRESS_CELLS ? layout->curve : PROGRESS_CELLS;
    for (size_t cell = 0; row->known && cell < cells; ++cell) {
        const double value = curve_at(row, cell, cells);
        const char *const *const characters = layout->unicode ? blocks : letters;
        text_append(line, "%s", isfinite(value) ? characters[height_of(span, value)] : " ");
    }
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Names and counts are always there; what comes after them as far as there is room. */
static struct layout make_layout(const struct race_progress *progress, size_t width)
{
    const struct lab_instance *const instance = progress->plan->instance;
    const bool narrow = width < 60;
    struct layout layout = {
        .width = width, .gap = narrow ? 1 : 2, .name = strlen("optimizer"), .unicode = terminal_is_unicode()};
    for (size_t i = 0; i < progress->plan->contender_count; ++i)
        layout.name = larger(layout.name, strlen(progress->plan->contenders[i].name));
    layout.name = layout.name > 18 ? 18 : layout.name;
    char runs[64];
    const size_t each = progress->runs_total / larger(progress->plan->contender_count, 1);
    layout.runs = (size_t)snprintf(runs, sizeof runs, "%zu/%zu", each, each);

    const size_t heading = larger(strlen(instance->validation.name), 8);
    const size_t columns[] = {narrow ? 6 : 8, narrow ? 7 : heading < 20 ? heading : 20};
    size_t *const places[] = {&layout.rate, &layout.score};
    size_t used = layout.name + layout.gap + layout.runs;
    for (size_t i = 0; i < 2; ++i)
        if (used + layout.gap + columns[i] <= width) {
            *places[i] = columns[i];
            used += layout.gap + columns[i];
        }
    layout.curve = used + layout.gap + 5 <= width ? width - used - layout.gap : 0;
    return layout;
}

static void append_gap(struct text *line, const struct layout *layout, size_t columns)
{
    if (columns > 0)
        text_append(line, "%*s", (int)layout->gap, "");
}

static void append_row(struct text *line, const struct layout *layout, const char *const words[4])
{
    append_cell(line, words[0], layout->name, false);
    append_gap(line, layout, layout->runs);
    append_cell(line, words[1], layout->runs, true);
    append_gap(line, layout, layout->rate);
    append_cell(line, words[2], layout->rate, true);
    append_gap(line, layout, layout->score);
    append_cell(line, words[3], layout->score, true);
    append_gap(line, layout, layout->curve);
}

/* "digits  ██████░░░░  42 %  13.2 runs/s  0:12 left". */
static void append_header(struct text *line, const struct race_progress *progress, const struct layout *layout,
                          double elapsed)
{
    struct text end = {0};
    struct text words = {0};
    const size_t total = larger(progress->runs_total, 1);
    const size_t made = progress->runs_done - progress->runs_recalled;
    const struct lab_quantity plain_number = {.name = "", .unit = ""};
    char speed[QUANTITY_TEXT_SIZE];
    if (stop_signal != 0) {
        text_append(&end, "  stopping; a second Ctrl-C ends at once");
    } else {
        text_append(&end, " %3zu %%", 100 * progress->runs_done / total);
        if (made > 0 && elapsed > 0 && layout->width >= 60)
            text_append(&end, "  %s runs/s", quantity_text(speed, &plain_number, (double)made / elapsed));
        text_append(&end, "  ");
        append_time_left(&end, progress, elapsed);
        text_append(&end, " left");
    }
    text_append(&words, "%s%s  ", progress->note, progress->plan->instance->name);

    const size_t ending = end.failed ? 0 : end.length;
    size_t naming = words.failed ? 0 : text_columns(words.text);
    if (naming + ending > layout->width)
        naming = ending < layout->width ? layout->width - ending : 0;
    const size_t room = layout->width - (naming + ending < layout->width ? naming + ending : layout->width);
    const size_t cells = room < BAR_CELLS_MAX ? room : BAR_CELLS_MAX;
    append_cell(line, words.failed ? "" : words.text, naming, false);
    for (size_t cell = 0; cell < cells; ++cell) {
        const bool full = cell * total < progress->runs_done * cells;
        text_append(line, "%s", layout->unicode ? (full ? "█" : "░") : (full ? "#" : "-"));
    }
    append_cell(line, end.failed ? "" : end.text, ending < layout->width ? ending : layout->width, false);
    text_free(&end);
    text_free(&words);
}

static void append_rows(struct text *screen, const struct race_progress *progress, const struct layout *layout)
{
    const struct lab_instance *const instance = progress->plan->instance;
    const bool colored = terminal_is_colored(STDERR_FILENO);
    const struct span span = find_span(progress);
    const char *const headings[] = {"optimizer", "runs", "rate",
                                    layout->score >= strlen(instance->validation.name) ? instance->validation.name
                                                                                       : "score"};
    text_append(screen, "\033[K\r\n%s", colored ? "\033[2m" : "");
    append_row(screen, layout, headings);
    append_cell(screen, instance->training.name, layout->curve < PROGRESS_CELLS ? layout->curve : PROGRESS_CELLS,
                false);
    text_append(screen, "%s\033[K", colored ? "\033[0m" : "");

    const size_t each = progress->runs_total / larger(progress->plan->contender_count, 1);
    for (size_t i = 0; i < progress->plan->contender_count; ++i) {
        const struct race_progress_row *const row = &progress->rows[i];
        char runs[64];
        char rate[NUMBER_TEXT_SIZE];
        char score[QUANTITY_TEXT_SIZE];
        if (each > 0)
            (void)snprintf(runs, sizeof runs, "%zu/%zu", row->done, each);
        else /* nobody has told yet */
            (void)snprintf(runs, sizeof runs, "0");
        (void)number_text(rate, row->known ? row->rate : (double)NAN, 3);
        (void)quantity_text(score, &instance->validation, row->known ? row->score : (double)NAN);
        text_append(screen, "\r\n");
        append_row(screen, layout, (const char *const[]){progress->plan->contenders[i].name, runs, rate, score});
        append_curve(screen, row, &span, layout);
        text_append(screen, "\033[K");
    }
}

/* The cursor goes back to where the table begins. What a narrower window has made of the lines is below it then, and
 * is drawn over or erased with the rest. */
static void draw_table(struct race_progress *progress)
{
    const struct terminal_size size = terminal_size(STDERR_FILENO);
    const size_t width = (size.columns < TABLE_COLUMNS_SHOWN ? size.columns : TABLE_COLUMNS_SHOWN) - 1;
    const struct layout layout = make_layout(progress, width);
    const size_t lines = 2 + progress->plan->contender_count;
    const bool whole = lines < size.lines && width >= 39;
    struct text screen = {0};
    text_append(&screen, "\r");
    append_header(&screen, progress, &layout, now() - progress->started);
    if (whole)
        append_rows(&screen, progress, &layout);
    text_append(&screen, "\033[J");
    if (whole)
        text_append(&screen, "\033[%zuA", lines - 1);
    text_append(&screen, "\r");
    if (!screen.failed) {
        (void)fputs(screen.text, stderr);
        (void)fflush(stderr);
    }
    text_free(&screen);
    progress->drawn = now();
}

/* A run may take minutes, and the time that is left goes on meanwhile. */
static void *tick(void *context)
{
    struct race_progress *const progress = context;
    (void)pthread_mutex_lock(&progress->lock);
    while (!progress->over) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TICK_NANOSECONDS;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&progress->ended, &progress->lock, &until);
        if (!progress->over)
            draw_table(progress);
    }
    (void)pthread_mutex_unlock(&progress->lock);
    return NULL;
}

/* --------------------------------------------------------------------------------------------------- */

void race_progress_begin(struct race_progress *progress, const struct lab_race_plan *plan, const char *note, bool quiet)
{
    *progress = (struct race_progress){
        .kind = quiet                             ? PROGRESS_NONE
                : terminal_redraws(STDERR_FILENO) ? PROGRESS_TABLE
                                                  : PROGRESS_LINES,
        .plan = plan,
        .note = note,
        .started = now(),
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .ended = PTHREAD_COND_INITIALIZER,
    };
    if (progress->kind == PROGRESS_TABLE) {
        stop_writes(CLEAR_TABLE);
        progress->ticking = pthread_create(&progress->ticker, NULL, tick, progress) == 0;
    }
}

/* The best of all runs so far is the one that is shown. */
static void keep_best(struct race_progress_row *row, const struct lab_race_plan *plan, const struct lab_run *run)
{
    const double score = run->final.validation;
    const bool better = plan->instance->validation.rising ? score > row->score : score < row->score;
    if (!isfinite(score) || (row->known && !better))
        return;
    const size_t points = plan->steps / plan->instance->score_every;
    row->known = true;
    row->rate = run->learning_rate;
    row->score = score;
    for (size_t cell = 0; cell < PROGRESS_CELLS; ++cell)
        row->curve[cell] = run->curve[cell * points / (PROGRESS_CELLS - 1)];
}

void race_progress_watch(struct race_progress *progress, const struct lab_race *race, const struct lab_run *finished,
                         const struct lab_entry *entry, bool recalled)
{
    (void)pthread_mutex_lock(&progress->lock);
    struct race_progress_row *const row = &progress->rows[entry - race->entries];
    ++row->done;
    keep_best(row, race->plan, finished);
    ++progress->runs_done;
    progress->runs_recalled += recalled;
    progress->runs_total = race->runs_total;

    const double time = now();
    if (progress->kind == PROGRESS_TABLE && time - progress->drawn >= REDRAW_SECONDS)
        draw_table(progress);
    const size_t tenths = LINES_IN_ALL * progress->runs_done / larger(progress->runs_total, 1);
    if (progress->kind == PROGRESS_LINES && tenths > progress->tenths) {
        progress->tenths = tenths;
        print_line(progress, time - progress->started);
    }
    (void)pthread_mutex_unlock(&progress->lock);
}

void race_progress_end(struct race_progress *progress)
{
    (void)pthread_mutex_lock(&progress->lock);
    progress->over = true;
    (void)pthread_cond_signal(&progress->ended);
    (void)pthread_mutex_unlock(&progress->lock);
    if (progress->ticking)
        (void)pthread_join(progress->ticker, NULL);
    if (progress->kind == PROGRESS_TABLE) {
        if (progress->drawn > 0)
            (void)fputs(CLEAR_TABLE, stderr);
        stop_writes(NULL); /* not before it is cleared */
    }
}
