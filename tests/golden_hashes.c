/* One file of hashes for every machine: parameters, state and norms after 100 steps of named configurations
 * are the same bits on every instruction set, number of threads, compiler and architecture. Data comes from
 * integers alone, so that nothing but the library can make a difference.
 *
 * After an intended change of the arithmetic: golden_hashes --print > tests/golden/hashes.txt */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#define HASHES GOLDEN_DIRECTORY "/hashes.txt"

struct configuration {
    const char *name; /* rule, then what is special */
    rms_dtype dtype;
    rms_rule rule;
    const char *options;
};

static const struct configuration configurations[] = {
    {"sgd", RMS_F32, RMS_SGD, ""},
    {"sgd-momentum", RMS_F32, RMS_SGD, "momentum=0.9"},
    {"sgd-nesterov", RMS_F32, RMS_SGD, "momentum=0.9 nesterov=true"},
    {"sgd-dampening", RMS_F32, RMS_SGD, "momentum=0.9 dampening=0.5"},
    {"sgd-momentum-lr-inside", RMS_F32, RMS_SGD, "momentum=0.95 lr_in_momentum=true"},
    {"sgd-l2", RMS_F32, RMS_SGD, "lr=0.01 momentum=0.9 l2_decay=0.0005"},
    {"sgd-decoupled", RMS_F32, RMS_SGD, "lr=0.01 decoupled_decay=0.1"},
    {"sgd-clip-norm", RMS_F32, RMS_SGD, "lr=0.1 clip_norm=1"},
    {"sgd-maximize-clip-value", RMS_F32, RMS_SGD, "maximize=true clip_value=0.5"},
    {"adagrad", RMS_F32, RMS_ADAGRAD, ""},
    {"adagrad-lr-decay", RMS_F32, RMS_ADAGRAD, "lr_decay=0.01"},
    {"adagrad-accumulator", RMS_F32, RMS_ADAGRAD, "initial_accumulator=0.1 eps=0 eps_inside=1e-7"},
    {"adagrad-l2", RMS_F32, RMS_ADAGRAD, "l2_decay=0.01"},
    {"adagrad-clip-norm", RMS_F32, RMS_ADAGRAD, "clip_norm=0.5 grad_scale=0.125"},
    {"rmsprop", RMS_F32, RMS_RMSPROP, ""},
    {"rmsprop-rho-0.9", RMS_F32, RMS_RMSPROP, "rho=0.9"},
    {"rmsprop-momentum", RMS_F32, RMS_RMSPROP, "momentum=0.9"},
    {"rmsprop-nesterov", RMS_F32, RMS_RMSPROP, "momentum=0.9 nesterov=true"},
    {"rmsprop-centered", RMS_F32, RMS_RMSPROP, "centered=true"},
    {"rmsprop-centered-momentum", RMS_F32, RMS_RMSPROP, "centered=true momentum=0.9"},
    {"rmsprop-centered-corrected", RMS_F32, RMS_RMSPROP, "centered=true bias_correction=true rho=0.9"},
    {"rmsprop-corrected", RMS_F32, RMS_RMSPROP, "bias_correction=true rho=0.999"},
    {"rmsprop-tensorflow", RMS_F32, RMS_RMSPROP,
     "lr=0.001 rho=0.9 eps=0 eps_inside=1e-10 initial_accumulator=1 momentum=0.9 lr_in_momentum=true"},
    {"rmsprop-dqn", RMS_F32, RMS_RMSPROP, "lr=0.00025 rho=0.95 eps=0 eps_inside=0.01 centered=true"},
    {"rmsprop-l2", RMS_F32, RMS_RMSPROP, "l2_decay=0.01"},
    {"rmsprop-decoupled", RMS_F32, RMS_RMSPROP, "decoupled_decay=0.01"},
    {"rmsprop-maximize", RMS_F32, RMS_RMSPROP, "maximize=true"},
    {"rmsprop-clip-norm", RMS_F32, RMS_RMSPROP, "clip_norm=1"},
    {"rmsprop-clip-both", RMS_F32, RMS_RMSPROP, "clip_norm=10 clip_value=0.01"},
    {"rmsprop-unscale", RMS_F32, RMS_RMSPROP, "grad_scale=0.0009765625"},
    {"rmsprop-propagate", RMS_F32, RMS_RMSPROP, "nonfinite=propagate"},
    {"adam", RMS_F32, RMS_ADAM, ""},
    {"adam-uncorrected", RMS_F32, RMS_ADAM, "bias_correction=false"},
    {"adam-amsgrad", RMS_F32, RMS_ADAM, "amsgrad=true"},
    {"adam-l2", RMS_F32, RMS_ADAM, "l2_decay=0.01"},
    {"adam-decoupled", RMS_F32, RMS_ADAM, "decoupled_decay=0.01"},
    {"adam-amsgrad-decoupled", RMS_F32, RMS_ADAM, "amsgrad=true decoupled_decay=0.01"},
    {"adam-eps-inside", RMS_F32, RMS_ADAM, "eps=0 eps_inside=1e-8"},
    {"adam-beta1-0", RMS_F32, RMS_ADAM, "beta1=0"},
    {"adam-clip-norm", RMS_F32, RMS_ADAM, "clip_norm=1 grad_scale=0.5"},
    {"adam-maximize-clip-value", RMS_F32, RMS_ADAM, "maximize=true clip_value=0.1"},
    {"rmsprop-laprop", RMS_F32, RMS_RMSPROP, "momentum=0.9 momentum_average=true bias_correction=true rho=0.999"},
    {"rmsprop-laprop-lr-inside", RMS_F32, RMS_RMSPROP,
     "momentum=0.9 momentum_average=true bias_correction=true lr_in_momentum=true"},
    {"rmsprop-average", RMS_F32, RMS_RMSPROP, "average_decay=0.99"},
    {"rprop", RMS_F32, RMS_RPROP, ""},
    {"rprop-bounds", RMS_F32, RMS_RPROP, "lr=0.1 eta_minus=0.25 eta_plus=1.5 step_size_min=0.001 step_size_max=0.2"},
    {"rprop-decay", RMS_F32, RMS_RPROP, "l2_decay=0.01 decoupled_decay=0.1"},
    {"rprop-maximize-clip-norm", RMS_F32, RMS_RPROP, "maximize=true clip_norm=1e-20"},
    {"adadelta", RMS_F32, RMS_ADADELTA, ""},
    {"adadelta-rho-0.95", RMS_F32, RMS_ADADELTA, "lr=0.5 rho=0.95 eps_inside=0.001"},
    {"adadelta-decay", RMS_F32, RMS_ADADELTA, "l2_decay=0.01 decoupled_decay=0.01"},
    {"adadelta-clip-norm", RMS_F32, RMS_ADADELTA, "clip_norm=1 grad_scale=0.5"},
    {"adamax", RMS_F32, RMS_ADAMAX, ""},
    {"adamax-uncorrected", RMS_F32, RMS_ADAMAX, "bias_correction=false beta2=0.9 eps=0.001"},
    {"adamax-decay", RMS_F32, RMS_ADAMAX, "l2_decay=0.01 decoupled_decay=0.01"},
    {"adamax-average", RMS_F32, RMS_ADAMAX, "average_decay=0.9"},
    {"nadam", RMS_F32, RMS_NADAM, ""},
    {"nadam-momentum-decay", RMS_F32, RMS_NADAM, "momentum_decay=0.1 beta1=0.99"},
    {"nadam-constant-momentum", RMS_F32, RMS_NADAM, "momentum_decay=0 eps=0 eps_inside=1e-8"},
    {"nadam-decay", RMS_F32, RMS_NADAM, "l2_decay=0.01 decoupled_decay=0.01"},
    {"radam", RMS_F32, RMS_RADAM, ""},
    {"radam-never-rectified", RMS_F32, RMS_RADAM, "beta2=0.6"},
    {"radam-soon-rectified", RMS_F32, RMS_RADAM, "beta2=0.9 eps=0 eps_inside=1e-8"},
    {"radam-decay", RMS_F32, RMS_RADAM, "l2_decay=0.01 decoupled_decay=0.01"},
    {"lion", RMS_F32, RMS_LION, ""},
    {"lion-betas", RMS_F32, RMS_LION, "beta1=0.95 beta2=0.98 decoupled_decay=1"},
    {"lion-maximize-clip-value", RMS_F32, RMS_LION, "maximize=true clip_value=0.1 l2_decay=0.01"},
    {"sgd-momentum-8-bit", RMS_F32, RMS_SGD, "momentum=0.9 state_format=8-bit"},
    {"adagrad-8-bit", RMS_F32, RMS_ADAGRAD, "state_format=8-bit"},
    {"adagrad-16-bit", RMS_F32, RMS_ADAGRAD, "state_format=16-bit seed=1"},
    {"rmsprop-8-bit", RMS_F32, RMS_RMSPROP, "momentum=0.9 state_format=8-bit seed=1"},
    {"rmsprop-16-bit", RMS_F32, RMS_RMSPROP, "momentum=0.9 state_format=16-bit"},
    {"adam-8-bit", RMS_F32, RMS_ADAM, "state_format=8-bit"},
    {"adam-16-bit", RMS_F32, RMS_ADAM, "state_format=16-bit"},
    {"f64-sgd-nesterov", RMS_F64, RMS_SGD, "momentum=0.9 nesterov=true"},
    {"f64-adagrad", RMS_F64, RMS_ADAGRAD, "lr_decay=0.01"},
    {"f64-rmsprop", RMS_F64, RMS_RMSPROP, ""},
    {"f64-rmsprop-centered-momentum", RMS_F64, RMS_RMSPROP, "centered=true momentum=0.9"},
    {"f64-rmsprop-clip-norm", RMS_F64, RMS_RMSPROP, "clip_norm=1 grad_scale=0.1"},
    {"f64-rmsprop-average", RMS_F64, RMS_RMSPROP, "average_decay=0.99"},
    {"f64-adam", RMS_F64, RMS_ADAM, "decoupled_decay=0.01"},
    {"f64-adam-amsgrad", RMS_F64, RMS_ADAM, "amsgrad=true"},
    {"f64-rprop", RMS_F64, RMS_RPROP, ""},
    {"f64-adadelta", RMS_F64, RMS_ADADELTA, ""},
    {"f64-adamax", RMS_F64, RMS_ADAMAX, ""},
    {"f64-nadam", RMS_F64, RMS_NADAM, ""},
    {"f64-radam", RMS_F64, RMS_RADAM, ""},
    {"f64-lion", RMS_F64, RMS_LION, ""},
    {"f16-rmsprop", RMS_F16, RMS_RMSPROP, "momentum=0.9"},
    {"f16-rmsprop-random", RMS_F16, RMS_RMSPROP, "master=none seed=1"},
    {"f16-adam-average", RMS_F16, RMS_ADAM, "average_decay=0.99"},
    {"bf16-rmsprop", RMS_BF16, RMS_RMSPROP, "momentum=0.9"},
    {"bf16-rmsprop-remainder", RMS_BF16, RMS_RMSPROP, "momentum=0.9 master=remainder"},
    {"bf16-rmsprop-random", RMS_BF16, RMS_RMSPROP, "master=none seed=1"},
    {"bf16-adam-average", RMS_BF16, RMS_ADAM, "master=none average_decay=0.99"},
    {"bf16-adam-random-8-bit", RMS_BF16, RMS_ADAM, "master=none state_format=8-bit"},
    {"f16-rmsprop-8-bit", RMS_F16, RMS_RMSPROP, "state_format=8-bit zero_grad=true"},
};

