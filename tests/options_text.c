/* Options as a person writes them: which texts are numbers, flags and choices, and which are not, in every
 * locale. */
#include "support.h"

#include <locale.h>
#include <string.h>

static void assert_text(const char *key, const char *text, double expected)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    rms_error error;
    double value;
    assert_ok(rms_options_set_text(&options, key, text, &error), error.message);
    assert_ok(rms_options_get(&options, key, &value, &error), error.message);
    if (value != expected)
        fail_msg("%s = \"%s\" was read as %.17g, not %.17g", key, text, value, expected);
}

static void numbers_are_read_as_c_writes_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } numbers[] = {{"0.001", 0.001}, {"1e-3", 1e-3}, {"1E-3", 1e-3},    {"0", 0},      {"1", 1},
                   {"+0.5", 0.5},    {".5", 0.5},    {"0x1p-3", 0.125}, {"3.", 3},     {"007", 7},
                   {"-0", 0},        {"1e-400", 0},  {"0.1", 0.1},      {"1e30", 1e30}};
    for (size_t i = 0; i < COUNT_OF(numbers); ++i)
        assert_text("lr", numbers[i].text, numbers[i].value);
}

static void flags_and_choices_are_read_by_name(void **state)
{
    (void)state;
    assert_text("centered", "true", 1);
    assert_text("centered", "false", 0);
    assert_text("centered", "1", 1);
    assert_text("centered", "0", 0);
    assert_text("nonfinite", "propagate", RMS_NONFINITE_PROPAGATE);
    assert_text("nonfinite", "skip", RMS_NONFINITE_SKIP);
    assert_text("isa", "avx2", RMS_ISA_AVX2);
    assert_text("isa", "auto", RMS_ISA_AUTO);
    assert_text("threads", "12", 12);
    assert_text("zero_grad", "true", 1);
    assert_text("state_format", "full", RMS_STATE_FULL);
    assert_text("state_format", "16-bit", RMS_STATE_16_BIT);
    assert_text("state_format", "8-bit", RMS_STATE_8_BIT);
}

static void assert_text_refused(const char *key, const char *text, rms_status expected, const char *named)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    rms_options before;
    memcpy(&before, &options, sizeof before);
    rms_error error = {""};
    const rms_status status = rms_options_set_text(&options, key, text, &error);
    if (status != expected)
        fail_msg("%s = \"%s\": status %d instead of %s: %s", key, text, (int)status, rms_status_name(expected),
                 error.message);
    assert_contains(error.message, key);
    assert_contains(error.message, named);
    assert_memory_equal(&before, &options, sizeof before);
}

static void what_is_not_a_number_is_refused_in_full(void **state)
{
    (void)state;
    static const char *const texts[] = {"abc", " 1",    "1 ",  "1e",  "1e+",  "0.1f",  "1,5", "1 000", "--1",
                                        "0x",  "1.2.3", "\t1", "1\n", "true", "1e-3x", "e5",  ".",     "+"};
    for (size_t i = 0; i < COUNT_OF(texts); ++i)
        assert_text_refused("lr", texts[i], RMS_ERROR_RANGE, texts[i]);
    assert_text_refused("lr", "", RMS_ERROR_RANGE, "\"\"");
}

static void infinities_and_nans_are_refused_though_c_reads_them(void **state)
{
    (void)state;
    static const char *const texts[] = {"inf", "INFINITY", "-inf", "nan", "NAN(1)", "1e400", "-1", "1e31"};
    for (size_t i = 0; i < COUNT_OF(texts); ++i)
        assert_text_refused("lr", texts[i], RMS_ERROR_RANGE, "to 1e+30");
}

static void flags_choices_and_counts_refuse_everything_else(void **state)
{
    (void)state;
    static const char *const flags[] = {"True", "yes", "on", "2", "-1", "", "0.5", "truely", "1.0"};
    for (size_t i = 0; i < COUNT_OF(flags); ++i)
        assert_text_refused("centered", flags[i], RMS_ERROR_RANGE, flags[i]);
    assert_text_refused("isa", "vax", RMS_ERROR_NAME, "baseline, avx2, avx512, neon");
    assert_text_refused("isa", "AVX2", RMS_ERROR_NAME, "AVX2");
    assert_text_refused("nonfinite", "ignore", RMS_ERROR_NAME, "skip, propagate");
    assert_text_refused("state_format", "8bit", RMS_ERROR_NAME, "full, 16-bit, 8-bit");
    assert_text_refused("state_format", "8", RMS_ERROR_NAME, "full, 16-bit, 8-bit");
    assert_text_refused("state_format", "bf16", RMS_ERROR_NAME, "full, 16-bit, 8-bit");
    assert_text_refused("zero_grad", "yes", RMS_ERROR_RANGE, "yes");
    assert_text_refused("threads", "1.5", RMS_ERROR_RANGE, "whole");
    assert_text_refused("threads", "-1", RMS_ERROR_RANGE, "0 to 4096");
    assert_text_refused("threads", "4097", RMS_ERROR_RANGE, "0 to 4096");
}

static void a_very_long_text_is_refused_with_a_sentence_that_fits(void **state)
{
    (void)state;
    char text[4096];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    rms_options options = rms_options_for(RMS_RMSPROP);
    rms_error error;
    assert_status(RMS_ERROR_RANGE, rms_options_set_text(&options, "lr", text, &error), "");
    assert_true(strlen(error.message) < RMS_MESSAGE_SIZE - 1);
    assert_contains(error.message, "lr");
    assert_status(RMS_ERROR_NAME, rms_options_set_text(&options, text, "1", &error), "");
    assert_true(strlen(error.message) < RMS_MESSAGE_SIZE);
}

/* German, French and their like write 0,5; options are not prose. */
static void a_locale_with_a_decimal_comma_changes_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8",  "fr_FR.UTF-8", "es_ES.UTF-8",
                                        "ru_RU.UTF-8", "pt_BR.UTF-8", "de_DE",       "fr_FR"};
    size_t i = 0;
    while (i < COUNT_OF(names) && !setlocale(LC_ALL, names[i]))
        ++i;
    if (i == COUNT_OF(names)) {
        print_message("SKIP: no locale with a decimal comma is installed\n");
        skip();
    }
    char half[8];
    snprintf(half, sizeof half, "%.1f", 0.5);
    assert_string_equal(half, "0,5"); /* the locale is in force */
    assert_text("lr", "0.25", 0.25);
    assert_text_refused("lr", "0,25", RMS_ERROR_RANGE, "0,25");
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_as_c_writes_them),
        cmocka_unit_test(flags_and_choices_are_read_by_name),
        cmocka_unit_test(what_is_not_a_number_is_refused_in_full),
        cmocka_unit_test(infinities_and_nans_are_refused_though_c_reads_them),
        cmocka_unit_test(flags_choices_and_counts_refuse_everything_else),
        cmocka_unit_test(a_very_long_text_is_refused_with_a_sentence_that_fits),
        cmocka_unit_test(a_locale_with_a_decimal_comma_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
