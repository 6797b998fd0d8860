/* Expressions: what they mean, their gradients against differences, and what is told of those that are none. */
#include "elementary.h"
#include "expression.h"
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct lab_expression *read_text(const char *text)
{
    struct lab_expression *expression;
    rms_error error;
    assert_ok(lab_expression_read(&expression, text, &error), error.message);
    return expression;
}

/* Reads, evaluates and forgets. */
static double value_at(const char *text, double x, double y, double gradient[2])
{
    struct lab_expression *const expression = read_text(text);
    const double point[2] = {x, y};
    double unused[2];
    assert_true(lab_expression_variable_count(expression) <= 2);
    const double value = lab_expression_evaluate(expression, point, gradient ? gradient : unused);
    assert_true(bits_of_double(value) == bits_of_double(lab_expression_evaluate(expression, point, NULL)));
    lab_expression_free(expression);
    return value;
}

static void values_are_those_of_the_same_arithmetic_in_c(void **state)
{
    (void)state;
    const double x = 1.25, y = -0.75;
    const struct {
        const char *text;
        double value;
    } cases[] = {
        {"x+0*y", x},
        {"-x^2 + 0*y", -(x * x)},
        {"(-x)^2 + 0*y", x * x},
        {"x - y - 1", (x - y) - 1},
        {"x / y / 2", (x / y) / 2},
        {"x / y * 2", (x / y) * 2},
        {"x - y * 2 ^ 3", x - y * 8},
        {"2^3^2 + x - x + 0*y", 512},
        {"x*0 + y*0 + 2^-2", 0.25},
        {"--x - -y", x + y},
        {"+x - +y", x - y},
        {"-x^2*y", -(x * x) * y},
        {"x*-y", x * -y},
        {"sin(x) + cos(y)", lab_sin(x) + lab_cos(y)},
        {"tan(x)*y", lab_sin(x) / lab_cos(x) * y},
        {"exp(x) - log(x) + y", lab_exp(x) - lab_log(x) + y},
        {"sqrt(x) * abs(y)", sqrt(x) * fabs(y)},
        {"tanh(x)+y", lab_tanh(x) + y},
        {"min(x, y) + 2*max(x, y)", y + 2 * x},
        {"pow(x, 2) + y", x * x + y},
        {"x^2.5 + y", lab_pow(x, 2.5) + y},
        {"x ^ y", lab_pow(x, y)},
        {"pi*x + e*y", 3.14159265358979323846 * x + 2.71828182845904523536 * y},
        {"1e-3*x + 2.5E+1*y + .5 + 3.", 1e-3 * x + 25 * y + 0.5 + 3},
        {" (\tx+( (y)) )\n", x + y},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        const double value = value_at(cases[i].text, x, y, NULL);
        if (bits_of_double(value) != bits_of_double(cases[i].value))
            fail_msg("%s = %a, not %a", cases[i].text, value, cases[i].value);
    }
}

static void variables_come_in_the_order_in_which_they_appear(void **state)
{
    (void)state;
    struct lab_expression *const expression = read_text("beta*alpha_1 + X^2 - beta*x*exponent");
    static const char *const names[] = {"beta", "alpha_1", "X", "x", "exponent"};
    assert_int_equal(lab_expression_variable_count(expression), COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); ++i)
        assert_string_equal(lab_expression_variable(expression, i), names[i]);
    lab_expression_free(expression);
}

/* The central difference over h has an error of h^2 |f'''| / 6, and of the rounding of two values: 2^-53 |f| / h for every
 * operation. With h = 2^-17, third derivatives below 4000 and values below 200 at these points, and ten operations, that is
 * 4e-8 and 3e-8 at most. */
static void gradients_are_those_of_differences(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "x^2 + 10*sin(y)",
        "(1-x)^2 + 100*(y-x^2)^2",
        "x/y + y/x - x*y",
        "tan(x)*cos(y) - tanh(x*y)",
        "exp(-x*y)*log(x) + sqrt(x+y)",
        "x^y + y^x + x^-1.5",
        "pow(x, 3) * y^2 - abs(x-y)",
        "min(x, y)*max(x^2, y) - -x",
        "x*x*x + y - y*2^x",
        "sqrt(x^2+y^2) / (1 + x^2)",
    };
    static const double points[][2] = {{0.7, 0.4}, {1.3, 0.6}, {0.25, 1.1}};
    const double h = 0x1p-17;
    for (size_t i = 0; i < COUNT_OF(texts); ++i)
        for (size_t p = 0; p < COUNT_OF(points); ++p) {
            double gradient[2];
            const double x = points[p][0], y = points[p][1];
            value_at(texts[i], x, y, gradient);
            const double by_x = (value_at(texts[i], x + h, y, NULL) - value_at(texts[i], x - h, y, NULL)) / (2 * h);
            const double by_y = (value_at(texts[i], x, y + h, NULL) - value_at(texts[i], x, y - h, NULL)) / (2 * h);
            if (fabs(gradient[0] - by_x) > 1e-7 || fabs(gradient[1] - by_y) > 1e-7)
                fail_msg("%s at (%g, %g): (%.12g, %.12g), not (%.12g, %.12g)", texts[i], x, y, gradient[0], gradient[1],
                         by_x, by_y);
        }
}

