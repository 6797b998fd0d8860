/* The rules as plain loops that update parameters and state in one pass, as programs without a framework write them;
 * Adam is AdamW with its decay of 0. Compiled twice: -O3 -march=native, and the same with -Ofast. One thread. */
#include "requests.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct loop {
    struct request request;
    struct arrays arrays;
    float *first; /* state; what a rule has no use for is NULL */
    float *second;
    void (*step)(struct loop *loop);
    long steps;
};

static void sgd(struct loop *loop)
{
    const float lr = (float)loop->request.lr;
    const float decay = (float)loop->request.momentum;
    for (size_t tensor = 0; tensor < loop->arrays.tensors; ++tensor) {
        const size_t start = tensor * loop->arrays.stride;
        float *param = loop->arrays.param + start;
        float *momentum = loop->first + start;
        const float *grad = loop->arrays.grad + start;
        for (size_t i = 0; i < loop->arrays.count; ++i) {
            momentum[i] = decay * momentum[i] + grad[i];
            param[i] -= lr * momentum[i];
        }
    }
}

static void adagrad(struct loop *loop)
{
    const float lr = (float)loop->request.lr;
    const float eps = (float)loop->request.eps;
    for (size_t tensor = 0; tensor < loop->arrays.tensors; ++tensor) {
        const size_t start = tensor * loop->arrays.stride;
        float *param = loop->arrays.param + start;
        float *sum = loop->first + start;
        const float *grad = loop->arrays.grad + start;
        for (size_t i = 0; i < loop->arrays.count; ++i) {
            sum[i] += grad[i] * grad[i];
            param[i] -= lr * grad[i] / (sqrtf(sum[i]) + eps);
        }
    }
}

static void rmsprop(struct loop *loop)
{
    const float lr = (float)loop->request.lr;
    const float rho = (float)loop->request.rho;
    const float eps = (float)loop->request.eps;
    for (size_t tensor = 0; tensor < loop->arrays.tensors; ++tensor) {
        const size_t start = tensor * loop->arrays.stride;
        float *param = loop->arrays.param + start;
        float *v = loop->first + start;
        const float *grad = loop->arrays.grad + start;
        for (size_t i = 0; i < loop->arrays.count; ++i) {
            v[i] = rho * v[i] + (1 - rho) * grad[i] * grad[i];
            param[i] -= lr * grad[i] / (sqrtf(v[i]) + eps);
        }
    }
}

static void adam(struct loop *loop)
{
    const float lr = (float)loop->request.lr;
    const float beta1 = (float)loop->request.beta1;
    const float beta2 = (float)loop->request.beta2;
    const float eps = (float)loop->request.eps;
    const float decay = 0;
    const float correction1 = 1 - powf(beta1, (float)loop->steps);
    const float correction2 = 1 - powf(beta2, (float)loop->steps);
    for (size_t tensor = 0; tensor < loop->arrays.tensors; ++tensor) {
        const size_t start = tensor * loop->arrays.stride;
        float *param = loop->arrays.param + start;
        float *mean = loop->first + start;
        float *v = loop->second + start;
        const float *grad = loop->arrays.grad + start;
        for (size_t i = 0; i < loop->arrays.count; ++i) {
            mean[i] = beta1 * mean[i] + (1 - beta1) * grad[i];
            v[i] = beta2 * v[i] + (1 - beta2) * grad[i] * grad[i];
            const float mean_hat = mean[i] / correction1;
            const float v_hat = v[i] / correction2;
            param[i] -= lr * (mean_hat / (sqrtf(v_hat) + eps) + decay * param[i]);
        }
    }
}

static void release(void *prepared)
{
    struct loop *loop = prepared;
    free(loop->first);
    free(loop->second);
    free(loop);
}

static float *zeros(const struct arrays *arrays)
{
    const size_t bytes = arrays->tensors * arrays->stride * sizeof(float);
    float *memory = aligned_alloc(64, bytes);
    return memory != NULL ? memset(memory, 0, bytes) : NULL;
}

static void *prepare(const struct request *request, const struct arrays *arrays, char reason[REASON_SIZE])
{
    static const struct {
        const char *rule;
        void (*step)(struct loop *loop);
    } rules[] = {{"sgd", sgd}, {"adagrad", adagrad}, {"rmsprop", rmsprop}, {"adam", adam}};

    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return snprintf(reason, REASON_SIZE, "memory is short"), NULL;
    *loop = (struct loop){.request = *request, .arrays = *arrays, .first = zeros(arrays), .second = zeros(arrays)};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; ++i)
        if (strcmp(request->rule, rules[i].rule) == 0)
            loop->step = rules[i].step;
    if (loop->step != NULL && loop->first != NULL && loop->second != NULL && request->threads == 1)
        return loop;
    snprintf(reason, REASON_SIZE, "%s",
             request->threads != 1 ? "it has one thread"
             : loop->step == NULL  ? "it has no such rule"
                                   : "memory is short");
    release(loop);
    return NULL;
}

static void step(void *prepared)
{
    struct loop *loop = prepared;
    ++loop->steps;
    loop->step(loop);
}

int main(void)
{
    return serve(&(struct contestant){.prepare = prepare, .step = step, .release = release});
}
