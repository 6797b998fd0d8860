/* Single cases, as options choose them: how near a step comes to what this machine's memory allows. */
#include "bench_report.h"

#include "machine.h"
#include "output.h"
#include "stop.h"
#include "verbs.h"

#include <stdio.h>
#include <unistd.h>

/* ---- which cases -------------------------------------------------------------------------------- */

enum { CASES_MAX = 512, CACHED = 4096, SMALL = 100 };

struct case_list {
    struct bench_case common; /* what all of them have */
    struct bench_case cases[CASES_MAX];
    size_t count;
};

static void add_case(struct case_list *list, size_t count, int threads, rms_isa isa, rms_nonfinite nonfinite)
{
    if (list->count == CASES_MAX)
        return;
    struct bench_case *const added = &list->cases[list->count++];
    *added = list->common;
    added->count = count;
    added->threads = threads;
    added->isa = isa;
    added->nonfinite = nonfinite;
}

static size_t choose_threads(const struct arguments *arguments, int threads[2])
{
    threads[0] = arguments->threads > 0 ? arguments->threads : 1;
    threads[1] = system_processors();
    return arguments->threads > 0 || threads[1] < 2 ? 1 : 2;
}

/* Without --count: a model far larger than the cache, a layer inside it, and a tensor so small that the call
 * itself counts. The check for NaN is left out of the first two, as by those whose loss scaler has looked
 * already, and then put in with the best instruction set. */
static void list_rule(struct case_list *list, const struct arguments *arguments)
{
    enum { ISAS_MAX = 8 };
    rms_isa isas[ISAS_MAX];
    int threads[2];
    const size_t isa_count = bench_isas(arguments->isa, isas, ISAS_MAX);
    const size_t thread_count = choose_threads(arguments, threads);
    const size_t large = arguments->count > 0 ? arguments->count : arguments->quick ? BENCH_QUICK_LARGE : BENCH_LARGE;
    const rms_isa best = isas[isa_count - 1];
    for (size_t t = 0; t < thread_count; ++t) {
        for (size_t i = 0; i < isa_count; ++i)
            add_case(list, large, threads[t], isas[i], RMS_NONFINITE_PROPAGATE);
        add_case(list, large, threads[t], best, RMS_NONFINITE_SKIP);
    }
    if (arguments->count > 0)
        return;
    for (size_t i = 0; i < isa_count; ++i)
        add_case(list, CACHED, 1, isas[i], RMS_NONFINITE_PROPAGATE);
    add_case(list, SMALL, 1, best, RMS_NONFINITE_SKIP);
}

/* A rule that does not go with the formats is left out, or refused where it was asked for. */
static bool list_cases(struct case_list *list, const struct arguments *arguments)
{
    for (int rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        if (arguments->rule_given && arguments->rule != (rms_rule)rule)
            continue;
        rms_error error;
        list->common.rule = (rms_rule)rule;
        if (bench_check(&list->common, &error) == RMS_OK)
            list_rule(list, arguments);
        else if (arguments->rule_given) {
            complain("bench: %s", error.message);
            return false;
        }
    }
    if (list->count == 0)
        complain("bench: no rule keeps %s state of %s (rmsprop list RULE shows what each takes)",
                 rms_state_format_name(arguments->state), rms_dtype_name(arguments->dtype));
    return list->count > 0;
}

/* ---- as text ------------------------------------------------------------------------------------ */

static void print_formats(const struct bench_case *common)
{
    if (rms_dtype_size(common->dtype) == sizeof(uint16_t))
        (void)printf("Parameters and gradients are %s, with master %s.\n", rms_dtype_name(common->dtype),
                     rms_master_name(common->master));
    else if (common->dtype != RMS_F32)
        (void)printf("Parameters, gradients and state are %s.\n", rms_dtype_name(common->dtype));
    if (common->state != RMS_STATE_FULL)
        (void)printf("State is kept in the format %s.\n", rms_state_format_name(common->state));
    if (common->tensors > 1)
        (void)printf("%zu tensors of so many parameters each.\n", common->tensors);
}

