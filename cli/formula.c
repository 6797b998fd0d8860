/* A rule's formula as it stands with given options: written once in symbols, and again with numbers in their
 * places. */
#include "formula.h"

#include <math.h>
#include <string.h>

const struct symbol symbols[SYMBOL_COUNT] = {
    [SYMBOL_LR] = {"η", "lr", "the learning rate"},
    [SYMBOL_RHO] = {"ρ", "rho", "how much of v is remembered"},
    [SYMBOL_BETA1] = {"β₁", "beta1", "how much of m is remembered"},
    [SYMBOL_BETA2] = {"β₂", "beta2", "how much of the gradients' size is remembered"},
    [SYMBOL_EPS] = {"ε", "eps", "against division by zero"},
    [SYMBOL_EPS_INSIDE] = {"ε'", "eps_inside", "against division by zero, under the root"},
    [SYMBOL_MOMENTUM] = {"μ", "momentum", "how much of b is remembered"},
    [SYMBOL_DAMPENING] = {"τ", "dampening", "how much of a gradient b leaves out"},
    [SYMBOL_LR_DECAY] = {"d", "lr_decay", "how fast the learning rate falls"},
    [SYMBOL_ETA_MINUS] = {"η₋", "eta_minus", "how a step size shrinks when the sign flips"},
    [SYMBOL_ETA_PLUS] = {"η₊", "eta_plus", "how a step size grows when the sign stays"},
    [SYMBOL_STEP_SIZE_MIN] = {"h₋", "step_size_min", "the smallest step size"},
    [SYMBOL_STEP_SIZE_MAX] = {"h₊", "step_size_max", "the largest step size"},
    [SYMBOL_MOMENTUM_DECAY] = {"ψ", "momentum_decay", "how fast the momentum rises to β₁"},
    [SYMBOL_AVERAGE_DECAY] = {"α", "average_decay", "how much of A is remembered"},
    [SYMBOL_L2_DECAY] = {"λ", "l2_decay", "weight decay through the gradient"},
    [SYMBOL_DECOUPLED_DECAY] = {"δ", "decoupled_decay", "weight decay beside the gradient"},
    [SYMBOL_SCALE] = {"S", "grad_scale", "gradients are multiplied by it"},
    [SYMBOL_CLIP_FACTOR] = {"F", NULL, "what clip_norm leaves of the gradients"},
    [SYMBOL_CLIP_VALUE] = {"κ", "clip_value", "clip(±κ, x) keeps x within −κ and κ"},
    [SYMBOL_STEP] = {"t", NULL, "the number of the step"},
    [SYMBOL_GIVEN_GRADIENT] = {"g₀", NULL, "the gradient as it is given"},
    [SYMBOL_GRADIENT] = {"g", NULL, "the gradient"},
    [SYMBOL_V] = {"v", "v", "what is remembered of the squared gradients"},
    [SYMBOL_V_MAX] = {"a", "v_max", "the largest v so far"},
    [SYMBOL_SUM] = {"s", "sum", "the sum of the squared gradients"},
    [SYMBOL_LARGEST] = {"l", "largest", "the size of the largest gradient of late"},
    [SYMBOL_DELTA] = {"D", "delta", "what is remembered of the squared moves"},
    [SYMBOL_MEAN] = {"m", "mean", "what is remembered of the gradients"},
    [SYMBOL_BUFFER] = {"b", "momentum", "the momentum buffer"},
    [SYMBOL_PREVIOUS] = {"q", "previous", "the gradient of the step before, 0 after a flip"},
    [SYMBOL_STEP_SIZE] = {"h", "step_size", "the step size; it starts at lr"},
    [SYMBOL_PARAMETER] = {"p", NULL, "the parameter"},
    [SYMBOL_AVERAGE] = {"A", "average", "what is remembered of the parameter"},
    [SYMBOL_MOVEMENT] = {"Δ", NULL, "the movement before η"},
    [SYMBOL_MOMENTUM_NOW] = {"μₜ", NULL, "the momentum of this step"},
    [SYMBOL_MOMENTUM_NEXT] = {"μₜ₊₁", NULL, "the momentum of the next step"},
    [SYMBOL_MOMENTUM_PRODUCT] = {"Π", NULL, "all momenta so far, multiplied"},
    [SYMBOL_LENGTH_LIMIT] = {"N", NULL, "how many gradients v rests on in the end"},
    [SYMBOL_LENGTH] = {"n", NULL, "how many it rests on now"},
    [SYMBOL_RECTIFICATION] = {"r", NULL, "what makes up for resting on few"},
};

