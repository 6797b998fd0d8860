/* The log of a race. The first line is put in place whole, each further one is a single write of a whole line: what dies
 * in the midst leaves at most a line without an end, which is cut off before the next is written. */
#include "race_log.h"

#include "file.h"
#include "output.h"
#include "race_log_lines.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void release(struct race_log *log)
{
    for (size_t i = 0; i < log->record_count; ++i)
        free(log->records[i].run.curve);
    free(log->records);
    free(log->path);
    *log = (struct race_log){.descriptor = -1};
}

/* ---------------------------------------------------------------------------------------------------
 * What was read
 * ------------------------------------------------------------------------------------------------- */

/* NaN, which stands for nothing set, equals itself here. */
static int order(double a, double b)
{
    return isnan(a) || isnan(b) ? isnan(a) - isnan(b) : (a > b) - (a < b);
}

/* By what determines a run, and its phase: only their clocks tell two apart where the default settings are the best. */
static int by_cause(const void *left, const void *right)
{
    const struct race_log_record *const a = left, *const b = right;
    if (a->phase != b->phase)
        return a->phase < b->phase ? -1 : 1;
    if (a->entry != b->entry)
        return a->entry < b->entry ? -1 : 1;
    if (a->run.seed != b->run.seed)
        return a->run.seed < b->run.seed ? -1 : 1;
    int sign = order(a->run.learning_rate, b->run.learning_rate);
    sign = sign != 0 ? sign : order(a->run.trial.epsilon, b->run.trial.epsilon);
    sign = sign != 0 ? sign : order(a->run.trial.rho, b->run.trial.rho);
    return sign != 0 ? sign : order(a->run.trial.momentum, b->run.trial.momentum);
}

static bool append_record(struct race_log *log, const struct race_log_record *record)
{
    const size_t n = log->record_count;
    if ((n & (n - 1)) == 0) { /* a power of two: full */
        struct race_log_record *const more = realloc(log->records, (n > 0 ? 2 * n : 1) * sizeof *more);
        if (!more)
            return false;
        log->records = more;
    }
    log->records[log->record_count++] = *record;
    return true;
}

static bool read_record(struct race_log *log, const char *line, size_t length)
{
    struct race_log_record record;
    if (!race_log_read_run(&record, log->plan, line, length))
        return false;
    if (append_record(log, &record))
        return true;
    free(record.run.curve);
    return false;
}

/* Reads all whole lines; else says why not. */
static bool read_lines(struct race_log *log, FILE *stream, struct text *why)
{
    char *line = NULL;
    size_t room = 0, number = 0;
    bool read = true;
    errno = 0;
    for (ssize_t length = getline(&line, &room, stream); read && length > 0 && line[length - 1] == '\n';
         length = getline(&line, &room, stream)) {
        if (++number == 1)
            read = race_log_is_of(log->plan, line, (size_t)length, why);
        else if (!read_record(log, line, (size_t)length)) {
            read = false;
            text_append(why, "line %zu is no run of this race", number);
        }
        log->whole += length;
        errno = 0;
    }
    if (read && errno != 0) {
        read = false;
        text_append(why, "%s", strerror(errno));
    } else if (read && number == 0) {
        read = false;
        text_append(why, "it is no log of a race");
    }
    free(line);
    return read;
}

/* Whether it begins as logs do, before a line of whatever length is read. */
static bool has_mark(int descriptor)
{
    char begin[sizeof RACE_LOG_MARK - 1];
    return pread(descriptor, begin, sizeof begin, 0) == (ssize_t)sizeof begin &&
           memcmp(begin, RACE_LOG_MARK, sizeof begin) == 0;
}

static bool read_log(struct race_log *log, struct text *why)
{
    struct stat status;
    if (fstat(log->descriptor, &status) == 0 && !S_ISREG(status.st_mode)) {
        text_append(why, "it is no file that can be gone on in");
        return false;
    }
    if (!has_mark(log->descriptor)) {
        text_append(why, "it is no log of a race");
        return false;
    }
    const int again = dup(log->descriptor);
    FILE *const stream = again >= 0 ? fdopen(again, "r") : NULL;
    if (!stream) {
        text_append(why, "%s", strerror(errno));
        if (again >= 0)
            (void)close(again);
        return false;
    }
    const bool read = read_lines(log, stream, why);
    (void)fclose(stream);
    if (read && log->record_count > 0)
        qsort(log->records, log->record_count, sizeof *log->records, by_cause);
    return read;
}

