/* Every enum's names, and the library's version. */
#include <rmsprop.h>
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
static const struct name dtype_names[] = {{RMS_F32, "f32"}};
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