static void print_heading(const struct bench_case *common, rms_isa isa, size_t rounds, bool quick)
{
    (void)printf("%sOne step against this machine's memory limit%s\n", bold(), plain());
    (void)printf("rmsprop %s, %s, best instruction set %s; medians of %zu rounds.\n", rms_version(), machine_compiler(),
                 rms_isa_name(isa), rounds);
    (void)printf("share: of the speed of a bare pass over the same arrays in the same round; 1 is\n"
                 "as fast. check yes: the step first looks for NaN; its bare pass reads the\n"
                 "gradients twice as well. loop: the textbook loop in C, -O3 -march=native, on one\n"
                 "thread. sgd has momentum 0.9.\n");
    print_formats(common);
    if (quick)
        (void)printf("Indicative only: --quick measures fewer rounds of smaller models.\n");
    (void)printf("\n%s%-8s %10s  %7s  %-8s  %-5s  %8s  %6s  %5s  %6s%s\n", faint(), "rule", "parameters", "threads",
                 "isa", "check", "ns/param", "GB/s", "share", "x loop", plain());
    (void)fflush(stdout);
}

static void print_result(const struct bench_case *c, const struct bench_result *r)
{
    char faster[NUMBER_TEXT_SIZE];
    (void)printf("%-8s %10zu  %7d  %-8s  %-5s  %8.3f  %6.1f  %5.2f  %6s\n", rms_rule_name(c->rule), c->count,
                 c->threads, rms_isa_name(c->isa), c->nonfinite == RMS_NONFINITE_SKIP ? "yes" : "no", r->ns_per_param,
                 r->gb_per_s, r->ratio_to_limit, number_text(faster, r->times_faster_than_plain, 2));
    (void)fflush(stdout);
}

/* ---- the measuring ------------------------------------------------------------------------------ */

static bool has_room(const struct bench_case *bench_case)
{
    char needed[NUMBER_TEXT_SIZE], available[NUMBER_TEXT_SIZE];
    size_t bytes = 0;
    const bool fits = bench_fits(bench_case, 1, &bytes);
    if (!fits)
        complain("bench: %zu parameters take %s (expected at most three quarters of the %s that are available)",
                 bench_case->count, bytes_text(needed, (double)bytes),
                 bytes_text(available, (double)system_memory_available()));
    return fits;
}

/* Measures and shows every case; what is finished when the user stops is shown, too. */
static int run_cases(const struct case_list *list, const struct arguments *arguments, size_t rounds, json_t **results)
{
    const struct bench_method method = {.rounds = rounds, .limit = true, .arithmetic = arguments->json, .plain = true};
    for (size_t i = 0; i < list->count && !stop_signal && !ferror(stdout); ++i) {
        const struct bench_case *bench_case = &list->cases[i];
        struct bench_result result;
        rms_error error;
        if (!arguments->quiet && isatty(STDERR_FILENO) && (arguments->json || !isatty(STDOUT_FILENO)))
            (void)fprintf(stderr, "rmsprop: case %zu of %zu\n", i + 1, list->count);
        if (!has_room(bench_case))
            return STATUS_FAILED;
        if (bench_measure(bench_case, 1, &method, &result, &error) != RMS_OK) {
            complain("bench: %s", error.message);
            return STATUS_FAILED;
        }
        if (arguments->json)
            *results = json_append(*results, bench_result_json(bench_case, &result));
        else
            print_result(bench_case, &result);
    }
    return stop_signal ? STATUS_SIGNALLED + stop_signal : STATUS_OK;
}

int bench_cases_verb(const struct arguments *arguments)
{
    const size_t rounds = arguments->quick ? BENCH_QUICK_ROUNDS : BENCH_ROUNDS;
    struct case_list list = {.common = {.count = 1,
                                        .tensors = arguments->tensors > 0 ? arguments->tensors : 1,
                                        .threads = 1,
                                        .isa = RMS_ISA_BASELINE,
                                        .dtype = arguments->dtype,
                                        .master = arguments->master,
                                        .state = arguments->state}};
    rms_isa isa;
    if (!machine_isa(&isa))
        return STATUS_FAILED;
    if (!rms_isa_supported(arguments->isa)) {
        complain("--isa: %s does not run on this machine (`rmsprop list isas` shows what does)",
                 rms_isa_name(arguments->isa));
        return STATUS_USAGE;
    }
    if (arguments->dtype == RMS_F16 && arguments->master == RMS_MASTER_REMAINDER) {
        complain("--master: f16 has no remainder (expected f32 or none, or --dtype bf16)");
        return STATUS_USAGE;
    }
    if (!list_cases(&list, arguments))
        return STATUS_USAGE;
    stop_on_signals();
    if (!arguments->json)
        print_heading(&list.common, isa, rounds, arguments->quick);
    json_t *results = json_array();
    const int status = run_cases(&list, arguments, rounds, &results);
    if (!arguments->json || status == STATUS_FAILED)
        json_decref(results);
    else if (!print_json(results))
        return STATUS_FAILED;
    return status;
}
