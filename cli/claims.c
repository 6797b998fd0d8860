/* The claims verb: choose, run, tell. */
#include "claims.h"

#include "file.h"
#include "machine.h"
#include "output.h"
#include "stop.h"
#include "terminal.h"
#include "verbs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_SECONDS 0.1
#define BAR_CELLS 20

/* ---------------------------------------------------------------------------------------------------
 * Progress
 * ------------------------------------------------------------------------------------------------- */

struct progress {
    enum { PROGRESS_NONE, PROGRESS_LINES, PROGRESS_BAR } kind;
    const struct claims_report *report;
    const struct lab_claim *claim; /* under way */
    size_t place;                  /* of it, from 0 */
    double started;
    double drawn;
};

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void draw_bar(void *context, double share)
{
    struct progress *const progress = context;
    const double time = now();
    if (progress->kind != PROGRESS_BAR || time - progress->drawn < REDRAW_SECONDS)
        return;
    progress->drawn = time;
    const int cells = (int)(BAR_CELLS * share);
    char left[32] = "-:--";
    if (share > 0) {
        const double seconds = ceil((time - progress->started) * (1 - share) / share);
        (void)snprintf(left, sizeof left, "%.0f:%02.0f", floor(seconds / 60), fmod(seconds, 60));
    }
    (void)fprintf(stderr, "\r[%.*s%.*s] %3.0f%% of claim %zu of %zu, %s; %s left\033[K", cells, "####################",
                  BAR_CELLS - cells, "--------------------", 100 * share, progress->place + 1, progress->report->count,
                  progress->claim->name, left);
    (void)fflush(stderr);
}

static void begin_claim(struct progress *progress, size_t place)
{
    progress->claim = progress->report->results[place].claim;
    progress->place = place;
    progress->started = now();
    progress->drawn = 0;
    if (progress->kind == PROGRESS_LINES)
        (void)fprintf(stderr, "rmsprop: claim %zu of %zu: %s\n", place + 1, progress->report->count,
                      progress->claim->name);
    draw_bar(progress, 0);
}

static void end_claim(const struct progress *progress)
{
    if (progress->kind == PROGRESS_BAR)
        (void)fprintf(stderr, "\r\033[K");
}

/* ---------------------------------------------------------------------------------------------------
 * Choosing
 * ------------------------------------------------------------------------------------------------- */

static void complain_of_name(const char *name)
{
    const char *nearest = NULL;
    size_t distance = 3;
    struct text names = {0};
    for (size_t i = 0; i < lab_claim_count(); ++i) {
        const char *const known = lab_claim_at(i)->name;
        const size_t other = text_distance(name, known);
        if (other < distance) {
            distance = other;
            nearest = known;
        }
        text_append(&names, "%s%s", i > 0 ? ", " : "", known);
    }
    if (nearest)
        complain("claims: no claim is called \"%s\"; did you mean %s?", name, nearest);
    else
        complain("claims: no claim is called \"%s\" (expected some of %s)", name,
                 names.failed ? "the list" : names.text);
    text_free(&names);
}

static bool add_claim(struct claims_report *report, const char *name)
{
    for (size_t i = 0; i < report->count; ++i)
        if (strcmp(report->results[i].claim->name, name) == 0) {
            complain("claims: %s is there twice (expected different names)", name);
            return false;
        }
    for (size_t i = 0; i < lab_claim_count(); ++i)
        if (strcmp(lab_claim_at(i)->name, name) == 0) {
            report->results[report->count++] = (struct claims_result){.claim = lab_claim_at(i), .number = i + 1};
            return true;
        }
    complain_of_name(name);
    return false;
}

static bool choose(struct claims_report *report, const struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->operand_count; ++i)
        if (!add_claim(report, arguments->operands[i]))
            return false;
    for (size_t i = 0; arguments->operand_count == 0 && i < lab_claim_count(); ++i)
        if (!add_claim(report, lab_claim_at(i)->name))
            return false;
    return true;
}

void claims_append_rerun(struct text *text, const struct claims_report *report, const struct lab_claim *claim)
{
    text_append(text, "rmsprop claims --seed %" PRIu64 "%s", report->seed, report->quick ? " --quick" : "");
    if (claim)
        text_append(text, " %s", claim->name);
}

