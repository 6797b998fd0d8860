/* Claims as text of at most 80 columns. */
#include "claims.h"

#include "braille.h"
#include "output.h"
#include "terminal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHORT_DIGITS 3

/* Columns of a line: what became of the check, what was measured, what it is, what was expected. */
enum { OUTCOME_COLUMNS = 7, FIGURES_END = 65, EXPECTATION_COLUMNS = 15 };

/* Thousands as they are: exponents are for what is larger. */
static const char *short_number(char text[NUMBER_TEXT_SIZE], double value)
{
    if (!(value >= 1000 && value < 1e6))
        return number_text(text, value, SHORT_DIGITS);
    (void)snprintf(text, NUMBER_TEXT_SIZE, "%.0f", value);
    return text;
}

const char *figure_text(char text[FIGURE_TEXT_SIZE], const struct lab_measure *measure, const struct lab_figure *figure)
{
    char value[NUMBER_TEXT_SIZE];
    char low[NUMBER_TEXT_SIZE];
    char high[NUMBER_TEXT_SIZE];
    if (figure->samples == 0) {
        (void)snprintf(text, FIGURE_TEXT_SIZE, "not measured");
        return text;
    }
    int used = snprintf(text, FIGURE_TEXT_SIZE, "%s", short_number(value, figure->value));
    if (figure->samples > 1 && used > 0)
        used += snprintf(text + used, FIGURE_TEXT_SIZE - (size_t)used, " [%s, %s]", short_number(low, figure->low),
                         short_number(high, figure->high));
    if (*measure->unit && used > 0)
        (void)snprintf(text + used, FIGURE_TEXT_SIZE - (size_t)used, " %s", measure->unit);
    return text;
}

bool is_left_out(const struct lab_measure *measure, const struct lab_figure *figure)
{
    return measure->full_only && figure->samples == 0;
}

size_t count_left_out(const struct claims_result *result)
{
    size_t count = 0;
    for (size_t i = 0; i < result->claim->measure_count; ++i)
        count += is_left_out(&result->claim->measures[i], &result->finding.figures[i]);
    return count;
}

const char *expectation_text(char text[FIGURE_TEXT_SIZE], const struct lab_measure *measure)
{
    static const char *const signs[] = {
        [LAB_EXPECT_AT_LEAST] = ">= ",
        [LAB_EXPECT_AT_MOST] = "<= ",
        [LAB_EXPECT_ABOVE] = "> ",
        [LAB_EXPECT_BELOW] = "< ",
    };
    char bound[NUMBER_TEXT_SIZE];
    char upper[NUMBER_TEXT_SIZE];
    text[0] = '\0';
    (void)number_text(bound, measure->bound, 6);
    if (measure->expects == LAB_EXPECT_WITHIN && measure->bound == measure->upper)
        (void)snprintf(text, FIGURE_TEXT_SIZE, "= %s", bound);
    else if (measure->expects == LAB_EXPECT_WITHIN)
        (void)snprintf(text, FIGURE_TEXT_SIZE, "%s to %s", bound, number_text(upper, measure->upper, 6));
    else if (measure->expects != LAB_EXPECT_NOTHING)
        (void)snprintf(text, FIGURE_TEXT_SIZE, "%s%s", signs[measure->expects], bound);
    return text;
}

/* The colour of a verdict or an outcome, where there are colours. */
static const char *color_of(bool holds, bool fails)
{
    if (!terminal_is_colored(STDOUT_FILENO))
        return "";
    return holds ? "\033[32m" : fails ? "\033[31m" : "\033[33m";
}

static const char *verdict_color(enum lab_verdict verdict)
{
    return color_of(verdict == LAB_VERDICT_HOLDS, verdict == LAB_VERDICT_FAILS);
}

/* A figure that has no room beside its label goes below it. */
static void print_figure(const struct lab_measure *measure, const struct lab_figure *figure, enum lab_outcome outcome)
{
    char value[FIGURE_TEXT_SIZE];
    char expectation[FIGURE_TEXT_SIZE];
    (void)figure_text(value, measure, figure);
    (void)expectation_text(expectation, measure);
    const bool judged = outcome != LAB_OUTCOME_NONE;
    if (judged)
        (void)printf("%s", color_of(outcome == LAB_OUTCOME_HOLDS, outcome == LAB_OUTCOME_FAILS));
    print_padded(judged ? lab_outcome_name(outcome) : "", OUTCOME_COLUMNS);
    (void)printf("%s%s", judged ? plain() : "", measure->label);
    size_t column = OUTCOME_COLUMNS + text_columns(measure->label);
    if (column + 1 + text_columns(value) > FIGURES_END) {
        (void)putchar('\n');
        column = 0;
    }
    print_padded(value, -(int)(FIGURES_END - column));
    if (*expectation)
        print_padded(expectation, -EXPECTATION_COLUMNS);
    (void)putchar('\n');
}

