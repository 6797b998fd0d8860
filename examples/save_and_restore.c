/* A run that is broken off after 50 steps and taken up by a new process ends in the same bits as one that was not: a
 * checkpoint holds parameters, state, step counts and options. */
#include <rmsprop.h>
#include <rmsprop_checkpoint.h>
#include <stdio.h>

enum { COUNT = 3, STEPS = 100 };

static rms_optimizer *create(float *param, const float *grad, double lr)
{
    rms_options options = rms_options_for(RMS_ADAM);
    options.lr = lr;
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

/* Saves after half of the steps. */
static rms_status first_process(const char *path)
{
    float param[COUNT] = {0}, grad[COUNT] = {0};
    rms_optimizer *optimizer = create(param, grad, 0.1);
    if (!optimizer)
        return RMS_ERROR_MEMORY;
    train(optimizer, param, grad, STEPS / 2);
    const rms_status status = rms_save(optimizer, path);
    if (status != RMS_OK)
        fprintf(stderr, "%s\n", rms_message(optimizer));
    rms_free(optimizer);
    return status;
}

/* Adds the same tensors, loads, and goes on. Its learning rate is the file's, whatever it was created with. */
static rms_status second_process(const char *path, float *param)
{
    float grad[COUNT] = {0};
    rms_optimizer *optimizer = create(param, grad, 0.5);
    if (!optimizer)
        return RMS_ERROR_MEMORY;
    const rms_status status = rms_load(optimizer, path);
    if (status == RMS_OK)
        train(optimizer, param, grad, STEPS - STEPS / 2);
    else
        fprintf(stderr, "%s\n", rms_message(optimizer));
    rms_free(optimizer);
    return status;
}

int main(void)
{
    const char *path = "save_and_restore.safetensors";
    float straight[COUNT] = {0}, resumed[COUNT] = {0}, grad[COUNT] = {0};
    rms_optimizer *whole = create(straight, grad, 0.1);
    if (!whole)
        return 1;
    train(whole, straight, grad, STEPS);
    rms_free(whole);

    rms_status status = first_process(path);
    if (status == RMS_OK)
        status = second_process(path, resumed);
    remove(path);
    if (status == RMS_ERROR_UNSUPPORTED)
        return 0; /* a build without checkpoints; it has said so */
    bool same = status == RMS_OK;
    for (int i = 0; i < COUNT; ++i)
        same = same && !(straight[i] < resumed[i]) && !(straight[i] > resumed[i]);
    printf("after %d steps: (%.3f, %.3f, %.3f), resumed: %s bits\n", STEPS, (double)resumed[0], (double)resumed[1],
           (double)resumed[2], same ? "the same" : "other");
    return same ? 0 : 1;
}
