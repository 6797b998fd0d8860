/* RMSProp's formula as it stands with given options: written once in symbols, and again with numbers in
 * their places. */
#include "formula.h"

#include <string.h>

const struct symbol symbols[SYMBOL_COUNT] = {
    [SYMBOL_LR] = {"η", "lr", "the learning rate"},
    [SYMBOL_RHO] = {"ρ", "rho", "how much of v is remembered"},
    [SYMBOL_EPS] = {"ε", "eps", "against division by zero"},
    [SYMBOL_EPS_INSIDE] = {"δ", "eps_inside", "against division by zero, under the root"},
    [SYMBOL_MOMENTUM] = {"μ", "momentum", "how much of b is remembered"},
    [SYMBOL_L2_DECAY] = {"λ", "l2_decay", "weight decay through the gradient"},
    [SYMBOL_DECOUPLED_DECAY] = {"κ", "decoupled_decay", "weight decay beside the gradient"},
    [SYMBOL_SCALE] = {"s", "grad_scale", "gradients are multiplied by it"},
    [SYMBOL_CLIP_FACTOR] = {"k", NULL, "what clip_norm leaves of the gradients"},
    [SYMBOL_CLIP_VALUE] = {"c", "clip_value", "clip(±c, x) keeps x within −c and c"},
    [SYMBOL_STEP] = {"t", NULL, "the number of the step"},
    [SYMBOL_GRADIENT] = {"g", NULL, "the gradient"},
    [SYMBOL_V] = {"v", "v", "what is remembered of the squared gradients"},
    [SYMBOL_MEAN] = {"m", "mean", "what is remembered of the gradients"},
    [SYMBOL_BUFFER] = {"b", "momentum", "what is remembered of the moves"},
    [SYMBOL_PARAMETER] = {"p", NULL, "the parameter"},
};

/* ---- reading expressions -------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes of the token at the front of an expression: a word of letters, or one UTF-8 character. */
static size_t token_length(const char *expression)
{
    size_t length = 1;
    if (is_letter(*expression))
        while (is_letter(expression[length]))
            ++length;
    else
        while (((unsigned char)expression[length] & 0xC0U) == 0x80U)
            ++length;
    return length;
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

/* ---- writing the formula -------------------------------------------------------------------------- */

/* The gradient after all that is done to it before the rule, in the library's order. */
static void append_gradient(struct text *text, const rms_options *options)
{
    if (options->clip_value > 0)
        text_append(text, "clip(±c, ");
    text_append(text, "%s%s%sg", options->maximize ? "−" : "", options->grad_scale != 1 ? "s·" : "",
                options->clip_norm > 0 ? "k·" : "");
    if (options->clip_value > 0)
        text_append(text, ")");
    if (options->l2_decay > 0)
        text_append(text, " + λ·p");
}

static void append_root(struct text *text, const rms_options *options)
{
    const bool corrected = options->bias_correction;
    const bool bare = !corrected && !options->centered && !(options->eps_inside > 0);
    text_append(text, bare ? "√" : "√(");
    text_append(text, corrected ? "v/(1−ρ^t)" : "v");
    if (options->centered)
        text_append(text, corrected ? " − (m/(1−ρ^t))²" : " − m²");
    if (options->eps_inside > 0)
        text_append(text, " + δ");
    text_append(text, bare ? "" : ")");
    if (options->eps > 0)
        text_append(text, " + ε");
}

static struct text *add_line(struct formula *formula, enum symbol_id target)
{
    struct assignment *line = &formula->lines[formula->line_count++];
    line->target = target;
    return &line->right;
}

/* fraction is the gradient over the root. */
static void add_move(struct formula *formula, const rms_options *options, const char *fraction)
{
    const bool buffered = options->momentum > 0;
    const bool inside = buffered && options->lr_in_momentum;
    if (buffered)
        text_append(add_line(formula, SYMBOL_BUFFER), "μ·b + %s%s", inside ? "η·" : "", fraction);

    struct text *move = add_line(formula, SYMBOL_PARAMETER);
    text_append(move, "%sp − ", options->decoupled_decay > 0 ? "(1 − η·κ)·" : "");
    if (!buffered)
        text_append(move, "η·%s", fraction);
    else if (options->nesterov)
        text_append(move, inside ? "(η·%s + μ·b)" : "η·(%s + μ·b)", fraction);
    else
        text_append(move, inside ? "b" : "η·b");
}

void formula_make(struct formula *formula, const rms_options *options)
{
    *formula = (struct formula){0};
    struct text gradient = {0};
    struct text fraction = {0};
    append_gradient(&gradient, options);
    append_root(&formula->root, options);
    if (!gradient.failed && !formula->root.failed) {
        const bool plain = strcmp(gradient.text, "g") == 0;
        const bool sum = options->eps > 0;
        const char *prepared = gradient.text;
        const char *root = formula->root.text;
        text_append(&fraction, plain ? "%s/" : "(%s)/", prepared);
        text_append(&fraction, sum ? "(%s)" : "%s", root);
        /* Nesterov's move has in it both the gradient and, by the buffer, μ times the gradient. */
        text_append(&formula->rate, options->momentum > 0 && options->nesterov ? "(1+μ)·" : "");
        text_append(&formula->rate, sum ? "η/(%s)" : "η/%s", root);

        text_append(add_line(formula, SYMBOL_V), plain ? "ρ·v + (1−ρ)·%s²" : "ρ·v + (1−ρ)·(%s)²", prepared);
        if (options->centered)
            text_append(add_line(formula, SYMBOL_MEAN), plain ? "ρ·m + (1−ρ)·%s" : "ρ·m + (1−ρ)·(%s)", prepared);
        if (!fraction.failed)
            add_move(formula, options, fraction.text);
    }
    formula->failed = gradient.failed || fraction.failed || formula->root.failed || formula->rate.failed;
    for (size_t i = 0; i < formula->line_count; ++i)
        formula->failed = formula->failed || formula->lines[i].right.failed;
    text_free(&gradient);
    text_free(&fraction);
}

void formula_free(struct formula *formula)
{
    for (size_t i = 0; i < formula->line_count; ++i)
        text_free(&formula->lines[i].right);
    text_free(&formula->rate);
    text_free(&formula->root);
    *formula = (struct formula){0};
}
