/* What several races come to together: text and JSON. */
#ifndef CLI_RACE_PROFILE_H
#define CLI_RACE_PROFILE_H

#include "text.h"
#include <lab/profile.h>

#include <jansson.h>

/* Prints the tables, then the files written and the command that does it again, or goes on with what was interrupted.
 * Intervals are there where each problem has seeds enough for one. */
void race_profile_print(const struct lab_profile *profile, size_t seeds, bool interrupted, const char *rerun,
                        const struct text *written);

/* The document, in which ratios and steps to no target are null; NULL when memory is short. */
json_t *race_profile_json(const struct lab_profile *profile, size_t seeds, const char *rerun);

#endif
