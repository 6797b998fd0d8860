/* What a look into a checkpoint found, handed from the reading to the table, the picture and the JSON. */
#ifndef CLI_INSPECT_H
#define CLI_INSPECT_H

#include "arguments.h"
#include "text.h"

#include <jansson.h>
#include <rmsprop_checkpoint.h>

/* A histogram of positive floats: so many bins to a factor of ten, from 1e-38 on; the first takes what is less. */
enum { BINS_PER_DECADE = 4, DECADES = 77, BINS = BINS_PER_DECADE * DECADES };

/* A parameter above this in magnitude is called exploding. */
#define EXPLODING 1e4

struct rates {
    size_t count[BINS];
    size_t zero;
    size_t nonfinite;
    double minimum; /* of what is positive and finite; NaN where nothing is */
    double median;
    double maximum;
};

struct inspected {
    rms_checkpoint_tensor tensor;
    size_t state_bytes;
    bool has_values; /* parameters, or a master */
    double largest;  /* magnitude of a finite parameter */
    double root_mean_square;
    size_t dead;      /* a step of the usual size no longer changes them */
    size_t exploding; /* too large to be meant */
    size_t nonfinite; /* NaN or infinite, in parameters or state */
    struct rates rates;
};

struct inspection {
    const char *path;
    rms_checkpoint *checkpoint;
    rms_checkpoint_info info;
    struct inspected *tensors;
};

/* Where a bin begins. */
double bin_start(size_t bin);

/* The bins from the first to the last that holds anything, in any tensor; false if none does. */
bool inspection_range(const struct inspection *inspection, size_t *first, size_t *last);

/* Bytes of state for each parameter of a group's tensors; NaN where it has none. */
double inspection_state_share(const struct inspection *inspection, size_t group);

/* A tensor's name, or what stands for one that would steer a terminal or draw as boxes: a file may come from anywhere. */
const char *shown_name(const rms_checkpoint_tensor *tensor);

/* written: which pictures there are, NULL for none. */
void inspection_print(const struct inspection *inspection, const char *written);
json_t *inspection_json(const struct inspection *inspection);

/* Draws the histogram into a folder and appends the pictures' paths; false after a sentence. */
bool inspection_plot(const struct inspection *inspection, const char *folder, struct text *written);

#endif
