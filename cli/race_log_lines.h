/* The lines of a race's log, made and read. */
#ifndef CLI_RACE_LOG_LINES_H
#define CLI_RACE_LOG_LINES_H

#include "text.h"

#include <jansson.h>
#include <lab/race.h>

/* What the first line begins with. */
#define RACE_LOG_MARK "{\"log\":\"rmsprop race\""

enum race_log_phase { RACE_LOG_TUNING, RACE_LOG_DEFAULT, RACE_LOG_TUNED };

/* A finished run as it was read; it owns the curve. */
struct race_log_record {
    enum race_log_phase phase;
    size_t entry; /* the contender's place */
    struct lab_run run;
};

/* The first line, without its end; NULL when memory is short. The caller frees it. */
char *race_log_first_line(const struct lab_race_plan *plan, const char *command);

/* Whether the line begins a log of this very race, by a command of this version; else *why is appended to. */
bool race_log_is_of(const struct lab_race_plan *plan, const char *line, size_t length, struct text *why);

/* Of which part of the race a run is, which may be a copy: its curve lies where it belongs. */
enum race_log_phase race_log_phase_of(const struct lab_run *run, const struct lab_race *race,
                                      const struct lab_entry *entry);

/* A run's line, without its end; NULL when memory is short. The caller frees it. */
char *race_log_run_line(const struct lab_run *run, const struct lab_race *race, const struct lab_entry *entry);

/* Reads a run's line; false, with nothing to free, if it is none of this race or memory is short. */
bool race_log_read_run(struct race_log_record *record, const struct lab_race_plan *plan, const char *line,
                       size_t length);

#endif
