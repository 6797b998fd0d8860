/* The list verb: what there is to choose from. */
#include "machine.h"
#include "option_text.h"
#include "output.h"
#include "text.h"
#include "verbs.h"

#include <stdio.h>
#include <string.h>

/* ---- as text -------------------------------------------------------------------------------------- */

#define MEANING_COLUMN 47

static void print_option(const rms_option_info *info)
{
    struct text value = {0};
    struct text bounds = {0};
    struct text meaning = {0};
    option_append_value(&value, info, info->default_value);
    option_append_bounds(&bounds, info);
    text_append(&meaning, "%s", info->meaning);
    if (info->choices)
        text_append(&meaning, ": %s", info->choices);
    if (*info->unit)
        text_append(&meaning, " [%s]", info->unit);
    if (!value.failed && !bounds.failed && !meaning.failed) {
        (void)printf("  %-21s%-9s%-15s", info->key, value.text, bounds.text);
        print_wrapped(meaning.text, MEANING_COLUMN, MEANING_COLUMN);
    }
    text_free(&value);
    text_free(&bounds);
    text_free(&meaning);
}

/* Whether every rule takes this option, with the same default. */
static bool is_common(const rms_option_info *option)
{
    for (int rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        bool taken = false;
        rms_option_info info;
        for (size_t i = 0; rms_option_at((rms_rule)rule, i, &info); ++i)
            taken = taken || (strcmp(info.key, option->key) == 0 && info.default_value == option->default_value);
        if (!taken)
            return false;
    }
    return true;
}

enum which { OWN_OPTIONS = 1, COMMON_OPTIONS = 2 };

static void print_options(rms_rule rule, unsigned which)
{
    (void)printf("%s  %-21s%-9s%-15s%s%s\n", faint(), "option", "default", "bounds", "meaning [unit]", plain());
    rms_option_info info;
    for (size_t i = 0; rms_option_at(rule, i, &info); ++i)
        if (which & (is_common(&info) ? COMMON_OPTIONS : OWN_OPTIONS))
            print_option(&info);
}

static void print_rule(rms_rule rule, unsigned which)
{
    (void)printf("%s%s%s  %s\n", bold(), rms_rule_name(rule), plain(), rms_rule_source(rule));
    print_options(rule, which);
}

static void print_rules(void)
{
    for (int rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        print_rule((rms_rule)rule, OWN_OPTIONS);
        (void)putchar('\n');
    }
    (void)printf("%severy rule%s\n", bold(), plain());
    print_options(RMS_RMSPROP, COMMON_OPTIONS);
}

static void print_problems(void)
{
    (void)printf("%sproblems%s\n", bold(), plain());
    for (size_t i = 0; i < lab_problem_count(); ++i) {
        const struct lab_problem *problem = lab_problem_at(i);
        (void)printf("  %-10s", problem->name);
        print_wrapped(problem->summary, 12, 12);
    }
}

static void print_isas(rms_isa chosen)
{
    (void)printf("%sinstruction sets%s\n", bold(), plain());
    for (int isa = RMS_ISA_BASELINE; rms_isa_name((rms_isa)isa); ++isa) {
        const bool runs = rms_isa_supported((rms_isa)isa);
        const char *note = (rms_isa)isa == chosen ? "runs here, chosen" : runs ? "runs here" : "does not run here";
        (void)printf("  %-10s%s\n", rms_isa_name((rms_isa)isa), note);
    }
}

/* ---- as JSON -------------------------------------------------------------------------------------- */

static json_t *rule_json(rms_rule rule)
{
    json_t *slots = json_array();
    for (size_t i = 0; i < rms_slot_count(rule); ++i)
        slots = json_append(slots, json_string(rms_slot_name(rule, i)));

    json_t *options = json_array();
    rms_option_info info;
    for (size_t i = 0; rms_option_at(rule, i, &info); ++i)
        options =
            json_append(options, json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:s?, s:b}", "key", info.key, "type",
                                           rms_option_type_name(info.type), "minimum", json_number(info.minimum),
                                           "maximum", json_number(info.maximum), "default",
                                           option_json(&info, info.default_value), "unit", info.unit, "meaning",
                                           info.meaning, "choices", info.choices, "per_group", info.per_group));
    return json_pack("{s:s, s:s, s:o, s:o}", "name", rms_rule_name(rule), "source", rms_rule_source(rule), "slots",
                     slots, "options", options);
}

