/* The loop from the textbook, compiled as people compile it: -O3 -march=native and default math flags, under
 * which sqrtf may set errno and the compiler must therefore take one root at a time. */
#include "plain_loop.h"

#include <math.h>

void plain_loop_rmsprop(size_t count, float *param, const float *grad, float *v, float lr, float rho, float eps)
{
    for (size_t i = 0; i < count; ++i) {
        v[i] = rho * v[i] + (1 - rho) * grad[i] * grad[i];
        param[i] -= lr * grad[i] / (sqrtf(v[i]) + eps);
    }
}