static void derivatives_that_are_simple_are_exact(void **state)
{
    (void)state;
    const struct {
        const char *text;
        double x, y, by_x, by_y;
    } cases[] = {
        {"x^2 - y", 3, 1, 6, -1},
        {"x*y*x", 3, 5, 30, 9},
        {"x^0 + y^1", 0, 7, 0, 1},
        {"x^3 + y^2", 0, 0, 0, 0},
        {"x^-1 + y", 2, 0, -0.25, 1},
        {"x^2 + y", -3, 0, -6, 1}, /* whole powers of negative numbers */
        /* kinks */
        {"abs(x) + abs(y)", 0, -2, 0, -1},
        {"min(x, y)", 1, 1, 1, 0},
        {"max(x, y)", 1, 1, 1, 0},
        {"max(x, 0) + y", -1, 0, 0, 1},
        {"sqrt(x^2 + y^2)", 0, 0, 0, 0},
        {"x^0.5 + y", 0, 1, 0, 1},
        {"min(x, sqrt(y)) + max(x, log(y))", 1, 4, 1, 0.25},
        {"max(x, -exp(-y))", 1, 0, 1, 0},
        {"max(x, log(y))", 1, 0, 1, 0}, /* the infinite slope is in the branch that is left out */
        {"x*0^y", 2, 1, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        double gradient[2];
        value_at(cases[i].text, cases[i].x, cases[i].y, gradient);
        if (gradient[0] != cases[i].by_x || gradient[1] != cases[i].by_y)
            fail_msg("%s: (%a, %a)", cases[i].text, gradient[0], gradient[1]);
    }
}

/* A number that is none is not hidden by min and max, from either side. */
static void undefined_values_come_through(void **state)
{
    (void)state;
    static const char *const texts[] = {"sqrt(x) + y",      "log(x) + y",           "x^0.5 + y",
                                        "y / (x - x)*0",    "min(log(x), y)",       "min(0*x + y, log(x))",
                                        "max(log(x), y)",   "max(0*x + y, log(x))", "tanh(log(x)) + y",
                                        "abs(sqrt(x)) + y", "sin(1/(1+x) + y)"};
    for (size_t i = 0; i < COUNT_OF(texts); ++i)
        if (!isnan(value_at(texts[i], -1, 2, NULL)))
            fail_msg("%s is a number", texts[i]);
}

static void check_refusal(const char *text, rms_status expected, const char *sentence)
{
    struct lab_expression *expression;
    rms_error error;
    const rms_status status = lab_expression_read(&expression, text, &error);
    assert_status(expected, status, error.message);
    assert_null(expression);
    assert_string_equal(error.message, sentence);
    assert_int_equal(lab_expression_read(&expression, text, NULL), expected);
}

#define OPERAND "expected a number, a variable, a function or \"(\""
#define LIST "sin, cos, tan, exp, log, sqrt, abs, tanh, min, max, pow"

static void what_is_no_expression_is_refused_at_its_character(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"", "the expression is empty (" OPERAND ")"},
        {" \t\n", "the expression is empty (" OPERAND ")"},
        {"x^2 + * y", "\"x^2 + * y\": at character 7, \"*\": " OPERAND},
        {"x +", "\"x +\": at the end: " OPERAND},
        {"2x", "\"2x\": at character 2, \"x\": expected an operator (a product is written 2*x)"},
        {"x y", "\"x y\": at character 3, \"y\": expected an operator (a product is written 2*x)"},
        {"2(x)", "\"2(x)\": at character 2, \"(\": expected an operator (a product is written 2*x)"},
        {"1.2.3*x", "\"1.2.3*x\": at character 4, \".\": expected an operator (a product is written 2*x)"},
        {"x**2", "\"x**2\": at character 3, \"*\": a power is written x^2"},
        {"(x + 1", "\"(x + 1\": at the end: expected an operator or \")\" for the \"(\" at character 1"},
        {"x + 1)", "\"x + 1)\": at character 6, \")\": no \"(\" belongs to it"},
        {"x = 1", "\"x = 1\": at character 3, \"=\": expected an operator or the end"},
        {"x, y", "\"x, y\": at character 2, \",\": expected an operator or the end"},
        {"sin x", "\"sin x\": at character 5, \"x\": expected \"(\" after the function \"sin\""},
        {"sin()", "\"sin()\": at character 5, \")\": " OPERAND},
        {"sin(x, y)", "\"sin(x, y)\": at character 6, \",\": expected \")\": sin takes one number"},
        {"min(x)", "\"min(x)\": at character 6, \")\": expected \",\": min takes two numbers"},
        {"min(x y)", "\"min(x y)\": at character 7, \"y\": expected an operator (a product is written 2*x)"},
        {"max(x, y, z)", "\"max(x, y, z)\": at character 9, \",\": expected \")\": max takes two numbers"},
        {"sine(x)", "\"sine(x)\": at character 1, \"sine\": no function is called so (expected one of " LIST
                    "; a product is written x*(y))"},
        {"x(2)", "\"x(2)\": at character 1, \"x\": no function is called so (expected one of " LIST
                 "; a product is written x*(y))"},
        {"1 + pi", "\"1 + pi\": at the end: nothing varies (expected a variable, such as x)"},
        {".", "\".\": at character 1, \".\": " OPERAND},
        {"x\xC2\xB2 + 1", "\"x\xC2\xB2 + 1\": at character 2, \"\xC2\xB2\": expected an operator or the end"},
        {"\xC3\xA9 + ?", "\"\xC3\xA9 + ?\": at character 1, \"\xC3\xA9\": " OPERAND},
        {"x + \x01\xff", "\"x + ??\": at character 5, \"?\": " OPERAND},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i)
        check_refusal(cases[i].text, RMS_ERROR_ARGUMENT, cases[i].sentence);
}

