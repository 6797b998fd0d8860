/* A second opinion on everything around a rule: dtypes, master weights, remainders, random rounding, shortened state,
 * sparse rows, averages and the joint norm, written plainly, one number after the other. The rule itself is
 * rms_apply's, on floats or doubles: whether that one is right is the oracle's business. */
#ifndef TESTS_STORAGE_REFERENCE_H
#define TESTS_STORAGE_REFERENCE_H

#include "support.h"

/* A slot as it is kept where that is shorter: codes of 16 or 8 bits, and with the latter their scales. */
struct shortened {
    void *codes;
    uint8_t *scales;
};

/* A tensor. Arrays that it does not keep are NULL; real ones hold doubles for f64, else floats. */
struct reference {
    char name[32];
    rms_dtype dtype;
    const rms_options *options; /* its group's; the step's among them are not looked at */
    size_t count;
    uint64_t steps;
    void *param;                 /* in the dtype */
    void *real;                  /* what the rule works on: the parameters, their master, or the two of them joined */
    void *grad;                  /* real: the next step's */
    void *slots[RMS_RULE_SLOTS]; /* real: the numbers that shortened ones stand for */
    struct shortened shortened[RMS_RULE_SLOTS];
    void *average; /* real */
    uint16_t *remainder;
    bool *touched; /* which elements a lazy step touches; NULL: all */
};

struct reference_report {
    double norm;
    double clip_factor;
    bool skipped;
    size_t tensor; /* when skipped: where the first gradient is that is not finite */
    size_t element;
};

/* param holds count numbers of the dtype; they are copied. */
struct reference *reference_create(const char *name, rms_dtype dtype, const rms_options *options, size_t count,
                                   const void *param);
void reference_destroy(struct reference *tensor);

/* Steps back to 0, state to what it starts from, masters to the parameters. */
void reference_restart(struct reference *tensor);

/* The next step's gradient, as an array or as rows; equal rows are added up in the order given. */
void reference_set_gradient(struct reference *tensor, const void *grad);
void reference_set_rows(struct reference *tensor, const rms_rows *rows);

/* What rms_write_state does to one of the rule's slots. */
void reference_write_slot(struct reference *tensor, size_t slot, const void *numbers);

/* One step; the options of the step are those of step. */
struct reference_report reference_step(struct reference *const *tensors, size_t tensor_count, const rms_options *step);

/* Fails unless the library's tensor number index has these parameters, steps and slots. param is the caller's array. */
void assert_same_tensor(rms_optimizer *optimizer, size_t index, const void *param, const struct reference *tensor,
                        const char *context);

/* The same for one slot that is kept, wherever it lies. */
void assert_same_slot(const void *library, const struct reference *tensor, size_t slot, const char *context);

/* Fails unless this is what the library reported. */
void assert_same_report(rms_status status, const rms_report *report, const struct reference_report *found,
                        const char *context);

/* The dtype of numbers that a dtype is computed with. */
rms_dtype real_dtype(rms_dtype dtype);

/* Count numbers of a dtype between guards, the first of them offset numbers behind a 64-byte boundary. */
struct numbers {
    struct guarded memory;
    void *at;
};
struct numbers numbers_create(rms_dtype dtype, size_t count, size_t offset);

/* Fails if a guard was overwritten. */
void numbers_destroy(struct numbers *numbers);

/* Options drawn by random_options, with this way to keep what 16 bits cannot hold and this average. grad_scale and
 * clip_norm are such that their product is a grad_scale, too, so that rms_apply can be told. */
rms_options storage_options(uint64_t *state, rms_rule rule, rms_master master, double average_decay);

/* The same with the rule's slots in this format, which the rule must take; and one of those that it takes. */
rms_options shortened_options(uint64_t *state, rms_rule rule, rms_master master, double average_decay,
                              rms_state_format format);
bool takes_state_format(rms_rule rule, rms_state_format format);
rms_state_format draw_state_format(uint64_t *state, rms_rule rule);

#endif