/* Goes on in what was opened; what has no end is cut off. */
static bool resume_log(struct race_log *log)
{
    struct text why = {0};
    bool read = read_log(log, &why);
    if (read && ftruncate(log->descriptor, log->whole) != 0) {
        read = false;
        text_append(&why, "%s", strerror(errno));
    }
    if (!read)
        complain("--resume: cannot go on in %s: %s", log->path, why.failed ? "not enough memory" : why.text);
    text_free(&why);
    return read;
}

/* ---------------------------------------------------------------------------------------------------
 * Beginning, writing, ending
 * ------------------------------------------------------------------------------------------------- */

static bool begin_new(struct race_log *log, const char *out, const char *name, const char *command)
{
    struct file file;
    if (!file_open(&file, out, name))
        return false;
    char *const line = race_log_first_line(log->plan, command);
    const bool written = line && fputs(line, file.stream) >= 0 && fputc('\n', file.stream) != EOF;
    log->whole = line ? (off_t)strlen(line) + 1 : 0;
    free(line);
    if (!file_close(&file, written))
        return false;
    log->descriptor = open(log->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (log->descriptor < 0)
        complain("cannot write %s: %s", log->path, strerror(errno));
    return log->descriptor >= 0;
}

/* To resume where there is nothing is to begin. */
static bool begin(struct race_log *log, const char *out, const char *name, const char *command, bool resume)
{
    if (resume) {
        log->descriptor = open(log->path, O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (log->descriptor >= 0)
            return resume_log(log);
        if (errno != ENOENT) {
            complain("--resume: cannot go on in %s: %s", log->path, strerror(errno));
            return false;
        }
    }
    return begin_new(log, out, name, command);
}

bool race_log_begin(struct race_log *log, const struct lab_race_plan *plan, const char *out, const char *stem,
                    const char *command, bool resume)
{
    struct text path = {0}, name = {0};
    text_append(&name, "%s.jsonl", stem);
    path_append(&path, out, name.failed ? "" : name.text);
    *log = (struct race_log){.plan = plan, .path = path.text, .descriptor = -1};
    bool begun = !name.failed && !path.failed;
    if (begun)
        begun = begin(log, out, name.text, command, resume);
    else
        complain("not enough memory for the log");
    text_free(&name);
    if (!begun) {
        if (log->descriptor >= 0)
            (void)close(log->descriptor);
        release(log);
    }
    return begun;
}

static bool write_all(int descriptor, const char *bytes, size_t count)
{
    while (count > 0) {
        const ssize_t written = write(descriptor, bytes, count);
        if (written < 0 && errno != EINTR)
            return false;
        bytes += written > 0 ? written : 0;
        count -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* What could not be written whole is taken back, so that the log stays one that can be resumed. */
static void stop_writing(struct race_log *log, int reason)
{
    log->reason = reason;
    (void)ftruncate(log->descriptor, log->whole);
    (void)close(log->descriptor);
    log->descriptor = -1;
}

void race_log_watch(void *context, const struct lab_race *race, const struct lab_run *finished,
                    const struct lab_entry *entry)
{
    struct race_log *const log = context;
    if (!log->plan || log->descriptor < 0)
        return;
    char *line = race_log_run_line(finished, race, entry);
    const size_t length = line ? strlen(line) : 0;
    errno = ENOMEM;
    if (line)
        line[length] = '\n'; /* in place of the end, which nobody needs */
    if (line && write_all(log->descriptor, line, length + 1))
        log->whole += (off_t)length + 1;
    else
        stop_writing(log, errno);
    free(line);
}

bool race_log_recall(void *context, const struct lab_race *race, struct lab_run *run, const struct lab_entry *entry)
{
    struct race_log *const log = context;
    if (log->record_count == 0)
        return false;
    const struct race_log_record wanted = {
        .phase = race_log_phase_of(run, race, entry),
        .entry = (size_t)(entry - race->entries),
        .run = *run,
    };
    const struct race_log_record *const found =
        bsearch(&wanted, log->records, log->record_count, sizeof *log->records, by_cause);
    if (!found)
        return false;
    const size_t scores = race->plan->steps / race->plan->instance->score_every + 1;
    memcpy(run->curve, found->run.curve, scores * sizeof *run->curve);
    double *const curve = run->curve;
    *run = found->run;
    run->curve = curve;
    ++log->recalled;
    return true;
}

bool race_log_end(struct race_log *log)
{
    if (!log->plan)
        return true;
    int reason = log->reason;
    if (log->descriptor >= 0) {
        if (fsync(log->descriptor) != 0 && errno != EINVAL)
            reason = errno;
        if (close(log->descriptor) != 0 && reason == 0)
            reason = errno;
    }
    if (reason != 0)
        complain("cannot write all of %s: %s (the race went on; --resume makes the runs again that it lacks)",
                 log->path, strerror(reason));
    release(log);
    return reason == 0;
}