/* Writes words there, which must have room; returns their end. */
static char *write_words(char *at, const char *words)
{
    while (*words != '\0')
        *at++ = *words++;
    *at = '\0';
    return at;
}

/* Fails unless a text made of `count` times a word and an ending is refused with these words, or taken if they are NULL. */
static void check_repeated(const char *word, size_t count, const char *ending, const char *words)
{
    char *const text = bytes_create(count * strlen(word) + strlen(ending) + 1);
    char *end = text;
    for (size_t i = 0; i < count; ++i)
        end = write_words(end, word);
    write_words(end, ending);
    struct lab_expression *expression;
    rms_error error = {{0}};
    const rms_status status = lab_expression_read(&expression, text, &error);
    assert_status(words ? RMS_ERROR_RANGE : RMS_OK, status, error.message);
    if (words)
        assert_contains(error.message, words);
    assert_true(memchr(error.message, '\0', sizeof error.message) != NULL);
    lab_expression_free(expression);
    free(text);
}

static void what_is_too_much_is_refused_with_its_bound(void **state)
{
    (void)state;
    check_repeated("(", 100000, "x", "at character 201, \"(\": too deep (expected at most 200");
    check_repeated("-", 100000, "x", "too deep");
    check_repeated("x^", 100000, "x", "too deep");
    check_repeated("sin(", 100000, "x", "too deep");
    check_repeated("-", 199, "x", NULL);
    check_repeated("-", 200, "x", "too deep");
    check_repeated("x+", 499, "x", NULL); /* 500 variables and 499 sums */
    check_repeated("x+", 500, "x", "too long (expected at most 1000 numbers, variables and operations)");
    check_repeated("1", 63, "*x", NULL);
    check_repeated("1", 64, "*x", "a number of more than 63 characters");
    check_repeated("y", 31, "", NULL);
    check_repeated("y", 32, "", "the name is too long (expected at most 31 characters)");
    check_repeated("1e999", 1, "*x", "the number is too large (expected at most 1.79e308)");

    char text[512], name[16];
    char *end = text;
    struct lab_expression *expression;
    rms_error error;
    for (int i = 0; i <= LAB_EXPRESSION_VARIABLES_MAX; ++i) {
        if (i == LAB_EXPRESSION_VARIABLES_MAX)
            lab_expression_free(read_text(text));
        snprintf(name, sizeof name, "%sx%d", i > 0 ? "+" : "", i);
        end = write_words(end, name);
    }
    assert_int_equal(lab_expression_read(&expression, text, &error), RMS_ERROR_RANGE);
    assert_contains(error.message, "\"x64\": too many variables (expected at most 64)");
}

/* Of a long text the sentence shows what lies around the mistake. */
static void a_long_text_is_shown_around_its_mistake(void **state)
{
    (void)state;
    char text[2048];
    char *end = text;
    for (int i = 0; i < 100; ++i)
        end = write_words(end, "1.5*x+");
    end = write_words(end, "*");
    for (int i = 0; i < 100; ++i)
        end = write_words(end, "+2.5*y");
    struct lab_expression *expression;
    rms_error error;
    assert_int_equal(lab_expression_read(&expression, text, &error), RMS_ERROR_ARGUMENT);
    assert_string_equal(error.message,
                        "\"…5*x+1.5*x+1.5*x+1.5*x+1.5*x+1.5*x+1.5*x+*+2.5*y+2.5*y+2.5*y+2.5*y+2.5*…\": at "
                        "character 601, \"*\": " OPERAND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_the_same_arithmetic_in_c),
        cmocka_unit_test(variables_come_in_the_order_in_which_they_appear),
        cmocka_unit_test(gradients_are_those_of_differences),
        cmocka_unit_test(derivatives_that_are_simple_are_exact),
        cmocka_unit_test(undefined_values_come_through),
        cmocka_unit_test(what_is_no_expression_is_refused_at_its_character),
        cmocka_unit_test(what_is_too_much_is_refused_with_its_bound),
        cmocka_unit_test(a_long_text_is_shown_around_its_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
