/* Reading "name:key=value,key=value", and opening what it names. */
#include "instance.h"

#include "digest.h"
#include "plugin.h"
#include "whole_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rms_status refuse(rms_error *error, rms_status status, const char *words, const char *what)
{
    snprintf(error->message, sizeof error->message, "\"%.80s\": %.150s", words, what);
    return status;
}

/* A problem of the user's own, which instance->opened points to. */
struct object {
    struct lab_problem problem;
    uint64_t hash; /* of the file */
};

/* A path has a slash, or the ending of a shared object; the name of a problem has neither. */
static bool is_path(const char *name)
{
    const size_t length = strlen(name);
    return strchr(name, '/') || (length > 3 && strcmp(name + length - 3, ".so") == 0);
}

/* Where the settings begin, at a colon behind the last slash; the end of the words if there are none. */
static const char *end_of_name(const char *words)
{
    const char *const slash = strrchr(words, '/');
    const char *const file = slash ? slash + 1 : words;
    return file + strcspn(file, ":");
}

/* ---------------------------------------------------------------------------------------------------
 * Settings
 * ------------------------------------------------------------------------------------------------- */

static rms_status unknown_setting(const struct lab_problem *problem, const char *key, int length, rms_error *error)
{
    int used = snprintf(error->message, sizeof error->message, "%.40s: no setting is called \"%.*s\" (expected ",
                        problem->name, length < 40 ? length : 40, key);
    if (problem->setting_count == 0)
        snprintf(error->message + used, sizeof error->message - (size_t)used, "none: it has no settings)");
    for (size_t i = 0; i < problem->setting_count && used > 0 && (size_t)used < sizeof error->message; ++i)
        used += snprintf(error->message + used, sizeof error->message - (size_t)used, "%s%.24s%s", i > 0 ? ", " : "",
                         problem->settings[i].key, i + 1 == problem->setting_count ? ")" : "");
    return RMS_ERROR_ARGUMENT;
}

static rms_status read_value(double *value, const struct lab_setting *setting, const char *text, size_t length,
                             const struct lab_problem *problem, rms_error *error)
{
    char copy[64];
    char *end = NULL;
    snprintf(copy, sizeof copy, "%.*s", (int)(length < sizeof copy ? length : sizeof copy - 1), text);
    *value = strtod(copy, &end);
    if (strchr(" \t\n\v\f\r", *copy) || length >= sizeof copy || *end != '\0' || isnan(*value)) {
        snprintf(error->message, sizeof error->message, "%.40s: %.24s=%.*s is not a number", problem->name,
                 setting->key, (int)(length < 40 ? length : 40), text);
        return RMS_ERROR_ARGUMENT;
    }
    if (!(*value >= setting->minimum && *value <= setting->maximum) || (setting->whole && *value != floor(*value))) {
        snprintf(error->message, sizeof error->message, "%.40s: %.24s=%s is out of bounds (expected %s from %g to %g)",
                 problem->name, setting->key, copy, setting->whole ? "a whole number" : "a number", setting->minimum,
                 setting->maximum);
        return RMS_ERROR_RANGE;
    }
    return RMS_OK;
}

/* One "key=value" of the given length. */
static rms_status read_setting(struct lab_instance *instance, const char *text, size_t length, rms_error *error)
{
    const struct lab_problem *const problem = instance->problem;
    const char *const equals = memchr(text, '=', length);
    if (!equals) {
        snprintf(error->message, sizeof error->message,
                 "%.40s: \"%.*s\" is no setting (expected key=value, as in quadratic:condition=1000)", problem->name,
                 (int)(length < 60 ? length : 60), text);
        return RMS_ERROR_ARGUMENT;
    }
    const size_t key_length = (size_t)(equals - text);
    for (size_t i = 0; i < problem->setting_count; ++i) {
        const struct lab_setting *const setting = &problem->settings[i];
        if (strlen(setting->key) == key_length && memcmp(setting->key, text, key_length) == 0)
            return read_value(&instance->settings[i], setting, equals + 1, length - key_length - 1, problem, error);
    }
    return unknown_setting(problem, text, (int)(key_length < 40 ? key_length : 40), error);
}

