/* The parts of the race verb: plans, progress while a race runs, then pictures, JSON and tables of what came out. */
#ifndef CLI_RACE_H
#define CLI_RACE_H

#include "arguments.h"
#include "text.h"

#include <jansson.h>
#include <pthread.h>

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
    const char *stem;                 /* what the names of all files begin with */
    const char *rerun;                /* the command that does it again, or, if interrupted, goes on with it */
};

/* What is raced on unless something else is named. */
#define RACE_DEFAULT_PROBLEM "digits"

/* One of the problems to race on. */
struct race_case {
    struct lab_instance instance;
    char stem[128]; /* the beginning of its files' names: "quadratic-condition-1000" */
    struct lab_race_plan plan;
    struct race_states states;
    struct lab_race race;
};

/* Opens the problem and makes the plan that the arguments ask for. Returns what the command would exit with: STATUS_OK,
 * or another after a sentence, with nothing to close. The case must stay where it is. */
int race_case_open(struct race_case *entrant, const struct lab_request *request, const struct arguments *arguments);
void race_case_close(struct race_case *entrant);

/* The command that does it again, or with --resume goes on, for these problems. */
void race_append_rerun(struct text *text, const struct arguments *arguments, uint64_t seed, bool resumed,
                       const struct lab_request *requests, size_t count);

/* The fewest digits that read back as the same number. */
void race_append_number(struct text *text, double value);

/* A name that any file system takes, of letters, digits, and of "._-" within. */
void race_stem(char *stem, size_t size, const char *name);

/* Progress on stderr: a table redrawn in place on a terminal, else about ten lines in all, or none if quiet. */
#define PROGRESS_CELLS 24
struct race_progress_row {
    size_t done;
    bool known;  /* a run has come to something */
    double rate; /* of the best run: its learning rate, its final validation score, */
    double score;
    double curve[PROGRESS_CELLS]; /* and its training score, from first to last */
};
struct race_progress {
    enum { PROGRESS_NONE, PROGRESS_LINES, PROGRESS_TABLE } kind;
    double started; /* seconds */
    double drawn;
    size_t tenths; /* lines: tenths of all runs told so far */
    const struct lab_race_plan *plan;
    const char *note; /* "2 of 3: " where several problems are raced on; else "" */
    size_t runs_done;
    size_t runs_total;
    size_t runs_recalled; /* that took no time */
    struct race_progress_row rows[LAB_CONTENDERS_MAX];
    pthread_t ticker; /* redraws while nothing else happens */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool ticking;
    bool over;
};
void race_progress_begin(struct race_progress *progress, const struct lab_race_plan *plan, const char *note,
                         bool quiet);
void race_progress_watch(struct race_progress *progress, const struct lab_race *race, const struct lab_run *finished,
                         const struct lab_entry *entry, bool recalled);
void race_progress_end(struct race_progress *progress);

/* Prints headings, tables, differences and the files written to stdout; on a terminal the curves as well. */
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
