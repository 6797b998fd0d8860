/* A function that the user writes, with its exact gradient. Nobody knows its minimum: scores are its values. */
#include "expression.h"
#include "surface.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { START = 2, LOW, HIGH, TARGET }; /* settings, after those of every surface */

static double surface(const struct lab_instance *instance, const double *point, double *gradient)
{
    return lab_expression_evaluate(instance->shared, point, gradient);
}

/* The last of `size` characters is a dot where more did not fit. */
static void append(char *text, size_t size, const char *more)
{
    const size_t used = strlen(text);
    const int length = snprintf(text + used, size - used, "%s", more);
    if (length > 0 && used + (size_t)length >= size && size >= 4)
        memcpy(text + size - 4, "...", 4);
}

/* "f(x, y) = x^2 + y", on one line. */
static void write_title(struct lab_instance *instance)
{
    const struct lab_expression *const expression = instance->shared;
    char *const title = instance->title;
    const size_t size = sizeof instance->title;
    snprintf(title, size, "f(");
    for (size_t i = 0; i < lab_expression_variable_count(expression); ++i) {
        append(title, size, i > 0 ? ", " : "");
        append(title, size, lab_expression_variable(expression, i));
    }
    append(title, size, ") = ");
    append(title, size, instance->source + strspn(instance->source, " \t\r\n"));
    for (char *at = title; *at != '\0'; ++at)
        if (strchr("\t\r\n", *at))
            *at = ' ';
}

/* The value and every part of the gradient where runs start, but for their spread. */
static rms_status check_start(const struct lab_instance *instance, rms_error *error)
{
    const struct lab_expression *const expression = instance->shared;
    const size_t count = lab_expression_variable_count(expression);
    const double start = instance->settings[START];
    double point[LAB_SURFACE_NUMBERS_MAX], gradient[LAB_SURFACE_NUMBERS_MAX];
    for (size_t i = 0; i < count; ++i)
        point[i] = start;
    const double value = lab_expression_evaluate(expression, point, gradient);
    size_t infinite = 0;
    while (infinite < count && isfinite(gradient[infinite]))
        ++infinite;
    if (isfinite(value) && infinite == count)
        return RMS_OK;
    char part[64] = "f";
    if (isfinite(value))
        snprintf(part, sizeof part, "the derivative of f by %s", lab_expression_variable(expression, infinite));
    const double wrong = isfinite(value) ? gradient[infinite] : value;
    const char *const what = isnan(wrong) ? "no number" : "infinite";
    snprintf(error->message, sizeof error->message,
             "function: %s is %s where every variable is %g, the start (another: race function:start=0.5)", part, what,
             start);
    return RMS_ERROR_ARGUMENT;
}

static rms_status check_view(const struct lab_instance *instance, rms_error *error)
{
    if (instance->settings[LOW] < instance->settings[HIGH])
        return RMS_OK;
    snprintf(error->message, sizeof error->message, "function: low=%g is not below high=%g", instance->settings[LOW],
             instance->settings[HIGH]);
    return RMS_ERROR_RANGE;
}

static rms_status read_source(struct lab_instance *instance, rms_error *error)
{
    if (!instance->source) {
        snprintf(error->message, sizeof error->message,
                 "function: what function? (expected one, as in race --function \"x^2 + 10*y^2\")");
        return RMS_ERROR_ARGUMENT;
    }
    struct lab_expression *expression;
    rms_error reason;
    const rms_status status = lab_expression_read(&expression, instance->source, &reason);
    if (status != RMS_OK)
        snprintf(error->message, sizeof error->message, "function: %.500s", reason.message);
    instance->shared = expression;
    return status;
}

static void release(struct lab_instance *instance)
{
    lab_expression_free(instance->shared);
    instance->shared = NULL;
}

static rms_status prepare(struct lab_instance *instance, rms_error *error)
{
    rms_status status = read_source(instance, error);
    if (status == RMS_OK)
        status = check_start(instance, error);
    if (status == RMS_OK)
        status = check_view(instance, error);
    if (status != RMS_OK) {
        release(instance);
        return status;
    }
    write_title(instance);
    instance->target = instance->settings[TARGET];
    if (lab_expression_variable_count(instance->shared) == 2)
        for (int axis = 0; axis < 2; ++axis) {
            instance->view.low[axis] = instance->settings[LOW];
            instance->view.high[axis] = instance->settings[HIGH];
        }
    return RMS_OK;
}

static struct lab_task *create(const struct lab_instance *instance, uint64_t seed)
{
    double start[LAB_SURFACE_NUMBERS_MAX];
    const size_t count = lab_expression_variable_count(instance->shared);
    for (size_t i = 0; i < count; ++i)
        start[i] = instance->settings[START];
    return lab_surface_create(instance, surface, start, count, seed);
}

/* Of functions of two numbers; others have no view. */
static double value(const struct lab_instance *instance, double x, double y)
{
    const double point[2] = {x, y};
    return lab_expression_variable_count(instance->shared) == 2 ? surface(instance, point, NULL) : (double)NAN;
}

/* Since nobody knows what can be reached, nothing counts as arrived unless the user says so. */
static const struct lab_setting settings[] = {
    LAB_SURFACE_SETTINGS(0.1),
    [START] = {"start", "where all variables start", 2.0, -1e6, 1e6, false},
    [LOW] = {"low", "least x and y of the picture", -4.0, -1e6, 1e6, false},
    [HIGH] = {"high", "largest x and y of the picture", 4.0, -1e6, 1e6, false},
    [TARGET] = {"target", "value that counts as arrived", -HUGE_VAL, -HUGE_VAL, HUGE_VAL, false},
};

const struct lab_problem lab_problem_function = {
    LAB_SURFACE_MEMBERS("f"),
    .score = lab_surface_score,
    .name = "function",
    .title = "A function of your own",
    .summary = "what --function says, as in --function \"x^2 + 10*sin(y)\"",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .steps = 500,
    .quick_steps = 250,
    .score_every = 10,
    .target = -HUGE_VAL,
    .prepare = prepare,
    .release = release,
};
