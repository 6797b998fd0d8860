/* The bytes of data/digits.txt, written into C by embed.cmake at build time. */
#ifndef LAB_DIGITS_DATA_H
#define LAB_DIGITS_DATA_H

#include <stddef.h>

extern const unsigned char lab_digits_data[];
extern const size_t lab_digits_data_size;

#endif
