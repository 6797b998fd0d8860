/* All memory your own: parameters, gradients and the optimizer's state lie where you put them; no object,
 * no allocation. Here Adam finds the minimum of Rosenbrock's valley, (1 - x)^2 + 100 (y - x^2)^2. */
#include <math.h>
#include <rmsprop.h>
#include <stdio.h>

int main(void)
{
    float point[2] = {-1.0F, 1.0F}, gradient[2];
    float mean[2] = {0.0F, 0.0F}, v[2] = {0.0F, 0.0F}; /* rms_slots_kept tells which of Adam's slots are needed */
    void *const slots[RMS_SLOTS_MAX] = {mean, v};

    rms_options options = rms_options_for(RMS_ADAM);
    options.lr = 0.01;
    rms_error error;
    for (uint64_t step = 1; step <= 5000; ++step) {
        const float x = point[0], y = point[1];
        gradient[0] = -2.0F * (1.0F - x) - 400.0F * x * (y - x * x);
        gradient[1] = 200.0F * (y - x * x);
        if (rms_apply(&options, RMS_F32, step, 2, point, gradient, slots, NULL, &error) != RMS_OK) {
            fprintf(stderr, "%s\n", error.message);
            return 1;
        }
    }
    printf("the minimum lies at (%.3f, %.3f)\n", (double)point[0], (double)point[1]);
    return fabsf(point[0] - 1.0F) < 0.01F && fabsf(point[1] - 1.0F) < 0.02F ? 0 : 1;
}
