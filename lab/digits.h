/* The handwritten digits of data/digits.txt, which travel inside the library; data/README.md tells where they
 * come from and how they are split. */
#ifndef LAB_DIGITS_H
#define LAB_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAB_DIGITS_PIXELS 64
#define LAB_DIGITS_CLASSES 10

enum lab_digits_part { LAB_DIGITS_TRAIN = 0, LAB_DIGITS_VALIDATION, LAB_DIGITS_TEST };
#define LAB_DIGITS_PARTS 3

/* The images of one part, in the order of the file. */
struct lab_digits_set {
    size_t count;
    float *pixels;   /* count x LAB_DIGITS_PIXELS, row by row from the top left, 0 (paper) to 1 (ink) */
    uint8_t *labels; /* count: the digit, 0 to 9 */
};

struct lab_digits {
    struct lab_digits_set parts[LAB_DIGITS_PARTS];
};

/* Reads text in the form of digits.txt. False, with *digits empty, when memory is short, a line is damaged,
 * or a part has no images; then *line, if line is not NULL, is the damaged line's number from 1, else 0. */
bool lab_digits_parse(struct lab_digits *digits, const char *text, size_t length, size_t *line);

/* Reads the library's own copy; fails only when memory is short. */
bool lab_digits_load(struct lab_digits *digits);

/* Releases what digits hold; empty ones are allowed. */
void lab_digits_free(struct lab_digits *digits);

#endif