/* All of "key=value,key=value"; a setting that is there twice keeps its last value. */
static rms_status read_settings(struct lab_instance *instance, const char *text, rms_error *error)
{
    rms_status status = RMS_OK;
    while (text && status == RMS_OK) {
        const size_t length = strcspn(text, ",");
        status = read_setting(instance, text, length, error);
        text = text[length] == ',' ? text + length + 1 : NULL;
    }
    return status;
}

/* ---------------------------------------------------------------------------------------------------
 * Opening
 * ------------------------------------------------------------------------------------------------- */

static void begin(struct lab_instance *instance, const struct lab_problem *problem)
{
    *instance = (struct lab_instance){
        .problem = problem,
        .training = problem->training,
        .validation = problem->validation,
        .test = problem->test,
        .steps = problem->steps,
        .quick_steps = problem->quick_steps,
        .score_every = problem->score_every,
        .target = problem->target,
        .view = problem->view,
    };
    for (size_t i = 0; i < problem->setting_count; ++i)
        instance->settings[i] = problem->settings[i].value;
    snprintf(instance->name, sizeof instance->name, "%s", problem->name);
    lab_clean_text(instance->title, sizeof instance->title, problem->title); /* which cuts no character in two */
}

static rms_status unknown_problem(const char *name, size_t length, rms_error *error)
{
    int used = snprintf(error->message, sizeof error->message, "no problem is called \"%.*s\" (expected one of ",
                        (int)(length < 60 ? length : 60), name);
    for (size_t i = 0; i < lab_problem_count() && used > 0 && (size_t)used < sizeof error->message; ++i)
        used += snprintf(error->message + used, sizeof error->message - (size_t)used, "%s%s", i > 0 ? ", " : "",
                         lab_problem_at(i)->name);
    if (used > 0 && (size_t)used + 1 < sizeof error->message)
        snprintf(error->message + used, sizeof error->message - (size_t)used, ")");
    else
        snprintf(error->message, sizeof error->message,
                 "no problem is called \"%.*s\" (`rmsprop list problems` shows them)", (int)(length < 60 ? length : 60),
                 name);
    return RMS_ERROR_ARGUMENT;
}

/* The problem that the path names, in memory of the instance's own. */
static rms_status begin_plugin(struct lab_instance *instance, const char *path, rms_error *error)
{
    char near[4096];
    const int length = snprintf(near, sizeof near, "%s%s", strchr(path, '/') ? "" : "./", path);
    if (length < 0 || (size_t)length >= sizeof near)
        return refuse(error, RMS_ERROR_FILE, path, "the name is too long");
    struct object *const object = calloc(1, sizeof *object);
    if (!object)
        return refuse(error, RMS_ERROR_MEMORY, path, "not enough memory for the problem");
    struct lab_file file = {0};
    rms_status status = lab_plugin_load(&object->problem, near, error);
    if (status == RMS_OK)
        status = lab_file_read(&file, near, error);
    if (status != RMS_OK) {
        free(object);
        return status;
    }
    object->hash = lab_digest_bytes(LAB_DIGEST_EMPTY, file.bytes, file.count);
    lab_file_free(&file);
    begin(instance, &object->problem);
    instance->opened = object;
    return RMS_OK;
}

static rms_status begin_named(struct lab_instance *instance, const char *name, size_t length, rms_error *error)
{
    char copy[4096];
    if (length >= sizeof copy)
        return refuse(error, RMS_ERROR_ARGUMENT, name, "the name is too long");
    memcpy(copy, name, length);
    copy[length] = '\0';
    if (is_path(copy))
        return begin_plugin(instance, copy, error);
    const struct lab_problem *const problem = lab_problem_find(copy);
    if (!problem)
        return unknown_problem(name, length, error);
    begin(instance, problem);
    return RMS_OK;
}

/* ---------------------------------------------------------------------------------------------------
 * What prepare may have changed
 * ------------------------------------------------------------------------------------------------- */

static bool has_lengths(const struct lab_instance *instance)
{
    const size_t every = instance->score_every;
    return every > 0 && instance->steps > 0 && instance->quick_steps > 0 && instance->steps % every == 0 &&
           instance->quick_steps % every == 0;
}

