/* The list verb's problems, as text and as JSON. */
#include "list_problems.h"

#include "output.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_COLUMN = 16, SETTING_COLUMN = 14 };

static void print_in_column(const char *name, int column, const char *words)
{
    (void)printf("  %s%-*s%s", bold(), column - 2, name, plain());
    print_wrapped(words, (size_t)column, (size_t)column);
}

void list_print_problems(void)
{
    (void)printf("%sproblems%s of rmsprop race (rmsprop list PROBLEM tells its settings)\n", bold(), plain());
    for (size_t i = 0; i < lab_problem_count(); ++i)
        print_in_column(lab_problem_at(i)->name, NAME_COLUMN, lab_problem_at(i)->summary);
}

static void append_quantity(struct text *words, const char *role, const struct lab_quantity *quantity)
{
    text_append(words, "%s: %s%s%s, %s is better", role, quantity->name, *quantity->unit ? " in " : "", quantity->unit,
                quantity->rising ? "more" : "less");
}

static void print_setting(const struct lab_setting *setting)
{
    struct text words = {0};
    text_append(&words, "%s (%g; %s%g to %g)", setting->summary, setting->value, setting->whole ? "whole, " : "",
                setting->minimum, setting->maximum);
    if (!words.failed)
        print_in_column(setting->key, SETTING_COLUMN, words.text);
    text_free(&words);
}

void list_print_problem(const struct lab_problem *problem)
{
    (void)printf("%s%s%s: ", bold(), problem->name, plain());
    print_wrapped(problem->summary, strlen(problem->name) + 2, 0);
    struct text words = {0};
    text_append(&words, "%zu steps (%zu with --quick); ", problem->steps, problem->quick_steps);
    append_quantity(&words, "curves show", &problem->training);
    append_quantity(&words, "; rates are chosen by", &problem->validation);
    append_quantity(&words, "; reported", &problem->test);
    if (isfinite(problem->target))
        text_append(&words, "; the target is a %s of %g%s%s", problem->validation.name,
                    problem->target * (problem->validation.factor == 0 ? 1 : problem->validation.factor),
                    *problem->validation.unit ? " " : "", problem->validation.unit);
    if (!words.failed)
        print_wrapped(words.text, 0, 0);
    text_free(&words);
    if (problem->setting_count > 0)
        (void)printf("\n%ssettings%s, as in rmsprop race %s:%s=%g\n", bold(), plain(), problem->name,
                     problem->settings[0].key, problem->settings[0].value);
    for (size_t i = 0; i < problem->setting_count; ++i)
        print_setting(&problem->settings[i]);
}

static json_t *quantity_json(const struct lab_quantity *quantity)
{
    return json_pack("{s:s, s:s, s:b}", "name", quantity->name, "unit", quantity->unit, "rising", quantity->rising);
}

json_t *list_problem_json(const struct lab_problem *problem)
{
    json_t *settings = json_array();
    for (size_t i = 0; i < problem->setting_count; ++i) {
        const struct lab_setting *const setting = &problem->settings[i];
        settings = json_append(settings, json_pack("{s:s, s:s, s:o, s:o, s:o, s:b}", "key", setting->key, "meaning",
                                                   setting->summary, "default", json_number(setting->value), "minimum",
                                                   json_number(setting->minimum), "maximum",
                                                   json_number(setting->maximum), "whole", setting->whole));
    }
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "name", problem->name, "title",
                     problem->title, "summary", problem->summary, "steps", (json_int_t)problem->steps, "quick_steps",
                     (json_int_t)problem->quick_steps, "target", json_number(problem->target), "training",
                     quantity_json(&problem->training), "validation", quantity_json(&problem->validation), "test",
                     quantity_json(&problem->test), "settings", settings);
}

json_t *list_problems_json(void)
{
    json_t *problems = json_array();
    for (size_t i = 0; i < lab_problem_count(); ++i)
        problems = json_append(problems, list_problem_json(lab_problem_at(i)));
    return problems;
}
