/* The race verb: plan, run, tell, problem by problem. */
#include "race.h"

#include "file.h"
#include "machine.h"
#include "output.h"
#include "race_log.h"
#include "race_plots.h"
#include "race_profile.h"
#include "stop.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the names of the files of several problems together begin with. */
#define PROFILE_STEM "profile"

/* All that is raced on, in the order in which it was asked for. */
struct meeting {
    const struct arguments *arguments;
    rms_isa isa;
    size_t count;
    struct lab_request requests[ARGUMENTS_OPERANDS_MAX + 2];
    struct race_case *cases;
    size_t opened;
    size_t finished;
    size_t completed;  /* of these, all but one that was interrupted */
    json_t *documents; /* of what is finished, with --json; NULL when memory is short */
};

/* What happens to a run that is done: it is shown and kept. */
struct watch {
    struct race_progress progress;
    struct race_log log;
};

/* ---- what to race on ------------------------------------------------------------------------------ */

static bool begins_with_name(const char *words, const char *name)
{
    const size_t length = strlen(name);
    return strncmp(words, name, length) == 0 && (words[length] == '\0' || words[length] == ':');
}

/* Gives the source to the operand of that name, which may have settings, or makes a further one. */
static void add_source(struct meeting *meeting, const char *name, const char *source, const char *column)
{
    size_t i = 0;
    while (source && i < meeting->count && !begins_with_name(meeting->requests[i].words, name))
        ++i;
    if (!source)
        return;
    if (i == meeting->count)
        meeting->requests[meeting->count++].words = name;
    meeting->requests[i].source = source;
    meeting->requests[i].column = column;
}

static bool choose_problems(struct meeting *meeting)
{
    const struct arguments *const arguments = meeting->arguments;
    if (arguments->trials > 0 && arguments->searched == 0) {
        complain("--trials: it goes with --tune, which says what is searched (expected --tune epsilon,rho,momentum)");
        return false;
    }
    if (arguments->target && !arguments->data) {
        complain("--target: it goes with --data, whose column it names (expected --data FILE --target %s)",
                 arguments->target);
        return false;
    }
    for (size_t i = 0; i < arguments->operand_count; ++i)
        meeting->requests[meeting->count++].words = arguments->operands[i];
    add_source(meeting, "function", arguments->function, NULL);
    add_source(meeting, "data", arguments->data, arguments->target);
    if (meeting->count == 0)
        meeting->requests[meeting->count++].words = RACE_DEFAULT_PROBLEM;
    return true;
}

/* Whether the files of the newest would overwrite those of another, or of all together; false after a sentence. */
static bool is_apart(const struct meeting *meeting, const struct race_case *newest)
{
    if (meeting->count > 1 && strcmp(newest->stem, PROFILE_STEM) == 0) {
        complain("race: %s would be written to %s.json, which is of all problems (expected another name, or a race of "
                 "its own)",
                 newest->instance.name, newest->stem);
        return false;
    }
    for (const struct race_case *other = meeting->cases; other < newest; ++other)
        if (strcmp(other->stem, newest->stem) == 0) {
            complain("race: %s and %s would be written to the same files, %s.json and others (expected different "
                     "problems, or two races with --out)",
                     other->instance.name, newest->instance.name, newest->stem);
            return false;
        }
    return true;
}

/* Opens all of them before the first is run, which may take long: what is wrong with the last shows at once. */
static int open_cases(struct meeting *meeting)
{
    meeting->cases = calloc(meeting->count, sizeof *meeting->cases);
    if (!meeting->cases) {
        complain("race: out of memory for %zu problems", meeting->count);
        return STATUS_FAILED;
    }
    for (; meeting->opened < meeting->count; ++meeting->opened) {
        struct race_case *const entrant = &meeting->cases[meeting->opened];
        const int status = race_case_open(entrant, &meeting->requests[meeting->opened], meeting->arguments);
        if (status != STATUS_OK)
            return status;
        if (!is_apart(meeting, entrant)) {
            race_case_close(entrant);
            return STATUS_USAGE;
        }
    }
    return STATUS_OK;
}

