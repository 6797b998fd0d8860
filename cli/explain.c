/* The explain verb: a rule on two parameters, in symbols and in the numbers that the library gives. */
#include "formula.h"
#include "option_text.h"
#include "output.h"
#include "text.h"
#include "verbs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PARAMETER_COUNT 2

/* What was seen of the two parameters. */
struct study {
    rms_options options;
    const char *preset; /* its name; NULL when none was asked for */
    size_t steps;
    double first_move[PARAMETER_COUNT];
    double last_move[PARAMETER_COUNT];
    double start;
    double rate[PARAMETER_COUNT];                 /* effective, after the last step */
    double before[PARAMETER_COUNT][SYMBOL_COUNT]; /* the last step; options under their symbols too */
    double after[PARAMETER_COUNT][SYMBOL_COUNT];
};

/* ---- the experiment ------------------------------------------------------------------------------- */

static bool read_options(rms_options *options, const struct arguments *arguments)
{
    rms_error error;
    if (arguments->preset && arguments->rule_given) {
        complain("explain: --rule and --preset are both given (expected one: a preset has its rule)");
        return false;
    }
    *options = rms_options_for(arguments->rule);
    if (arguments->preset && rms_options_preset(options, arguments->preset, &error) != RMS_OK) {
        complain("--preset: %s", error.message);
        return false;
    }
    for (size_t i = 0; i < arguments->setting_count; ++i)
        if (rms_options_set_text(options, arguments->settings[i].key, arguments->settings[i].value, &error) != RMS_OK) {
            complain("--set: %s", error.message);
            return false;
        }
    if (rms_options_check(options, &error) != RMS_OK) {
        complain("--set: %s", error.message);
        return false;
    }
    if (options->state_format != RMS_STATE_FULL)
        complain("--set: state_format: numbers here are those of full state (expected full)");
    else if (options->zero_grad)
        complain("--set: zero_grad: gradients here are the same at each step (expected false)");
    return options->state_format == RMS_STATE_FULL && !options->zero_grad;
}

/* Reads what stands behind each symbol at this moment. */
static void look(double values[SYMBOL_COUNT], const rms_options *options, rms_optimizer *optimizer, size_t parameter,
                 double step, double clip_factor)
{
    rms_tensor tensor;
    (void)rms_tensor_at(optimizer, 0, &tensor);
    for (int id = 0; id < SYMBOL_COUNT; ++id) {
        values[id] = 0;
        if (symbols[id].key && id < SYMBOL_STEP)
            (void)rms_options_get(options, symbols[id].key, &values[id], NULL);
        const float *slot = symbols[id].key && id > SYMBOL_STEP ? rms_state(optimizer, 0, symbols[id].key) : NULL;
        if (slot)
            values[id] = (double)slot[parameter];
    }
    values[SYMBOL_CLIP_FACTOR] = clip_factor;
    values[SYMBOL_STEP] = step;
    values[SYMBOL_GIVEN_GRADIENT] = (double)((const float *)tensor.grad)[parameter];
    values[SYMBOL_PARAMETER] = (double)((const float *)tensor.param)[parameter];
}

static bool take_steps(struct study *study, rms_optimizer *optimizer)
{
    for (size_t step = 1; step <= study->steps; ++step) {
        for (size_t i = 0; i < PARAMETER_COUNT; ++i)
            look(study->before[i], &study->options, optimizer, i, (double)step, 1);
        rms_report report;
        if (rms_step(optimizer, &report) != RMS_OK) {
            complain("explain: %s", rms_message(optimizer));
            return false;
        }
        for (size_t i = 0; i < PARAMETER_COUNT; ++i) {
            study->before[i][SYMBOL_CLIP_FACTOR] = report.clip_factor;
            look(study->after[i], &study->options, optimizer, i, (double)step, report.clip_factor);
            study->last_move[i] = study->after[i][SYMBOL_PARAMETER] - study->before[i][SYMBOL_PARAMETER];
            if (step == 1)
                study->first_move[i] = study->last_move[i];
        }
    }
    for (size_t i = 0; i < PARAMETER_COUNT; ++i)
        symbols_derive(study->before[i], study->after[i], &study->options, study->steps);
    return true;
}

