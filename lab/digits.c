/* Reads the digits: one image a line, "train 3 0074..." with 64 pixels from 0 to g, the 17th numeral. */
#include "digits.h"

#include "lab_digits_data.h"

#include <stdlib.h>
#include <string.h>

struct image {
    enum lab_digits_part part;
    uint8_t label;
    float pixels[LAB_DIGITS_PIXELS];
};

static bool read_part(const char **text, const char *end, enum lab_digits_part *part)
{
    static const char *const names[LAB_DIGITS_PARTS] = {"train ", "validation ", "test "};
    for (int i = 0; i < LAB_DIGITS_PARTS; ++i) {
        const size_t length = strlen(names[i]);
        if ((size_t)(end - *text) >= length && memcmp(*text, names[i], length) == 0) {
            *part = (enum lab_digits_part)i;
            *text += length;
            return true;
        }
    }
    return false;
}

/* Reads one line, to *text's next; false when it is not as it should be. */
static bool read_image(const char **text, const char *end, struct image *image)
{
    static const char numerals[] = "0123456789abcdefg";
    if (!read_part(text, end, &image->part) || end - *text < 2 + LAB_DIGITS_PIXELS + 1)
        return false;

    const char *const rest = *text;
    if (rest[0] < '0' || rest[0] > '9' || rest[1] != ' ' || rest[2 + LAB_DIGITS_PIXELS] != '\n')
        return false;
    image->label = (uint8_t)(rest[0] - '0');
    for (size_t i = 0; i < LAB_DIGITS_PIXELS; ++i) {
        const char *const numeral = memchr(numerals, rest[2 + i], sizeof numerals - 1);
        if (!numeral)
            return false;
        image->pixels[i] = (float)(numeral - numerals) / 16.0F;
    }
    *text = rest + 2 + LAB_DIGITS_PIXELS + 1;
    return true;
}

/* Counts the images of each part; returns the number of the first damaged line, or 0. */
static size_t count_images(const char *text, const char *end, size_t counts[LAB_DIGITS_PARTS])
{
    struct image image;
    for (size_t line = 1; text < end; ++line) {
        if (!read_image(&text, end, &image))
            return line;
        ++counts[image.part];
    }
    return 0;
}

static bool allocate(struct lab_digits_set *set, size_t count)
{
    if (count == 0)
        return false;
    set->pixels = calloc(count, LAB_DIGITS_PIXELS * sizeof *set->pixels);
    set->labels = calloc(count, sizeof *set->labels);
    return set->pixels && set->labels;
}

bool lab_digits_parse(struct lab_digits *digits, const char *text, size_t length, size_t *line)
{
    const char *const end = text + length;
    size_t counts[LAB_DIGITS_PARTS] = {0};
    *digits = (struct lab_digits){0};
    const size_t damaged = count_images(text, end, counts);
    if (line)
        *line = damaged;

    bool whole = damaged == 0;
    for (int part = 0; whole && part < LAB_DIGITS_PARTS; ++part)
        whole = allocate(&digits->parts[part], counts[part]);
    if (!whole) {
        lab_digits_free(digits);
        return false;
    }

    struct image image;
    while (text < end && read_image(&text, end, &image)) {
        struct lab_digits_set *const set = &digits->parts[image.part];
        memcpy(set->pixels + set->count * LAB_DIGITS_PIXELS, image.pixels, sizeof image.pixels);
        set->labels[set->count++] = image.label;
    }
    return true;
}

bool lab_digits_load(struct lab_digits *digits)
{
    return lab_digits_parse(digits, (const char *)lab_digits_data, lab_digits_data_size, NULL);
}

void lab_digits_free(struct lab_digits *digits)
{
    for (int part = 0; part < LAB_DIGITS_PARTS; ++part) {
        free(digits->parts[part].pixels);
        free(digits->parts[part].labels);
    }
    *digits = (struct lab_digits){0};
}
