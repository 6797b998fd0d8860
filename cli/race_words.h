/* The words of a race: its quantities in numbers and units, names of files. */
#ifndef CLI_RACE_WORDS_H
#define CLI_RACE_WORDS_H

#include "text.h"
#include <lab/race.h>

/* Room for the texts below, and for number_text's. */
#define QUANTITY_TEXT_SIZE NUMBER_TEXT_SIZE

/* A number in the quantity's unit, which is not written: two decimals of per cent, about three digits of others; "-"
 * for NaN. Returns text. */
const char *quantity_text(char text[QUANTITY_TEXT_SIZE], const struct lab_quantity *quantity, double value);

/* The same of a difference, with its sign. */
const char *quantity_difference_text(char text[QUANTITY_TEXT_SIZE], const struct lab_quantity *quantity, double value,
                                     int digits);

/* What a difference is counted in, after a space: " points" for per cent; "" where there is no unit. */
const char *quantity_points(const struct lab_quantity *quantity, char text[QUANTITY_TEXT_SIZE]);

/* "test accuracy in %". */
void append_quantity(struct text *words, const struct lab_quantity *quantity);

/* "a validation loss of at most 0.5". */
void append_target(struct text *words, const struct lab_instance *instance);

/* "condition 1000, noise 0.1". */
void append_settings(struct text *words, const struct lab_instance *instance);

/* What --tune may search, by its words. */
#define RACE_SEARCHED_COUNT 3
extern const struct race_searched {
    unsigned flag; /* LAB_SEARCH_... */
    const char *name;
} race_searched[RACE_SEARCHED_COUNT];

/* What a trial of the plan sets for a contender. */
struct lab_trial race_trial(const struct lab_race_plan *plan, size_t contender, size_t trial);

/* The median over an entry's tuned runs that came to their end; NaN if none did. */
double race_seconds_per_step(const struct lab_race_plan *plan, const struct lab_entry *entry);

/* Prints the end of what is told: the files written, then the command that does it again, or goes on. */
void race_print_end(bool interrupted, const char *rerun, const struct text *written);

/* "s" but for one. */
const char *plural(size_t count);

/* Of fewer runs there is no interval of 95 %. */
bool has_interval(size_t run_count);

#endif
