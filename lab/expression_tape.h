/* What reading an expression makes, and evaluating it takes. */
#ifndef LAB_EXPRESSION_TAPE_H
#define LAB_EXPRESSION_TAPE_H

#include "expression.h"

#define LAB_EXPRESSION_NAME_MAX 31

enum operation_kind {
    OPERATION_NUMBER,
    OPERATION_VARIABLE,
    OPERATION_NEGATE,
    OPERATION_ADD,
    OPERATION_SUBTRACT,
    OPERATION_MULTIPLY,
    OPERATION_DIVIDE,
    OPERATION_POW,
    OPERATION_SIN,
    OPERATION_COS,
    OPERATION_TAN,
    OPERATION_EXP,
    OPERATION_LOG,
    OPERATION_SQRT,
    OPERATION_ABS,
    OPERATION_TANH,
    OPERATION_MIN,
    OPERATION_MAX
};

struct operation {
    enum operation_kind kind;
    bool varies;        /* a variable is in it */
    size_t left, right; /* earlier operations, the same where one is taken; for a variable, left is its number */
    double number;
};

struct lab_expression {
    size_t count; /* at least 1: the last is the result */
    struct operation operations[LAB_EXPRESSION_OPERATIONS_MAX];
    size_t variable_count;
    char names[LAB_EXPRESSION_VARIABLES_MAX][LAB_EXPRESSION_NAME_MAX + 1];
};

#endif
