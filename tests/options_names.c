/* Every enum and its names, both ways; and which instruction sets this machine is said to run. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

struct named {
    int value;
    const char *name;
};

/* The conversions of one enum behind one signature. */
#define DEFINE_ENUM(enumeration)                                                                                       \
    static const char *enumeration##_name(int value)                                                                   \
    {                                                                                                                  \
        return rms_##enumeration##_name((rms_##enumeration)value);                                                     \
    }                                                                                                                  \
    static bool enumeration##_from_name(const char *name, int *value)                                                  \
    {                                                                                                                  \
        rms_##enumeration converted = (rms_##enumeration) * value;                                                     \
        const bool found = rms_##enumeration##_from_name(name, &converted);                                            \
        *value = (int)converted;                                                                                       \
        assert_false(rms_##enumeration##_from_name(name, NULL));                                                       \
        return found;                                                                                                  \
    }
DEFINE_ENUM(status)
DEFINE_ENUM(rule)
DEFINE_ENUM(isa)
DEFINE_ENUM(dtype)
DEFINE_ENUM(nonfinite)
DEFINE_ENUM(master)
DEFINE_ENUM(state_format)
DEFINE_ENUM(rows_mode)
DEFINE_ENUM(decay)
DEFINE_ENUM(option_type)

static void assert_names(const struct named *names, size_t count, const char *(*name_of)(int),
                         bool (*value_of)(const char *, int *))
{
    static const char *const unknown[] = {"", " ", "OK", "nothing", "skip ", "f8", "Adam"};
    for (size_t i = 0; i < count; ++i) {
        assert_string_equal(name_of(names[i].value), names[i].name);
        int value = 12345;
        assert_true(value_of(names[i].name, &value));
        assert_int_equal(value, names[i].value);
    }
    int value = names[0].value;
    for (size_t i = 0; i < COUNT_OF(unknown); ++i)
        assert_false(value_of(unknown[i], &value));
    assert_false(value_of(NULL, &value));
    assert_int_equal(value, names[0].value);
    assert_null(name_of(1000));
    assert_null(name_of(-1000));
}

#define ASSERT_NAMES(enumeration, ...)                                                                                 \
    do {                                                                                                               \
        static const struct named names[] = {__VA_ARGS__};                                                             \
        assert_names(names, COUNT_OF(names), enumeration##_name, enumeration##_from_name);                             \
    } while (0)

static void every_enum_converts_to_its_name_and_back(void **state)
{
    (void)state;
    ASSERT_NAMES(status, {RMS_OK, "ok"}, {RMS_SKIPPED_NONFINITE, "skipped-nonfinite"}, {RMS_ERROR_ARGUMENT, "argument"},
                 {RMS_ERROR_RANGE, "range"}, {RMS_ERROR_NAME, "name"}, {RMS_ERROR_DUPLICATE, "duplicate"},
                 {RMS_ERROR_MEMORY, "memory"}, {RMS_ERROR_UNSUPPORTED, "unsupported"}, {RMS_ERROR_FILE, "file"},
                 {RMS_ERROR_FORMAT, "format"});
    ASSERT_NAMES(rule, {RMS_SGD, "sgd"}, {RMS_ADAGRAD, "adagrad"}, {RMS_RMSPROP, "rmsprop"}, {RMS_ADAM, "adam"},
                 {RMS_RPROP, "rprop"}, {RMS_ADADELTA, "adadelta"}, {RMS_ADAMAX, "adamax"}, {RMS_NADAM, "nadam"},
                 {RMS_RADAM, "radam"}, {RMS_LION, "lion"});
    ASSERT_NAMES(isa, {RMS_ISA_AUTO, "auto"}, {RMS_ISA_BASELINE, "baseline"}, {RMS_ISA_AVX2, "avx2"},
                 {RMS_ISA_AVX512, "avx512"}, {RMS_ISA_NEON, "neon"});
    ASSERT_NAMES(dtype, {RMS_F32, "f32"}, {RMS_F64, "f64"}, {RMS_F16, "f16"}, {RMS_BF16, "bf16"});
    ASSERT_NAMES(master, {RMS_MASTER_F32, "f32"}, {RMS_MASTER_REMAINDER, "remainder"}, {RMS_MASTER_NONE, "none"});
    ASSERT_NAMES(state_format, {RMS_STATE_FULL, "full"}, {RMS_STATE_16_BIT, "16-bit"}, {RMS_STATE_8_BIT, "8-bit"});
    ASSERT_NAMES(rows_mode, {RMS_ROWS_LAZY, "lazy"}, {RMS_ROWS_DENSE, "dense"});
    ASSERT_NAMES(decay, {RMS_DECAY_CONSTANT, "constant"}, {RMS_DECAY_LINEAR, "linear"}, {RMS_DECAY_COSINE, "cosine"},
                 {RMS_DECAY_STEP, "step"}, {RMS_DECAY_EXPONENTIAL, "exponential"});
    ASSERT_NAMES(nonfinite, {RMS_NONFINITE_SKIP, "skip"}, {RMS_NONFINITE_PROPAGATE, "propagate"});
    ASSERT_NAMES(option_type, {RMS_OPTION_REAL, "real"}, {RMS_OPTION_COUNT, "count"}, {RMS_OPTION_FLAG, "flag"},
                 {RMS_OPTION_CHOICE, "choice"});
}

/* Checkpoints, bindings and other programs hold these numbers: they never change. */
static void values_are_pinned(void **state)
{
    (void)state;
    assert_int_equal(RMS_OK, 0);
    assert_int_equal(RMS_SKIPPED_NONFINITE, 1);
    assert_int_equal(RMS_ERROR_ARGUMENT, -1);
    assert_int_equal(RMS_ERROR_RANGE, -2);
    assert_int_equal(RMS_ERROR_NAME, -3);
    assert_int_equal(RMS_ERROR_DUPLICATE, -4);
    assert_int_equal(RMS_ERROR_MEMORY, -5);
    assert_int_equal(RMS_ERROR_UNSUPPORTED, -6);
    assert_int_equal(RMS_ERROR_FILE, -7);
    assert_int_equal(RMS_ERROR_FORMAT, -8);
    assert_int_equal(RMS_SGD, 0);
    assert_int_equal(RMS_ADAGRAD, 1);
    assert_int_equal(RMS_RMSPROP, 2);
    assert_int_equal(RMS_ADAM, 3);
    assert_int_equal(RMS_RPROP, 4);
    assert_int_equal(RMS_ADADELTA, 5);
    assert_int_equal(RMS_ADAMAX, 6);
    assert_int_equal(RMS_NADAM, 7);
    assert_int_equal(RMS_RADAM, 8);
    assert_int_equal(RMS_LION, 9);
    assert_int_equal(RMS_ISA_NEON, 4);
    assert_int_equal(RMS_F32, 0);
    assert_int_equal(RMS_F64, 1);
    assert_int_equal(RMS_F16, 2);
    assert_int_equal(RMS_BF16, 3);
    assert_int_equal(RMS_MASTER_F32, 0);
    assert_int_equal(RMS_MASTER_REMAINDER, 1);
    assert_int_equal(RMS_MASTER_NONE, 2);
    assert_int_equal(RMS_STATE_FULL, 0);
    assert_int_equal(RMS_STATE_16_BIT, 1);
    assert_int_equal(RMS_STATE_8_BIT, 2);
    assert_int_equal(RMS_STATE_BLOCK, 64);
    assert_int_equal(RMS_ROWS_LAZY, 0);
    assert_int_equal(RMS_ROWS_DENSE, 1);
    assert_int_equal(RMS_DECAY_EXPONENTIAL, 4);
}

static void the_version_is_that_of_the_header(void **state)
{
    (void)state;
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", RMS_VERSION_MAJOR, RMS_VERSION_MINOR, RMS_VERSION_PATCH);
    assert_string_equal(rms_version(), version);
}

static void every_rule_names_its_source_and_its_slots(void **state)
{
    (void)state;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        assert_non_null(rms_rule_source(rule));
        assert_true(rms_slot_count(rule) <= RMS_RULE_SLOTS);
        for (size_t slot = 0; slot < rms_slot_count(rule); ++slot)
            assert_non_null(rms_slot_name(rule, slot));
        for (size_t slot = rms_slot_count(rule); slot < RMS_RULE_SLOTS; ++slot)
            assert_null(rms_slot_name(rule, slot));
        assert_string_equal(rms_slot_name(rule, RMS_SLOT_MASTER), "master");
        assert_string_equal(rms_slot_name(rule, RMS_SLOT_REMAINDER), "remainder");
        assert_string_equal(rms_slot_name(rule, RMS_SLOT_AVERAGE), "average");
        assert_null(rms_slot_name(rule, RMS_SLOTS_MAX));
    }
    assert_null(rms_slot_name((rms_rule)RMS_RULE_COUNT, RMS_SLOT_MASTER));
}

#if defined(__x86_64__)
#include <cpuid.h>

/* Under qemu-user /proc/cpuinfo is the host's. */
static bool emulated(void)
{
    unsigned eax, signature[3];
    __cpuid(0x40000000, eax, signature[0], signature[1], signature[2]);
    return memcmp(signature, "TCGTCGTCGTCG", sizeof signature) == 0;
}

static bool has_flags(const char *line, const char *const *flags, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        char padded[32];
        snprintf(padded, sizeof padded, " %s ", flags[i]);
        if (!strstr(line, padded))
            return false;
    }
    return true;
}

