/* A checkpoint by hand: parameters, the kept state slots and the step count are all there is to save. A run
 * that is broken off after 50 steps and taken up by a fresh optimizer ends in the same bits as one that was
 * not. */
#include <rmsprop.h>
#include <stdio.h>
#include <string.h>

enum { COUNT = 3, STEPS = 100 };

struct checkpoint {
    float param[COUNT];
    float slots[RMS_SLOTS_MAX][COUNT];
    uint64_t steps;
};

static rms_optimizer *create(float *param, const float *grad)
{
    rms_options options = rms_options_for(RMS_ADAM);
    options.lr = 0.1;
    options.amsgrad = true;
    rms_optimizer *optimizer;
    if (rms_create(&optimizer, &options, NULL) == RMS_OK &&
        rms_add(optimizer, &(rms_tensor){.name = "w", .count = COUNT, .param = param, .grad = grad}) != RMS_OK) {
        rms_free(optimizer);
        return NULL;
    }
    return optimizer;
}

static void train(rms_optimizer *optimizer, const float *param, float *grad, int steps)
{
    static const float minimum[COUNT] = {1.0F, -2.0F, 3.0F};
    for (int step = 0; step < steps; ++step) {
        for (int i = 0; i < COUNT; ++i)
            grad[i] = (float)(i + 1) * (param[i] - minimum[i]);
        rms_step(optimizer, NULL);
    }
}

static void save(rms_optimizer *optimizer, const float *param, struct checkpoint *checkpoint)
{
    memcpy(checkpoint->param, param, sizeof checkpoint->param);
    rms_get_steps(optimizer, 0, &checkpoint->steps);
    for (size_t i = 0; i < rms_slot_count(RMS_ADAM); ++i) {
        const float *slot = rms_state(optimizer, 0, rms_slot_name(RMS_ADAM, i));
        if (slot) /* slots that the options do not keep are NULL */
            memcpy(checkpoint->slots[i], slot, sizeof checkpoint->slots[i]);
    }
}

static void restore(rms_optimizer *optimizer, float *param, const struct checkpoint *checkpoint)
{
    memcpy(param, checkpoint->param, sizeof checkpoint->param);
    rms_set_steps(optimizer, 0, checkpoint->steps);
    for (size_t i = 0; i < rms_slot_count(RMS_ADAM); ++i) {
        float *slot = rms_state(optimizer, 0, rms_slot_name(RMS_ADAM, i));
        if (slot)
            memcpy(slot, checkpoint->slots[i], sizeof checkpoint->slots[i]);
    }
}

int main(void)
{
    float straight[COUNT] = {0}, resumed[COUNT] = {0}, grad[COUNT] = {0};
    struct checkpoint checkpoint;
    rms_optimizer *whole = create(straight, grad);
    rms_optimizer *first = create(resumed, grad);
    rms_optimizer *second = create(resumed, grad);
    int status = 1;
    if (whole && first && second) {
        train(whole, straight, grad, STEPS);
        train(first, resumed, grad, STEPS / 2);
        save(first, resumed, &checkpoint);
        memset(resumed, 0, sizeof resumed); /* as in a new process */
        restore(second, resumed, &checkpoint);
        train(second, resumed, grad, STEPS - STEPS / 2);
        status = 0;
        for (int i = 0; i < COUNT; ++i)
            status |= straight[i] != resumed[i];
        printf("after %d steps: (%.3f, %.3f, %.3f), resumed: %s bits\n", STEPS, (double)resumed[0], (double)resumed[1],
               (double)resumed[2], status == 0 ? "the same" : "other");
    }
    rms_free(whole);
    rms_free(first);
    rms_free(second);
    return status;
}
