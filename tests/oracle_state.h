/* The oracle's codecs applied to whole slots of a tensor. */
#ifndef TESTS_ORACLE_STATE_H
#define TESTS_ORACLE_STATE_H

#include <rmsprop.h>

/* The key of a tensor's random bits for its parameters (use 0) or its slot number use - 1. */
uint64_t oracle_key_of_use(int seed, const char *name, size_t use);

/* Where a slot's random bits come from; NULL: to nearest, ties away from zero. */
struct oracle_source {
    uint64_t key;
    uint64_t step;
};

/* The numbers of a slot from element on, which is a multiple of RMS_STATE_BLOCK for 8 bits. codes holds uint16_t for
 * 16 bits, uint8_t otherwise. Of squares, the sign is not kept. */
void oracle_encode_slot(rms_state_format format, bool squares, size_t count, const float *from, void *codes,
                        uint8_t *scales, const struct oracle_source *source, uint64_t element);
void oracle_decode_slot(rms_state_format format, bool squares, size_t count, const void *codes, const uint8_t *scales,
                        float *to);

/* Whether a rule's slot holds squares: numbers that are never negative. */
bool oracle_holds_squares(rms_rule rule, size_t slot);

#endif