const char *symbol_meaning(enum symbol_id symbol, rms_rule rule)
{
    if (rule == RMS_LION && symbol == SYMBOL_BETA1)
        return "how much m counts in the move";
    if (rule == RMS_LION && symbol == SYMBOL_BETA2)
        return "how much of m is remembered";
    return symbols[symbol].meaning;
}

/* ---- reading expressions -------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* U+2080 to U+209F: subscripts belong to the sign before them. */
static bool is_subscript(const char *text)
{
    return (unsigned char)text[0] == 0xE2U && (unsigned char)text[1] == 0x82U &&
           ((unsigned char)text[2] & 0xE0U) == 0x80U;
}

/* Bytes of the token at the front of an expression: a word of letters, or one UTF-8 character, with what hangs on. */
static size_t token_length(const char *expression)
{
    size_t length = 1;
    if (is_letter(*expression))
        while (is_letter(expression[length]))
            ++length;
    else
        while (((unsigned char)expression[length] & 0xC0U) == 0x80U)
            ++length;
    while (is_subscript(&expression[length]))
        length += 3;
    return expression[length] == '\'' ? length + 1 : length;
}

/* SYMBOL_COUNT for a token that is none. */
static enum symbol_id find_symbol(const char *token, size_t length)
{
    int id = 0;
    while (id < SYMBOL_COUNT && !(strlen(symbols[id].sign) == length && memcmp(symbols[id].sign, token, length) == 0))
        ++id;
    return (enum symbol_id)id;
}

bool expression_mentions(const char *expression, enum symbol_id symbol)
{
    for (; *expression; expression += token_length(expression))
        if (find_symbol(expression, token_length(expression)) == symbol)
            return true;
    return false;
}

void append_with_values(struct text *text, const char *expression, const double values[SYMBOL_COUNT])
{
    for (size_t length; *expression; expression += length) {
        length = token_length(expression);
        const enum symbol_id symbol = find_symbol(expression, length);
        if (symbol == SYMBOL_COUNT) {
            text_append(text, "%.*s", (int)length, expression);
            continue;
        }
        char number[NUMBER_TEXT_SIZE];
        const bool negative = values[symbol] < 0;
        text_append(text, negative ? "(%s)" : "%s", number_text(number, values[symbol], 6));
    }
}

/* ---- what is worked out on the way ---------------------------------------------------------------- */

static double nadam_momentum(const rms_options *options, double step)
{
    return options->beta1 * (1 - 0.5 * pow(0.96, step * options->momentum_decay));
}

static double radam_limit(const rms_options *options)
{
    return 2 / (1 - options->beta2) - 1;
}

static double radam_length(const rms_options *options, size_t step)
{
    const double faded = pow(options->beta2, (double)step);
    return radam_limit(options) - 2 * (double)step * faded / (1 - faded);
}

/* What the rule makes of a gradient, in the library's order and precision. */
static double prepared_gradient(const double before[SYMBOL_COUNT], const rms_options *options)
{
    const double scale = options->grad_scale * before[SYMBOL_CLIP_FACTOR];
    const float scaled = (float)before[SYMBOL_GIVEN_GRADIENT] * (float)(options->maximize ? -scale : scale);
    const float bound = options->clip_value > 0 ? (float)options->clip_value : INFINITY;
    const float clipped = scaled > bound ? bound : scaled < -bound ? -bound : scaled;
    return (double)(clipped + (float)options->l2_decay * (float)before[SYMBOL_PARAMETER]);
}

void symbols_derive(double before[SYMBOL_COUNT], double after[SYMBOL_COUNT], const rms_options *options, size_t step)
{
    const double limit = radam_limit(options);
    const double length = radam_length(options, step);
    double product = 1;
    for (size_t earlier = 1; earlier < step; ++earlier)
        product *= nadam_momentum(options, (double)earlier);
    before[SYMBOL_GRADIENT] = prepared_gradient(before, options);
    before[SYMBOL_MOMENTUM_PRODUCT] = product;
    after[SYMBOL_GRADIENT] = before[SYMBOL_GRADIENT];
    after[SYMBOL_MOVEMENT] = sqrt(before[SYMBOL_DELTA] + options->eps_inside) /
                             sqrt(after[SYMBOL_V] + options->eps_inside) * after[SYMBOL_GRADIENT];
    after[SYMBOL_MOMENTUM_NOW] = nadam_momentum(options, (double)step);
    after[SYMBOL_MOMENTUM_NEXT] = nadam_momentum(options, (double)step + 1);
    after[SYMBOL_MOMENTUM_PRODUCT] = product * after[SYMBOL_MOMENTUM_NOW];
    after[SYMBOL_LENGTH_LIMIT] = limit;
    after[SYMBOL_LENGTH] = length;
    after[SYMBOL_RECTIFICATION] = sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length));
}

