/* This library as a contestant. Modes: "unchecked" does not look for NaN, as no peer does; "checked" is the default;
 * "16-bit" and "8-bit" are unchecked, with state of that format. */
#include "requests.h"

#include <rmsprop.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Options that the rule does not take are not set. */
static bool set_rates(rms_options *options, const struct request *request, rms_error *error)
{
    const struct {
        const char *key;
        double value;
    } rates[] = {{"lr", request->lr},       {"rho", request->rho},           {"beta1", request->beta1},
                 {"beta2", request->beta2}, {"momentum", request->momentum}, {"eps", request->eps}};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; ++i) {
        if (strcmp(rates[i].key, "momentum") == 0 && options->rule != RMS_SGD)
            continue;
        const rms_status status = rms_options_set(options, rates[i].key, rates[i].value, error);
        if (status != RMS_OK && status != RMS_ERROR_NAME)
            return false;
    }
    return true;
}

static bool set_options(rms_options *options, const struct request *request, rms_error *error)
{
    rms_rule rule;
    if (!rms_rule_from_name(request->rule, &rule)) {
        snprintf(error->message, sizeof error->message, "no rule is called %s", request->rule);
        return false;
    }
    *options = rms_options_for(rule);
    const bool checked = strcmp(request->mode, "checked") == 0;
    const bool narrow = strstr(request->mode, "-bit") != NULL;
    return set_rates(options, request, error) &&
           rms_options_set(options, "threads", request->threads, error) == RMS_OK &&
           rms_options_set_text(options, "nonfinite", checked ? "skip" : "propagate", error) == RMS_OK &&
           (!narrow || rms_options_set_text(options, "state_format", request->mode, error) == RMS_OK);
}

static void *prepare(const struct request *request, const struct arrays *arrays, char reason[REASON_SIZE])
{
    rms_options options;
    rms_error error;
    rms_optimizer *optimizer;
    if (!set_options(&options, request, &error) || rms_create(&optimizer, &options, &error) != RMS_OK) {
        snprintf(reason, REASON_SIZE, "%s", error.message);
        return NULL;
    }
    for (size_t i = 0; i < arrays->tensors; ++i) {
        char name[32];
        snprintf(name, sizeof name, "%zu", i);
        const rms_tensor tensor = {.name = name,
                                   .count = arrays->count,
                                   .param = arrays->param + i * arrays->stride,
                                   .grad = arrays->grad + i * arrays->stride};
        if (rms_add(optimizer, &tensor) != RMS_OK) {
            snprintf(reason, REASON_SIZE, "%s", rms_message(optimizer));
            rms_free(optimizer);
            return NULL;
        }
    }
    return optimizer;
}

static void step(void *prepared)
{
    if (rms_step(prepared, NULL) != RMS_OK)
        abort();
}

static void release(void *prepared)
{
    rms_free(prepared);
}

int main(void)
{
    return serve(&(struct contestant){.prepare = prepare, .step = step, .release = release});
}