static int experiment(struct study *study, const struct arguments *arguments)
{
    if (!read_options(&study->options, arguments))
        return STATUS_USAGE;
    study->steps = arguments->steps;
    study->preset = arguments->preset;

    /* From 0 moves are read off without rounding; weight decay needs something to decay. */
    const bool decays = study->options.l2_decay > 0 || study->options.decoupled_decay > 0;
    study->start = decays ? 1 : 0;
    float parameters[PARAMETER_COUNT];
    float gradients[PARAMETER_COUNT];
    float rates[PARAMETER_COUNT] = {0};
    for (size_t i = 0; i < PARAMETER_COUNT; ++i) {
        parameters[i] = (float)study->start;
        gradients[i] = (float)arguments->gradient[i];
    }

    rms_optimizer *optimizer = NULL;
    rms_error error;
    const rms_status status = rms_create(&optimizer, &study->options, &error);
    if (status == RMS_ERROR_UNSUPPORTED && study->options.isa != RMS_ISA_AUTO) {
        complain("--set: %s", error.message);
        return STATUS_USAGE;
    }
    if (status != RMS_OK) {
        complain("%s", error.message);
        return STATUS_FAILED;
    }
    const rms_tensor tensor = {.name = "p", .count = PARAMETER_COUNT, .param = parameters, .grad = gradients};
    bool done = rms_add(optimizer, &tensor) == RMS_OK;
    if (!done)
        complain("explain: %s", rms_message(optimizer));
    done = done && take_steps(study, optimizer) && rms_effective_lr(optimizer, 0, rates) == RMS_OK;
    for (size_t i = 0; i < PARAMETER_COUNT; ++i)
        study->rate[i] = (double)rates[i];
    rms_free(optimizer);
    return done ? STATUS_OK : STATUS_FAILED;
}

/* ---- as text -------------------------------------------------------------------------------------- */

static bool formula_mentions(const struct formula *formula, enum symbol_id symbol)
{
    for (size_t i = 0; i < formula->line_count; ++i)
        if (formula->lines[i].target == symbol || expression_mentions(formula->lines[i].right.text, symbol))
            return true;
    return false;
}

static void print_formula(const struct formula *formula)
{
    for (size_t i = 0; i < formula->line_count; ++i) {
        struct text line = {0};
        text_append(&line, "%s ← %s", symbols[formula->lines[i].target].sign, formula->lines[i].right.text);
        (void)printf("  %s", bold());
        if (!line.failed)
            print_wrapped(line.text, 2, 6);
        (void)printf("%s", plain());
        text_free(&line);
    }
    (void)putchar('\n');
}

static void print_symbol(enum symbol_id id, const struct study *study)
{
    const bool is_option = id < SYMBOL_STEP;
    const bool accumulates = id == SYMBOL_V || id == SYMBOL_SUM;
    char number[NUMBER_TEXT_SIZE];
    char cell[64];
    (void)snprintf(cell, sizeof cell, "  %s%s%s", symbols[id].sign, is_option ? " = " : "",
                   is_option ? number_text(number, study->before[0][id], 6) : "");
    print_padded(cell, 16);
    cell[0] = '\0';
    if (is_option && symbols[id].key)
        (void)snprintf(cell, sizeof cell, "%s", symbols[id].key);
    else if (accumulates && study->options.initial_accumulator > 0)
        (void)snprintf(cell, sizeof cell, "starts at %s", number_text(number, study->options.initial_accumulator, 3));
    print_padded(cell, 17);
    (void)printf("%s\n", symbol_meaning(id, study->options.rule));
}