/* RAdam divides by the root only above this length. */
#define LENGTH_NEEDED 5.0

/* ---- writing the formula -------------------------------------------------------------------------- */

/* A formula on its way. */
struct draft {
    struct formula *formula;
    const rms_options *options;
    size_t step;
    enum sign_case sign;
};

static struct text *add_line(const struct draft *draft, enum symbol_id target)
{
    struct assignment *line = &draft->formula->lines[draft->formula->line_count++];
    line->target = target;
    return &line->right;
}

/* The line that prepares the gradient, in the library's order, where anything is done to it. */
static void add_preparation(const struct draft *draft)
{
    const rms_options *o = draft->options;
    if (!o->maximize && o->grad_scale == 1 && !(o->clip_norm > 0) && !(o->clip_value > 0) && !(o->l2_decay > 0))
        return;
    struct text *line = add_line(draft, SYMBOL_GRADIENT);
    if (o->clip_value > 0)
        text_append(line, "clip(±κ, ");
    text_append(line, "%s%s%sg₀", o->maximize ? "−" : "", o->grad_scale != 1 ? "S·" : "", o->clip_norm > 0 ? "F·" : "");
    if (o->clip_value > 0)
        text_append(line, ")");
    if (o->l2_decay > 0)
        text_append(line, " + λ·p");
}

/* The line that moves the parameter, begun with what decoupled decay leaves of it. */
static struct text *add_move(const struct draft *draft)
{
    struct text *line = add_line(draft, SYMBOL_PARAMETER);
    text_append(line, "%sp − ", draft->options->decoupled_decay > 0 ? "(1 − η·δ)·" : "");
    return line;
}

/* A moving average of gradients, or of squares. */
static void add_average(const struct draft *draft, enum symbol_id target, const char *decay, const char *what)
{
    text_append(add_line(draft, target), "%s·%s + (1−%s)·%s", decay, symbols[target].sign, decay, what);
}

/* What a step is divided by: the root of power, which is corrected by a decay if that is not NULL. */
static void append_root(struct text *text, const rms_options *options, const char *power, const char *correction)
{
    const bool sum = options->eps > 0;
    const bool bare = !correction && !options->centered && !(options->eps_inside > 0);
    text_append(text, "%s%s%s", sum ? "(" : "", bare ? "√" : "√(", power);
    if (correction)
        text_append(text, "/(1−%s^t)", correction);
    if (options->centered && correction)
        text_append(text, " − (m/(1−%s^t))²", correction);
    else if (options->centered)
        text_append(text, " − m²");
    if (options->eps_inside > 0)
        text_append(text, " + ε'");
    text_append(text, "%s%s", bare ? "" : ")", sum ? " + ε)" : "");
}

/* SGD hands its momentum the gradient, RMSProp what is left of it after the division. */
static void add_momentum(const struct draft *draft, const char *update, const char *root)
{
    const rms_options *o = draft->options;
    struct text *rate = &draft->formula->rate;
    const bool inside = o->momentum > 0 && o->lr_in_momentum;
    const bool damped = o->dampening > 0 && draft->step > 1;
    const char *share = o->momentum_average ? "(1−μ)·" : damped ? "(1−τ)·" : "";
    const char *correction = o->momentum_average && o->bias_correction ? "/(1−μ^t)" : "";
    if (o->momentum > 0)
        text_append(add_line(draft, SYMBOL_BUFFER), "μ·b + %s%s%s", share, inside ? "η·" : "", update);

    struct text *move = add_move(draft);
    if (!(o->momentum > 0))
        text_append(move, "η·%s", update);
    else if (o->nesterov)
        text_append(move, inside ? "(η·%s + μ·b)" : "η·(%s + μ·b)", update);
    else
        text_append(move, "%sb%s", inside ? "" : "η·", correction);

    /* Nesterov's move has in it both the gradient and, by the buffer, μ times the gradient. */
    if (o->momentum > 0)
        text_append(rate, "%s", o->nesterov ? "(1+μ)·" : share);
    text_append(rate, "η%s%s%s", o->momentum > 0 ? correction : "", *root ? "/" : "", root);
}

