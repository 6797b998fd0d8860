/* Expressions from strings that nobody meant: nothing crashes, what is refused is told of, and what is taken has the same
 * value with a gradient and without, and in parentheses. */
#include "expression.h"
#include "objects.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 4096 };

static bool same(double left, double right)
{
    return isnan(left) ? isnan(right) : left == right && !signbit(left) == !signbit(right);
}

static void evaluate(const struct lab_expression *expression, const struct lab_expression *enclosed)
{
    static const double starts[] = {1.0, 0.0, -1.5, 1e300, 1e-300};
    const size_t count = lab_expression_variable_count(expression);
    double point[LAB_EXPRESSION_VARIABLES_MAX], gradient[LAB_EXPRESSION_VARIABLES_MAX];
    for (size_t i = 0; i < sizeof starts / sizeof *starts; ++i) {
        for (size_t v = 0; v < count; ++v)
            point[v] = starts[i] + (double)v;
        const double value = lab_expression_evaluate(expression, point, gradient);
        fuzz_require(same(value, lab_expression_evaluate(expression, point, NULL)));
        fuzz_require(!enclosed || same(value, lab_expression_evaluate(enclosed, point, NULL)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX + 3] = "(";
    if (size > TEXT_MAX || memchr(data, 0, size))
        return 0;
    memcpy(text + 1, data, size);
    struct lab_expression *expression, *enclosed;
    rms_error error = {.message = ""};
    const rms_status status = lab_expression_read(&expression, text + 1, &error);
    fuzz_require((status == RMS_OK) == (expression != NULL));
    if (status != RMS_OK) {
        fuzz_require(status == RMS_ERROR_ARGUMENT || status == RMS_ERROR_RANGE);
        fuzz_require(error.message[0] != '\0' && memchr(error.message, 0, sizeof error.message));
        return 0;
    }
    const size_t count = lab_expression_variable_count(expression);
    fuzz_require(count >= 1 && count <= LAB_EXPRESSION_VARIABLES_MAX);
    fuzz_require(lab_expression_variable(expression, count - 1)[0] != '\0');
    text[1 + size] = ')';
    fuzz_require(lab_expression_read(&enclosed, text, NULL) != RMS_ERROR_ARGUMENT); /* it may be too deep now */
    evaluate(expression, enclosed);
    lab_expression_free(expression);
    lab_expression_free(enclosed);
    return 0;
}