/* Options with their values, then what changes from step to step. */
static void print_symbols(const struct formula *formula, const struct study *study)
{
    for (int id = 0; id < SYMBOL_COUNT; ++id)
        if (formula_mentions(formula, (enum symbol_id)id))
            print_symbol((enum symbol_id)id, study);
    if (study->options.centered)
        (void)printf("  what is under the root is a variance: where rounding takes it below 0, it\n"
                     "  counts as 0\n");
}

/* As Rprop judges it: by the sign of a product, in the precision of the computation. */
static enum sign_case sign_case(const struct study *study, size_t parameter)
{
    const double *before = study->before[parameter];
    const float agreement = (float)before[SYMBOL_PREVIOUS] * (float)before[SYMBOL_GRADIENT];
    return agreement > 0 ? SIGN_STAYED : agreement < 0 ? SIGN_FLIPPED : SIGN_NEITHER;
}

/* Each line with numbers: on the right those before the step, but for what lines above have changed. */
static void print_numbers(const struct study *study, size_t parameter)
{
    double values[SYMBOL_COUNT];
    memcpy(values, study->before[parameter], sizeof values);
    char number[NUMBER_TEXT_SIZE];
    struct formula formula;
    formula_make(&formula, &study->options, study->steps, sign_case(study, parameter));
    const enum symbol_id given =
        formula_mentions(&formula, SYMBOL_GIVEN_GRADIENT) ? SYMBOL_GIVEN_GRADIENT : SYMBOL_GRADIENT;
    (void)printf("\n%sGradient %s = %s%s, step %zu\n", bold(), symbols[given].sign,
                 number_text(number, values[given], 6), plain(), study->steps);
    for (size_t i = 0; i < formula.line_count && !formula.failed; ++i) {
        const struct assignment *line = &formula.lines[i];
        struct text right = {0};
        struct text words = {0};
        append_with_values(&right, line->right.text, values);
        values[line->target] = study->after[parameter][line->target];
        (void)number_text(number, values[line->target], 6);
        if (!right.failed)
            text_append(&words, strcmp(right.text, number) == 0 ? "%s = %s" : "%s = %s = %s",
                        symbols[line->target].sign, right.text, number);
        (void)printf("  ");
        if (!right.failed && !words.failed)
            print_wrapped(words.text, 2, 6);
        text_free(&right);
        text_free(&words);
    }
    formula_free(&formula);
}

static void print_result(const struct formula *formula, const struct study *study)
{
    (void)printf("\n%sEffective rate%s after step %zu: ", bold(), plain(), study->steps);
    const int column = snprintf(NULL, 0, "Effective rate after step %zu: ", study->steps);
    struct text rate = {0};
    text_append(&rate, strcmp(formula->rate_of, "m") == 0 ? "%s, of which m is the gradient" : "%s",
                formula->rate.text);
    if (!rate.failed)
        print_wrapped(rate.text, column > 0 ? (size_t)column : 0, 2);
    text_free(&rate);
    (void)printf("%s%14s%18s%18s%20s%s\n", faint(), "gradient", "effective rate", "first move", "last move", plain());
    for (size_t i = 0; i < PARAMETER_COUNT; ++i) {
        char number[NUMBER_TEXT_SIZE];
        print_padded(number_text(number, study->after[i][SYMBOL_GIVEN_GRADIENT], 6), -14);
        print_padded(number_text(number, study->rate[i], 6), -18);
        print_padded(number_text(number, study->first_move[i], 6), -18);
        print_padded(number_text(number, study->last_move[i], 6), -20);
        (void)putchar('\n');
    }
    (void)putchar('\n');
}

/* How many times larger the larger of two magnitudes is. */
static double fold(const double values[PARAMETER_COUNT])
{
    const double a = fabs(values[0]);
    const double b = fabs(values[1]);
    return fmax(a, b) / fmin(a, b);
}

/* Sizes that differ by less count as nearly the same. */
#define NEARLY 1.5

