/* The verbs of the command: one file and one row of the table in main.c each. They return what the command
 * exits with. */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "arguments.h"

enum exit_status {
    STATUS_OK = 0,
    STATUS_FAILED = 1,     /* it could not be done; one sentence on stderr says why */
    STATUS_USAGE = 2,      /* it was asked for wrongly; one sentence says how to ask */
    STATUS_SIGNALLED = 128 /* plus the signal: 130 after Ctrl-C */
};

int race_verb(const struct arguments *arguments);
int claims_verb(const struct arguments *arguments);
int explain_verb(const struct arguments *arguments);
int bench_verb(const struct arguments *arguments);
int inspect_verb(const struct arguments *arguments);
int list_verb(const struct arguments *arguments);

#endif