/* A machine must not skip a kernel that it could run: the kernel's word against the library's. */
static void the_library_runs_what_the_kernel_says_the_cpu_has(void **state)
{
    (void)state;
    static const char *const avx2[] = {"avx2"};
    static const char *const avx512[] = {"avx512f", "avx512vl", "avx512bw", "avx512dq"};
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file || emulated()) {
        if (file)
            fclose(file);
        print_message("SKIP: no /proc/cpuinfo of this CPU\n");
        skip();
    }
    static char line[16384];
    bool found = false;
    while (!found && fgets(line, sizeof line - 2, file))
        found = strncmp(line, "flags", 5) == 0;
    fclose(file);
    assert_true(found);
    line[strcspn(line, "\n")] = '\0';
    line[strlen(line)] = ' ';
    assert_int_equal(rms_isa_supported(RMS_ISA_AVX2), has_flags(line, avx2, COUNT_OF(avx2)));
    assert_int_equal(rms_isa_supported(RMS_ISA_AVX512), has_flags(line, avx512, COUNT_OF(avx512)));
    assert_false(rms_isa_supported(RMS_ISA_NEON));
}
#else
static void the_library_runs_what_the_kernel_says_the_cpu_has(void **state)
{
    (void)state;
#if defined(__aarch64__)
    assert_true(rms_isa_supported(RMS_ISA_NEON));
#endif
    assert_false(rms_isa_supported(RMS_ISA_AVX2));
    assert_false(rms_isa_supported(RMS_ISA_AVX512));
}
#endif

static void the_baseline_is_always_supported_and_the_unknown_never(void **state)
{
    (void)state;
    assert_true(rms_isa_supported(RMS_ISA_AUTO));
    assert_true(rms_isa_supported(RMS_ISA_BASELINE));
    assert_false(rms_isa_supported((rms_isa)99));
    assert_false(rms_isa_supported((rms_isa)-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_enum_converts_to_its_name_and_back),
        cmocka_unit_test(values_are_pinned),
        cmocka_unit_test(the_version_is_that_of_the_header),
        cmocka_unit_test(every_rule_names_its_source_and_its_slots),
        cmocka_unit_test(the_library_runs_what_the_kernel_says_the_cpu_has),
        cmocka_unit_test(the_baseline_is_always_supported_and_the_unknown_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