static void close_cases(struct meeting *meeting)
{
    while (meeting->opened > 0)
        race_case_close(&meeting->cases[--meeting->opened]);
    free(meeting->cases);
}

/* ---- what came out -------------------------------------------------------------------------------- */

/* False after a sentence. Takes the document. */
static bool write_json(json_t *document, const char *out, const char *stem, struct text *written)
{
    struct text name = {0};
    struct file file;
    text_append(&name, "%s.json", stem);
    const bool opened = !name.failed && file_open(&file, out, name.text);
    const bool placed = opened && file_close(&file, json_write(document, file.stream));
    if (placed)
        path_append(written, out, name.text);
    json_decref(document);
    text_free(&name);
    return placed;
}

/* The command that does it again. It would replace the log of one that was interrupted: that one goes on, and with it
 * what was to come after it. */
static void append_command(struct text *text, const struct meeting *meeting, size_t place, bool interrupted)
{
    const uint64_t seed = meeting->cases[place].plan.seed;
    if (interrupted)
        race_append_rerun(text, meeting->arguments, seed, true, meeting->requests, meeting->count);
    else
        race_append_rerun(text, meeting->arguments, seed, false, &meeting->requests[place], 1);
}

static void append_log(struct text *written, const struct race_report *report)
{
    struct text name = {0};
    text_append(&name, "%s.jsonl", report->stem);
    if (!name.failed) {
        text_append(written, "%s", written->length > 0 ? " " : "");
        path_append(written, report->out, name.text);
    }
    text_free(&name);
}

/* Files first: what is said on stdout includes which were written. A full disk does not keep the results
 * from stdout. */
static bool tell(struct meeting *meeting, struct race_case *entrant, size_t place, bool logged)
{
    const struct arguments *const arguments = meeting->arguments;
    struct text rerun = {0};
    struct text written = {0};
    append_command(&rerun, meeting, place, entrant->race.interrupted);
    const struct race_report report = {
        .race = &entrant->race,
        .states = arguments->states ? &entrant->states : NULL,
        .isa = meeting->isa,
        .out = arguments->out,
        .stem = entrant->stem,
        .rerun = rerun.failed ? "" : rerun.text,
    };
    const bool all_written = write_json(race_json(&report), report.out, report.stem, &written) &&
                             race_plots_write(&report, &written) &&
                             (!arguments->animate || race_animate_write(&report, &written));
    if (logged)
        append_log(&written, &report);
    if (arguments->json) {
        meeting->documents = json_append(meeting->documents, race_json(&report));
    } else {
        (void)fputs(place > 0 ? "\n" : "", stdout);
        race_print(&report, &written);
        (void)fflush(stdout);
    }
    text_free(&rerun);
    text_free(&written);
    return all_written;
}

/* Of several problems, what they come to together. One that was interrupted is left out: who was not run yet would
 * count as who never arrives. */
static bool tell_profile(struct meeting *meeting, json_t **document)
{
    const struct lab_race *races[ARGUMENTS_OPERANDS_MAX + 2];
    struct lab_profile profile;
    struct text rerun = {0};
    struct text written = {0};
    rms_error error;
    for (size_t i = 0; i < meeting->completed; ++i)
        races[i] = &meeting->cases[i].race;
    if (lab_profile_make(&profile, races, meeting->completed, true, &error) != RMS_OK) {
        complain("profile: %s", error.message);
        return false;
    }
    const bool interrupted = meeting->completed < meeting->count;
    race_append_rerun(&rerun, meeting->arguments, meeting->cases[0].plan.seed, interrupted, meeting->requests,
                      meeting->count);
    const char *const again = rerun.failed ? "" : rerun.text;
    const size_t seeds = meeting->cases[0].plan.report_seeds;
    const bool all_written =
        write_json(race_profile_json(&profile, seeds, again), meeting->arguments->out, PROFILE_STEM, &written) &&
        (profile.aimed_count == 0 ||
         race_profile_write(&profile, &meeting->cases[0].plan, meeting->arguments->out, &written));
    if (meeting->arguments->json)
        *document = race_profile_json(&profile, seeds, again);
    else
        race_profile_print(&profile, seeds, interrupted, again, &written);
    text_free(&rerun);
    text_free(&written);
    return all_written;
}

