/* Reads an expression by recursive descent, one function for each line of its grammar. */
#include "expression_tape.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789";
static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
static const char name_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

static const struct {
    const char *name;
    enum operation_kind kind;
    size_t arguments;
} functions[] = {
    {"sin", OPERATION_SIN, 1}, {"cos", OPERATION_COS, 1},   {"tan", OPERATION_TAN, 1}, {"exp", OPERATION_EXP, 1},
    {"log", OPERATION_LOG, 1}, {"sqrt", OPERATION_SQRT, 1}, {"abs", OPERATION_ABS, 1}, {"tanh", OPERATION_TANH, 1},
    {"min", OPERATION_MIN, 2}, {"max", OPERATION_MAX, 2},   {"pow", OPERATION_POW, 2},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static const struct {
    const char *name;
    double value;
} constants[] = {{"pi", 3.14159265358979323846}, {"e", 2.71828182845904523536}};

struct reader {
    const char *text;
    const char *at; /* what comes next; never a space */
    size_t depth;
    struct lab_expression *expression;
    rms_status status; /* once it is not RMS_OK, nothing more is read */
    rms_error *error;
};

static const char operand[] = "expected a number, a variable, a function or \"(\"";

/* ---------------------------------------------------------------------------------------------------
 * Sentences
 * ------------------------------------------------------------------------------------------------- */

/* Bytes of the character there: more than one where it is UTF-8. */
static int character_length(const char *at)
{
    const unsigned char first = (unsigned char)*at;
    const int length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    for (int i = 1; i < length; ++i)
        if ((at[i] & 0xc0) != 0x80)
            return 1;
    return length;
}

/* The characters from begin to end as a terminal can show them: "?" for control characters and for what is no UTF-8. */
static void append_clean(char *message, size_t size, const char *begin, const char *end)
{
    size_t used = strlen(message);
    for (int length = 0; begin < end && used + 5 < size; begin += length) {
        length = character_length(begin);
        const bool shown = length > 1 || (*begin >= 0x20 && *begin < 0x7f);
        memcpy(message + used, shown ? begin : "?", (size_t)length);
        used += (size_t)length;
    }
    message[used] = '\0';
}

static void append(char *message, size_t size, const char *text)
{
    const size_t used = strlen(message);
    snprintf(message + used, size - used, "%s", text);
}

/* The text, or of a long one what lies around. */
static void append_excerpt(char *message, size_t size, const char *text, const char *around)
{
    enum { BEFORE = 40, AFTER = 30 };
    const char *begin = around - text > BEFORE ? around - BEFORE : text;
    const char *end = begin;
    while (begin > text && (*begin & 0xc0) == 0x80)
        --begin;
    while (*end != '\0' && end < around + AFTER)
        end += character_length(end);
    append(message, size, begin > text ? "\"…" : "\"");
    append_clean(message, size, begin, end);
    append(message, size, *end != '\0' ? "…\"" : "\"");
}

/* A word or a number, or else one character. */
static const char *end_of_word(const char *at)
{
    const size_t length = strspn(at, name_characters);
    return at + (length > 0 ? (length < 40 ? length : 40) : (size_t)character_length(at));
}

static size_t character_number(const struct reader *reader, const char *where)
{
    size_t number = 1;
    for (const char *at = reader->text; at < where; ++at)
        number += (*at & 0xc0) != 0x80;
    return number;
}

/* "TEXT": at character 7, "*": SENTENCE. Returns 0, the operation that is read no further. */
__attribute__((format(printf, 4, 5))) static size_t fail(struct reader *reader, rms_status status, const char *where,
                                                         const char *format, ...)
{
    if (reader->status != RMS_OK)
        return 0;
    reader->status = status;
    char *const message = reader->error->message;
    const size_t size = sizeof reader->error->message;
    message[0] = '\0';
    append_excerpt(message, size, reader->text, where);
    if (*where == '\0') {
        append(message, size, ": at the end: ");
    } else {
        size_t used = strlen(message);
        snprintf(message + used, size - used, ": at character %zu, \"", character_number(reader, where));
        append_clean(message, size, where, end_of_word(where));
        append(message, size, "\": ");
    }
    const size_t used = strlen(message);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message + used, size - used, format, arguments);
    va_end(arguments);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------
 * Pieces
 * ------------------------------------------------------------------------------------------------- */

static void skip(struct reader *reader, size_t length)
{
    reader->at += length;
    reader->at += strspn(reader->at, " \t\r\n");
}

static bool takes(struct reader *reader, char wanted)
{
    if (reader->status != RMS_OK || *reader->at != wanted)
        return false;
    skip(reader, 1);
    return true;
}

static size_t add(struct reader *reader, struct operation operation)
{
    struct lab_expression *const expression = reader->expression;
    if (reader->status != RMS_OK)
        return 0;
    if (expression->count == LAB_EXPRESSION_OPERATIONS_MAX)
        return fail(reader, RMS_ERROR_RANGE, reader->at,
                    "too long (expected at most %d numbers, variables and operations)", LAB_EXPRESSION_OPERATIONS_MAX);
    expression->operations[expression->count] = operation;
    return expression->count++;
}

static size_t combine(struct reader *reader, enum operation_kind kind, size_t left, size_t right)
{
    const struct operation *const operations = reader->expression->operations;
    return add(reader, (struct operation){.kind = kind,
                                          .left = left,
                                          .right = right,
                                          .varies = operations[left].varies || operations[right].varies});
}

static size_t number(struct reader *reader, double value)
{
    return add(reader, (struct operation){.kind = OPERATION_NUMBER, .number = value});
}

static size_t number_length(const char *text)
{
    size_t length = strspn(text, digits);
    length += text[length] == '.' ? 1 + strspn(text + length + 1, digits) : 0;
    if (text[length] == 'e' || text[length] == 'E') {
        const size_t sign = text[length + 1] == '+' || text[length + 1] == '-';
        const size_t exponent = strspn(text + length + 1 + sign, digits);
        length += exponent > 0 ? 1 + sign + exponent : 0;
    }
    return length;
}

static size_t read_number(struct reader *reader)
{
    char copy[64];
    const char *const begin = reader->at;
    const size_t length = number_length(begin);
    if (length >= sizeof copy)
        return fail(reader, RMS_ERROR_RANGE, begin, "a number of more than %zu characters", sizeof copy - 1);
    memcpy(copy, begin, length);
    copy[length] = '\0';
    const double value = strtod(copy, NULL);
    if (!isfinite(value))
        return fail(reader, RMS_ERROR_RANGE, begin, "the number is too large (expected at most 1.79e308)");
    skip(reader, length);
    return number(reader, value);
}

static size_t variable(struct reader *reader, const char *name, size_t length)
{
    struct lab_expression *const expression = reader->expression;
    size_t i = 0;
    while (i < expression->variable_count &&
           (strlen(expression->names[i]) != length || memcmp(expression->names[i], name, length) != 0))
        ++i;
    if (i == LAB_EXPRESSION_VARIABLES_MAX)
        return fail(reader, RMS_ERROR_RANGE, name, "too many variables (expected at most %d)",
                    LAB_EXPRESSION_VARIABLES_MAX);
    if (i == expression->variable_count) {
        memcpy(expression->names[i], name, length); /* the rest is zeros */
        ++expression->variable_count;
    }
    return add(reader, (struct operation){.kind = OPERATION_VARIABLE, .left = i, .right = i, .varies = true});
}

static bool is_word(const char *word, const char *name, size_t length)
{
    return strlen(word) == length && memcmp(word, name, length) == 0;
}

static size_t unknown_function(struct reader *reader, const char *name)
{
    char list[128] = "";
    for (size_t i = 0; i < FUNCTIONS; ++i) {
        append(list, sizeof list, i > 0 ? ", " : "");
        append(list, sizeof list, functions[i].name);
    }
    return fail(reader, RMS_ERROR_ARGUMENT, name,
                "no function is called so (expected one of %s; a product is written x*(y))", list);
}

/* ---------------------------------------------------------------------------------------------------
 * The grammar
 * ------------------------------------------------------------------------------------------------- */

static size_t read_sum(struct reader *reader);

/* What may follow an operand, if it is neither an operator nor what the place asks for. */
static size_t fail_after_operand(struct reader *reader, const char *wanted)
{
    const char next = *reader->at;
    if (next != '\0' && (strchr(name_characters, next) || next == '(' || next == '.'))
        return fail(reader, RMS_ERROR_ARGUMENT, reader->at, "expected an operator (a product is written 2*x)");
    if (next == ')')
        return fail(reader, RMS_ERROR_ARGUMENT, reader->at, "no \"(\" belongs to it");
    return fail(reader, RMS_ERROR_ARGUMENT, reader->at, "expected %s", wanted);
}

/* The closing of what was opened there. */
static void expect_closing(struct reader *reader, const char *opening)
{
    if (reader->status != RMS_OK || takes(reader, ')'))
        return;
    char wanted[80];
    snprintf(wanted, sizeof wanted, "an operator or \")\" for the \"(\" at character %zu",
             character_number(reader, opening));
    fail_after_operand(reader, wanted);
}

static size_t read_call(struct reader *reader, size_t function)
{
    const char *const opening = reader->at;
    const char *const name = functions[function].name;
    if (!takes(reader, '('))
        return fail(reader, RMS_ERROR_ARGUMENT, reader->at, "expected \"(\" after the function \"%s\"", name);
    const size_t left = read_sum(reader);
    size_t right = left;
    if (functions[function].arguments == 2) {
        if (reader->status == RMS_OK && *reader->at == ')')
            return fail(reader, RMS_ERROR_ARGUMENT, reader->at, "expected \",\": %s takes two numbers", name);
        if (takes(reader, ','))
            right = read_sum(reader);
        else
            return reader->status == RMS_OK ? fail_after_operand(reader, "an operator or \",\"") : 0;
    }
    if (reader->status == RMS_OK && *reader->at == ',')
        return fail(reader, RMS_ERROR_ARGUMENT, reader->at, "expected \")\": %s takes %s", name,
                    functions[function].arguments == 2 ? "two numbers" : "one number");
    expect_closing(reader, opening);
    return combine(reader, functions[function].kind, left, right);
}

static size_t read_name(struct reader *reader)
{
    const char *const name = reader->at;
    const size_t length = strspn(name, name_characters);
    skip(reader, length);
    for (size_t i = 0; i < FUNCTIONS; ++i)
        if (is_word(functions[i].name, name, length))
            return read_call(reader, i);
    if (*reader->at == '(')
        return unknown_function(reader, name);
    for (size_t i = 0; i < sizeof constants / sizeof *constants; ++i)
        if (is_word(constants[i].name, name, length))
            return number(reader, constants[i].value);
    if (length > LAB_EXPRESSION_NAME_MAX)
        return fail(reader, RMS_ERROR_RANGE, name, "the name is too long (expected at most %d characters)",
                    LAB_EXPRESSION_NAME_MAX);
    return variable(reader, name, length);
}

static size_t read_primary(struct reader *reader)
{
    const char *const begin = reader->at;
    if (*begin != '\0' && strchr(letters, *begin))
        return read_name(reader);
    if (strspn(begin + (*begin == '.'), digits) > 0)
        return read_number(reader);
    if (takes(reader, '(')) {
        const size_t inner = read_sum(reader);
        expect_closing(reader, begin);
        return inner;
    }
    if (*begin == '*' && begin > reader->text && begin[-1] == '*')
        return fail(reader, RMS_ERROR_ARGUMENT, begin, "a power is written x^2");
    return fail(reader, RMS_ERROR_ARGUMENT, begin, "%s", operand);
}

static size_t read_factor(struct reader *reader)
{
    if (reader->depth == LAB_EXPRESSION_DEPTH_MAX)
        return fail(reader, RMS_ERROR_RANGE, reader->at,
                    "too deep (expected at most %d parentheses, signs and powers in each other)",
                    LAB_EXPRESSION_DEPTH_MAX);
    ++reader->depth;
    size_t result;
    if (takes(reader, '-')) {
        const size_t inner = read_factor(reader);
        result = combine(reader, OPERATION_NEGATE, inner, inner);
    } else if (takes(reader, '+')) {
        result = read_factor(reader);
    } else {
        result = read_primary(reader);
        if (takes(reader, '^'))
            result = combine(reader, OPERATION_POW, result, read_factor(reader));
    }
    --reader->depth;
    return result;
}

static size_t read_term(struct reader *reader)
{
    size_t left = read_factor(reader);
    while (reader->status == RMS_OK) {
        if (takes(reader, '*'))
            left = combine(reader, OPERATION_MULTIPLY, left, read_factor(reader));
        else if (takes(reader, '/'))
            left = combine(reader, OPERATION_DIVIDE, left, read_factor(reader));
        else
            break;
    }
    return left;
}

static size_t read_sum(struct reader *reader)
{
    size_t left = read_term(reader);
    while (reader->status == RMS_OK) {
        if (takes(reader, '+'))
            left = combine(reader, OPERATION_ADD, left, read_term(reader));
        else if (takes(reader, '-'))
            left = combine(reader, OPERATION_SUBTRACT, left, read_term(reader));
        else
            break;
    }
    return left;
}

static void read_all(struct reader *reader)
{
    skip(reader, 0);
    if (*reader->at == '\0') {
        reader->status = RMS_ERROR_ARGUMENT;
        snprintf(reader->error->message, sizeof reader->error->message, "the expression is empty (%s)", operand);
        return;
    }
    read_sum(reader);
    if (reader->status == RMS_OK && *reader->at != '\0')
        fail_after_operand(reader, "an operator or the end");
    else if (reader->status == RMS_OK && reader->expression->variable_count == 0)
        fail(reader, RMS_ERROR_ARGUMENT, reader->at, "nothing varies (expected a variable, such as x)");
}

rms_status lab_expression_read(struct lab_expression **expression, const char *text, rms_error *error)
{
    rms_error unused;
    struct reader reader = {.text = text, .at = text, .error = error ? error : &unused};
    *expression = NULL;
    reader.expression = calloc(1, sizeof *reader.expression);
    if (!reader.expression) {
        snprintf(reader.error->message, sizeof reader.error->message, "not enough memory for an expression");
        return RMS_ERROR_MEMORY;
    }
    read_all(&reader);
    if (reader.status == RMS_OK)
        *expression = reader.expression;
    else
        lab_expression_free(reader.expression);
    return reader.status;
}