/* What a rule does to the size of a gradient, in words. */
static const struct telling {
    const char *title;
    const char *claim;
    const char *reason; /* why the size nearly cancels; NULL where it does not */
} tellings[RMS_RULE_COUNT] = {
    [RMS_SGD] = {"SGD", "a step follows the gradient", NULL},
    [RMS_ADAGRAD] = {"Adagrad", "a step is divided by the root of the sum of squared gradients",
                     "each gradient is divided by the root of the sum of its own squares"},
    [RMS_RMSPROP] = {"RMSProp", "a step is divided by the root of a running mean of squared gradients",
                     "each gradient is divided by the root of what is remembered of its own squares"},
    [RMS_ADAM] = {"Adam", "a running mean of gradients is divided by the root of that of their squares",
                  "the mean of the gradients is divided by the root of what is remembered of their squares"},
    [RMS_RPROP] = {"Rprop", "each parameter has a step size of its own; the gradient gives the sign",
                   "of a gradient only the sign counts"},
    [RMS_ADADELTA] = {"Adadelta", "RMSProp, times the root of a running mean of squared moves",
                      "each gradient is divided by the root of what is remembered of its own squares, and multiplied "
                      "by that of the moves that came of it"},
    [RMS_ADAMAX] = {"Adamax", "a running mean of gradients is divided by the largest of late",
                    "the mean of the gradients is divided by the size of the largest of them"},
    [RMS_NADAM] = {"NAdam", "Adam, with a look ahead along the mean",
                   "a move is divided by the root of what is remembered of the squared gradients"},
    [RMS_RADAM] = {"RAdam", "Adam, but for the first steps, whose gradients are too few to divide by",
                   "the mean of the gradients is divided by the root of what is remembered of their squares"},
    [RMS_LION] = {"Lion", "of a mix of gradient and running mean only the sign counts",
                  "of a gradient only the sign counts"},
};

static bool divides(const struct formula *formula, const rms_options *options)
{
    if (options->rule == RMS_RADAM)
        return formula_mentions(formula, SYMBOL_RECTIFICATION);
    return tellings[options->rule].reason != NULL;
}

static bool overflowed(const struct study *study, enum symbol_id symbol)
{
    return isinf(study->after[0][symbol]) || isinf(study->after[1][symbol]);
}

static void compare_moves(struct text *words, const struct formula *formula, const struct study *study,
                          double gradients)
{
    const rms_options *options = &study->options;
    const double moves = fold(study->last_move);
    const double rates = fold(study->rate);
    text_append(words, "The gradients differ by a factor of %.3g, the last moves by a factor of %.3g: ", gradients,
                moves);
    if (options->rule == RMS_RADAM && !divides(formula, options))
        text_append(words, "nothing divides a gradient by its own size yet; that begins when n is above 5.");
    else if (!divides(formula, options))
        text_append(words, "nothing divides a gradient by its own size.");
    else if (!(moves < NEARLY))
        text_append(words,
                    "the size of a gradient does not cancel here, because what it is divided by is not mainly the "
                    "root of its own squares.");
    else if (options->rule == RMS_RPROP || options->rule == RMS_LION)
        text_append(words, "%s.", tellings[options->rule].reason);
    else
        text_append(words,
                    "%s, so its size nearly cancels and the effective rates differ by a factor of %.3g the other way.",
                    tellings[options->rule].reason, rates);
}

/* Why both parameters move by nearly the same amount, if they do. */
static void print_comparison(const struct formula *formula, const struct study *study)
{
    const double gradients[] = {study->after[0][SYMBOL_GIVEN_GRADIENT], study->after[1][SYMBOL_GIVEN_GRADIENT]};
    const bool decays = study->options.l2_decay > 0 || study->options.decoupled_decay > 0;
    const double moves = fold(study->last_move);
    struct text words = {0};
    if ((gradients[0] == 0 || gradients[1] == 0) && decays)
        text_append(&words, "Where the gradient is 0, weight decay alone moves the parameter.");
    else if (gradients[0] == 0 || gradients[1] == 0)
        text_append(&words, "A gradient of 0 moves nothing, however large the effective rate is.");
    else if (overflowed(study, SYMBOL_V) || overflowed(study, SYMBOL_SUM))
        text_append(&words,
                    "%s has overflowed, since a square is above 3.4e38: from here on that parameter stands still.",
                    symbols[overflowed(study, SYMBOL_V) ? SYMBOL_V : SYMBOL_SUM].sign);
    else if (!isfinite(moves))
        text_append(&words, "The moves cannot be compared: they are not both above 0.");
    else if (fold(gradients) == 1 && moves == 1)
        text_append(&words, "The gradients are equal in size, and so are the moves.");
    else
        compare_moves(&words, formula, study, fold(gradients));
    if (!words.failed)
        print_wrapped(words.text, 0, 0);
    text_free(&words);
}