/* Small ones for the tails, one of two chunks for the norm. */
static const size_t lengths[] = {1, 31, 1000, 65537 + 77};
enum { TENSORS = COUNT_OF(lengths), STEPS = 100, SMALL_STEPS = 99 /* the last step alone takes the long tensor */ };

/* FNV-1a, 64 bits, over bytes from the least significant on; all NaNs count as one. */
static uint64_t add_number(uint64_t hash, uint64_t bits, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i)
        hash = (hash ^ (bits >> (8 * i) & 0xff)) * 0x100000001b3U;
    return hash;
}

/* Numbers of 8, 4 or 2 bytes; remainders are numbers like any other. */
static uint64_t add_array(uint64_t hash, const void *data, rms_dtype dtype, size_t count)
{
    const size_t size = rms_dtype_size(dtype);
    for (size_t i = 0; i < count; ++i)
        hash = add_number(hash, number_bits(dtype, data, i), size);
    numbers_compared += count;
    return hash;
}

struct training {
    rms_optimizer *optimizer;
    rms_dtype dtype;
    void *param[TENSORS];
    void *grad[TENSORS];
};

static void add_one(struct training *training, size_t t)
{
    static const char *const names[TENSORS] = {"bias", "odd", "weight", "embedding"};
    fill_parameters_of(training->dtype, training->param[t], lengths[t], t);
    const rms_tensor tensor = {.name = names[t],
                               .count = lengths[t],
                               .param = training->param[t],
                               .grad = training->grad[t],
                               .dtype = training->dtype};
    assert_ok(rms_add(training->optimizer, &tensor), rms_message(training->optimizer));
}

