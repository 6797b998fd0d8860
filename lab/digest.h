/* A hash of a run's result: two runs are the same bit for bit, or it tells. */
#ifndef LAB_DIGEST_H
#define LAB_DIGEST_H

#include <rmsprop.h>
#include <stddef.h>
#include <stdint.h>

/* What the hash of nothing is. */
#define LAB_DIGEST_EMPTY UINT64_C(0xcbf29ce484222325)

/* The digest continued by more data: 64-bit FNV-1a over the bits in little-endian order, the same on
 * every machine. All NaNs count as one: their payloads are not part of the numbers contract. */
uint64_t lab_digest_floats(uint64_t digest, const float *values, size_t count);
uint64_t lab_digest_word(uint64_t digest, uint64_t word);

/* The same of a tensor's parameters, whatever their dtype. */
uint64_t lab_digest_tensor(uint64_t digest, const rms_tensor *tensor);
uint64_t lab_digest_bytes(uint64_t digest, const void *bytes, size_t count);

#endif
