/* Every enum's names, and the library's version. */
#include <rmsprop.h>
#include <rmsprop_checkpoint.h>
#include <string.h>

#define TEXT_OF(value) #value
#define TEXT(value) TEXT_OF(value)

const char *rms_version(void)
{
    return TEXT(RMS_VERSION_MAJOR) "." TEXT(RMS_VERSION_MINOR) "." TEXT(RMS_VERSION_PATCH);
}

struct name {
    int value;
    const char *text;
};

static const char *text_of(const struct name *names, size_t count, int value)
{
    for (size_t i = 0; i < count; ++i)
        if (names[i].value == value)
            return names[i].text;
    return NULL;
}

static bool value_of(const struct name *names, size_t count, const char *text, int *value)
{
    for (size_t i = 0; text && i < count; ++i)
        if (strcmp(names[i].text, text) == 0) {
            *value = names[i].value;
            return true;
        }
    return false;
}

static const struct name status_names[] = {
    {RMS_OK, "ok"},
    {RMS_SKIPPED_NONFINITE, "skipped-nonfinite"},
    {RMS_ERROR_ARGUMENT, "argument"},
    {RMS_ERROR_RANGE, "range"},
    {RMS_ERROR_NAME, "name"},
    {RMS_ERROR_DUPLICATE, "duplicate"},
    {RMS_ERROR_MEMORY, "memory"},
    {RMS_ERROR_UNSUPPORTED, "unsupported"},
    {RMS_ERROR_FILE, "file"},
    {RMS_ERROR_FORMAT, "format"},
};
static const struct name rule_names[] = {
#define RULE(CONSTANT, name, ...) {RMS_##CONSTANT, #name},
#include "rules.def"
#undef RULE
};
static const struct name isa_names[] = {
    {RMS_ISA_AUTO, "auto"},     {RMS_ISA_BASELINE, "baseline"}, {RMS_ISA_AVX2, "avx2"},
    {RMS_ISA_AVX512, "avx512"}, {RMS_ISA_NEON, "neon"},
};
static const struct name dtype_names[] = {{RMS_F32, "f32"}, {RMS_F64, "f64"}, {RMS_F16, "f16"}, {RMS_BF16, "bf16"}};
static const struct name master_names[] = {
    {RMS_MASTER_F32, "f32"},
    {RMS_MASTER_REMAINDER, "remainder"},
    {RMS_MASTER_NONE, "none"},
};
static const struct name state_format_names[] = {
    {RMS_STATE_FULL, "full"},
    {RMS_STATE_16_BIT, "16-bit"},
    {RMS_STATE_8_BIT, "8-bit"},
};
static const struct name rows_mode_names[] = {{RMS_ROWS_LAZY, "lazy"}, {RMS_ROWS_DENSE, "dense"}};
static const struct name decay_names[] = {
    {RMS_DECAY_CONSTANT, "constant"}, {RMS_DECAY_LINEAR, "linear"},           {RMS_DECAY_COSINE, "cosine"},
    {RMS_DECAY_STEP, "step"},         {RMS_DECAY_EXPONENTIAL, "exponential"},
};
static const struct name layout_names[] = {
    {RMS_LAYOUT_FULL, "full"},
    {RMS_LAYOUT_STATE, "state"},
    {RMS_LAYOUT_PYTORCH, "pytorch"},
};
static const struct name nonfinite_names[] = {{RMS_NONFINITE_SKIP, "skip"}, {RMS_NONFINITE_PROPAGATE, "propagate"}};
static const struct name option_type_names[] = {
    {RMS_OPTION_REAL, "real"},
    {RMS_OPTION_COUNT, "count"},
    {RMS_OPTION_FLAG, "flag"},
    {RMS_OPTION_CHOICE, "choice"},
};

/* Defines both directions of one enum from its table. */
#define DEFINE_CONVERSIONS(enumeration)                                                                                \
    const char *rms_##enumeration##_name(rms_##enumeration value)                                                      \
    {                                                                                                                  \
        return text_of(enumeration##_names, sizeof enumeration##_names / sizeof *enumeration##_names, (int)value);     \
    }                                                                                                                  \
    bool rms_##enumeration##_from_name(const char *name, rms_##enumeration *value)                                     \
    {                                                                                                                  \
        int found;                                                                                                     \
        if (!value ||                                                                                                  \
            !value_of(enumeration##_names, sizeof enumeration##_names / sizeof *enumeration##_names, name, &found))    \
            return false;                                                                                              \
        *value = (rms_##enumeration)found;                                                                             \
        return true;                                                                                                   \
    }

DEFINE_CONVERSIONS(status)
DEFINE_CONVERSIONS(rule)
DEFINE_CONVERSIONS(isa)
DEFINE_CONVERSIONS(dtype)
DEFINE_CONVERSIONS(nonfinite)
DEFINE_CONVERSIONS(option_type)
DEFINE_CONVERSIONS(master)
DEFINE_CONVERSIONS(state_format)
DEFINE_CONVERSIONS(rows_mode)
DEFINE_CONVERSIONS(decay)
DEFINE_CONVERSIONS(layout)
