/* Options by key and in words, from strings that nobody meant: nothing crashes, what is refused has changed nothing, and
 * what rms_options_check takes can be created and stepped with. */
#include "objects.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 4096, THREADS_MAX = 8, COUNT = 5 };

/* What was set by text reads back, and setting that number once more is no change. */
static void check_reading(rms_options *options, const char *key)
{
    double value = 0;
    rms_options again = *options;
    fuzz_require(rms_options_get(options, key, &value, NULL) == RMS_OK && !isnan(value));
    fuzz_require(rms_options_set(&again, key, value, NULL) == RMS_OK);
    fuzz_require(memcmp(options, &again, sizeof again) == 0);
}

static void set_one(rms_options *options, char *line)
{
    rms_error error;
    const rms_options before = *options;
    char *equals = strchr(line, '=');
    if (equals)
        *equals = '\0';
    const char *text = equals ? equals + 1 : NULL;
    if (rms_options_set_text(options, line, text, &error) == RMS_OK) {
        check_reading(options, line);
        return;
    }
    fuzz_require(error.message[0] != '\0' && memchr(error.message, 0, sizeof error.message));
    fuzz_require(memcmp(options, &before, sizeof before) == 0);
}

/* On each format of numbers that the options take. */
static void step_with(const rms_options *options, rms_dtype dtype)
{
    rms_optimizer *optimizer;
    double param[COUNT] = {0}, grad[COUNT] = {0};
    const uint16_t one_of_half = 0x3c00;
    memcpy(grad, &one_of_half, sizeof one_of_half);
    const rms_status created = rms_create(&optimizer, options, NULL);
    fuzz_require((created == RMS_OK) == (optimizer != NULL));
    if (created != RMS_OK) {
        fuzz_require(created == RMS_ERROR_UNSUPPORTED); /* an instruction set that is not there */
        return;
    }
    const rms_tensor tensor = {.name = "w", .count = COUNT, .param = param, .grad = grad, .dtype = dtype};
    if (rms_add(optimizer, &tensor) == RMS_OK)
        for (int step = 0; step < 3; ++step)
            fuzz_require(rms_step(optimizer, NULL) >= RMS_OK);
    rms_free(optimizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX + 1];
    if (size < 1 || size > TEXT_MAX)
        return 0;
    rms_options options = rms_options_for((rms_rule)(data[0] % RMS_RULE_COUNT));
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    char *rest = NULL;
    char *line = strtok_r(text, "\n", &rest);
    if (line && rms_options_preset(&options, line, NULL) == RMS_OK)
        line = strtok_r(NULL, "\n", &rest);
    for (; line; line = strtok_r(NULL, "\n", &rest))
        set_one(&options, line);
    rms_error error = {.message = ""};
    if (rms_options_check(&options, &error) != RMS_OK) {
        fuzz_require(error.message[0] != '\0');
        return 0;
    }
    /* Thousands of threads would only test the system. */
    if (options.threads > THREADS_MAX)
        options.threads = THREADS_MAX;
    for (rms_dtype dtype = RMS_F32; dtype <= RMS_BF16; ++dtype)
        step_with(&options, dtype);
    return 0;
}
