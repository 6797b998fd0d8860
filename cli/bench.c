/* The bench verb: how near a step comes to what this machine's memory allows. */
#include "bench_checkpoint.h"
#include "machine.h"
#include "output.h"
#include "stop.h"
#include "text.h"
#include "verbs.h"

#include <bench/bench.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* ---- which cases -------------------------------------------------------------------------------- */

enum {
    CASES_MAX = 512,
    ROUNDS = 15,
    QUICK_ROUNDS = 5,
    LARGE = 30000000,
    QUICK_LARGE = 3000000,
    CACHED = 4096,
    SMALL = 100
};

struct case_list {
    rms_dtype dtype; /* of all of them */
    rms_master master;
    struct bench_case cases[CASES_MAX];
    size_t count;
};

static void add_case(struct case_list *list, rms_rule rule, size_t count, int threads, rms_isa isa,
                     rms_nonfinite nonfinite)
{
    if (list->count < CASES_MAX)
        list->cases[list->count++] = (struct bench_case){.rule = rule,
                                                         .count = count,
                                                         .threads = threads,
                                                         .isa = isa,
                                                         .nonfinite = nonfinite,
                                                         .dtype = list->dtype,
                                                         .master = list->master};
}

/* The instruction sets to compare: the one asked for, or all above the baseline, or that if there is no
 * other. */
static size_t choose_isas(const struct arguments *arguments, rms_isa isas[], size_t most)
{
    size_t count = 0;
    if (arguments->isa != RMS_ISA_AUTO) {
        isas[count++] = arguments->isa;
        return count;
    }
    for (int isa = RMS_ISA_BASELINE + 1; rms_isa_name((rms_isa)isa) && count < most; ++isa)
        if (rms_isa_supported((rms_isa)isa))
            isas[count++] = (rms_isa)isa;
    if (count == 0)
        isas[count++] = RMS_ISA_BASELINE;
    return count;
}

static size_t choose_threads(const struct arguments *arguments, int threads[2])
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    threads[0] = arguments->threads > 0 ? arguments->threads : 1;
    threads[1] = (int)processors;
    return arguments->threads > 0 || processors < 2 ? 1 : 2;
}

/* Without --count: a model far larger than the cache, a layer inside it, and a tensor so small that the call
 * itself counts. The check for NaN is left out of the first two, as by those whose loss scaler has looked
 * already, and then put in with the best instruction set. */
static void list_rule(struct case_list *list, const struct arguments *arguments, rms_rule rule)
{
    enum { ISAS_MAX = 8 };
    rms_isa isas[ISAS_MAX];
    int threads[2];
    const size_t isa_count = choose_isas(arguments, isas, ISAS_MAX);
    const size_t thread_count = choose_threads(arguments, threads);
    const size_t large = arguments->count > 0 ? arguments->count : arguments->quick ? QUICK_LARGE : LARGE;
    const rms_isa best = isas[isa_count - 1];
    for (size_t t = 0; t < thread_count; ++t) {
        for (size_t i = 0; i < isa_count; ++i)
            add_case(list, rule, large, threads[t], isas[i], RMS_NONFINITE_PROPAGATE);
        add_case(list, rule, large, threads[t], best, RMS_NONFINITE_SKIP);
    }
    if (arguments->count > 0)
        return;
    for (size_t i = 0; i < isa_count; ++i)
        add_case(list, rule, CACHED, 1, isas[i], RMS_NONFINITE_PROPAGATE);
    add_case(list, rule, SMALL, 1, best, RMS_NONFINITE_SKIP);
}

static void list_cases(struct case_list *list, const struct arguments *arguments)
{
    for (int rule = 0; rule < RMS_RULE_COUNT; ++rule)
        if (!arguments->rule_given || arguments->rule == (rms_rule)rule)
            list_rule(list, arguments, (rms_rule)rule);
}

/* ---- as text ------------------------------------------------------------------------------------ */

static bool is_short(rms_dtype dtype)
{
    return rms_dtype_size(dtype) == sizeof(uint16_t);
}