/* The operands come last: with POSIXLY_CORRECT set, no option may follow them. */
static void append_whole_rerun(struct text *text, const struct claims_report *report, bool all)
{
    claims_append_rerun(text, report, NULL);
    for (size_t i = 0; !all && i < report->count; ++i)
        text_append(text, " %s", report->results[i].claim->name);
}

/* ---------------------------------------------------------------------------------------------------
 * Running and telling
 * ------------------------------------------------------------------------------------------------- */

static int run_claims(struct claims_report *report, const struct arguments *arguments)
{
    struct progress progress = {
        .kind = arguments->quiet                  ? PROGRESS_NONE
                : terminal_redraws(STDERR_FILENO) ? PROGRESS_BAR
                                                  : PROGRESS_LINES,
        .report = report,
    };
    const struct lab_claims_plan plan = {
        .seed = report->seed,
        .threads = report->threads,
        .quick = report->quick,
        .stop = &stop_signal,
        .progress = draw_bar,
        .context = &progress,
    };
    for (size_t i = 0; i < report->count && stop_signal == 0; ++i) {
        struct claims_result *const result = &report->results[i];
        rms_error error;
        begin_claim(&progress, i);
        const rms_status status = lab_claim_run(result->claim, &plan, &result->finding, &result->finished, &error);
        end_claim(&progress);
        result->seconds = now() - progress.started;
        report->finished += result->finished;
        if (status != RMS_OK) {
            complain("claims: %s: %s", result->claim->name, error.message);
            return STATUS_FAILED;
        }
    }
    return STATUS_OK;
}

static bool write_page(const struct claims_report *report, struct text *written)
{
    struct text page = {0};
    struct file file;
    claims_append_page(&page, report);
    if (page.failed) {
        complain("out of memory for the page");
        text_free(&page);
        return false;
    }
    bool placed = file_open(&file, report->out, "claims.html");
    if (placed)
        placed = file_close(&file, fputs(page.text, file.stream) >= 0);
    text_free(&page);
    if (placed)
        path_append(written, report->out, "claims.html");
    return placed;
}

static bool write_json(const struct claims_report *report, struct text *written)
{
    struct file file;
    if (!file_open(&file, report->out, "claims.json"))
        return false;
    json_t *const document = claims_json(report);
    const bool placed = file_close(&file, json_write(document, file.stream));
    json_decref(document);
    if (placed) {
        text_append(written, " ");
        path_append(written, report->out, "claims.json");
    }
    return placed;
}

/* Five files for each chart would be a long list. */
static bool write_pictures(const struct claims_report *report, struct text *written)
{
    struct text files = {0};
    const bool all = claims_plots_write(report, &files);
    if (all && files.length > 0)
        text_append(written, " and pictures beside them");
    text_free(&files);
    return all;
}

/* Files first: what is said on stdout includes which were written. A full disk does not keep the results from stdout. */
static bool tell(const struct claims_report *report, bool json)
{
    struct text written = {0};
    const bool all_written = report->finished == 0 || (write_page(report, &written) && write_json(report, &written) &&
                                                       write_pictures(report, &written));
    bool told = true;
    if (json)
        told = print_json(claims_json(report));
    else
        claims_print(report, &written);
    text_free(&written);
    return told && all_written;
}

static int run(struct claims_report *report, const struct arguments *arguments)
{
    struct text rerun = {0};
    append_whole_rerun(&rerun, report, arguments->operand_count == 0);
    report->rerun = rerun.failed ? "" : rerun.text;
    int status = run_claims(report, arguments);
    if (!tell(report, arguments->json))
        status = STATUS_FAILED;
    for (size_t i = 0; i < report->count; ++i)
        lab_finding_free(&report->results[i].finding);
    text_free(&rerun);
    return stop_signal != 0 ? STATUS_SIGNALLED + stop_signal : status;
}

int claims_verb(const struct arguments *arguments)
{
    struct claims_report report = {
        .seed = arguments->seed_given ? arguments->seed : 1,
        .threads = arguments->threads,
        .quick = arguments->quick,
        .out = arguments->out,
    };
    if (!choose(&report, arguments))
        return STATUS_USAGE;
    if (!machine_isa(&report.isa))
        return STATUS_FAILED;
    stop_on_signals();
    if (!folder_prepare(arguments->out))
        return STATUS_FAILED;
    return run(&report, arguments);
}
