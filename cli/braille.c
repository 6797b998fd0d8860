/* A plot in the terminal: dots of braille characters, two by four in each, or letters where these cannot be shown. */
#include "braille.h"

#include "output.h"
#include "terminal.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AXIS_COLUMNS = 8, COLUMNS_MAX = 200, ROWS_MAX = 60, TICKS_MAX = 64 };

/* Dots of a braille character, from its left upper corner: Unicode numbers the first six by columns. */
static const unsigned char dots[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

/* One axis: its numbers, by logarithms or as they are, from 0 to 1. */
struct axis {
    bool logarithmic;
    double low;
    double high;
};

struct cell {
    unsigned char pattern;
    unsigned char owner; /* 1 + the line that was drawn last; 0: none */
    char letter;         /* stands there instead of dots; 0: none */
};

struct canvas {
    const struct plot *plot;
    struct braille_size size;
    size_t columns; /* of the chart alone, */
    size_t rows;
    size_t labels; /* and of what stands to its right */
    struct axis x;
    struct axis y;
    struct cell cells[ROWS_MAX][COLUMNS_MAX];
};

/* ---- axes ----------------------------------------------------------------------------------------- */

static bool can_show(const struct axis *axis, double value)
{
    return isfinite(value) && (!axis->logarithmic || value > 0);
}

static double share_of(const struct axis *axis, double value)
{
    if (axis->logarithmic)
        return (log(value) - log(axis->low)) / (log(axis->high) - log(axis->low));
    return (value - axis->low) / (axis->high - axis->low);
}

static void widen(struct axis *axis, double value)
{
    if (!can_show(axis, value))
        return;
    axis->low = value < axis->low ? value : axis->low;
    axis->high = value > axis->high ? value : axis->high;
}

/* An axis without anything, or with one number only, gets room around it. */
static void settle(struct axis *axis)
{
    if (axis->low > axis->high)
        *axis = (struct axis){.logarithmic = axis->logarithmic, .low = 1, .high = 10};
    if (axis->low < axis->high)
        return;
    const double room = axis->logarithmic ? 2 : axis->low != 0 ? fabs(axis->low) / 2 : 1;
    axis->high = axis->logarithmic ? axis->high * room : axis->high + room;
    axis->low = axis->logarithmic ? axis->low / room : axis->low - room;
}

/* Keeps what is computed of an axis finite; what lies beyond is drawn at its edge. */
static void keep_finite(struct axis *axis)
{
    const double low = axis->logarithmic ? DBL_MIN : -DBL_MAX / 4;
    const double high = axis->logarithmic ? DBL_MAX : DBL_MAX / 4;
    axis->low = fmax(fmin(axis->low, high / 2), low);
    axis->high = fmax(fmin(axis->high, high), low / (axis->logarithmic ? 0.5 : 2));
}

static void find_axes(struct canvas *canvas)
{
    const struct plot *const plot = canvas->plot;
    canvas->x = (struct axis){.logarithmic = plot->x_logarithmic || plot->x_bytes, .low = HUGE_VAL, .high = -HUGE_VAL};
    canvas->y = (struct axis){.logarithmic = !plot->y_linear, .low = HUGE_VAL, .high = -HUGE_VAL};
    for (size_t i = 0; i < plot->line_count; ++i)
        for (size_t point = 0; point < plot->lines[i].count; ++point) {
            widen(&canvas->x, plot->lines[i].x[point]);
            widen(&canvas->y, plot->lines[i].y[point]);
        }
    settle(&canvas->x);
    settle(&canvas->y);
    if (canvas->y.logarithmic && plot->y_floor > 0 && canvas->y.low < plot->y_floor && plot->y_floor < canvas->y.high)
        canvas->y.low = plot->y_floor;
    if (canvas->y.logarithmic && plot->y_span > 1 && canvas->y.high / canvas->y.low > plot->y_span)
        canvas->y.high = canvas->y.low * plot->y_span;
    keep_finite(&canvas->x);
    keep_finite(&canvas->y);
}

/* Numbers that are easy to read: powers of ten, or 1, 2 and 5 times them; where there are few, more between. */
static size_t log_ticks(const struct axis *axis, double ticks[TICKS_MAX], size_t wanted)
{
    static const double steps[][3] = {{1, 0, 0}, {1, 3, 0}, {1, 2, 5}};
    const int first = (int)floor(log10(axis->low));
    const int last = (int)ceil(log10(axis->high));
    size_t count = 0;
    for (size_t kind = 0; kind < 3; ++kind) {
        const int stride = kind == 0 ? 1 + (last - first) / (int)(2 * wanted) : 1;
        count = 0;
        for (int power = first; power <= last; power += stride)
            for (size_t i = 0; i < 3 && steps[kind][i] > 0; ++i) {
                const double tick = steps[kind][i] * pow(10, power);
                if (tick >= axis->low * 0.999 && tick <= axis->high * 1.001 && count < TICKS_MAX)
                    ticks[count++] = tick;
            }
        if (count >= 3)
            return count;
    }
    return count;
}

static size_t linear_ticks(const struct axis *axis, double ticks[TICKS_MAX], size_t wanted)
{
    const double rough = (axis->high - axis->low) / (double)wanted;
    const double power = pow(10, floor(log10(rough)));
    const double step = power * (rough / power <= 1 ? 1 : rough / power <= 2 ? 2 : rough / power <= 5 ? 5 : 10);
    const double first = ceil(axis->low / step - 1e-9);
    size_t count = 0;
    while (count < TICKS_MAX && (first + (double)count) * step <= axis->high + 1e-9 * step) {
        ticks[count] = (first + (double)count) * step;
        ++count;
    }
    return count;
}

static size_t find_ticks(const struct axis *axis, double ticks[TICKS_MAX], size_t wanted)
{
    return axis->logarithmic ? log_ticks(axis, ticks, wanted) : linear_ticks(axis, ticks, wanted);
}

/* ---- lines ---------------------------------------------------------------------------------------- */

/* The place of a share in so many dots; what lies beyond the axis stays at its edge. */
static long dot_of(double share, size_t count)
{
    const double place = share * (double)(count - 1);
    return lround(!(place > 0) ? 0 : place < (double)(count - 1) ? place : (double)(count - 1)); /* NaN is 0 */
}

static struct cell *cell_at(struct canvas *canvas, long x, long y)
{
    return &canvas->cells[(size_t)y / 4][(size_t)x / 2];
}

static void set_dot(struct canvas *canvas, long x, long y, size_t line)
{
    struct cell *const cell = cell_at(canvas, x, y);
    cell->pattern |= dots[y % 4][x % 2];
    cell->owner = (unsigned char)(line + 1);
}

/* Every dot on the way; of a dashed line some. */
static void connect(struct canvas *canvas, const long from[2], const long to[2], size_t line)
{
    static const unsigned char shown[PLOT_DASH_COUNT] = {0xFF, 0xCC, 0xAA, 0xE4}; /* of eight dots */
    const long across = to[0] - from[0];
    const long down = to[1] - from[1];
    const long steps = labs(across) > labs(down) ? labs(across) : labs(down);
    for (long i = 0; i <= steps; ++i) {
        const double share = steps > 0 ? (double)i / (double)steps : 0;
        const long x = lround((double)from[0] + share * (double)across);
        const long y = lround((double)from[1] + share * (double)down);
        if (shown[canvas->plot->lines[line].dash] >> ((x + y) % 8) & 1)
            set_dot(canvas, x, y, line);
    }
}

static char letter_of(size_t line)
{
    return (char)('a' + line);
}

/* Draws the line; returns whether it has an end, which gets its letter and goes to *end, as a row. */
static bool draw_line(struct canvas *canvas, size_t number, size_t *end)
{
    const struct plot_line *const line = &canvas->plot->lines[number];
    long last[2] = {0, 0};
    bool joined = false;
    bool any = false;
    for (size_t point = 0; point < line->count; ++point) {
        if (!can_show(&canvas->x, line->x[point]) || !can_show(&canvas->y, line->y[point])) {
            joined = false;
            continue;
        }
        const long place[2] = {dot_of(share_of(&canvas->x, line->x[point]), 2 * canvas->columns),
                               dot_of(1 - share_of(&canvas->y, line->y[point]), 4 * canvas->rows)};
        connect(canvas, joined && !line->loose ? last : place, place, number);
        last[0] = place[0];
        last[1] = place[1];
        joined = true;
        any = true;
    }
    if (any) {
        struct cell *cell = cell_at(canvas, last[0], last[1]);
        for (long x = last[0]; cell->letter != 0 && x >= 2; x -= 2) /* another line ends here: beside it */
            cell = cell_at(canvas, x - 2, last[1]);
        cell->letter = letter_of(number);
        cell->owner = (unsigned char)(number + 1);
        *end = (size_t)last[1] / 4;
    }
    return any;
}

/* ---- labels --------------------------------------------------------------------------------------- */

/* Which line's name stands in each row, to the right of the chart: as near to its end as there is room. 0 for none. */
static void place_labels(const struct canvas *canvas, const bool *drawn, const size_t *ends, size_t *labels)
{
    for (size_t line = 0; line < canvas->plot->line_count; ++line) {
        if (!drawn[line])
            continue;
        for (size_t away = 0; away < 2 * canvas->rows; ++away) {
            const size_t distance = (away + 1) / 2;
            const bool below = away % 2 == 1;
            const size_t row = below ? ends[line] + distance : ends[line] - distance;
            if ((below || distance <= ends[line]) && row < canvas->rows && labels[row] == 0) {
                labels[row] = line + 1;
                break;
            }
        }
    }
}

/* ---- text ----------------------------------------------------------------------------------------- */

/* Words as the terminal can show them, at most so many columns of them; returns how many. */
static size_t append_words(struct text *text, const char *words, size_t columns, bool unicode)
{
    size_t used = 0;
    for (size_t i = 0; words[i]; ++i) {
        const unsigned char byte = (unsigned char)words[i];
        const bool begins = (byte & 0xC0U) != 0x80U;
        if (begins && used == columns)
            break;
        used += begins;
        if (unicode || byte < 0x80)
            text_append(text, "%c", words[i]);
        else if (begins)
            text_append(text, byte == 0xC2 ? "-" : "?"); /* a middle dot, for the most part */
    }
    return used;
}

static const char *color_of(const struct canvas *canvas, size_t owner)
{
    static const char *const colors[THEME_COLORS] = {"\033[36m", "\033[33m", "\033[35m",
                                                     "\033[32m", "\033[31m", "\033[34m"};
    if (owner == 0 || !canvas->size.colored)
        return "";
    return colors[canvas->plot->lines[owner - 1].color % THEME_COLORS];
}

static const char *end_color(const struct canvas *canvas, size_t owner)
{
    return owner > 0 && canvas->size.colored ? "\033[0m" : "";
}

static void append_cell(struct text *text, const struct canvas *canvas, const struct cell *cell)
{
    const size_t owner = cell->owner;
    if (cell->pattern == 0 && cell->letter == 0) {
        text_append(text, " ");
        return;
    }
    text_append(text, "%s", color_of(canvas, owner));
    if (cell->letter != 0)
        text_append(text, "%c", cell->letter);
    else if (canvas->size.unicode)
        text_append(text, "\xE2%c%c", 0xA0 | cell->pattern >> 6, 0x80 | (cell->pattern & 0x3F)); /* U+2800 on */
    else
        text_append(text, "%c", letter_of(owner - 1));
    text_append(text, "%s", end_color(canvas, owner));
}

static void append_label(struct text *text, const struct canvas *canvas, size_t owner)
{
    if (owner == 0)
        return;
    const struct plot_line *const line = &canvas->plot->lines[owner - 1];
    struct text words = {0};
    text_append(&words, "%c %s", letter_of(owner - 1), line->name);
    if (line->detail && *line->detail && text_columns(line->name) + text_columns(line->detail) + 5 <= canvas->labels)
        text_append(&words, " %s", line->detail);       /* whole or not at all */
    text_append(text, "  %s", color_of(canvas, owner)); /* apart from the letter of an end */
    if (!words.failed)
        (void)append_words(text, words.text, canvas->labels - 2, canvas->size.unicode);
    text_append(text, "%s", end_color(canvas, owner));
    text_free(&words);
}

/* The number of a tick, with as many digits as the axis has room for; false where there is none even for one. */
static bool tick_text(char words[NUMBER_TEXT_SIZE], double value)
{
    int digits = 4;
    while (strlen(number_text(words, value, digits)) > AXIS_COLUMNS - 2 && digits > 1)
        --digits;
    return strlen(words) <= AXIS_COLUMNS - 2;
}

static void append_rows(struct text *text, const struct canvas *canvas, const size_t *labels)
{
    double ticks[TICKS_MAX];
    char marks[ROWS_MAX][NUMBER_TEXT_SIZE] = {{0}};
    const size_t count = find_ticks(&canvas->y, ticks, canvas->rows / 2);
    for (size_t i = 0; i < count; ++i) {
        const size_t row = (size_t)dot_of(1 - share_of(&canvas->y, ticks[i]), 4 * canvas->rows) / 4;
        if (!marks[row][0] && (row == 0 || !marks[row - 1][0]) && !tick_text(marks[row], ticks[i]))
            marks[row][0] = '\0';
    }
    for (size_t row = 0; row < canvas->rows; ++row) {
        const bool marked = marks[row][0] != '\0';
        text_append(text, "%*s %s", AXIS_COLUMNS - 2, marks[row],
                    canvas->size.unicode ? (marked ? "┤" : "│") : (marked ? "+" : "|"));
        size_t used = canvas->columns; /* nothing follows the last that is there */
        while (labels[row] == 0 && used > 0 && canvas->cells[row][used - 1].owner == 0)
            --used;
        for (size_t column = 0; column < used; ++column)
            append_cell(text, canvas, &canvas->cells[row][column]);
        append_label(text, canvas, labels[row]);
        text_append(text, "\n");
    }
}

/* The axis, and below it the numbers, centred on their ticks, as many as stand apart, and what they are of. */
static void append_x_axis(struct text *text, const struct canvas *canvas)
{
    double ticks[TICKS_MAX];
    bool marked[COLUMNS_MAX] = {false};
    char numbers[AXIS_COLUMNS + COLUMNS_MAX + NUMBER_TEXT_SIZE];
    size_t free_from = 0;
    memset(numbers, ' ', sizeof numbers);
    const size_t count = find_ticks(&canvas->x, ticks, canvas->columns / 8);
    for (size_t i = 0; i < count; ++i) {
        char words[NUMBER_TEXT_SIZE];
        const size_t column = (size_t)dot_of(share_of(&canvas->x, ticks[i]), 2 * canvas->columns) / 2;
        (void)tick_text(words, ticks[i]);
        const size_t length = strlen(words);
        const size_t begin = AXIS_COLUMNS + column - (length - 1) / 2;
        if (begin < free_from || begin + length > AXIS_COLUMNS + canvas->columns + 2)
            continue;
        for (size_t c = 0; c < length; ++c)
            numbers[begin + c] = words[c];
        free_from = begin + length + 2;
        marked[column] = true;
    }
    text_append(text, "%*s%s", AXIS_COLUMNS - 1, "", canvas->size.unicode ? "└" : "+");
    for (size_t column = 0; column < canvas->columns; ++column)
        text_append(text, "%s", canvas->size.unicode ? (marked[column] ? "┬" : "─") : (marked[column] ? "+" : "-"));
    const size_t used = free_from > 2 ? free_from - 2 : 0;
    text_append(text, "\n%.*s", (int)used, numbers);
    if (canvas->plot->x_title) {
        const bool fits = used + 2 + text_columns(canvas->plot->x_title) <= canvas->size.columns;
        text_append(text, "%s%*s", fits ? "" : "\n", fits ? 2 : AXIS_COLUMNS, "");
        (void)append_words(text, canvas->plot->x_title, canvas->size.columns - AXIS_COLUMNS, canvas->size.unicode);
    }
    text_append(text, "\n");
}

static size_t widest_label(const struct plot *plot)
{
    size_t widest = 0;
    for (size_t i = 0; i < plot->line_count; ++i) {
        const struct plot_line *const line = &plot->lines[i];
        const size_t detail = line->detail && *line->detail ? 1 + text_columns(line->detail) : 0;
        const size_t columns = 4 + text_columns(line->name) + detail;
        widest = line->count > 0 && columns > widest ? columns : widest;
    }
    return widest;
}

static size_t clamp(size_t value, size_t low, size_t high)
{
    return value < low ? low : value > high ? high : value;
}

void braille_draw(struct text *text, const struct plot *plot, const struct braille_size *size)
{
    struct canvas *const canvas = calloc(1, sizeof *canvas);
    size_t labels[ROWS_MAX] = {0};
    size_t ends[PLOT_LINES_MAX] = {0};
    bool drawn[PLOT_LINES_MAX] = {false};
    if (!canvas) {
        text->failed = true;
        return;
    }
    canvas->plot = plot;
    canvas->size = *size;
    canvas->size.columns = clamp(size->columns, 40, COLUMNS_MAX);
    canvas->labels = clamp(widest_label(plot), 4, canvas->size.columns / 3);
    canvas->columns = canvas->size.columns - AXIS_COLUMNS - canvas->labels;
    canvas->rows = clamp(size->rows, 8, ROWS_MAX) - 4; /* title, what y is, the axis and its numbers */
    find_axes(canvas);
    for (size_t line = 0; line < plot->line_count; ++line)
        drawn[line] = draw_line(canvas, line, &ends[line]);
    place_labels(canvas, drawn, ends, labels);

    (void)append_words(text, plot->title ? plot->title : "", canvas->size.columns, size->unicode);
    text_append(text, "\n");
    (void)append_words(text, plot->y_title ? plot->y_title : "", canvas->size.columns, size->unicode);
    text_append(text, "\n");
    append_rows(text, canvas, labels);
    append_x_axis(text, canvas);
    free(canvas);
}

void braille_print(const struct plot *plot)
{
    const struct terminal_size terminal = terminal_size(STDOUT_FILENO);
    const struct braille_size size = {
        .columns = clamp(terminal.columns, 40, 80),
        .rows = 16,
        .colored = terminal_is_colored(STDOUT_FILENO),
        .unicode = terminal_is_unicode(),
    };
    struct text text = {0};
    braille_draw(&text, plot, &size);
    if (!text.failed)
        (void)printf("\n%s", text.text);
    text_free(&text);
}
