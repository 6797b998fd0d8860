/* A plot in the terminal: dots of braille characters, two by four in each, or letters where these cannot be shown. */
#ifndef CLI_BRAILLE_H
#define CLI_BRAILLE_H

#include "plot.h"

struct braille_size {
    size_t columns; /* of everything, labels included; at least 40 */
    size_t rows; /* lines of everything, title and axis included, at least 8; one more where what x is needs its own */
    bool colored;
    bool unicode;
};

/* Appends title, lines and axes: log or linear as the plot says. Each line has a letter, which stands at its end and
 * before its name on the right, where there is no room for all of them nor colour to tell them apart. */
void braille_draw(struct text *text, const struct plot *plot, const struct braille_size *size);

/* The same on stdout, at most 80 columns by 16 lines; in colour and in Unicode where the terminal has them. */
void braille_print(const struct plot *plot);

#endif