/* One document: that of the only problem, or of all with their profile. */
static bool tell_together(struct meeting *meeting)
{
    json_t *profile = NULL;
    bool told = true;
    if (meeting->completed > 1)
        told = tell_profile(meeting, &profile);
    if (!meeting->arguments->json || meeting->finished == 0) {
        json_decref(meeting->documents);
        return told;
    }
    if (meeting->count == 1) {
        json_t *const only = json_incref(json_array_get(meeting->documents, 0));
        json_decref(meeting->documents);
        return print_json(only) && told;
    }
    return print_json(
               json_pack("{s:o, s:o}", "races", meeting->documents, "profile", profile ? profile : json_null())) &&
           told;
}

/* ---- running -------------------------------------------------------------------------------------- */

static void on_run(void *context, const struct lab_race *race, const struct lab_run *finished,
                   const struct lab_entry *entry)
{
    struct watch *const watch = context;
    race_log_watch(&watch->log, race, finished, entry);
    race_progress_watch(&watch->progress, race, finished, entry, false);
}

static bool on_recall(void *context, const struct lab_race *race, struct lab_run *run, const struct lab_entry *entry)
{
    struct watch *const watch = context;
    const bool recalled = race_log_recall(&watch->log, race, run, entry);
    if (recalled)
        race_progress_watch(&watch->progress, race, run, entry, true);
    return recalled;
}

static int run_case(struct meeting *meeting, size_t place)
{
    const struct arguments *const arguments = meeting->arguments;
    struct race_case *const entrant = &meeting->cases[place];
    struct watch watch;
    struct text command = {0};
    char note[64] = "";
    rms_error error;
    race_append_rerun(&command, arguments, entrant->plan.seed, false, &meeting->requests[place], 1);
    const bool logged = !command.failed && race_log_begin(&watch.log, &entrant->plan, arguments->out, entrant->stem,
                                                          command.text, arguments->resume);
    text_free(&command);
    if (!logged)
        return STATUS_FAILED;

    if (meeting->count > 1)
        (void)snprintf(note, sizeof note, "%zu of %zu, ", place + 1, meeting->count);
    race_progress_begin(&watch.progress, &entrant->plan, note, arguments->quiet);
    const struct lab_race_hooks hooks = {
        .context = &watch,
        .watch = on_run,
        .recall = on_recall,
        .stop = &stop_signal,
    };
    const rms_status status = lab_race_run(&entrant->race, &entrant->plan, &hooks, &error);
    race_progress_end(&watch.progress);
    const bool kept = race_log_end(&watch.log);
    if (status != RMS_OK) {
        complain("race: %s", error.message);
        return status == RMS_ERROR_RANGE || status == RMS_ERROR_ARGUMENT ? STATUS_USAGE : STATUS_FAILED;
    }
    ++meeting->finished;
    meeting->completed += !entrant->race.interrupted;
    return tell(meeting, entrant, place, kept) && kept ? STATUS_OK : STATUS_FAILED;
}

static int run_all(struct meeting *meeting)
{
    int status = STATUS_OK;
    meeting->documents = json_array();
    for (size_t place = 0; place < meeting->count && status == STATUS_OK && stop_signal == 0; ++place)
        status = run_case(meeting, place);
    if (!tell_together(meeting) && status == STATUS_OK)
        status = STATUS_FAILED;
    return stop_signal != 0 ? STATUS_SIGNALLED + stop_signal : status;
}

int race_verb(const struct arguments *arguments)
{
    struct meeting meeting = {.arguments = arguments};
    if (!choose_problems(&meeting))
        return STATUS_USAGE;
    int status = open_cases(&meeting);
    if (status == STATUS_OK && !machine_isa(&meeting.isa))
        status = STATUS_FAILED;
    if (status == STATUS_OK) {
        stop_on_signals();
        status = folder_prepare(arguments->out) ? run_all(&meeting) : STATUS_FAILED;
    }
    close_cases(&meeting);
    return status;
}