static json_t *rules_json(void)
{
    json_t *rules = json_array();
    for (int rule = 0; rule < RMS_RULE_COUNT; ++rule)
        rules = json_append(rules, rule_json((rms_rule)rule));
    return rules;
}

static json_t *problems_json(void)
{
    json_t *problems = json_array();
    for (size_t i = 0; i < lab_problem_count(); ++i) {
        const struct lab_problem *problem = lab_problem_at(i);
        problems = json_append(problems, json_pack("{s:s, s:s, s:s, s:I, s:I, s:f}", "name", problem->name, "title",
                                                   problem->title, "summary", problem->summary, "steps",
                                                   (json_int_t)problem->steps, "quick_steps",
                                                   (json_int_t)problem->quick_steps, "target", problem->target));
    }
    return problems;
}

static json_t *isas_json(rms_isa chosen)
{
    json_t *isas = json_array();
    for (int isa = RMS_ISA_BASELINE; rms_isa_name((rms_isa)isa); ++isa)
        isas = json_append(isas, json_pack("{s:s, s:b, s:b}", "name", rms_isa_name((rms_isa)isa), "runs",
                                           (int)rms_isa_supported((rms_isa)isa), "chosen", (rms_isa)isa == chosen));
    return isas;
}

/* ---- the verb ------------------------------------------------------------------------------------- */

enum section { SECTION_RULES = 1, SECTION_PROBLEMS = 2, SECTION_ISAS = 4, SECTION_ONE_RULE = 8 };

/* 0, after a sentence, for a subject that is none. */
static unsigned find_sections(const char *subject, rms_rule *rule)
{
    if (!subject)
        return SECTION_RULES | SECTION_PROBLEMS | SECTION_ISAS;
    if (strcmp(subject, "rules") == 0)
        return SECTION_RULES;
    if (strcmp(subject, "problems") == 0)
        return SECTION_PROBLEMS;
    if (strcmp(subject, "isas") == 0)
        return SECTION_ISAS;
    if (rms_rule_from_name(subject, rule))
        return SECTION_ONE_RULE;
    struct text names = {0};
    for (int k = 0; k < RMS_RULE_COUNT; ++k)
        text_append(&names, ", %s", rms_rule_name((rms_rule)k));
    complain("list: nothing is called \"%s\" (expected one of rules, problems, isas%s)", subject,
             names.failed ? "" : names.text);
    text_free(&names);
    return 0;
}

static void print_sections(unsigned sections, rms_rule rule, rms_isa chosen)
{
    if (sections & SECTION_ONE_RULE)
        print_rule(rule, OWN_OPTIONS | COMMON_OPTIONS);
    if (sections & SECTION_RULES)
        print_rules();
    if ((sections & SECTION_RULES) && (sections & SECTION_PROBLEMS))
        (void)putchar('\n');
    if (sections & SECTION_PROBLEMS)
        print_problems();
    if ((sections & SECTION_PROBLEMS) && (sections & SECTION_ISAS))
        (void)putchar('\n');
    if (sections & SECTION_ISAS)
        print_isas(chosen);
}

static json_t *sections_json(unsigned sections, rms_rule rule, rms_isa chosen)
{
    json_t *document = json_pack("{s:s}", "version", rms_version());
    if (sections & SECTION_ONE_RULE)
        (void)json_object_set_new(document, "rule", rule_json(rule));
    if (sections & SECTION_RULES)
        (void)json_object_set_new(document, "rules", rules_json());
    if (sections & SECTION_PROBLEMS)
        (void)json_object_set_new(document, "problems", problems_json());
    if (sections & SECTION_ISAS)
        (void)json_object_set_new(document, "instruction_sets", isas_json(chosen));
    return document;
}

int list_verb(const struct arguments *arguments)
{
    rms_rule rule = RMS_RMSPROP;
    rms_isa chosen = RMS_ISA_AUTO;
    const unsigned sections = find_sections(arguments->subject, &rule);
    if (sections == 0)
        return STATUS_USAGE;
    if ((sections & SECTION_ISAS) && !machine_isa(&chosen))
        return STATUS_FAILED;
    if (arguments->json)
        return print_json(sections_json(sections, rule, chosen)) ? STATUS_OK : STATUS_FAILED;
    print_sections(sections, rule, chosen);
    return STATUS_OK;
}
