/* A problem made ready to run: found by name, with the user's settings, prepared. */
#ifndef LAB_INSTANCE_H
#define LAB_INSTANCE_H

#include "problem.h"

/* What the user typed besides the words of the problem. */
struct lab_request {
    const char *words;  /* "digits", "quadratic:condition=1000,noise=0.1", or "./mine.so" */
    const char *source; /* for problems made of one: an expression, a file; else NULL */
    const char *column; /* the column that is to be learnt; NULL for the last */
};

/* Opens a problem: an unknown name or setting is RMS_ERROR_ARGUMENT, a number out of its bounds RMS_ERROR_RANGE, a
 * shared object that cannot be loaded or is none of ours RMS_ERROR_FILE or FORMAT; else what prepare says, and
 * RMS_ERROR_FORMAT when it leaves lengths, quantities or a view that cannot be. *error is a sentence that names the
 * words. On failure *instance is empty. The strings of the request must outlive it. */
rms_status lab_instance_open(struct lab_instance *instance, const struct lab_request *request, rms_error *error);

/* Lets go of what the runs share; an empty instance is allowed, and a second time. Shared objects stay loaded. */
void lab_instance_close(struct lab_instance *instance);

/* Opens a problem of the table, or one of the tests, with its own settings. */
rms_status lab_instance_open_problem(struct lab_instance *instance, const struct lab_problem *problem,
                                     rms_error *error);

/* The value of a setting, by its key, which must be one of the problem's. */
double lab_instance_setting(const struct lab_instance *instance, const char *key);

/* Of the bytes of the shared object that the problem is from, so that another can be told from it; 0 for those of the
 * table. */
uint64_t lab_instance_object_hash(const struct lab_instance *instance);

#endif