/* What the first move is, in symbols, in numbers, and why. */
struct first_move {
    const char *formula;
    double size; /* NaN where no one sentence can say it */
    const char *because;
};
#define NO_FIRST_MOVE ((struct first_move){"", (double)NAN, ""})

static struct first_move first_move_of_rmsprop(const rms_options *o)
{
    const bool plain_momentum = o->momentum > 0 && !(o->momentum_average && o->bias_correction);
    if (plain_momentum || o->initial_accumulator > 0 || (o->centered && o->bias_correction))
        return NO_FIRST_MOVE;
    if (o->centered)
        return (struct first_move){"η/√(ρ·(1−ρ))", o->lr / sqrt(o->rho * (1 - o->rho)),
                                   "v and m start at 0 and have taken in little. If the gradient never changes, its "
                                   "variance dies out and in the end moves grow; if it does, they shrink."};
    if (o->bias_correction)
        return (struct first_move){
            "η", o->lr,
            "the division by 1−ρ^t makes up for v's start at 0. Without bias_correction it would "
            "be η/√(1−ρ)."};
    return (struct first_move){"η/√(1−ρ)", o->lr / sqrt(1 - o->rho),
                               "v starts at 0 and has taken in only (1−ρ)·g². As v fills up, moves shrink towards η. "
                               "With --set bias_correction=true the first move is η."};
}

static struct first_move first_move(const rms_options *options)
{
    if (options->l2_decay > 0 || options->decoupled_decay > 0)
        return NO_FIRST_MOVE;
    if (options->rule == RMS_RMSPROP)
        return first_move_of_rmsprop(options);
    if ((options->rule == RMS_ADAM || options->rule == RMS_ADAMAX) && options->bias_correction)
        return (struct first_move){"η", options->lr,
                                   "of a single gradient, once the start at 0 is made up for, mean and size are one."};
    if (options->rule == RMS_LION || options->rule == RMS_RPROP)
        return (struct first_move){"η", options->lr, "only its sign counts."};
    return NO_FIRST_MOVE;
}

/* Held against what the parameters did: eps or clipping may have had a part in it. */
static void print_first_step(const struct study *study)
{
    const rms_options *options = &study->options;
    if (options->centered && options->bias_correction) {
        print_wrapped("After one step the corrected variance is 0 but for rounding, so that the divisor is little more "
                      "than ε: this combination wants a larger eps.",
                      0, 0);
        return;
    }
    if (options->rule == RMS_RMSPROP && options->initial_accumulator > 0 && !options->bias_correction) {
        struct text words = {0};
        text_append(&words,
                    "v starts at %g: until it has forgotten that, over about 1/(1−ρ) = %.3g steps, gradients much "
                    "smaller than %.3g move their parameters less.",
                    options->initial_accumulator, 1 / (1 - options->rho), sqrt(options->initial_accumulator));
        if (!words.failed)
            print_wrapped(words.text, 0, 0);
        text_free(&words);
        return;
    }
    const struct first_move expected = first_move(options);
    for (size_t i = 0; i < PARAMETER_COUNT; ++i)
        if (!(fabs(fabs(study->first_move[i]) / expected.size - 1) < 1e-4))
            return;
    char number[NUMBER_TEXT_SIZE];
    struct text words = {0};
    text_append(&words, "The first move is %s = %s whatever the gradient: %s", expected.formula,
                number_text(number, expected.size, 6), expected.because);
    if (!words.failed)
        print_wrapped(words.text, 0, 0);
    text_free(&words);
}

