/* Two groups with options of their own, a learning rate that rises and falls by a schedule, clipping by norm, and
 * the report of each step. The problem: find the bottom of a bowl that is 100 times as steep for the bias. */
#include <math.h>
#include <rmsprop.h>
#include <stdio.h>

enum { STEPS = 600 };

/* Everything that can fail, in order; stops at the first that does. */
static rms_status train(rms_optimizer *optimizer, float *weight, float *weight_grad, float *bias, float *bias_grad)
{
    size_t biases;
    rms_status status = rms_add_group(optimizer, &biases);
    if (status == RMS_OK)
        status = rms_set(optimizer, 0, "l2_decay", 1e-4); /* weights shrink a little, biases do not */
    if (status == RMS_OK)
        status = rms_set(optimizer, biases, "l2_decay", 0.0);
    if (status == RMS_OK)
        status = rms_add(optimizer, &(rms_tensor){.name = "weight", .count = 3, .param = weight, .grad = weight_grad});
    if (status == RMS_OK)
        status = rms_add(optimizer,
                         &(rms_tensor){.name = "bias", .count = 1, .param = bias, .grad = bias_grad, .group = biases});

    const rms_schedule schedule = {
        .lr = 0.05, .warmup_steps = 50, .decay = RMS_DECAY_COSINE, .decay_steps = STEPS - 50};
    for (unsigned step = 0; step < STEPS && status == RMS_OK; ++step) {
        for (int i = 0; i < 3; ++i)
            weight_grad[i] = weight[i] - (float)i;
        *bias_grad = 100.0F * (*bias + 1.0F);

        const double lr = rms_schedule_lr(&schedule, step);
        rms_report report;
        if (rms_set(optimizer, 0, "lr", lr) != RMS_OK || rms_set(optimizer, biases, "lr", lr / 2.0) != RMS_OK)
            return RMS_ERROR_RANGE;
        status = rms_step(optimizer, &report);
        if (step % 150 == 0)
            printf("step %3u  gradient norm %7.3f  clipped to %.3f of it\n", step, report.gradient_norm,
                   report.clip_factor);
    }
    return status;
}

int main(void)
{
    float weight[3] = {5.0F, -5.0F, 0.0F}, weight_grad[3], bias = 3.0F, bias_grad;

    rms_options options = rms_options_for(RMS_RMSPROP);
    options.rho = 0.95;
    options.clip_norm = 10.0;
    rms_optimizer *optimizer;
    rms_error error;
    if (rms_create(&optimizer, &options, &error) != RMS_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    if (train(optimizer, weight, weight_grad, &bias, &bias_grad) != RMS_OK)
        fprintf(stderr, "%s\n", rms_message(optimizer));
    rms_free(optimizer);

    printf("weight %.2f %.2f %.2f  bias %.2f\n", (double)weight[0], (double)weight[1], (double)weight[2], (double)bias);
    const float distance = fabsf(weight[0]) + fabsf(weight[1] - 1.0F) + fabsf(weight[2] - 2.0F) + fabsf(bias + 1.0F);
    return distance < 0.05F ? 0 : 1;
}
