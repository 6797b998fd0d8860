/* An expression is a list of operations, each after those whose results it takes: forward for the value, backward for
 * the gradient ("reverse accumulation"; Griewank and Walther, "Evaluating Derivatives", 2nd edition, 2008). */
#include "expression_tape.h"

#include "elementary.h"

#include <math.h>
#include <stdlib.h>

static double smaller(double a, double b)
{
    return isnan(b) || b < a ? b : a;
}

static double larger(double a, double b)
{
    return isnan(b) || b > a ? b : a;
}

/* The result of an operation on a and, where it takes two, b. */
static double apply(const struct operation *operation, double a, double b, const double *point)
{
    switch (operation->kind) {
    case OPERATION_NUMBER:
        return operation->number;
    case OPERATION_VARIABLE:
        return point[operation->left];
    case OPERATION_NEGATE:
        return -a;
    case OPERATION_ADD:
        return a + b;
    case OPERATION_SUBTRACT:
        return a - b;
    case OPERATION_MULTIPLY:
        return a * b;
    case OPERATION_DIVIDE:
        return a / b;
    case OPERATION_POW:
        return lab_pow(a, b);
    case OPERATION_SIN:
        return lab_sin(a);
    case OPERATION_COS:
        return lab_cos(a);
    case OPERATION_TAN:
        return lab_sin(a) / lab_cos(a);
    case OPERATION_EXP:
        return lab_exp(a);
    case OPERATION_LOG:
        return lab_log(a);
    case OPERATION_SQRT:
        return sqrt(a);
    case OPERATION_ABS:
        return fabs(a);
    case OPERATION_TANH:
        return lab_tanh(a);
    case OPERATION_MIN:
        return smaller(a, b);
    case OPERATION_MAX:
        return larger(a, b);
    }
    return (double)NAN;
}

/* 0 for an infinite derivative at the edge of where a function is. */
static double by_base(double base, double exponent)
{
    if (exponent == 0.0 || (base == 0.0 && exponent > 0.0 && exponent < 1.0))
        return 0.0;
    return exponent * lab_pow(base, exponent - 1.0);
}

/* The derivatives of an operation's result y by a and b. */
static void differentiate(const struct operation *operation, double a, double b, double y, double *by_a, double *by_b)
{
    switch (operation->kind) {
    case OPERATION_NUMBER:
    case OPERATION_VARIABLE:
        break;
    case OPERATION_NEGATE:
        *by_a = -1.0;
        break;
    case OPERATION_ADD:
        *by_a = *by_b = 1.0;
        break;
    case OPERATION_SUBTRACT:
        *by_a = 1.0;
        *by_b = -1.0;
        break;
    case OPERATION_MULTIPLY:
        *by_a = b;
        *by_b = a;
        break;
    case OPERATION_DIVIDE:
        *by_a = 1.0 / b;
        *by_b = -y / b;
        break;
    case OPERATION_POW:
        *by_a = by_base(a, b);
        *by_b = a > 0.0 ? y * lab_log(a) : 0.0;
        break;
    case OPERATION_SIN:
        *by_a = lab_cos(a);
        break;
    case OPERATION_COS:
        *by_a = -lab_sin(a);
        break;
    case OPERATION_TAN:
        *by_a = 1.0 + y * y;
        break;
    case OPERATION_EXP:
        *by_a = y;
        break;
    case OPERATION_LOG:
        *by_a = 1.0 / a;
        break;
    case OPERATION_SQRT:
        *by_a = y == 0.0 ? 0.0 : 0.5 / y;
        break;
    case OPERATION_ABS:
        *by_a = (a > 0.0) - (a < 0.0);
        break;
    case OPERATION_TANH:
        *by_a = 1.0 - y * y;
        break;
    case OPERATION_MIN:
        *by_a = !(b < a);
        *by_b = b < a;
        break;
    case OPERATION_MAX:
        *by_a = !(b > a);
        *by_b = b > a;
        break;
    }
}

/* What an operation passes on to those that it takes. Neither a number nor what is not asked for gets anything, so that an
 * infinite derivative in a branch that min left out does not become 0 times infinity. */
static void pass_back(const struct operation *operation, const double *results, double *adjoints, size_t i)
{
    const size_t left = operation->left, right = operation->right;
    double by_left = 0.0, by_right = 0.0;
    differentiate(operation, results[left], results[right], results[i], &by_left, &by_right);
    if (by_left != 0.0)
        adjoints[left] += adjoints[i] * by_left;
    if (by_right != 0.0)
        adjoints[right] += adjoints[i] * by_right;
}

static void sweep_back(const struct lab_expression *expression, const double *results, double *gradient)
{
    double adjoints[LAB_EXPRESSION_OPERATIONS_MAX];
    const size_t count = expression->count;
    for (size_t i = 0; i < count; ++i)
        adjoints[i] = 0.0;
    for (size_t i = 0; i < expression->variable_count; ++i)
        gradient[i] = 0.0;
    adjoints[count - 1] = 1.0;
    for (size_t i = count; i-- > 0;) {
        const struct operation *const operation = &expression->operations[i];
        if (adjoints[i] == 0.0)
            continue;
        if (operation->kind == OPERATION_VARIABLE)
            gradient[operation->left] += adjoints[i];
        else if (operation->varies)
            pass_back(operation, results, adjoints, i);
    }
}

double lab_expression_evaluate(const struct lab_expression *expression, const double *point, double *gradient)
{
    double results[LAB_EXPRESSION_OPERATIONS_MAX];
    double last = 0.0;
    for (size_t i = 0; i < expression->count; ++i) {
        const struct operation *const operation = &expression->operations[i];
        const bool takes = operation->kind > OPERATION_VARIABLE;
        last = apply(operation, takes ? results[operation->left] : 0.0, takes ? results[operation->right] : 0.0, point);
        results[i] = last;
    }
    if (gradient)
        sweep_back(expression, results, gradient);
    return last;
}

size_t lab_expression_variable_count(const struct lab_expression *expression)
{
    return expression->variable_count;
}

const char *lab_expression_variable(const struct lab_expression *expression, size_t index)
{
    return expression->names[index];
}

void lab_expression_free(struct lab_expression *expression)
{
    free(expression);
}
