/* Opening problems by words: names, settings with their bounds, what is told of a wrong one. */
#include "instance.h"
#include "support.h"

#include <math.h>
#include <string.h>

/* Opens words that must be wrong, and finds this in the sentence. */
static void refused(const char *words, rms_status expected, const char *part)
{
    struct lab_instance instance;
    rms_error error;
    const rms_status status = lab_instance_open(&instance, &(struct lab_request){.words = words}, &error);
    if (status != expected || !strstr(error.message, part))
        fail_msg("%s: status %d, \"%s\"", words, (int)status, error.message);
    assert_null(instance.problem);
    lab_instance_close(&instance);
}

static void opened(struct lab_instance *instance, const char *words)
{
    rms_error error;
    if (lab_instance_open(instance, &(struct lab_request){.words = words}, &error) != RMS_OK)
        fail_msg("%s: %s", words, error.message);
}

static void a_name_alone_has_the_problems_own_settings(void **state)
{
    (void)state;
    struct lab_instance instance;
    opened(&instance, "quadratic");
    assert_ptr_equal(instance.problem, lab_problem_find("quadratic"));
    assert_string_equal(instance.name, "quadratic");
    assert_string_equal(instance.title, instance.problem->title);
    for (size_t i = 0; i < instance.problem->setting_count; ++i) {
        const struct lab_setting *const setting = &instance.problem->settings[i];
        assert_true(instance.settings[i] == setting->value);
        assert_true(lab_instance_setting(&instance, setting->key) == setting->value);
    }
    assert_int_equal(instance.steps, instance.problem->steps);
    lab_instance_close(&instance);
    assert_null(instance.problem);
    lab_instance_close(&instance);
}

static void settings_are_read_in_any_order(void **state)
{
    (void)state;
    struct lab_instance instance;
    opened(&instance, "quadratic:noise=0.25,condition=1e3");
    assert_true(lab_instance_setting(&instance, "condition") == 1000.0);
    assert_true(lab_instance_setting(&instance, "noise") == 0.25);
    assert_string_equal(instance.name, "quadratic:noise=0.25,condition=1e3");
    lab_instance_close(&instance);
}

static void what_is_wrong_with_the_words_is_said(void **state)
{
    (void)state;
    refused("quadratik", RMS_ERROR_ARGUMENT, "no problem is called \"quadratik\"");
    refused("", RMS_ERROR_ARGUMENT, "no problem is called \"\"");
    refused("quadratic:", RMS_ERROR_ARGUMENT, "is no setting (expected key=value");
    refused("quadratic:condition", RMS_ERROR_ARGUMENT, "is no setting");
    refused("quadratic:steepness=3", RMS_ERROR_ARGUMENT,
            "no setting is called \"steepness\" (expected noise, spread, condition)");
    refused("quadratic:condition=", RMS_ERROR_ARGUMENT, "is not a number");
    refused("quadratic:condition=many", RMS_ERROR_ARGUMENT, "is not a number");
    refused("quadratic:condition=3x", RMS_ERROR_ARGUMENT, "is not a number");
    refused("quadratic:condition=\n3", RMS_ERROR_ARGUMENT, "is not a number");
    refused("quadratic:condition=nan", RMS_ERROR_ARGUMENT, "is not a number");
    refused("quadratic:condition=-1", RMS_ERROR_RANGE, "out of bounds (expected a number from");
    refused("quadratic:noise=0.1,,", RMS_ERROR_ARGUMENT, "is no setting");
    refused("quadratic:condition=0000000000000000000000000000000000000000000000000000000000000000000001",
            RMS_ERROR_ARGUMENT, "is not a number");
    refused("./nowhere/mine.so:noise=1", RMS_ERROR_FILE, "nowhere/mine.so");
    refused("digits:condition=1", RMS_ERROR_ARGUMENT, "digits: no setting is called \"condition\"");
}

