/* The words of a race: its quantities in numbers and units, names of files. */
#include "race_words.h"

#include "race.h"
#include <lab/trials.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double in_unit(const struct lab_quantity *quantity, double value)
{
    return value * (quantity->factor == 0 ? 1 : quantity->factor);
}

static bool is_per_cent(const struct lab_quantity *quantity)
{
    return strcmp(quantity->unit, "%") == 0;
}

/* Decimals of larger ones would not fit the texts. */
static bool has_decimals(const struct lab_quantity *quantity, double shown)
{
    return is_per_cent(quantity) && fabs(shown) < 99999.5;
}

/* Three digits say enough, and whole numbers of four or five are shorter than with an exponent. */
static void write_number(char *text, bool signs, double value, int digits)
{
    const bool whole = fabs(value) >= 999.5 && fabs(value) < 99999.5;
    const double shown = value == 0 ? 0.0 : value;
    if (whole)
        (void)snprintf(text, QUANTITY_TEXT_SIZE, signs ? "%+.0f" : "%.0f", shown);
    else
        (void)snprintf(text, QUANTITY_TEXT_SIZE, signs && value != 0 ? "%+.*g" : "%.*g", digits, shown);
}

const char *quantity_text(char text[QUANTITY_TEXT_SIZE], const struct lab_quantity *quantity, double value)
{
    const double shown = in_unit(quantity, value);
    if (!isfinite(shown))
        return number_text(text, shown, 3);
    if (has_decimals(quantity, shown))
        (void)snprintf(text, QUANTITY_TEXT_SIZE, fabs(shown) < 99.995 ? "%.2f" : "%.1f", shown);
    else
        write_number(text, false, shown, 3);
    return text;
}

const char *quantity_difference_text(char text[QUANTITY_TEXT_SIZE], const struct lab_quantity *quantity, double value,
                                     int digits)
{
    const double shown = in_unit(quantity, value);
    if (!isfinite(shown))
        return number_text(text, shown, 3);
    if (has_decimals(quantity, shown))
        (void)snprintf(text, QUANTITY_TEXT_SIZE, "%+.2f", shown);
    else
        write_number(text, true, shown, digits);
    return text;
}

const char *quantity_points(const struct lab_quantity *quantity, char text[QUANTITY_TEXT_SIZE])
{
    (void)snprintf(text, QUANTITY_TEXT_SIZE, "%s%.24s", *quantity->unit ? " " : "",
                   is_per_cent(quantity) ? "points" : quantity->unit);
    return text;
}

void append_quantity(struct text *words, const struct lab_quantity *quantity)
{
    text_append(words, "%s%s%s", quantity->name, *quantity->unit ? " in " : "", quantity->unit);
}

void append_target(struct text *words, const struct lab_instance *instance)
{
    char number[NUMBER_TEXT_SIZE];
    const struct lab_quantity *const quantity = &instance->validation;
    text_append(words, "a %s of at %s %s%s%s", quantity->name, quantity->rising ? "least" : "most",
                number_text(number, in_unit(quantity, instance->target), 6), *quantity->unit ? " " : "",
                quantity->unit);
}

void append_settings(struct text *words, const struct lab_instance *instance)
{
    const char *before = "";
    for (size_t i = 0; i < instance->problem->setting_count; ++i)
        if (isfinite(instance->settings[i])) { /* infinite: as if it were not there */
            text_append(words, "%s%s ", before, instance->problem->settings[i].key);
            race_append_number(words, instance->settings[i]);
            before = ", ";
        }
}

const struct race_searched race_searched[RACE_SEARCHED_COUNT] = {
    {LAB_SEARCH_EPSILON, "epsilon"},
    {LAB_SEARCH_RHO, "rho"},
    {LAB_SEARCH_MOMENTUM, "momentum"},
};

struct lab_trial race_trial(const struct lab_race_plan *plan, size_t contender, size_t trial)
{
    return lab_trial_of(plan, trial, &plan->contenders[contender].options);
}

double race_seconds_per_step(const struct lab_race_plan *plan, const struct lab_entry *entry)
{
    double seconds[LAB_SEEDS_MAX];
    size_t count = 0;
    for (size_t seed = 0; seed < plan->report_seeds; ++seed)
        if (entry->tuned_runs[seed].state == LAB_RUN_DONE)
            seconds[count++] = entry->tuned_runs[seed].seconds / (double)plan->steps;
    return lab_median(seconds, count);
}

void race_print_end(bool interrupted, const char *rerun, const struct text *written)
{
    if (written->length > 0) {
        (void)printf("\nwritten ");
        print_wrapped(written->text, 8, 2);
    }
    (void)printf("%s   %s\n", interrupted ? "go on" : "again", rerun);
}

const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

bool has_interval(size_t run_count)
{
    return run_count >= LAB_SEEDS_TO_COMPARE;
}

void race_append_number(struct text *text, double value)
{
    char digits[NUMBER_TEXT_SIZE];
    int precision = 6;
    while (strtod(number_text(digits, value, precision), NULL) != value && precision < 17)
        ++precision;
    text_append(text, "%s", digits);
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
}

/* No dash begins or ends it or follows another. A minus is a word and a plus nothing, or -1 and 1, 1e-3 and 1e+3 would
 * be the same file. */
void race_stem(char *stem, size_t size, const char *name)
{
    size_t length = 0;
    for (const char *c = name; *c && length + 7 < size; ++c) {
        if (is_plain(*c) && !(length == 0 && *c == '.')) {
            stem[length++] = *c;
            continue;
        }
        if (length > 0 && stem[length - 1] != '-' && *c != '+')
            stem[length++] = '-';
        if (*c == '-' && c > name && c[-1] == '=')
            length += (size_t)snprintf(stem + length, size - length, "minus-");
    }
    while (length > 0 && stem[length - 1] == '-')
        --length;
    stem[length] = '\0';
    if (length == 0)
        (void)snprintf(stem, size, "problem");
}
