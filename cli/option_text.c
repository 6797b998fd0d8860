/* Options of rules in words and in JSON, made from what the library tells of them. */
#include "option_text.h"

#include "output.h"

#include <math.h>
#include <string.h>

/* Larger bounds keep arithmetic finite, or a whole number in an int, and mean nothing to a person. */
#define HUGE_BOUND 1e30
#define HUGE_COUNT 2147483647

/* The name of a choice; its length goes to *length. NULL when there is no such choice. */
static const char *choice_name(const rms_option_info *info, double value, size_t *length)
{
    const char *name = info->choices;
    for (int k = 0; name && k < (int)value; ++k) {
        name = strchr(name, ',');
        name = name ? name + strspn(name, ", ") : NULL;
    }
    *length = name ? strcspn(name, ",") : 0;
    return name;
}

void option_append_value(struct text *text, const rms_option_info *info, double value)
{
    size_t length = 0;
    char number[NUMBER_TEXT_SIZE];
    const char *name = info->type == RMS_OPTION_CHOICE ? choice_name(info, value, &length) : NULL;
    if (name)
        text_append(text, "%.*s", (int)length, name);
    else if (info->type == RMS_OPTION_FLAG)
        text_append(text, "%s", value != 0 ? "true" : "false");
    else
        text_append(text, "%s", number_text(number, value, 6));
}

void option_append_bounds(struct text *text, const rms_option_info *info)
{
    const bool open_below = info->minimum > 0 && info->minimum < 1 / HUGE_BOUND;
    const bool open_above = info->maximum >= (info->type == RMS_OPTION_COUNT ? HUGE_COUNT : HUGE_BOUND);
    if (info->type == RMS_OPTION_CHOICE)
        text_append(text, "a name");
    else if (info->type == RMS_OPTION_FLAG)
        text_append(text, "true, false");
    else if (open_above)
        text_append(text, open_below ? "more than 0" : "%g or more", info->minimum);
    else if (info->maximum < 1 && info->maximum > 1 - 1e-6)
        text_append(text, open_below ? "above 0, < 1" : "%g to below 1", info->minimum);
    else
        text_append(text, "%g to %g", info->minimum, info->maximum);
}

json_t *option_json(const rms_option_info *info, double value)
{
    size_t length = 0;
    const char *name = info->type == RMS_OPTION_CHOICE ? choice_name(info, value, &length) : NULL;
    if (name)
        return json_stringn(name, length);
    if (info->type == RMS_OPTION_FLAG)
        return json_boolean(value != 0);
    return info->type == RMS_OPTION_COUNT ? json_integer((json_int_t)value) : json_number(value);
}

json_t *options_json(const rms_options *options)
{
    json_t *object = json_object();
    rms_option_info info;
    for (size_t i = 0; rms_option_at(options->rule, i, &info); ++i) {
        double value = (double)NAN;
        (void)rms_options_get(options, info.key, &value, NULL);
        (void)json_object_set_new(object, info.key, option_json(&info, value));
    }
    return object;
}
