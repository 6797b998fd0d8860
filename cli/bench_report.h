/* The parts of the bench verb: single cases, or the whole picture in sections. */
#ifndef CLI_BENCH_REPORT_H
#define CLI_BENCH_REPORT_H

#include "arguments.h"
#include "text.h"

#include <bench/bench.h>
#include <bench/levels.h>
#include <jansson.h>
#include <time.h>

enum {
    BENCH_ROUNDS = 15,
    BENCH_QUICK_ROUNDS = 5,
    BENCH_LARGE = 30000000, /* a model far larger than the cache */
    BENCH_QUICK_LARGE = 3000000,
    BENCH_ISAS_MAX = 2,
    BENCH_GROUPS_MAX = 32,
    BENCH_POINTS_MAX = 16
};

/* Cases that are measured together, in the same rounds. */
struct bench_group {
    struct bench_case cases[BENCH_CASES_MAX];
    size_t count;
    size_t rounds; /* at most so many; 0: as many as the plan has */
};

/* What is measured, and what limits it. */
struct bench_plan {
    size_t rounds;
    size_t large;                 /* parameters of the large model */
    int threads;                  /* of what runs on all of them */
    rms_isa isas[BENCH_ISAS_MAX]; /* the best, and the next if there is one */
    size_t isa_count;
    struct system_caches caches;
    bool quick;
};

/* One size of the roofline: parameters in a nanosecond. */
struct bench_point {
    double bytes; /* of gradients, parameters and state */
    double step[BENCH_ISAS_MAX];
    double pass;
};

/* What is known so far. */
struct bench_report {
    const struct bench_plan *plan;
    time_t ended; /* one moment for all documents: what is printed is what the file holds */
    bool silent;  /* tables are not printed */
    bool interrupted;
    json_t *limits; /* NULL until they are measured */
    json_t *sections;
    double ceilings[BENCH_ISAS_MAX]; /* parameters in a nanosecond that bare arithmetic allows; 0: not measured */
    struct bench_point points[BENCH_POINTS_MAX];
    size_t point_count;
};

/* A part of the whole picture: which cases, and how they are told. */
struct bench_section {
    const char *name;
    const char *title;
    const char *note; /* what its columns mean; lines of at most 80 columns */
    bool limit;       /* the bare pass is measured, too */
    bool arithmetic;  /* and bare arithmetic */

    /* Where there are no cases: measures, prints and notes, false after a sentence; then there is no list and no print. */
    bool (*run)(struct bench_report *report, json_t **rows);

    size_t (*list)(const struct bench_plan *plan, struct bench_group groups[BENCH_GROUPS_MAX]);
    void (*print_heading)(const struct bench_plan *plan);
    void (*print)(const struct bench_plan *plan, const struct bench_group *group, const struct bench_result *results);
};
extern const struct bench_section bench_sections[];
extern const size_t bench_section_count;

/* Measures single cases, as options choose them. */
int bench_cases_verb(const struct arguments *arguments);

/* Measures the sections that were asked for, all unless there are some, and writes what came out to the folder. */
int bench_sections_verb(const struct arguments *arguments);

/* The machine's limits: measures, prints and notes them. False after a sentence. */
bool bench_limits(struct bench_report *report);

/* The section of the environments, which has no cases: its heading, and its run. */
void bench_head_environments(const struct bench_plan *plan);
bool bench_environments(struct bench_report *report, json_t **rows);

/* The instruction sets to compare, best last: the one asked for, or all above the baseline, or that if there is no
 * other. */
size_t bench_isas(rms_isa asked, rms_isa isas[], size_t most);

/* A case as an object. */
json_t *bench_result_json(const struct bench_case *bench_case, const struct bench_result *result);

/* Draws the roofline as far as it was measured, and appends the names of the files. False after a sentence. */
bool bench_plot(const struct bench_report *report, const char *folder, struct text *written);

/* Whether the cases fit into what memory is available, with a quarter to spare; their bytes in *bytes. */
bool bench_fits(const struct bench_case *cases, size_t count, size_t *bytes);

/* "48 KiB", "1.5 MiB"; returns text. */
const char *bytes_text(char text[NUMBER_TEXT_SIZE], double bytes);

/* "30,000,000"; returns text. */
const char *count_text(char text[NUMBER_TEXT_SIZE], size_t count);

#endif
