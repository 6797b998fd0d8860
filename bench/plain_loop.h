/* RMSProp as people write it by hand: what the library is compared with. */
#ifndef BENCH_PLAIN_LOOP_H
#define BENCH_PLAIN_LOOP_H

#include <stddef.h>

void plain_loop_rmsprop(size_t count, float *param, const float *grad, float *v, float lr, float rho, float eps);

#endif