/* What a prepare leaves behind that nothing could be run or drawn with. */
static struct lab_instance broken_by_prepare;
static size_t released;

static rms_status prepare_broken(struct lab_instance *instance, rms_error *error)
{
    (void)error;
    instance->title[0] = broken_by_prepare.title[0];
    instance->score_every = broken_by_prepare.score_every;
    instance->training = broken_by_prepare.training;
    instance->view = broken_by_prepare.view;
    return RMS_OK;
}

static void count_release(struct lab_instance *instance)
{
    (void)instance;
    ++released;
}

/* Opens a problem of which prepare leaves this, and finds that part in the sentence; NULL: there is none. */
static void prepared(const struct lab_instance *broken, const char *part)
{
    struct lab_problem problem = *lab_problem_find("quadratic");
    struct lab_instance instance;
    rms_error error = {{0}};
    problem.prepare = prepare_broken;
    problem.release = count_release;
    broken_by_prepare = *broken;
    released = 0;
    const rms_status status = lab_instance_open_problem(&instance, &problem, &error);
    assert_int_equal(status, part ? RMS_ERROR_FORMAT : RMS_OK);
    if (part) {
        assert_non_null(strstr(error.message, part));
        assert_null(instance.problem);
    } else {
        lab_instance_close(&instance);
    }
    assert_int_equal(released, 1);
}

static void what_prepare_leaves_is_checked(void **state)
{
    (void)state;
    struct lab_instance sound, broken;
    opened(&sound, "quadratic");
    prepared(&sound, NULL);
    broken = sound;
    broken.score_every = 0;
    prepared(&broken, "multiples of its score_every");
    broken.score_every = 7;
    prepared(&broken, "multiples of its score_every");
    broken = sound;
    broken.view.minimum_count = LAB_MINIMA_MAX + 1;
    prepared(&broken, "at most 8 minima");
    broken = sound;
    broken.view.high[1] = (double)NAN;
    prepared(&broken, "finite corners");
    broken = sound;
    broken.training.name = NULL;
    prepared(&broken, "training, validation and test");
    broken = sound;
    broken.title[0] = '\x1b';
    prepared(&broken, "its title");
    lab_instance_close(&sound);
}

/* Every problem of the table says of itself what a shared object would be refused without. */
static void every_problem_of_the_table_is_whole(void **state)
{
    (void)state;
    assert_true(lab_problem_count() > 0);
    for (size_t i = 0; i < lab_problem_count(); ++i) {
        const struct lab_problem *const problem = lab_problem_at(i);
        const struct lab_quantity quantities[] = {problem->training, problem->validation, problem->test};
        print_message("%s\n", problem->name);
        assert_ptr_equal(lab_problem_find(problem->name), problem);
        assert_int_equal(problem->struct_size, sizeof *problem);
        assert_true(problem->title && problem->summary && problem->create && problem->destroy && problem->tensors);
        assert_true(problem->gradient && problem->score);
        assert_true(problem->score_every > 0 && problem->steps > 0 && problem->quick_steps > 0);
        assert_int_equal(problem->steps % problem->score_every, 0);
        assert_int_equal(problem->quick_steps % problem->score_every, 0);
        assert_true(problem->setting_count <= LAB_SETTINGS_MAX);
        for (size_t k = 0; k < COUNT_OF(quantities); ++k)
            assert_true(quantities[k].name && quantities[k].unit && isfinite(quantities[k].factor));
        for (size_t k = 0; k < problem->setting_count; ++k) {
            const struct lab_setting *const setting = &problem->settings[k];
            assert_true(setting->key && setting->summary);
            assert_true(setting->minimum <= setting->value && setting->value <= setting->maximum);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_alone_has_the_problems_own_settings), cmocka_unit_test(settings_are_read_in_any_order),
        cmocka_unit_test(what_is_wrong_with_the_words_is_said),       cmocka_unit_test(what_prepare_leaves_is_checked),
        cmocka_unit_test(every_problem_of_the_table_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