static void print_heading(const struct case_list *list, rms_isa isa, size_t rounds, bool quick)
{
    (void)printf("%sOne step against this machine's memory limit%s\n", bold(), plain());
    (void)printf("rmsprop %s, %s, best instruction set %s; medians of %zu rounds.\n", rms_version(), machine_compiler(),
                 rms_isa_name(isa), rounds);
    (void)printf("share: of the speed of a bare pass over the same arrays in the same round; 1 is\n"
                 "as fast. check yes: the step first looks for NaN; its bare pass reads the\n"
                 "gradients twice as well. loop: the textbook loop in C, -O3 -march=native, on one\n"
                 "thread. sgd has momentum 0.9.\n");
    if (is_short(list->dtype))
        (void)printf("Parameters and gradients are %s, with master %s.\n", rms_dtype_name(list->dtype),
                     rms_master_name(list->master));
    else if (list->dtype != RMS_F32)
        (void)printf("Parameters, gradients and state are %s.\n", rms_dtype_name(list->dtype));
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

/* ---- as JSON ------------------------------------------------------------------------------------ */

static json_t *result_json(const struct bench_case *c, const struct bench_result *r)
{
    const rms_dtype state = c->dtype == RMS_F64 ? RMS_F64 : RMS_F32;
    return json_pack("{s:s, s:s, s:s, s:s?, s:I, s:i, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "rule",
                     rms_rule_name(c->rule), "dtype", rms_dtype_name(c->dtype), "state", rms_dtype_name(state),
                     "master", is_short(c->dtype) ? rms_master_name(c->master) : NULL, "count", (json_int_t)c->count,
                     "threads", c->threads, "isa", rms_isa_name(c->isa), "nonfinite", rms_nonfinite_name(c->nonfinite),
                     "ns_per_param", json_number(r->ns_per_param), "ns_per_step",
                     json_number(r->ns_per_param * (double)c->count), "gb_per_s", json_number(r->gb_per_s),
                     "bytes_per_param", json_number(r->bytes_per_param), "ratio_to_limit",
                     json_number(r->ratio_to_limit), "limit_ns_per_param", json_number(r->limit_ns_per_param),
                     "plain_loop_ns_per_param", json_number(r->plain_ns_per_param), "times_faster_than_plain_loop",
                     json_number(r->times_faster_than_plain));
}

/* ---- the verb ----------------------------------------------------------------------------------- */

/* Measures and shows every case; what is finished when the user stops is shown, too. */
static int run_cases(const struct case_list *list, const struct arguments *arguments, size_t rounds, json_t **results)
{
    for (size_t i = 0; i < list->count && !stop_signal && !ferror(stdout); ++i) {
        const struct bench_case *bench_case = &list->cases[i];
        struct bench_result result;
        rms_error error;
        if (!arguments->quiet && isatty(STDERR_FILENO) && (arguments->json || !isatty(STDOUT_FILENO)))
            (void)fprintf(stderr, "rmsprop: case %zu of %zu\n", i + 1, list->count);
        if (bench_measure(bench_case, rounds, &result, &error) != RMS_OK) {
            complain("bench: %s", error.message);
            return STATUS_FAILED;
        }
        if (arguments->json)
            *results = json_append(*results, result_json(bench_case, &result));
        else
            print_result(bench_case, &result);
    }
    return stop_signal ? STATUS_SIGNALLED + stop_signal : STATUS_OK;
}

int bench_verb(const struct arguments *arguments)
{
    if (arguments->checkpoint)
        return bench_checkpoint_verb(arguments);
    const size_t rounds = arguments->quick ? QUICK_ROUNDS : ROUNDS;
    struct case_list list = {.dtype = arguments->dtype, .master = arguments->master};
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
    list_cases(&list, arguments);
    stop_on_signals();
    if (!arguments->json)
        print_heading(&list, isa, rounds, arguments->quick);
    json_t *results = json_array();
    const int status = run_cases(&list, arguments, rounds, &results);
    if (!arguments->json || status == STATUS_FAILED)
        json_decref(results);
    else if (!print_json(results))
        return STATUS_FAILED;
    return status;
}