/* Whose formula this is, where it was asked for by that name. */
static void print_preset(const char *name)
{
    rms_preset preset;
    size_t i = 0;
    while (rms_preset_at(i, &preset) && strcmp(preset.name, name) != 0)
        ++i;
    struct text words = {0};
    text_append(&words, "%s (%s, %s)%s%s", preset.title, preset.source, preset.version, *preset.note ? ": " : "",
                preset.note);
    (void)printf("%s%s%s  ", bold(), preset.name, plain());
    if (!words.failed)
        print_wrapped(words.text, strlen(preset.name) + 2, 2);
    (void)putchar('\n');
    text_free(&words);
}

static void print_study(const struct formula *formula, const struct study *study)
{
    const struct telling *telling = &tellings[study->options.rule];
    if (study->preset)
        print_preset(study->preset);
    (void)printf("%s%s%s: ", bold(), telling->title, plain());
    print_wrapped(study->options.centered ? "a step is divided by a running standard deviation of the gradients"
                                          : telling->claim,
                  strlen(telling->title) + 2, 0);
    (void)putchar('\n');
    print_formula(formula);
    print_symbols(formula, study);
    for (size_t i = 0; i < PARAMETER_COUNT; ++i)
        print_numbers(study, i);
    print_result(formula, study);
    print_comparison(formula, study);
    print_first_step(study);
}

/* ---- as JSON -------------------------------------------------------------------------------------- */

static json_t *parameter_json(const struct study *study, size_t parameter)
{
    const double *after = study->after[parameter];
    const unsigned kept = rms_slots_kept(&study->options, RMS_F32);
    json_t *state = json_object();
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot)
        for (int id = SYMBOL_STEP; (kept >> slot & 1) && id < SYMBOL_COUNT; ++id)
            if (symbols[id].key && strcmp(symbols[id].key, rms_slot_name(study->options.rule, slot)) == 0)
                (void)json_object_set_new(state, symbols[id].key, json_number(after[id]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "gradient", json_number(after[SYMBOL_GIVEN_GRADIENT]),
                     "start", json_number(study->start), "value", json_number(after[SYMBOL_PARAMETER]), "first_move",
                     json_number(study->first_move[parameter]), "last_move", json_number(study->last_move[parameter]),
                     "state", state, "effective_lr", json_number(study->rate[parameter]));
}

static json_t *study_json(const struct formula *formula, const struct study *study)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < formula->line_count; ++i)
        lines = json_append(
            lines, json_sprintf("%s ← %s", symbols[formula->lines[i].target].sign, formula->lines[i].right.text));
    json_t *parameters = json_array();
    for (size_t i = 0; i < PARAMETER_COUNT; ++i)
        parameters = json_append(parameters, parameter_json(study, i));
    return json_pack("{s:s, s:s, s:s?, s:I, s:o, s:o, s:s, s:o}", "version", rms_version(), "rule",
                     rms_rule_name(study->options.rule), "preset", study->preset, "steps", (json_int_t)study->steps,
                     "options", options_json(&study->options), "formula", lines, "rate", formula->rate.text,
                     "parameters", parameters);
}

int explain_verb(const struct arguments *arguments)
{
    struct study study = {0};
    const int status = experiment(&study, arguments);
    if (status != STATUS_OK)
        return status;
    struct formula formula;
    formula_make(&formula, &study.options, study.steps, SIGN_OPEN);
    bool told = !formula.failed;
    if (formula.failed)
        complain("explain: out of memory");
    else if (arguments->json)
        told = print_json(study_json(&formula, &study));
    else
        print_study(&formula, &study);
    formula_free(&formula);
    return told ? STATUS_OK : STATUS_FAILED;
}