static void make_sgd(const struct draft *draft)
{
    add_momentum(draft, "g", "");
}

static void make_adagrad(const struct draft *draft)
{
    const char *rate = draft->options->lr_decay > 0 ? "η/(1 + (t−1)·d)" : "η";
    struct text root = {0};
    append_root(&root, draft->options, "s", NULL);
    text_append(add_line(draft, SYMBOL_SUM), "s + g²");
    if (!root.failed) {
        text_append(add_move(draft), "%s·g/%s", rate, root.text);
        text_append(&draft->formula->rate, "%s/%s", rate, root.text);
    }
    draft->formula->failed = root.failed;
    text_free(&root);
}

static void make_rmsprop(const struct draft *draft)
{
    struct text root = {0};
    struct text update = {0};
    append_root(&root, draft->options, "v", draft->options->bias_correction ? "ρ" : NULL);
    add_average(draft, SYMBOL_V, "ρ", "g²");
    if (draft->options->centered)
        add_average(draft, SYMBOL_MEAN, "ρ", "g");
    if (!root.failed)
        text_append(&update, "g/%s", root.text);
    draft->formula->failed = root.failed || update.failed;
    if (!draft->formula->failed)
        add_momentum(draft, update.text, root.text);
    text_free(&root);
    text_free(&update);
}

/* The rate at which Adam and its kin use m. */
static const char *mean_rate(const rms_options *options)
{
    return options->bias_correction ? "η/(1−β₁^t)" : "η";
}

static void make_adam(const struct draft *draft)
{
    const rms_options *o = draft->options;
    struct text root = {0};
    append_root(&root, o, o->amsgrad ? "a" : "v", o->bias_correction ? "β₂" : NULL);
    add_average(draft, SYMBOL_MEAN, "β₁", "g");
    add_average(draft, SYMBOL_V, "β₂", "g²");
    if (o->amsgrad)
        text_append(add_line(draft, SYMBOL_V_MAX), "max(a, v)");
    if (!root.failed) {
        text_append(add_move(draft), "%s·m/%s", mean_rate(o), root.text);
        text_append(&draft->formula->rate, "%s/%s", mean_rate(o), root.text);
    }
    draft->formula->rate_of = "m";
    draft->formula->failed = root.failed;
    text_free(&root);
}

static void make_rprop(const struct draft *draft)
{
    static const char *const factors[] = {
        [SIGN_OPEN] = "x·", [SIGN_STAYED] = "η₊·", [SIGN_FLIPPED] = "η₋·", [SIGN_NEITHER] = ""};
    struct text *size = add_line(draft, SYMBOL_STEP_SIZE);
    text_append(size, "min(h₊, max(h₋, %sh))", factors[draft->sign]);
    struct text *previous = add_line(draft, SYMBOL_PREVIOUS);
    if (draft->sign == SIGN_OPEN) {
        text_append(size, " with x = η₊ if g·q > 0, η₋ if g·q < 0, else 1");
        text_append(previous, "0 if g·q < 0, else g");
    } else {
        text_append(previous, "%s", draft->sign == SIGN_FLIPPED ? "0" : "g");
    }
    text_append(add_move(draft), "sign(q)·h");
    text_append(&draft->formula->rate, "h");
    draft->formula->rate_of = "";
}

static void make_adadelta(const struct draft *draft)
{
    add_average(draft, SYMBOL_V, "ρ", "g²");
    text_append(add_line(draft, SYMBOL_MOVEMENT), "√(D + ε')/√(v + ε')·g");
    add_average(draft, SYMBOL_DELTA, "ρ", "Δ²");
    text_append(add_move(draft), "η·Δ");
    text_append(&draft->formula->rate, "η·√(D + ε')/√(v + ε')");
}

static void make_adamax(const struct draft *draft)
{
    add_average(draft, SYMBOL_MEAN, "β₁", "g");
    text_append(add_line(draft, SYMBOL_LARGEST), "max(β₂·l, |g|%s)", draft->options->eps > 0 ? " + ε" : "");
    text_append(add_move(draft), "%s·m/l", mean_rate(draft->options));
    text_append(&draft->formula->rate, "%s/l", mean_rate(draft->options));
    draft->formula->rate_of = "m";
}