static bool has_quantities(const struct lab_instance *instance)
{
    const struct lab_quantity quantities[] = {instance->training, instance->validation, instance->test};
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; ++i)
        if (!lab_is_clean_text(quantities[i].name) || !lab_is_clean_text(quantities[i].unit) ||
            !isfinite(quantities[i].factor))
            return false;
    return true;
}

/* Both corners may be the same: then there is nothing to draw. */
static bool has_view(const struct lab_view *view)
{
    if (view->minimum_count > LAB_MINIMA_MAX)
        return false;
    for (int axis = 0; axis < 2; ++axis) {
        if (!isfinite(view->low[axis]) || !isfinite(view->high[axis]) || view->low[axis] > view->high[axis])
            return false;
        for (size_t i = 0; i < view->minimum_count; ++i)
            if (!isfinite(view->minima[i][axis]))
                return false;
    }
    return true;
}

static rms_status check(const struct lab_instance *instance, rms_error *error)
{
    const char *const name = instance->problem->name;
    if (!memchr(instance->title, '\0', sizeof instance->title) || !lab_is_clean_text(instance->title))
        return refuse(error, RMS_ERROR_FORMAT, name, "its title is not UTF-8, or has no end");
    if (!has_lengths(instance))
        return refuse(error, RMS_ERROR_FORMAT, name,
                      "its steps and quick_steps are not positive multiples of its score_every");
    if (!has_quantities(instance))
        return refuse(error, RMS_ERROR_FORMAT, name,
                      "its training, validation and test each need a name and a unit in UTF-8 and a finite factor");
    if (!has_view(&instance->view))
        return refuse(error, RMS_ERROR_FORMAT, name,
                      "its view needs finite corners, low before high, and at most 8 minima, finite as well");
    return RMS_OK;
}

static rms_status finish(struct lab_instance *instance, rms_error *error)
{
    rms_status status = instance->problem->prepare ? instance->problem->prepare(instance, error) : RMS_OK;
    if (status != RMS_OK) {
        if (error->message[0] == '\0') /* a shared object may forget its sentence */
            refuse(error, status, instance->problem->name, rms_status_name(status));
        free(instance->opened);
        *instance = (struct lab_instance){0};
        return status;
    }
    status = check(instance, error);
    if (status != RMS_OK)
        lab_instance_close(instance);
    return status;
}

rms_status lab_instance_open(struct lab_instance *instance, const struct lab_request *request, rms_error *error)
{
    rms_error unused;
    rms_error *const told = error ? error : &unused;
    *instance = (struct lab_instance){0};
    *told = (rms_error){{0}};

    const char *const words = request->words;
    const char *const end = end_of_name(words);
    rms_status status = begin_named(instance, words, (size_t)(end - words), told);
    if (status == RMS_OK && *end == ':') {
        status = read_settings(instance, end + 1, told);
        const int length = snprintf(instance->name, sizeof instance->name, "%s%s", instance->problem->name, end);
        if (status == RMS_OK && (length < 0 || (size_t)length >= sizeof instance->name))
            status =
                refuse(told, RMS_ERROR_ARGUMENT, words, "the settings are too long (expected at most 95 characters)");
    }
    if (status != RMS_OK) {
        free(instance->opened);
        *instance = (struct lab_instance){0};
        return status;
    }
    instance->source = request->source;
    instance->column = request->column;
    return finish(instance, told);
}

rms_status lab_instance_open_problem(struct lab_instance *instance, const struct lab_problem *problem, rms_error *error)
{
    rms_error unused;
    rms_error *const told = error ? error : &unused;
    *told = (rms_error){{0}};
    begin(instance, problem);
    return finish(instance, told);
}

void lab_instance_close(struct lab_instance *instance)
{
    if (instance->problem && instance->problem->release)
        instance->problem->release(instance);
    free(instance->opened);
    *instance = (struct lab_instance){0};
}

double lab_instance_setting(const struct lab_instance *instance, const char *key)
{
    for (size_t i = 0; i < instance->problem->setting_count; ++i)
        if (strcmp(instance->problem->settings[i].key, key) == 0)
            return instance->settings[i];
    return (double)NAN;
}

uint64_t lab_instance_object_hash(const struct lab_instance *instance)
{
    const struct object *const object = instance->opened;
    return object ? object->hash : 0;
}