static uint64_t take_step(struct training *training, size_t step, uint64_t hash)
{
    for (size_t t = 0; t < rms_tensor_count(training->optimizer); ++t)
        fill_gradients_of(training->dtype, training->grad[t], lengths[t], t, step);
    rms_report report;
    assert_ok(rms_step(training->optimizer, &report), rms_message(training->optimizer));
    hash = add_number(hash, bits_of_double(report.gradient_norm), 8);
    return add_number(hash, bits_of_double(report.clip_factor), 8);
}

/* A remainder's bits are hashed as they are; that of a NaN means nothing. */
static uint64_t add_remainder(uint64_t hash, const uint16_t *remainder, const void *param, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        const bool is_nan = number_bits(RMS_BF16, param, i) == 0x7fff;
        hash = add_number(hash, is_nan ? 0 : remainder[i], sizeof *remainder);
    }
    return hash;
}

/* As numbers, which hide how a NaN is coded, and then the scales, or nothing. */
static uint64_t add_shortened(uint64_t hash, struct training *training, size_t t, const char *name, bool scaled)
{
    const size_t count = lengths[t];
    const size_t scales = (count + RMS_STATE_BLOCK - 1) / RMS_STATE_BLOCK * RMS_STATE_BLOCK;
    const size_t bytes = rms_state_size(training->optimizer, t, name);
    const uint8_t *const state = rms_state(training->optimizer, t, name);
    float *const numbers = floats_create(count);
    assert_ok(rms_read_state(training->optimizer, t, name, numbers), rms_message(training->optimizer));
    hash = add_array(hash, numbers, RMS_F32, count);
    free(numbers);
    for (size_t i = scales; scaled && i < bytes; ++i)
        hash = add_number(hash, state[i], 1);
    return hash;
}

