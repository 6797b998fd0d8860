/* A rule's formula as it stands with given options: written once in symbols, and again with numbers in their
 * places. */
#ifndef CLI_FORMULA_H
#define CLI_FORMULA_H

#include "text.h"

#include <rmsprop.h>

/* What formulas speak of: options, then what changes from step to step, then what is worked out on the way. */
enum symbol_id {
    SYMBOL_LR,
    SYMBOL_RHO,
    SYMBOL_BETA1,
    SYMBOL_BETA2,
    SYMBOL_EPS,
    SYMBOL_EPS_INSIDE,
    SYMBOL_MOMENTUM,
    SYMBOL_DAMPENING,
    SYMBOL_LR_DECAY,
    SYMBOL_ETA_MINUS,
    SYMBOL_ETA_PLUS,
    SYMBOL_STEP_SIZE_MIN,
    SYMBOL_STEP_SIZE_MAX,
    SYMBOL_MOMENTUM_DECAY,
    SYMBOL_AVERAGE_DECAY,
    SYMBOL_L2_DECAY,
    SYMBOL_DECOUPLED_DECAY,
    SYMBOL_SCALE,
    SYMBOL_CLIP_FACTOR,
    SYMBOL_CLIP_VALUE,
    SYMBOL_STEP,
    SYMBOL_GIVEN_GRADIENT,
    SYMBOL_GRADIENT,
    SYMBOL_V,
    SYMBOL_V_MAX,
    SYMBOL_SUM,
    SYMBOL_LARGEST,
    SYMBOL_DELTA,
    SYMBOL_MEAN,
    SYMBOL_BUFFER,
    SYMBOL_PREVIOUS,
    SYMBOL_STEP_SIZE,
    SYMBOL_PARAMETER,
    SYMBOL_AVERAGE,
    SYMBOL_MOVEMENT,
    SYMBOL_MOMENTUM_NOW,
    SYMBOL_MOMENTUM_NEXT,
    SYMBOL_MOMENTUM_PRODUCT,
    SYMBOL_LENGTH_LIMIT,
    SYMBOL_LENGTH,
    SYMBOL_RECTIFICATION,
    SYMBOL_COUNT
};

struct symbol {
    const char *sign;
    const char *key; /* the option or state slot behind it; NULL for none */
    const char *meaning;
};
extern const struct symbol symbols[SYMBOL_COUNT];

/* What a symbol means in a rule: Lion uses its decays in another way. */
const char *symbol_meaning(enum symbol_id symbol, rms_rule rule);

/* One assignment: target <- right. */
struct assignment {
    enum symbol_id target;
    struct text right;
};

#define FORMULA_LINES_MAX 8
struct formula {
    struct assignment lines[FORMULA_LINES_MAX];
    size_t line_count;
    struct text rate;    /* the effective rate */
    const char *rate_of; /* what it multiplies: "g" or "m"; "" where it is the move itself */
    bool failed;         /* memory was short */
};

/* What a gradient's sign did since the step before: Rprop's formula goes by it. OPEN: not said, so that the formula
 * names all cases. */
enum sign_case { SIGN_OPEN, SIGN_STAYED, SIGN_FLIPPED, SIGN_NEITHER };

/* The formula of these options at this step, which leaves out what they switch off. */
void formula_make(struct formula *formula, const rms_options *options, size_t step, enum sign_case sign);
void formula_free(struct formula *formula);

/* Works out what the library keeps to itself, from what stands before and after a step. */
void symbols_derive(double before[SYMBOL_COUNT], double after[SYMBOL_COUNT], const rms_options *options, size_t step);

/* Whether an expression speaks of a symbol. */
bool expression_mentions(const char *expression, enum symbol_id symbol);

/* Appends an expression with values in the place of its symbols. */
void append_with_values(struct text *text, const char *expression, const double values[SYMBOL_COUNT]);

#endif
