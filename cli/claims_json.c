/* Claims as one JSON document; docs/claims.md describes it. */
#include "claims.h"

#include "machine.h"
#include "output.h"

#include <math.h>

static const char *expectation_name(enum lab_expectation expectation)
{
    static const char *const names[] = {
        [LAB_EXPECT_NOTHING] = NULL,  [LAB_EXPECT_AT_LEAST] = "at least", [LAB_EXPECT_AT_MOST] = "at most",
        [LAB_EXPECT_ABOVE] = "above", [LAB_EXPECT_BELOW] = "below",       [LAB_EXPECT_WITHIN] = "within",
    };
    return names[expectation];
}

static json_t *check_json(const struct lab_measure *measure, enum lab_outcome outcome)
{
    const char *const expectation = expectation_name(measure->expects);
    if (!expectation)
        return json_null();
    return json_pack("{s:s, s:o, s:o, s:o}", "expects", expectation, "bound", json_number(measure->bound), "upper",
                     measure->expects == LAB_EXPECT_WITHIN ? json_number(measure->upper) : json_null(), "outcome",
                     outcome == LAB_OUTCOME_NONE ? json_null() : json_string(lab_outcome_name(outcome)));
}

static json_t *figure_json(const struct lab_measure *measure, const struct lab_figure *figure, enum lab_outcome outcome)
{
    const bool measured = figure->samples > 0;
    const bool random = figure->samples > 1;
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:o}", "key", measure->key, "label", measure->label, "unit",
                     measure->unit, "value", measured ? json_number(figure->value) : json_null(), "low",
                     random ? json_number(figure->low) : json_null(), "high",
                     random ? json_number(figure->high) : json_null(), "samples", (json_int_t)figure->samples, "check",
                     check_json(measure, outcome));
}

static json_t *numbers_json(const double *values, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; ++i)
        array = json_append(array, json_number(values[i]));
    return array;
}

static json_t *series_json(const struct lab_series *series)
{
    json_t *const object =
        json_pack("{s:s, s:o, s:o}", "name", series->name, "x", numbers_json(series->x, series->count), "y",
                  numbers_json(series->y, series->count));
    if (!object || !series->low)
        return object;
    if (json_object_set_new(object, "low", numbers_json(series->low, series->count)) == 0 &&
        json_object_set_new(object, "high", numbers_json(series->high, series->count)) == 0)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *chart_json(const struct lab_chart *chart)
{
    json_t *array = json_array();
    for (size_t i = 0; i < chart->series_count; ++i)
        array = json_append(array, series_json(&chart->series[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", chart->name, "title", chart->title, "x", chart->x_title, "y",
                     chart->y_title, "series", array);
}

static json_t *result_json(const struct claims_report *report, const struct claims_result *result)
{
    const struct lab_claim *const claim = result->claim;
    json_t *figures = json_array();
    json_t *charts = json_array();
    for (size_t i = 0; i < claim->measure_count; ++i)
        figures = json_append(
            figures, figure_json(&claim->measures[i], &result->finding.figures[i], result->finding.outcomes[i]));
    for (size_t i = 0; i < result->finding.chart_count; ++i)
        charts = json_append(charts, chart_json(&result->finding.charts[i]));
    struct text rerun = {0};
    claims_append_rerun(&rerun, report, claim);
    json_t *const object =
        json_pack("{s:s, s:I, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:s}", "name", claim->name,
                  "number", (json_int_t)result->number, "title", claim->title, "statement", claim->statement, "source",
                  claim->source, "question", (int)claim->question, "experiment", claim->experiment, "verdict",
                  lab_verdict_name(result->finding.verdict), "conclusion", result->finding.conclusion, "checks_held",
                  (json_int_t)result->finding.held, "checks", (json_int_t)result->finding.judged, "figures", figures,
                  "charts", charts, "rerun", rerun.failed ? "" : rerun.text);
    text_free(&rerun);
    return object;
}

json_t *claims_json(const struct claims_report *report)
{
    json_t *claims = json_array();
    for (size_t i = 0; i < report->count; ++i)
        if (report->results[i].finished)
            claims = json_append(claims, result_json(report, &report->results[i]));
    json_t *const machine = json_pack("{s:s, s:s, s:s}", "isa", rms_isa_name(report->isa), "compiler",
                                      machine_compiler(), "version", rms_version());
    return json_pack("{s:o, s:I, s:b, s:b, s:o, s:s}", "machine", machine, "seed", (json_int_t)report->seed, "quick",
                     (int)report->quick, "interrupted", (int)(report->finished < report->count), "claims", claims,
                     "rerun", report->rerun);
}
