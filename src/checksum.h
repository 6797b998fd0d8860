/* Checksums of data in files: XXH3, 64 bits (Collet's xxHash, specified there), as 16 hexadecimal digits. They tell damage
 * from data; they are no signature. */
#ifndef CHECKSUM_H
#define CHECKSUM_H

#include "prefix.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct checksum {
    _Alignas(64) unsigned char state[576];
};

void checksum_start(struct checksum *checksum);
void checksum_add(struct checksum *checksum, const void *data, size_t bytes);
uint64_t checksum_end(const struct checksum *checksum);

/* The same, twice as fast, where AVX2 is there; data are not empty. */
void checksum_add_avx2(struct checksum *checksum, const void *data, size_t bytes);

/* All at once. */
uint64_t checksum_of(const void *data, size_t bytes);

/* Digits are lower case; nothing else is read. */
#define CHECKSUM_DIGITS 16
void checksum_write(uint64_t value, char text[CHECKSUM_DIGITS + 1]);
bool checksum_read(const char *text, uint64_t *value);

#endif