static uint64_t add_state(struct training *training, const rms_options *options, uint64_t hash)
{
    const rms_dtype state_dtype = training->dtype == RMS_F64 ? RMS_F64 : RMS_F32;
    const unsigned kept = rms_slots_kept(options, training->dtype);
    for (size_t t = 0; t < TENSORS; ++t) {
        hash = add_array(hash, training->param[t], training->dtype, lengths[t]);
        for (size_t s = 0; s < RMS_SLOTS_MAX; ++s) {
            if (!(kept >> s & 1))
                continue;
            const void *state = rms_state(training->optimizer, t, rms_slot_name(options->rule, s));
            if (s == RMS_SLOT_REMAINDER)
                hash = add_remainder(hash, state, training->param[t], lengths[t]);
            else if (s < RMS_RULE_SLOTS && options->state_format != RMS_STATE_FULL)
                hash = add_shortened(hash, training, t, rms_slot_name(options->rule, s),
                                     options->state_format == RMS_STATE_8_BIT);
            else
                hash = add_array(hash, state, state_dtype, lengths[t]);
        }
    }
    return hash;
}

/* The long tensor comes late: its steps are few, so that the test is quick, and differ from the others'. */
static uint64_t hash_of(const struct configuration *configuration, rms_isa isa, int threads)
{
    rms_options options = rms_options_for(configuration->rule);
    set_options(&options, configuration->options);
    options.isa = isa;
    options.threads = threads;
    struct training training = {.optimizer = create_optimizer(&options), .dtype = configuration->dtype};
    for (size_t t = 0; t < TENSORS; ++t) {
        training.param[t] = bytes_create(lengths[t] * rms_dtype_size(training.dtype));
        training.grad[t] = bytes_create(lengths[t] * rms_dtype_size(training.dtype));
    }
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t t = 0; t + 1 < TENSORS; ++t)
        add_one(&training, t);
    for (size_t step = 0; step < STEPS; ++step) {
        if (step == SMALL_STEPS)
            add_one(&training, TENSORS - 1);
        hash = take_step(&training, step, hash);
    }
    hash = add_state(&training, &options, hash);
    rms_free(training.optimizer);
    for (size_t t = 0; t < TENSORS; ++t) {
        free(training.param[t]);
        free(training.grad[t]);
    }
    return hash;
}