static void make_nadam(const struct draft *draft)
{
    struct text root = {0};
    append_root(&root, draft->options, "v", "β₂");
    text_append(add_line(draft, SYMBOL_MOMENTUM_NOW), "β₁·(1 − 0.96^(t·ψ)/2)");
    text_append(add_line(draft, SYMBOL_MOMENTUM_NEXT), "β₁·(1 − 0.96^((t+1)·ψ)/2)");
    text_append(add_line(draft, SYMBOL_MOMENTUM_PRODUCT), "Π·μₜ");
    add_average(draft, SYMBOL_MEAN, "β₁", "g");
    add_average(draft, SYMBOL_V, "β₂", "g²");
    if (!root.failed) {
        text_append(add_move(draft), "η·((1−μₜ)/(1−Π)·g + μₜ₊₁/(1−Π·μₜ₊₁)·m)/%s", root.text);
        text_append(&draft->formula->rate, "η·((1−μₜ)/(1−Π) + μₜ₊₁/(1−Π·μₜ₊₁)·(1−β₁))/%s", root.text);
    }
    draft->formula->failed = root.failed;
    text_free(&root);
}

static void make_radam(const struct draft *draft)
{
    const bool adaptive = radam_length(draft->options, draft->step) > LENGTH_NEEDED;
    struct text root = {0};
    append_root(&root, draft->options, "v", NULL);
    text_append(add_line(draft, SYMBOL_LENGTH_LIMIT), "2/(1−β₂) − 1");
    text_append(add_line(draft, SYMBOL_LENGTH), "N − 2·t·β₂^t/(1−β₂^t)");
    if (adaptive)
        text_append(add_line(draft, SYMBOL_RECTIFICATION), "√((n−4)·(n−2)·N/((N−4)·(N−2)·n))");
    add_average(draft, SYMBOL_MEAN, "β₁", "g");
    add_average(draft, SYMBOL_V, "β₂", "g²");
    if (!root.failed && adaptive) {
        text_append(add_move(draft), "η·r·√(1−β₂^t)/(1−β₁^t)·m/%s", root.text);
        text_append(&draft->formula->rate, "η·r·√(1−β₂^t)/(1−β₁^t)/%s", root.text);
    } else {
        text_append(add_move(draft), "η/(1−β₁^t)·m");
        text_append(&draft->formula->rate, "η/(1−β₁^t)");
    }
    draft->formula->rate_of = "m";
    draft->formula->failed = root.failed;
    text_free(&root);
}

/* The parameter comes before m, whose old value decides. */
static void make_lion(const struct draft *draft)
{
    text_append(add_move(draft), "η·sign(β₁·m + (1−β₁)·g)");
    add_average(draft, SYMBOL_MEAN, "β₂", "g");
    text_append(&draft->formula->rate, "η");
    draft->formula->rate_of = "";
}

static void (*const makers[RMS_RULE_COUNT])(const struct draft *draft) = {
    [RMS_SGD] = make_sgd,     [RMS_ADAGRAD] = make_adagrad,   [RMS_RMSPROP] = make_rmsprop, [RMS_ADAM] = make_adam,
    [RMS_RPROP] = make_rprop, [RMS_ADADELTA] = make_adadelta, [RMS_ADAMAX] = make_adamax,   [RMS_NADAM] = make_nadam,
    [RMS_RADAM] = make_radam, [RMS_LION] = make_lion,
};

void formula_make(struct formula *formula, const rms_options *options, size_t step, enum sign_case sign)
{
    *formula = (struct formula){.rate_of = "g"};
    const struct draft draft = {formula, options, step, sign};
    add_preparation(&draft);
    makers[options->rule](&draft);
    if (options->average_decay > 0)
        text_append(add_line(&draft, SYMBOL_AVERAGE), step > 1 ? "α·A + (1−α)·p" : "p");
    formula->failed = formula->failed || formula->rate.failed;
    for (size_t i = 0; i < formula->line_count; ++i)
        formula->failed = formula->failed || formula->lines[i].right.failed;
}

void formula_free(struct formula *formula)
{
    for (size_t i = 0; i < formula->line_count; ++i)
        text_free(&formula->lines[i].right);
    text_free(&formula->rate);
    *formula = (struct formula){0};
}
