/* The whole picture: limits first, then sections, then the files. */
#include "bench_report.h"
#include "file.h"
#include "machine.h"
#include "output.h"
#include "stop.h"
#include "verbs.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIMITS_NAME "limits"
enum { DATE_SIZE = 32 };

/* ---- which sections ----------------------------------------------------------------------------- */

/* Bit i stands for section i; the one after them for the limits. */
static unsigned section_bit(const char *name, size_t length)
{
    for (size_t i = 0; i < bench_section_count; ++i)
        if (strlen(bench_sections[i].name) == length && memcmp(bench_sections[i].name, name, length) == 0)
            return 1U << i;
    return strlen(LIMITS_NAME) == length && memcmp(LIMITS_NAME, name, length) == 0 ? 1U << bench_section_count : 0;
}

static bool choose_sections(const struct arguments *arguments, unsigned *chosen)
{
    *chosen = arguments->sections_count > 0 ? 0 : ~0U;
    for (size_t i = 0; i < arguments->sections_count; ++i)
        for (const char *name = arguments->sections[i]; name;) {
            const size_t length = strcspn(name, ",");
            const unsigned bit = section_bit(name, length);
            if (bit == 0) {
                struct text names = {0};
                for (size_t k = 0; k < bench_section_count; ++k)
                    text_append(&names, ", %s", bench_sections[k].name);
                complain("--section: no section is called \"%.*s\" (expected some of %s%s)", (int)length, name,
                         LIMITS_NAME, names.failed ? "" : names.text);
                text_free(&names);
                return false;
            }
            *chosen |= bit;
            name = name[length] == ',' ? name + length + 1 : NULL;
        }
    return true;
}

/* ---- the document ------------------------------------------------------------------------------- */

