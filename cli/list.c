/* The list verb: what there is to choose from. */
#include "list_problems.h"
#include "machine.h"
#include "option_text.h"
#include "output.h"
#include "text.h"
#include "verbs.h"

#include <lab/instance.h>
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

/* A preset's values in short: those that make it what it is, "lr 0.01, rho 0.9, centered true". */
static void append_values(struct text *text, const rms_options *options)
{
    static const char always[] = " lr rho beta1 beta2 eps ";
    rms_option_info info;
    for (size_t i = 0; rms_option_at(options->rule, i, &info); ++i) {
        double value = 0;
        char word[64];
        (void)snprintf(word, sizeof word, " %s ", info.key);
        (void)rms_options_get(options, info.key, &value, NULL);
        if (value != 0 && (value != info.default_value || strstr(always, word))) {
            text_append(text, "%s%s ", text->length > 0 ? ", " : "", info.key);
            option_append_value(text, &info, value);
        }
    }
}

#define PRESET_COLUMN 18

static void print_preset(const rms_preset *preset)
{
    rms_options options;
    struct text origin = {0};
    struct text values = {0};
    if (rms_options_preset(&options, preset->name, NULL) == RMS_OK)
        append_values(&values, &options);
    text_append(&origin, "%s, %s", preset->source, preset->version);
    (void)printf("  %s%s%s%*s", bold(), preset->name, plain(), PRESET_COLUMN - 2 - (int)strlen(preset->name), "");
    const char *const paragraphs[] = {preset->title, origin.text, values.text, preset->note};
    for (size_t i = 0; i < sizeof paragraphs / sizeof paragraphs[0] && !origin.failed && !values.failed; ++i)
        if (paragraphs[i] && *paragraphs[i]) {
            (void)printf("%*s", i > 0 ? PRESET_COLUMN : 0, "");
            print_wrapped(paragraphs[i], PRESET_COLUMN, PRESET_COLUMN);
        }
    text_free(&origin);
    text_free(&values);
}

static void print_presets(bool in_short)
{
    rms_preset preset;
    bool recipes = false;
    (void)printf("%spresets%s: what frameworks call RMSProp%s\n", bold(), plain(),
                 in_short ? " (rmsprop list --presets tells more)" : "");
    for (size_t i = 0; rms_preset_at(i, &preset); ++i) {
        if (preset.recipe && !recipes)
            (void)printf("%sand what papers and programs train with%s\n", faint(), plain());
        recipes = preset.recipe;
        if (in_short)
            (void)printf("  %-*s%s\n", PRESET_COLUMN - 2, preset.name, preset.title);
        else
            print_preset(&preset);
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
    for (size_t i = 0; i < RMS_RULE_SLOTS && rms_slot_name(rule, i); ++i)
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

static json_t *preset_json(const rms_preset *preset)
{
    rms_options options;
    if (rms_options_preset(&options, preset->name, NULL) != RMS_OK)
        return NULL;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o}", "name", preset->name, "title", preset->title,
                     "version", preset->version, "source", preset->source, "note", preset->note, "rule",
                     rms_rule_name(preset->rule), "recipe", (int)preset->recipe, "options", options_json(&options));
}

static json_t *presets_json(void)
{
    json_t *presets = json_array();
    rms_preset preset;
    for (size_t i = 0; rms_preset_at(i, &preset); ++i)
        presets = json_append(presets, preset_json(&preset));
    return presets;
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

enum section {
    SECTION_RULES = 1,
    SECTION_PRESETS = 2,
    SECTION_PROBLEMS = 4,
    SECTION_ISAS = 8,
    SECTION_ONE_RULE = 16,
    SECTION_ONE_PRESET = 32,
    SECTION_ONE_PROBLEM = 64
};
#define SECTION_ALL (SECTION_RULES | SECTION_PRESETS | SECTION_PROBLEMS | SECTION_ISAS)

/* What is to be shown. */
struct selection {
    unsigned sections;
    rms_rule rule;                     /* the one */
    rms_preset preset;                 /* the one */
    const struct lab_problem *problem; /* the one */
    rms_isa chosen;                    /* the instruction set that this machine would use */
};

static bool find_preset(const char *name, rms_preset *preset)
{
    for (size_t i = 0; rms_preset_at(i, preset); ++i)
        if (strcmp(preset->name, name) == 0)
            return true;
    return false;
}

/* 0, after a sentence, for a subject that is none. */
static unsigned find_sections(const char *subject, struct selection *selection)
{
    static const struct {
        const char *name;
        unsigned section;
    } parts[] = {
        {"rules", SECTION_RULES}, {"presets", SECTION_PRESETS}, {"problems", SECTION_PROBLEMS}, {"isas", SECTION_ISAS}};
    if (!subject)
        return SECTION_ALL;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; ++i)
        if (strcmp(subject, parts[i].name) == 0)
            return parts[i].section;
    if (rms_rule_from_name(subject, &selection->rule))
        return SECTION_ONE_RULE;
    if (find_preset(subject, &selection->preset))
        return SECTION_ONE_PRESET;
    selection->problem = lab_problem_find(subject);
    if (selection->problem)
        return SECTION_ONE_PROBLEM;
    struct text names = {0};
    for (int k = 0; k < RMS_RULE_COUNT; ++k)
        text_append(&names, ", %s", rms_rule_name((rms_rule)k));
    complain("list: nothing is called \"%s\" (expected one of rules, presets, problems, isas%s, or the name of a "
             "preset or problem)",
             subject, names.failed ? "" : names.text);
    text_free(&names);
    return 0;
}

