/* The log of a race: a line of JSON for the plan, then one for each run as it ends, so that a race that was cut short, by
 * whatever means, can go on where it stood. docs/cli.md describes the lines. */
#ifndef CLI_RACE_LOG_H
#define CLI_RACE_LOG_H

#include <lab/race.h>

#include <stdbool.h>
#include <sys/types.h>

struct race_log {
    const struct lab_race_plan *plan;
    char *path;
    int descriptor;                  /* -1: nothing is written, or not any more */
    off_t whole;                     /* bytes of complete lines */
    int reason;                      /* errno of what could not be written; 0 for nothing */
    size_t recalled;                 /* runs that were not made again */
    struct race_log_record *records; /* what was read, sorted */
    size_t record_count;
};

/* Begins out/stem.jsonl, in place of any other; or, to resume, reads it, if it is there, and goes on in it. command is
 * what is typed to do the race again. False after a sentence, with nothing to end and the file as it was: it could not be
 * read or written, or is no log of this very race. *plan must outlive the log. */
bool race_log_begin(struct race_log *log, const struct lab_race_plan *plan, const char *out, const char *stem,
                    const char *command, bool resume);

/* A race's hooks, for the context of which they take the log: of one that has failed, or is all zeros, they do nothing. */
void race_log_watch(void *log, const struct lab_race *race, const struct lab_run *finished,
                    const struct lab_entry *entry);
bool race_log_recall(void *log, const struct lab_race *race, struct lab_run *run, const struct lab_entry *entry);

/* False after a sentence if any run of the race could not be written. Also for one that is all zeros. */
bool race_log_end(struct race_log *log);

#endif
