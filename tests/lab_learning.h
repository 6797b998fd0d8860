/* Opening a problem, one task of it, and a short run: what the tests of problems with data share. */
#ifndef TESTS_LAB_LEARNING_H
#define TESTS_LAB_LEARNING_H

#include "digest.h"
#include "instance.h"
#include "run.h"
#include "supervised.h"
#include "support.h"
#include "trials.h"

static inline struct lab_instance open_request(const char *words, const char *source, const char *column)
{
    struct lab_instance instance;
    rms_error error = {""};
    const struct lab_request request = {.words = words, .source = source, .column = column};
    assert_ok(lab_instance_open(&instance, &request, &error), error.message);
    return instance;
}

static inline struct lab_task *create_task(const struct lab_instance *instance, uint64_t seed)
{
    struct lab_task *const task = instance->problem->create(instance, seed);
    assert_non_null(task);
    return task;
}

static inline rms_tensor tensor_of(const struct lab_instance *instance, const struct lab_task *task, size_t number)
{
    const rms_tensor *tensors;
    assert_true(number < instance->problem->tensors(task, &tensors));
    return tensors[number];
}

/* The hash of the parameters that RMSProp leaves after so many steps, and then a score. */
static inline uint64_t digest_of_run(const struct lab_instance *instance, rms_isa isa, uint64_t seed, size_t steps)
{
    double curve[2];
    struct lab_instance scored_once = *instance;
    struct lab_contender contender = {.name = "rmsprop", .options = rms_options_for(RMS_RMSPROP)};
    struct lab_run run = {.seed = seed, .learning_rate = 0.01, .trial = lab_trial_none(), .curve = curve};
    rms_error error = {""};
    contender.options.isa = isa;
    contender.options.threads = 1;
    scored_once.score_every = steps;
    assert_ok(lab_run_train(&run, &scored_once, &contender, steps, NULL, NULL, &error), error.message);
    assert_int_equal(run.state, LAB_RUN_DONE);
    return run.digest;
}

#define assert_digest(expected, actual)                                                                                \
    do {                                                                                                               \
        const uint64_t actual_digest = (actual);                                                                       \
        if (actual_digest != (expected))                                                                               \
            fail_msg("digest 0x%016llx", (unsigned long long)actual_digest);                                           \
    } while (0)

#endif
