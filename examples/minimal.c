/* Fits a line through four points by RMSProp: the smallest program that trains something. */
#include <math.h>
#include <rmsprop.h>
#include <stdio.h>

int main(void)
{
    const float x[] = {0.0F, 1.0F, 2.0F, 3.0F}, y[] = {1.0F, 3.0F, 5.0F, 7.0F}; /* y = 2 x + 1 */
    float line[2] = {0.0F, 0.0F}, gradient[2];                                  /* slope, intercept */

    rms_options options = rms_options_for(RMS_RMSPROP);
    options.lr = 0.01;
    rms_optimizer *optimizer;
    rms_error error;
    if (rms_create(&optimizer, &options, &error) != RMS_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    rms_status status = rms_add(optimizer, &(rms_tensor){.name = "line", .count = 2, .param = line, .grad = gradient});
    for (int step = 0; step < 1000 && status == RMS_OK; ++step) {
        gradient[0] = gradient[1] = 0.0F;
        for (int i = 0; i < 4; ++i) {
            const float residual = line[0] * x[i] + line[1] - y[i];
            gradient[0] += residual * x[i] / 4.0F;
            gradient[1] += residual / 4.0F;
        }
        status = rms_step(optimizer, NULL);
    }
    if (status != RMS_OK)
        fprintf(stderr, "%s\n", rms_message(optimizer));
    rms_free(optimizer);

    printf("y = %.2f x + %.2f\n", (double)line[0], (double)line[1]);
    return fabsf(line[0] - 2.0F) < 0.02F && fabsf(line[1] - 1.0F) < 0.02F ? 0 : 1;
}
