/* Presets: what others call RMSProp, as options. */
#include "message.h"
#include "options.h"

#include <string.h>

#define SETTINGS_MAX 8
struct preset {
    rms_preset about;
    size_t setting_count;
    struct rule_option settings[SETTINGS_MAX];
};

#define COUNT_OF(...) (sizeof((struct rule_option[]){__VA_ARGS__}) / sizeof(struct rule_option))
static const struct preset presets[] = {
#define SETTINGS(...)                                                                                                  \
    COUNT_OF(__VA_ARGS__),                                                                                             \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define PRESET(name, title, version, source, note, RULE, recipe, ...)                                                  \
    {{name, title, version, source, note, RMS_##RULE, recipe, {0}}, __VA_ARGS__},
#include "presets.def"
#undef PRESET
};
#define PRESET_COUNT (sizeof presets / sizeof presets[0])

size_t rms_preset_count(void)
{
    return PRESET_COUNT;
}

bool rms_preset_at(size_t index, rms_preset *preset)
{
    if (index >= PRESET_COUNT || !preset)
        return false;
    *preset = presets[index].about;
    return true;
}

static const struct preset *find_preset(const char *name, rms_error *error)
{
    for (size_t i = 0; name && i < PRESET_COUNT; ++i)
        if (strcmp(presets[i].about.name, name) == 0)
            return &presets[i];
    char names[RMS_MESSAGE_SIZE] = "";
    for (size_t i = 0; i < PRESET_COUNT; ++i)
        append_name(names, sizeof names, presets[i].about.name);
    say(error, "%.40s: not a preset; choose from %s", name ? name : "NULL", names);
    return NULL;
}

/* A struct of an older header may lack a field that the preset sets: without it, it would be another rule. One
 * shorter than any header's is left to rms_options_init. */
static rms_status check_room(const struct preset *preset, size_t struct_size, rms_error *error)
{
    for (size_t i = 0; i < preset->setting_count; ++i) {
        const struct option_row *row = &option_rows[preset->settings[i].option];
        if (row->offset >= struct_size && struct_size >= offsetof(rms_options, parallel) + sizeof(const rms_parallel *))
            return fail(error, RMS_ERROR_UNSUPPORTED,
                        "%s: it sets %s, which rms_options of %zu bytes do not hold; compile with a newer rmsprop.h",
                        preset->about.name, row->key, struct_size);
    }
    return RMS_OK;
}

rms_status rms_options_init_preset(rms_options *options, size_t struct_size, const char *name, rms_error *error)
{
    const struct preset *preset = find_preset(name, error);
    if (!preset)
        return RMS_ERROR_NAME;
    const rms_status status = check_room(preset, struct_size, error);
    if (status != RMS_OK)
        return status;
    rms_options full;
    options_set_defaults(&full, preset->about.rule);
    for (size_t i = 0; i < preset->setting_count; ++i)
        field_set(&full, preset->settings[i].option, preset->settings[i].default_value);
    if (rms_options_init(options, struct_size, preset->about.rule) != RMS_OK)
        return fail(error, RMS_ERROR_ARGUMENT,
                    "options are NULL, or struct_size (%zu) is of no rms_options (call rms_options_preset)",
                    struct_size);
    options_write(options, struct_size, &full);
    return succeed(error);
}
