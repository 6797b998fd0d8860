/* Random numbers by counter, which the public header declares, and the cipher that they come from. */
#ifndef LAB_RANDOM_H
#define LAB_RANDOM_H

#include <rmsprop_lab.h>

/* Philox4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
void lab_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4]);

#endif
