/* Loading a problem from a shared object, and doubting it: what it says of itself is checked before it is believed, here
 * what prepare does not change. */
#include "plugin.h"

#include "whole_file.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef const struct lab_problem *plugin_function(void);

static rms_status refuse(rms_error *error, const char *path, const char *what)
{
    snprintf(error->message, sizeof error->message, "%.100s: %s", path, what);
    return RMS_ERROR_FORMAT;
}

/* dlerror's words are the system's: they begin with the path as a rule, and end without a full stop. */
static rms_status cannot_load(rms_error *error, const char *path)
{
    const char *const reason = dlerror();
    const size_t length = strlen(path);
    if (reason && strncmp(reason, path, length) == 0)
        snprintf(error->message, sizeof error->message, "%.230s", reason);
    else
        snprintf(error->message, sizeof error->message, "%.100s: %.120s", path, reason ? reason : "cannot be loaded");
    return RMS_ERROR_FILE;
}

/* A name that is typed, becomes that of files, and is written to JSON. */
static bool is_name(const char *name)
{
    static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return name && *name != '\0' && strlen(name) < 64 && name[strspn(name, harmless)] == '\0';
}

static bool has_settings(const struct lab_problem *problem)
{
    if (problem->setting_count > LAB_SETTINGS_MAX || (problem->setting_count > 0 && !problem->settings))
        return false;
    for (size_t i = 0; i < problem->setting_count; ++i) {
        const struct lab_setting *const setting = &problem->settings[i];
        if (!is_name(setting->key) || !lab_is_clean_text(setting->summary) || !(setting->minimum <= setting->value) ||
            !(setting->value <= setting->maximum))
            return false;
    }
    return true;
}

static rms_status check(const struct lab_problem *problem, const char *path, rms_error *error)
{
    if (!is_name(problem->name) || !lab_is_clean_text(problem->title) || !lab_is_clean_text(problem->summary))
        return refuse(error, path,
                      "its problem needs a name of letters, digits, - and _, and a title and a summary in UTF-8");
    if (!problem->create || !problem->destroy || !problem->tensors || !problem->gradient || !problem->score)
        return refuse(error, path, "its problem lacks one of create, destroy, tensors, gradient and score");
    if (!has_settings(problem))
        return refuse(error, path,
                      "its settings are more than 8, or one lacks its key or summary or lies out of its own bounds");
    return RMS_OK;
}

rms_status lab_plugin_load(struct lab_problem *problem, const char *path, rms_error *error)
{
    *problem = (struct lab_problem){0};
    void *const object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object)
        return cannot_load(error, path);

    /* C has no cast from an object's address to a function's; POSIX has this one. */
    plugin_function *function = NULL;
    void *const symbol = dlsym(object, "lab_plugin");
    memcpy(&function, &symbol, sizeof function);
    const struct lab_problem *const theirs = function ? function() : NULL;
    rms_status status;
    if (!theirs)
        status = refuse(error, path, "it has no symbol lab_plugin (expected LAB_PLUGIN(problem) of rmsprop_lab.h)");
    else if (theirs->struct_size < offsetof(struct lab_problem, rows))
        status = refuse(error, path, "its struct_size is too small (expected sizeof(struct lab_problem))");
    else {
        const size_t size = theirs->struct_size < sizeof *problem ? theirs->struct_size : sizeof *problem;
        memcpy(problem, theirs, size);
        status = check(problem, path, error);
    }
    if (status != RMS_OK)
        (void)dlclose(object);
    return status;
}
