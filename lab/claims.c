/* The table of claims, their judgement, and running one. */
#include "claims.h"

#include "claims/all.h"
#include "claims/experiment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct lab_claim *const claims[] = {
    &lab_claim_balance,     &lab_claim_memory, &lab_claim_together, &lab_claim_adagrad,
    &lab_claim_flat,        &lab_claim_stuck,  &lab_claim_momentum, &lab_claim_scale_jump,
    &lab_claim_td_momentum, &lab_claim_reset,  &lab_claim_epsilon,
};

size_t lab_claim_count(void)
{
    return sizeof claims / sizeof claims[0];
}

const struct lab_claim *lab_claim_at(size_t index)
{
    return index < lab_claim_count() ? claims[index] : NULL;
}

const struct lab_claim *lab_claim_find(const char *name)
{
    for (size_t i = 0; name && i < lab_claim_count(); ++i)
        if (strcmp(claims[i]->name, name) == 0)
            return claims[i];
    return NULL;
}

static bool is_expected(const struct lab_measure *measure, double value)
{
    switch (measure->expects) {
    case LAB_EXPECT_AT_LEAST:
        return value >= measure->bound;
    case LAB_EXPECT_AT_MOST:
        return value <= measure->bound;
    case LAB_EXPECT_ABOVE:
        return value > measure->bound;
    case LAB_EXPECT_BELOW:
        return value < measure->bound;
    case LAB_EXPECT_WITHIN:
        return value >= measure->bound && value <= measure->upper;
    case LAB_EXPECT_NOTHING:
        break;
    }
    return false;
}

/* A range has two bounds, so that both ends of an interval may lie outside it and its middle inside: that is open, too;
 * and so is what came out as no number, which would otherwise let a claim hold by the checks that are left. */
enum lab_outcome lab_judge(const struct lab_measure *measure, const struct lab_figure *figure)
{
    if (measure->expects == LAB_EXPECT_NOTHING)
        return LAB_OUTCOME_NONE;
    if (figure->samples == 0)
        return measure->full_only ? LAB_OUTCOME_NONE : LAB_OUTCOME_OPEN;
    const bool low = is_expected(measure, figure->low);
    const bool high = is_expected(measure, figure->high);
    if (low && high)
        return LAB_OUTCOME_HOLDS;
    const bool straddles =
        measure->expects == LAB_EXPECT_WITHIN && figure->low < measure->bound && figure->high > measure->upper;
    return low || high || straddles ? LAB_OUTCOME_OPEN : LAB_OUTCOME_FAILS;
}

enum lab_verdict lab_verdict_of(const enum lab_outcome *outcomes, size_t count)
{
    size_t judged = 0;
    size_t held = 0;
    for (size_t i = 0; i < count; ++i) {
        judged += outcomes[i] != LAB_OUTCOME_NONE;
        held += outcomes[i] == LAB_OUTCOME_HOLDS;
    }
    if (judged == 0)
        return LAB_VERDICT_NONE;
    if (held == judged)
        return LAB_VERDICT_HOLDS;
    return held == 0 ? LAB_VERDICT_FAILS : LAB_VERDICT_MIXED;
}

const char *lab_verdict_name(enum lab_verdict verdict)
{
    static const char *const names[] = {
        [LAB_VERDICT_NONE] = "not decided",
        [LAB_VERDICT_HOLDS] = "holds",
        [LAB_VERDICT_FAILS] = "does not hold",
        [LAB_VERDICT_MIXED] = "mixed",
    };
    return names[verdict];
}

const char *lab_outcome_name(enum lab_outcome outcome)
{
    static const char *const names[] = {
        [LAB_OUTCOME_NONE] = "-",
        [LAB_OUTCOME_HOLDS] = "holds",
        [LAB_OUTCOME_FAILS] = "fails",
        [LAB_OUTCOME_OPEN] = "open",
    };
    return names[outcome];
}

static void judge(const struct lab_claim *claim, struct lab_finding *finding)
{
    for (size_t i = 0; i < claim->measure_count; ++i) {
        finding->outcomes[i] = lab_judge(&claim->measures[i], &finding->figures[i]);
        finding->judged += finding->outcomes[i] != LAB_OUTCOME_NONE;
        finding->held += finding->outcomes[i] == LAB_OUTCOME_HOLDS;
    }
    finding->verdict = lab_verdict_of(finding->outcomes, claim->measure_count);
}

rms_status lab_claim_run(const struct lab_claim *claim, const struct lab_claims_plan *plan, struct lab_finding *finding,
                         bool *finished, rms_error *error)
{
    rms_error unused;
    rms_error *const told = error ? error : &unused;
    struct lab_experiment experiment = {.plan = plan, .to = 1};
    *told = (rms_error){{0}};
    *finding = (struct lab_finding){.verdict = LAB_VERDICT_NONE};

    const rms_status status = claim->run(&experiment, finding, told);
    *finished = status == RMS_OK && !lab_stopped(&experiment);
    if (*finished) {
        judge(claim, finding);
    } else {
        lab_finding_free(finding);
        *finding = (struct lab_finding){.verdict = LAB_VERDICT_NONE};
    }
    return status;
}

void lab_finding_free(struct lab_finding *finding)
{
    for (size_t i = 0; i < finding->chart_count; ++i)
        for (size_t j = 0; j < finding->charts[i].series_count; ++j)
            free(finding->charts[i].series[j].x); /* its other arrays lie in the same block */
    finding->chart_count = 0;
}