static void print_figures(const struct claims_result *result)
{
    const struct lab_claim *const claim = result->claim;
    bool others = false;
    (void)printf("%s%-*s%-*s%*s%s\n", faint(), OUTCOME_COLUMNS, "check", FIGURES_END - OUTCOME_COLUMNS - 18, "figure",
                 18 + EXPECTATION_COLUMNS, "[95 %]     expected", plain());
    for (int judged = 1; judged >= 0; --judged)
        for (size_t i = 0; i < claim->measure_count; ++i)
            if ((claim->measures[i].expects != LAB_EXPECT_NOTHING) == (judged != 0) &&
                !is_left_out(&claim->measures[i], &result->finding.figures[i])) {
                if (!judged && !others)
                    (void)printf("%sbesides%s\n", faint(), plain());
                others = others || !judged;
                print_figure(&claim->measures[i], &result->finding.figures[i], result->finding.outcomes[i]);
            }
    if (count_left_out(result) > 0)
        (void)printf("A full run has %zu more.\n", count_left_out(result));
}

static bool draw_in_terminal(void *context, const struct plot *plot, const char *name)
{
    (void)context;
    (void)name;
    braille_print(plot);
    return true;
}

static void print_claim(const struct claims_report *report, const struct claims_result *result)
{
    const struct lab_claim *const claim = result->claim;
    char heading[128];
    (void)snprintf(heading, sizeof heading, "%zu  %s%s", result->number, claim->name,
                   claim->question ? " (open question)" : "");
    const char *const verdict = lab_verdict_name(result->finding.verdict);
    (void)printf("\n%s", bold());
    print_padded(heading, 80 - (int)strlen(verdict));
    (void)printf("%s%s%s\n", verdict_color(result->finding.verdict), verdict, plain());
    print_wrapped(claim->statement, 0, 0);
    (void)printf("%sfrom%s  ", faint(), plain());
    print_wrapped(claim->source, 6, 6);
    (void)putchar('\n');
    print_wrapped(result->finding.conclusion, 0, 0);
    (void)putchar('\n');
    print_figures(result);
    for (size_t i = 0; isatty(STDOUT_FILENO) && i < result->finding.chart_count; ++i)
        (void)claims_draw(report, &result->finding.charts[i], draw_in_terminal, NULL);

    struct text rerun = {0};
    claims_append_rerun(&rerun, report, claim);
    (void)printf("\n%srun%s   ", faint(), plain());
    print_wrapped(claim->experiment, 6, 6);
    (void)printf("again %s\n", rerun.failed ? "" : rerun.text);
    text_free(&rerun);
}

static void print_summary(const struct claims_report *report)
{
    (void)printf("\n%sSummary%s\n", bold(), plain());
    for (size_t i = 0; i < report->count; ++i) {
        const struct claims_result *const result = &report->results[i];
        char place[32];
        (void)snprintf(place, sizeof place, "%zu", result->number);
        print_padded(place, -2);
        (void)printf("  ");
        print_padded(result->claim->name, 13);
        if (!result->finished) {
            (void)printf("not run\n");
            continue;
        }
        const enum lab_verdict verdict = result->finding.verdict;
        (void)printf("%s%s", bold(), verdict_color(verdict));
        print_padded(lab_verdict_name(verdict), 15);
        (void)printf("%s%zu of %zu checks\n", plain(), result->finding.held, result->finding.judged);
    }
}

void claims_print(const struct claims_report *report, const struct text *written)
{
    (void)printf("%sClaims about RMSProp, tested%s\n", bold(), plain());
    print_wrapped("Each verdict is computed from checks that were fixed before the run: holds when all of them do, "
                  "does not hold when none does, else mixed. A check is open when its 95 % interval lies on both sides "
                  "of the bound.",
                  0, 0);
    if (report->quick)
        print_wrapped("Indicative only: --quick runs fewer seeds and shorter experiments.", 0, 0);
    if (report->finished < report->count)
        (void)printf("%sNot finished%s: %zu of %zu claims are.\n", bold(), plain(), report->finished, report->count);
    for (size_t i = 0; i < report->count; ++i)
        if (report->results[i].finished)
            print_claim(report, &report->results[i]);
    print_summary(report);
    if (written->length > 0) {
        (void)printf("\nwritten ");
        print_wrapped(written->text, 8, 8);
    }
    (void)printf("again   %s\n", report->rerun);
}