static json_t *machine_json(const struct bench_plan *plan, time_t ended)
{
    char name[SYSTEM_NAME_SIZE], date[DATE_SIZE] = "";
    struct tm utc;
    if (gmtime_r(&ended, &utc))
        (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_t *caches = json_array();
    for (int i = 0; i < SYSTEM_CACHES; ++i)
        caches = json_append(caches, json_integer((json_int_t)plan->caches.bytes[i]));
    return json_pack("{s:s, s:i, s:I, s:o, s:b, s:s, s:i, s:s, s:s, s:s}", "processor", system_processor(name),
                     "processors", system_processors(), "memory_bytes", (json_int_t)system_memory(), "cache_bytes",
                     caches, "caches_guessed", plan->caches.guessed, "isa",
                     rms_isa_name(plan->isas[plan->isa_count - 1]), "threads", plan->threads, "compiler",
                     machine_compiler(), "version", rms_version(), "date", date);
}

/* The report's own references stay its own. */
static json_t *document_json(const struct bench_report *report)
{
    const struct bench_plan *plan = report->plan;
    json_t *protocol = json_pack("{s:I, s:I, s:b, s:b}", "rounds", (json_int_t)plan->rounds, "large",
                                 (json_int_t)plan->large, "quick", plan->quick, "interrupted", report->interrupted);
    return json_pack("{s:o, s:o, s:O?, s:O}", "machine", machine_json(plan, report->ended), "protocol", protocol,
                     "limits", report->limits, "sections", report->sections);
}

static bool write_document(const struct bench_report *report, const char *folder, struct text *written)
{
    static const char name[] = "bench.json";
    struct file file;
    if (!file_open(&file, folder, name))
        return false;
    json_t *document = document_json(report);
    const bool complete = json_write(document, file.stream);
    json_decref(document);
    const bool placed = file_close(&file, complete);
    if (placed)
        path_append(written, folder, name);
    return placed;
}

/* ---- one section -------------------------------------------------------------------------------- */

static void print_heading(const struct bench_plan *plan)
{
    char name[SYSTEM_NAME_SIZE], memory[NUMBER_TEXT_SIZE], cache[SYSTEM_CACHES][NUMBER_TEXT_SIZE];
    (void)printf("%sSpeed of a step on this machine%s\n", bold(), plain());
    (void)printf("rmsprop %s, %s, best instruction set %s; medians of %zu rounds.\n", rms_version(), machine_compiler(),
                 rms_isa_name(plan->isas[plan->isa_count - 1]), plan->rounds);
    (void)printf("%.50s, %d processor%s, %s\n", system_processor(name), system_processors(),
                 system_processors() == 1 ? "" : "s", bytes_text(memory, (double)system_memory()));
    for (int i = 0; i < SYSTEM_CACHES; ++i)
        (void)bytes_text(cache[i], (double)plan->caches.bytes[i]);
    (void)printf("caches: L1 %s and L2 %s a core, L3 %s%s\n", cache[0], cache[1], cache[2],
                 plan->caches.guessed ? " (some of it guessed)" : "");
    (void)printf("share: the time that the slower of two bare limits takes, by the step's, in the\n"
                 "same round: a pass over the same arrays, and the rule's roots and divisions. 1\n"
                 "is as fast as both. of pass: the pass alone.\n");
    if (plan->quick)
        (void)printf("Indicative only: --quick measures fewer rounds of smaller models.\n");
    (void)fflush(stdout);
}

static void print_section(const struct bench_plan *plan, const struct bench_section *section)
{
    (void)printf("\n%s%s%s\n%s%s", bold(), section->title, plain(), section->note, faint());
    section->print_heading(plan);
    (void)printf("%s\n", plain());
    (void)fflush(stdout);
}

static void note_point(struct bench_report *report, const struct bench_group *group, const struct bench_result *results)
{
    if (report->point_count == BENCH_POINTS_MAX)
        return;
    struct bench_point *const point = &report->points[report->point_count++];
    point->bytes = results[0].held_per_param * (double)group->cases[0].count;
    point->pass = 1 / results[0].limit_ns_per_param;
    for (size_t i = 0; i < group->count; ++i) /* cases are best first, instruction sets best last */
        point->step[group->count - 1 - i] = 1 / results[i].ns_per_param;
}

static json_t *append_results(json_t *rows, const struct bench_group *group, const struct bench_result *results,
                              size_t number)
{
    for (size_t i = 0; i < group->count; ++i) {
        json_t *object = bench_result_json(&group->cases[i], &results[i]);
        if (object && json_object_set_new(object, "group", json_integer((json_int_t)number)) != 0) {
            json_decref(object);
            object = NULL;
        }
        rows = json_append(rows, object);
    }
    return rows;
}

static void tell_skipped(const struct bench_report *report, const struct bench_group *group, size_t bytes)
{
    char needed[NUMBER_TEXT_SIZE], available[NUMBER_TEXT_SIZE], count[NUMBER_TEXT_SIZE];
    if (!report->silent)
        (void)printf("%s parameters left out: they take %s, and %s are available\n",
                     count_text(count, group->cases[group->count - 1].count), bytes_text(needed, (double)bytes),
                     bytes_text(available, (double)system_memory_available()));
}

static size_t least_rounds(size_t rounds, size_t most)
{
    return most > 0 && most < rounds ? most : rounds;
}

/* Measures, prints and notes one group. False after a sentence. */
static bool run_group(struct bench_report *report, const struct bench_section *section, const struct bench_group *group,
                      size_t number, json_t **rows)
{
    const struct bench_method method = {.rounds = least_rounds(report->plan->rounds, group->rounds),
                                        .limit = section->limit,
                                        .arithmetic = section->arithmetic};
    struct bench_result results[BENCH_CASES_MAX];
    rms_error error;
    size_t bytes = 0;
    if (!bench_fits(group->cases, group->count, &bytes)) {
        tell_skipped(report, group, bytes);
        return true;
    }
    if (bench_measure(group->cases, group->count, &method, results, &error) != RMS_OK) {
        complain("bench: %s", error.message);
        return false;
    }
    if (!report->silent)
        section->print(report->plan, group, results);
    (void)fflush(stdout);
    if (section == &bench_sections[0])
        note_point(report, group, results);
    *rows = append_results(*rows, group, results, number);
    return true;
}

/* What is finished when the user stops stays. False after a sentence. */
static bool run_section(struct bench_report *report, const struct bench_section *section)
{
    struct bench_group groups[BENCH_GROUPS_MAX];
    const size_t count = section->run ? 0 : section->list(report->plan, groups);
    json_t *rows = json_array();
    bool measured = true;
    if ((count > 0 || section->run) && !report->silent)
        print_section(report->plan, section);
    if (section->run)
        measured = section->run(report, &rows);
    for (size_t i = 0; i < count && measured && !stop_signal && !ferror(stdout); ++i)
        measured = run_group(report, section, &groups[i], i, &rows);
    if (json_object_set_new(report->sections, section->name, rows) != 0) {
        complain("bench: out of memory for the JSON document");
        return false;
    }
    return measured;
}

/* ---- the verb ----------------------------------------------------------------------------------- */

static bool run_all(struct bench_report *report, const struct arguments *arguments, unsigned chosen)
{
    const bool progress = !arguments->quiet && isatty(STDERR_FILENO) && (arguments->json || !isatty(STDOUT_FILENO));
    if (!report->silent)
        print_heading(report->plan);
    if (progress)
        (void)fprintf(stderr, "rmsprop: %s\n", LIMITS_NAME);
    bool measured = (chosen >> bench_section_count & 1) == 0 || bench_limits(report);
    for (size_t i = 0; i < bench_section_count && measured && !stop_signal && !ferror(stdout); ++i) {
        if ((chosen >> i & 1) == 0)
            continue;
        if (progress)
            (void)fprintf(stderr, "rmsprop: section %s\n", bench_sections[i].name);
        measured = run_section(report, &bench_sections[i]);
    }
    report->interrupted = stop_signal != 0;
    report->ended = time(NULL);
    return measured;
}

/* Files first: what is said on stdout includes which were written. */
static bool tell(const struct bench_report *report, const char *folder)
{
    struct text written = {0};
    bool told = write_document(report, folder, &written) && bench_plot(report, folder, &written);
    if (!report->silent && report->interrupted)
        (void)printf("\n%sInterrupted%s: what was not finished is left out.\n", bold(), plain());
    if (!report->silent && written.length > 0) {
        (void)printf("\nwritten ");
        print_wrapped(written.text, 8, 8);
    }
    if (report->silent)
        told = print_json(document_json(report)) && told;
    text_free(&written);
    return told;
}

static struct bench_plan make_plan(const struct arguments *arguments)
{
    struct bench_plan plan = {
        .rounds = arguments->quick ? BENCH_QUICK_ROUNDS : BENCH_ROUNDS,
        .large = arguments->count > 0 ? arguments->count
                 : arguments->quick   ? BENCH_QUICK_LARGE
                                      : BENCH_LARGE,
        .threads = arguments->threads > 0 ? arguments->threads : system_processors(),
        .caches = system_caches(),
        .quick = arguments->quick,
    };
    plan.isa_count = bench_isas(RMS_ISA_AUTO, plan.isas, BENCH_ISAS_MAX);
    return plan;
}

int bench_sections_verb(const struct arguments *arguments)
{
    unsigned chosen = 0;
    if (!choose_sections(arguments, &chosen))
        return STATUS_USAGE;
    rms_isa isa;
    if (!machine_isa(&isa))
        return STATUS_FAILED;
    stop_on_signals();
    if (!folder_prepare(arguments->out))
        return STATUS_FAILED;
    const struct bench_plan plan = make_plan(arguments);
    struct bench_report report = {.plan = &plan, .silent = arguments->json, .sections = json_object()};
    const bool measured = run_all(&report, arguments, chosen);
    const bool told = measured && tell(&report, arguments->out);
    json_decref(report.limits);
    json_decref(report.sections);
    if (stop_signal != 0)
        return STATUS_SIGNALLED + stop_signal;
    return told ? STATUS_OK : STATUS_FAILED;
}
