/* The golden files in golden/, and the numbers that they do not hold because they can be drawn anew: golden/README.md
 * describes both, golden/golden.py makes them. */
#ifndef TESTS_GOLDEN_FILE_H
#define TESTS_GOLDEN_FILE_H

#include <rmsprop.h>
#include <stdio.h>

enum {
    GOLDEN_KINDS = 14,
    GOLDEN_COUNT = 2 * GOLDEN_KINDS,
    GOLDEN_STEPS = 50,
    GOLDEN_KEPT = 6,
    GOLDEN_OPTIONS = 64,
    GOLDEN_WIDTH = 2, /* of a row, where gradients come in rows */
    GOLDEN_ROWS_MAX = GOLDEN_KINDS + 1,
};
extern const int golden_steps_kept[GOLDEN_KEPT];

/* Gradients of a step, parameters to start from: exact in the dtype. */
void golden_gradients(double *grad, rms_dtype dtype, int step);
void golden_parameters(double *param, rms_dtype dtype);

/* The rows that a step gives, and their values, GOLDEN_WIDTH for each; one row comes twice. Returns how many. */
size_t golden_rows(int64_t *indices, double *values, rms_dtype dtype, int step);

/* An option of a set: "lr=0.01", or "21:lr=0.01", which is set before step 21. */
struct golden_option {
    int step; /* 1 for one that holds from the start */
    char key[32];
    char value[64];
};

enum golden_record { GOLDEN_SET, GOLDEN_ROWS, GOLDEN_CONSTANT, GOLDEN_END };

struct golden_entry {
    enum golden_record record;
    char name[64];
    rms_dtype dtype;
    rms_rows_mode mode; /* rows */
    char call[512];     /* how the framework was called */
    char start[64];     /* "preset=pytorch" */
    size_t option_count;
    struct golden_option options[GOLDEN_OPTIONS];
    unsigned words;                          /* of golden_bounds.h */
    double param[GOLDEN_KEPT][GOLDEN_COUNT]; /* set, rows */
    double constant;                         /* constant: the gradient, */
    int first_nan;                           /* and the step after which the framework's parameter is NaN; 0: never */
};

struct golden_reader {
    FILE *file;
    char path[512];
    size_t line;
    unsigned words;
    char framework[64];
    char versions[256];
    size_t sets, constants; /* read so far */
};

/* Opens golden/NAME.txt and reads its head. Everything here fails the test where the file is not as it must be; a file
 * that was cut off is noticed at its end. */
struct golden_reader golden_open(const char *name);
/* Reads the next entry; GOLDEN_END at the end of the file, which is then closed. */
enum golden_record golden_next(struct golden_reader *reader, struct golden_entry *entry);

/* The options of an entry at its start; and those that it sets before a later step. Both without the key that is to be
 * left out; "" for none. */
rms_options golden_options(const struct golden_entry *entry, const char *without);
void golden_set_options(const struct golden_entry *entry, const char *without, int step, rms_options *options);

#endif
