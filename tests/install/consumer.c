/* A program that uses the installed library: one step whose result is known, v = 0.25 * 2^2 = 1 and
 * p = 1 - 0.01 * 2 / 1. Also takes enough parameters that threads, if built in, come into play. */
#include <rmsprop.h>
#include <stdio.h>

enum { COUNT = 1 << 20 };
static float param[COUNT], grad[COUNT];

int main(void)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.lr = 0.01;
    options.rho = 0.75;
    options.eps = 0.0;
    options.eps_inside = 1e-30;
    for (size_t i = 0; i < COUNT; ++i) {
        param[i] = 1.0F;
        grad[i] = 2.0F;
    }
    rms_optimizer *optimizer;
    if (rms_create(&optimizer, &options, NULL) != RMS_OK)
        return 1;
    if (rms_add(optimizer, &(rms_tensor){.name = "p", .count = COUNT, .param = param, .grad = grad}) != RMS_OK ||
        rms_step(optimizer, NULL) != RMS_OK)
        return 1;
    rms_free(optimizer);
    printf("%s %.4f %.4f\n", rms_version(), (double)param[0], (double)param[COUNT - 1]);
    return 0;
}