/* The hash that the file holds for a name; false if there is none. */
static bool read_hash(const char *name, uint64_t *hash)
{
    FILE *file = fopen(HASHES, "r");
    if (!file)
        fail_msg("cannot open %s", HASHES);
    char line[128];
    bool found = false;
    while (!found && fgets(line, sizeof line, file)) {
        char *end = strchr(line, ' ');
        if (line[0] == '#' || !end)
            continue;
        *end = '\0';
        found = strcmp(line, name) == 0;
        *hash = strtoull(end + 1, NULL, 16);
    }
    fclose(file);
    return found;
}

static void hashes_are_those_of_every_other_machine(void **state)
{
    static const int threads[] = {1, 3};
    const rms_isa isa = isa_of_test(state);
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT_OF(configurations); ++i)
        for (size_t k = 0; k < COUNT_OF(threads); ++k) {
            uint64_t expected = 0;
            if (!read_hash(configurations[i].name, &expected))
                fail_msg("%s: no line for %s", HASHES, configurations[i].name);
            const uint64_t hash = hash_of(&configurations[i], isa, threads[k]);
            if (hash != expected) {
                print_error("%s/%s, %d threads: %016llx (library) != %016llx (golden)\n", configurations[i].name,
                            rms_isa_name(isa), threads[k], (unsigned long long)hash, (unsigned long long)expected);
                ++wrong;
            }
        }
    assert_int_equal(wrong, 0);
    report_comparisons(rms_isa_name(isa));
}

static void the_file_holds_these_configurations_and_no_others(void **state)
{
    (void)state;
    size_t lines = 0;
    FILE *file = fopen(HASHES, "r");
    assert_non_null(file);
    char line[128];
    while (fgets(line, sizeof line, file))
        lines += line[0] != '#';
    fclose(file);
    assert_int_equal(lines, COUNT_OF(configurations));
}

static int print_hashes(void)
{
    printf(
        "# Parameters, state and norms after 100 steps; golden_hashes.c says what is hashed, and how to renew this.\n");
    for (size_t i = 0; i < COUNT_OF(configurations); ++i)
        printf("%s %016llx\n", configurations[i].name,
               (unsigned long long)hash_of(&configurations[i], RMS_ISA_BASELINE, 1));
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--print") == 0)
        return print_hashes();
    const struct CMUnitTest tests[] = {
        PER_ISA(hashes_are_those_of_every_other_machine),
        cmocka_unit_test(the_file_holds_these_configurations_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
