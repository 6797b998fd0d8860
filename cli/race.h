/* The parts of the race verb: progress while it runs, then pictures, JSON and tables of what came out. */
#ifndef CLI_RACE_H
#define CLI_RACE_H

#include "arguments.h"
#include "text.h"

#include <jansson.h>

/* A format that an optimizer does not admit. */
struct race_left_out {
    const char *optimizer;
    rms_state_format format;
    rms_error reason;
};

/* What --states has made of the plan. */
struct race_states {
    char names[LAB_CONTENDERS_MAX][32]; /* by place; empty where the rule's or preset's own name serves */
    struct race_left_out left_out[2 * LAB_CONTENDERS_MAX];
    size_t left_out_count;
};

/* What there is to tell, and the circumstances. */
struct race_report {
    const struct lab_race *race;
    const struct race_states *states; /* NULL without --states */
    rms_isa isa;                      /* where the kernels ran */
    const char *out;                  /* folder of the pictures */
    const char *rerun;                /* the command that does it again */
};

/* Progress on stderr: one line redrawn on a terminal, else about ten lines in all, or none if quiet. */
struct race_progress {
    enum { PROGRESS_NONE, PROGRESS_LINES, PROGRESS_BAR } kind;
    double started; /* seconds */
    double drawn;
    size_t tenths;                         /* lines: tenths of all runs told so far */
    double least_loss[LAB_CONTENDERS_MAX]; /* of any finished run: the final validation loss */
};
void race_progress_begin(struct race_progress *progress, bool quiet);
lab_race_watcher race_progress_watch; /* context: a struct race_progress */
void race_progress_end(const struct race_progress *progress);

/* Prints headings, tables, differences and the files written to stdout. */
void race_print(const struct race_report *report, const struct text *written);

/* Puts beside each contender of the plan, in full state, those in the named formats (commas between), which follow it.
 * *states must outlive the plan. False after a sentence. */
bool race_states_choose(struct race_states *states, struct lab_race_plan *plan, const char *names);

/* What the formats have changed, and which were left out and why; only with states. */
void race_states_print(const struct race_report *report);
json_t *race_states_json(const struct race_report *report);
json_t *race_left_out_json(const struct race_report *report);

/* The document; NULL when memory is short. */
json_t *race_json(const struct race_report *report);

/* Writes the pictures that the finished runs allow, and appends their names, one by one, to *written.
 * False after a sentence at the first that could not be written. */
bool race_plots_write(const struct race_report *report, struct text *written);

#endif
