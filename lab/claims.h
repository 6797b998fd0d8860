/* Claims about RMSProp as experiments: each is run, measured and judged by checks that were fixed before the run.
 *
 * A claim declares its figures in a table, most of them with what the claim expects of them. Its experiment fills in
 * values, and where chance has a part, 95 % bootstrap intervals over seeds. A check holds when the value, and its whole
 * interval, is what was expected; it is open when the interval lies on both sides of the bound; else it fails. A claim
 * holds when all its checks do, does not hold when none does, and is mixed otherwise. Nothing else decides.
 *
 * Figures are the same on every machine and thread count. */
#ifndef LAB_CLAIMS_H
#define LAB_CLAIMS_H

#include <rmsprop.h>

#include <stdatomic.h>

#define LAB_FIGURES_MAX 20
#define LAB_CHARTS_MAX 2
#define LAB_SERIES_MAX 8
#define LAB_CONCLUSION_SIZE 600

enum lab_verdict { LAB_VERDICT_NONE, LAB_VERDICT_HOLDS, LAB_VERDICT_FAILS, LAB_VERDICT_MIXED };

/* What becomes of one check. */
enum lab_outcome {
    LAB_OUTCOME_NONE, /* nothing is expected of the figure, or a quick run left it out */
    LAB_OUTCOME_HOLDS,
    LAB_OUTCOME_FAILS,
    LAB_OUTCOME_OPEN /* the data do not decide, or are no number */
};

enum lab_expectation {
    LAB_EXPECT_NOTHING, /* told, not judged */
    LAB_EXPECT_AT_LEAST,
    LAB_EXPECT_AT_MOST,
    LAB_EXPECT_ABOVE,
    LAB_EXPECT_BELOW,
    LAB_EXPECT_WITHIN /* from bound to upper, both included */
};

/* A figure and what is expected of it, as declared. */
struct lab_measure {
    const char *key;   /* for JSON: "step-spread" */
    const char *label; /* what it is, in at most 56 columns */
    const char *unit;  /* "steps", "%", or "" */
    enum lab_expectation expects;
    double bound;
    double upper;
    bool full_only; /* too long for a quick run, which leaves it out */
};

/* What came out. Without chance low and high are the value itself, and samples is 1. */
struct lab_figure {
    double value;
    double low; /* of the 95 % interval */
    double high;
    size_t samples; /* runs that it rests on; 0: not measured */
};

struct lab_series {
    char name[48];
    size_t count;
    double *x;
    double *y;    /* NaN leaves a gap */
    double *low;  /* a band; both NULL for none */
    double *high; /* in the same block of memory as x */
};

struct lab_chart {
    const char *name; /* of its files: "memory-rate" */
    const char *title;
    const char *x_title;
    const char *y_title;
    const char *words; /* what it shows, for those who do not see it */
    bool x_logarithmic;
    bool y_logarithmic;
    struct lab_series series[LAB_SERIES_MAX];
    size_t series_count;
};

struct lab_finding {
    struct lab_figure figures[LAB_FIGURES_MAX]; /* in the order of the claim's measures */
    enum lab_outcome outcomes[LAB_FIGURES_MAX];
    enum lab_verdict verdict;             /* LAB_VERDICT_NONE: nothing was measured that decides */
    size_t held, judged;                  /* checks */
    char conclusion[LAB_CONCLUSION_SIZE]; /* a sentence or two with the numbers */
    struct lab_chart charts[LAB_CHARTS_MAX];
    size_t chart_count;
};

/* How claims are to be run. progress may be NULL; it is called with rising shares of the claim under way, from 0 to 1, by
 * one thread at a time. */
struct lab_claims_plan {
    uint64_t seed;
    int threads;            /* experiments at a time, at most; 0: as many as OpenMP would use */
    bool quick;             /* fewer seeds and shorter runs: indicative */
    const atomic_int *stop; /* once it is nonzero, the claim under way is given up; NULL: never */
    void (*progress)(void *context, double share);
    void *context;
};

struct lab_experiment; /* lab/claims/experiment.h: what an experiment works with */

struct lab_claim {
    const char *name;       /* what the user types: "memory" */
    const char *title;      /* a few words */
    const char *statement;  /* the claim itself */
    const char *source;     /* who made it, or where the question comes from */
    const char *experiment; /* exactly what is run */
    bool question;          /* an open question of the literature, not a claim of RMSProp's author */
    const struct lab_measure *measures;
    size_t measure_count;
    rms_status (*run)(struct lab_experiment *experiment, struct lab_finding *finding, rms_error *error);
};

size_t lab_claim_count(void);
const struct lab_claim *lab_claim_at(size_t index);

/* NULL for an unknown name. */
const struct lab_claim *lab_claim_find(const char *name);

/* Runs one claim. *finished is false when it was stopped; *finding is empty then and after a failure: RMS_ERROR_MEMORY,
 * or what the library said. error may be NULL. */
rms_status lab_claim_run(const struct lab_claim *claim, const struct lab_claims_plan *plan, struct lab_finding *finding,
                         bool *finished, rms_error *error);

/* Releases the charts; an empty finding is allowed, and a second time. */
void lab_finding_free(struct lab_finding *finding);

/* The rules of judgement: of one figure, and of a claim by its outcomes. */
enum lab_outcome lab_judge(const struct lab_measure *measure, const struct lab_figure *figure);
enum lab_verdict lab_verdict_of(const enum lab_outcome *outcomes, size_t count);

/* "holds", "does not hold", "mixed", "not decided". */
const char *lab_verdict_name(enum lab_verdict verdict);

/* "holds", "fails", "open", "-". */
const char *lab_outcome_name(enum lab_outcome outcome);

#endif
