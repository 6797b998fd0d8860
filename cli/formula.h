/* RMSProp's formula as it stands with given options: written once in symbols, and again with numbers in
 * their places. */
#ifndef CLI_FORMULA_H
#define CLI_FORMULA_H

#include "text.h"

#include <rmsprop.h>

/* What the formula speaks of. */
enum symbol_id {
    SYMBOL_LR,
    SYMBOL_RHO,
    SYMBOL_EPS,
    SYMBOL_EPS_INSIDE,
    SYMBOL_MOMENTUM,
    SYMBOL_L2_DECAY,
    SYMBOL_DECOUPLED_DECAY,
    SYMBOL_SCALE,
    SYMBOL_CLIP_FACTOR,
    SYMBOL_CLIP_VALUE,
    SYMBOL_STEP,
    SYMBOL_GRADIENT,
    SYMBOL_V,
    SYMBOL_MEAN,
    SYMBOL_BUFFER,
    SYMBOL_PARAMETER,
    SYMBOL_COUNT
};

struct symbol {
    const char *sign;
    const char *key; /* the option or state slot behind it; NULL for none */
    const char *meaning;
};
extern const struct symbol symbols[SYMBOL_COUNT];

/* One assignment: target <- right. */
struct assignment {
    enum symbol_id target;
    struct text right;
};

#define FORMULA_LINES_MAX 4
struct formula {
    struct assignment lines[FORMULA_LINES_MAX];
    size_t line_count;
    struct text rate; /* what the gradient is multiplied by */
    struct text root; /* what it is divided by */
    bool failed;      /* memory was short */
};

/* The formula of these options, which leaves out what they switch off. */
void formula_make(struct formula *formula, const rms_options *options);
void formula_free(struct formula *formula);

/* Whether an expression speaks of a symbol. */
bool expression_mentions(const char *expression, enum symbol_id symbol);

/* Appends an expression with values in the place of its symbols. */
void append_with_values(struct text *text, const char *expression, const double values[SYMBOL_COUNT]);

#endif