static bool is_path(const char *subject)
{
    const size_t length = strlen(subject);
    return strchr(subject, '/') || (length > 3 && strcmp(subject + length - 3, ".so") == 0);
}

/* A problem of the user's own is opened as a race would open it, so that nothing is listed that could not be raced on. */
static int list_plugin(const struct arguments *arguments)
{
    struct lab_instance instance;
    rms_error error;
    const struct lab_request request = {.words = arguments->subject};
    if (lab_instance_open(&instance, &request, &error) != RMS_OK) {
        complain("list: %s", error.message);
        return STATUS_FAILED;
    }
    bool told = true;
    if (arguments->json)
        told = print_json(
            json_pack("{s:s, s:o}", "version", rms_version(), "problem", list_problem_json(instance.problem)));
    else
        list_print_problem(instance.problem);
    lab_instance_close(&instance);
    return told ? STATUS_OK : STATUS_FAILED;
}

static void print_selection(const struct selection *selection)
{
    bool first = true;
    for (unsigned section = 1; section <= SECTION_ONE_PROBLEM; section <<= 1) {
        if (!(selection->sections & section))
            continue;
        if (!first)
            (void)putchar('\n');
        first = false;
        if (section == SECTION_RULES)
            print_rules();
        else if (section == SECTION_PRESETS)
            print_presets(selection->sections == SECTION_ALL);
        else if (section == SECTION_PROBLEMS)
            list_print_problems();
        else if (section == SECTION_ISAS)
            print_isas(selection->chosen);
        else if (section == SECTION_ONE_RULE)
            print_rule(selection->rule, OWN_OPTIONS | COMMON_OPTIONS);
        else if (section == SECTION_ONE_PRESET)
            print_preset(&selection->preset);
        else
            list_print_problem(selection->problem);
    }
}

static json_t *selection_json(const struct selection *selection)
{
    const unsigned sections = selection->sections;
    json_t *document = json_pack("{s:s}", "version", rms_version());
    if (sections & SECTION_ONE_RULE)
        (void)json_object_set_new(document, "rule", rule_json(selection->rule));
    if (sections & SECTION_ONE_PRESET)
        (void)json_object_set_new(document, "preset", preset_json(&selection->preset));
    if (sections & SECTION_ONE_PROBLEM)
        (void)json_object_set_new(document, "problem", list_problem_json(selection->problem));
    if (sections & SECTION_RULES)
        (void)json_object_set_new(document, "rules", rules_json());
    if (sections & SECTION_PRESETS)
        (void)json_object_set_new(document, "presets", presets_json());
    if (sections & SECTION_PROBLEMS)
        (void)json_object_set_new(document, "problems", list_problems_json());
    if (sections & SECTION_ISAS)
        (void)json_object_set_new(document, "instruction_sets", isas_json(selection->chosen));
    return document;
}

int list_verb(const struct arguments *arguments)
{
    struct selection selection = {.rule = RMS_RMSPROP, .chosen = RMS_ISA_AUTO};
    const char *subject = arguments->subject;
    if (arguments->presets && subject) {
        complain("list: \"%s\" and --presets are both given (expected one)", subject);
        return STATUS_USAGE;
    }
    if (subject && is_path(subject))
        return list_plugin(arguments);
    selection.sections = find_sections(arguments->presets ? "presets" : subject, &selection);
    if (selection.sections == 0)
        return STATUS_USAGE;
    if ((selection.sections & SECTION_ISAS) && !machine_isa(&selection.chosen))
        return STATUS_FAILED;
    if (arguments->json)
        return print_json(selection_json(&selection)) ? STATUS_OK : STATUS_FAILED;
    print_selection(&selection);
    return STATUS_OK;
}
