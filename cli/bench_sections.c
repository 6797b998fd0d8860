/* The sections of the whole picture: which cases each measures, and how its rows read. */
#include "bench_report.h"
#include "output.h"

#include <stdio.h>

enum { CACHED = 10000 };

/* RMSProp in f32, one tensor, unchecked: what most sections vary. */
static struct bench_case usual(const struct bench_plan *plan, size_t count, int threads)
{
    return (struct bench_case){.rule = RMS_RMSPROP,
                               .count = count,
                               .tensors = 1,
                               .threads = threads,
                               .isa = plan->isas[plan->isa_count - 1],
                               .nonfinite = RMS_NONFINITE_PROPAGATE};
}

static void add(struct bench_group *group, struct bench_case added)
{
    group->cases[group->count++] = added;
}

static size_t cached(const struct bench_plan *plan)
{
    return plan->large < CACHED ? plan->large : CACHED;
}

/* Prints "30,000,000, 2 threads", aligned to the right of so many columns. */
static void print_model(size_t count, int threads, int columns)
{
    char text[2 * NUMBER_TEXT_SIZE], digits[NUMBER_TEXT_SIZE];
    (void)snprintf(text, sizeof text, "%s, %d thread%s", count_text(digits, count), threads, threads == 1 ? "" : "s");
    (void)printf("%*s", columns, text);
}

/* ---- sizes -------------------------------------------------------------------------------------- */

static size_t list_sizes(const struct bench_plan *plan, struct bench_group groups[])
{
    size_t count = 0;
    for (size_t size = 16; size < plan->large && size <= 4 << 20; size *= 4)
        groups[count++] = (struct bench_group){.count = 0, .cases = {usual(plan, size, 1)}};
    groups[count++] = (struct bench_group){.count = 0, .cases = {usual(plan, plan->large, 1)}};
    for (size_t i = 0; i < count; ++i) {
        const struct bench_case first = groups[i].cases[0];
        for (size_t isa = plan->isa_count; isa-- > 0;) {
            add(&groups[i], first);
            groups[i].cases[groups[i].count - 1].isa = plan->isas[isa];
        }
    }
    return count;
}

static void head_sizes(const struct bench_plan *plan)
{
    (void)printf("%-21s", "");
    for (size_t isa = plan->isa_count; isa-- > 0;)
        (void)printf("   %25s", rms_isa_name(plan->isas[isa]));
    (void)printf("\n%10s %10s", "parameters", "data");
    for (size_t isa = 0; isa < plan->isa_count; ++isa)
        (void)printf("   %9s %6s %8s", "ns/param", "share", "of pass");
}

static void print_size(const struct bench_plan *plan, const struct bench_group *group, const struct bench_result *r)
{
    char count[NUMBER_TEXT_SIZE], bytes[NUMBER_TEXT_SIZE];
    (void)plan;
    (void)printf("%10s %10s", count_text(count, group->cases[0].count),
                 bytes_text(bytes, r[0].held_per_param * (double)group->cases[0].count));
    for (size_t i = 0; i < group->count; ++i)
        (void)printf("   %9.3f %6.2f %8.2f", r[i].ns_per_param, r[i].ratio_to_slower, r[i].ratio_to_limit);
    (void)putchar('\n');
}

/* ---- rules -------------------------------------------------------------------------------------- */

static size_t list_rules(const struct bench_plan *plan, struct bench_group groups[])
{
    for (int rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        struct bench_group *const group = &groups[rule];
        *group = (struct bench_group){.count = 0};
        add(group, usual(plan, cached(plan), 1));
        add(group, usual(plan, plan->large, 1));
        if (plan->threads > 1)
            add(group, usual(plan, plan->large, plan->threads));
        for (size_t i = 0; i < group->count; ++i)
            group->cases[i].rule = (rms_rule)rule;
    }
    return RMS_RULE_COUNT;
}

static void head_rules(const struct bench_plan *plan)
{
    print_model(cached(plan), 1, 32);
    print_model(plan->large, 1, 23);
    if (plan->threads > 1)
        print_model(plan->large, plan->threads, 23);
    (void)printf("\n%-9s%8s %6s%8s", "rule", "ns/param", "share", "of pass");
    for (int i = 0; i < (plan->threads > 1 ? 2 : 1); ++i)
        (void)printf("%10s %6s %5s", "ns/param", "GB/s", "share");
}

static void print_rule(const struct bench_plan *plan, const struct bench_group *group, const struct bench_result *r)
{
    (void)plan;
    (void)printf("%-9s%8.3f %6.2f%8.2f", rms_rule_name(group->cases[0].rule), r[0].ns_per_param, r[0].ratio_to_slower,
                 r[0].ratio_to_limit);
    for (size_t i = 1; i < group->count; ++i)
        (void)printf("%10.3f %6.1f %5.2f", r[i].ns_per_param, r[i].gb_per_s, r[i].ratio_to_slower);
    (void)putchar('\n');
}

/* ---- number formats ----------------------------------------------------------------------------- */

static size_t list_dtypes(const struct bench_plan *plan, struct bench_group groups[])
{
    static const struct {
        rms_dtype dtype;
        rms_master master;
    } formats[] = {{RMS_F32, RMS_MASTER_F32},  {RMS_F64, RMS_MASTER_F32},  {RMS_F16, RMS_MASTER_F32},
                   {RMS_F16, RMS_MASTER_NONE}, {RMS_BF16, RMS_MASTER_F32}, {RMS_BF16, RMS_MASTER_REMAINDER},
                   {RMS_BF16, RMS_MASTER_NONE}};
    const size_t count = sizeof formats / sizeof formats[0];
    for (size_t i = 0; i < count; ++i) {
        groups[i] = (struct bench_group){.count = 1, .cases = {usual(plan, plan->large, plan->threads)}};
        groups[i].cases[0].dtype = formats[i].dtype;
        groups[i].cases[0].master = formats[i].master;
    }
    return count;
}

static void head_dtypes(const struct bench_plan *plan)
{
    (void)plan;
    (void)printf("%-6s %-10s %8s %10s %10s %8s %8s", "dtype", "master", "held", "traffic", "ns/param", "GB/s", "share");
}

static void print_dtype(const struct bench_plan *plan, const struct bench_group *group, const struct bench_result *r)
{
    const struct bench_case *const c = &group->cases[0];
    const bool is_short = rms_dtype_size(c->dtype) == sizeof(uint16_t);
    (void)plan;
    (void)printf("%-6s %-10s %8.0f %10.0f %10.3f %8.1f %8.2f\n", rms_dtype_name(c->dtype),
                 is_short ? rms_master_name(c->master) : "-", r->held_per_param, r->bytes_per_param, r->ns_per_param,
                 r->gb_per_s, r->ratio_to_slower);
}

/* ---- formats of the state ----------------------------------------------------------------------- */

static size_t list_states(const struct bench_plan *plan, struct bench_group groups[])
{
    static const rms_rule rules[] = {RMS_RMSPROP, RMS_ADAGRAD, RMS_ADAM};
    static const rms_state_format formats[] = {RMS_STATE_FULL, RMS_STATE_16_BIT, RMS_STATE_8_BIT};
    const int threads[2] = {1, plan->threads};
    size_t count = 0;
    for (size_t rule = 0; rule < sizeof rules / sizeof rules[0]; ++rule)
        for (size_t t = 0; t < (plan->threads > 1 ? 2 : 1); ++t) {
            struct bench_group *const group = &groups[count++];
            *group = (struct bench_group){.count = 0};
            for (size_t i = 0; i < sizeof formats / sizeof formats[0]; ++i) {
                add(group, usual(plan, plan->large, threads[t]));
                group->cases[i].rule = rules[rule];
                group->cases[i].state = formats[i];
            }
        }
    return count;
}

static void head_states(const struct bench_plan *plan)
{
    (void)plan;
    (void)printf("%-8s %7s  %-8s %8s %10s %10s %9s %8s", "rule", "threads", "state", "held", "traffic", "ns/param",
                 "to full", "share");
}

static void print_states(const struct bench_plan *plan, const struct bench_group *group, const struct bench_result *r)
{
    (void)plan;
    for (size_t i = 0; i < group->count; ++i)
        (void)printf("%-8s %7d  %-8s %8.2f %10.2f %10.3f %9.2f %8.2f\n", rms_rule_name(group->cases[i].rule),
                     group->cases[i].threads, rms_state_format_name(group->cases[i].state), r[i].held_per_param,
                     r[i].bytes_per_param, r[i].ns_per_param, r[i].time_to_first, r[i].ratio_to_slower);
}

/* ---- many tensors ------------------------------------------------------------------------------- */

/* One tensor of as many parameters, then many; without the check for NaN, then with it. */
static size_t list_tensors(const struct bench_plan *plan, struct bench_group groups[])
{
    static const size_t elements[] = {100, 1000};
    static const size_t tensors[] = {1, 50, 1000, 10000};
    static const rms_nonfinite checks[] = {RMS_NONFINITE_PROPAGATE, RMS_NONFINITE_SKIP};
    size_t count = 0;
    for (size_t e = 0; e < sizeof elements / sizeof elements[0]; ++e)
        for (size_t t = 0; t < sizeof tensors / sizeof tensors[0]; ++t) {
            if (elements[e] * tensors[t] > plan->large)
                continue;
            struct bench_group *const group = &groups[count++];
            *group = (struct bench_group){.count = 0};
            for (size_t i = 0; i < sizeof checks / sizeof checks[0]; ++i) {
                struct bench_case one = usual(plan, elements[e] * tensors[t], 1);
                struct bench_case many = usual(plan, elements[e], 1);
                many.tensors = tensors[t];
                one.nonfinite = many.nonfinite = checks[i];
                add(group, one);
                add(group, many);
            }
        }
    return count;
}

static void head_tensors(const struct bench_plan *plan)
{
    (void)plan;
    (void)printf("%46s%29s\n%8s %8s", "unchecked", "checked for NaN", "tensors", "elements");
    for (int i = 0; i < 2; ++i)
        (void)printf(" %11s %8s %7s", "ns/tensor", "as one", "beyond");
}

static void print_tensors(const struct bench_plan *plan, const struct bench_group *group, const struct bench_result *r)
{
    const struct bench_case *const c = &group->cases[1];
    char tensors[NUMBER_TEXT_SIZE];
    (void)plan;
    (void)printf("%8s %8zu", count_text(tensors, c->tensors), c->count);
    for (size_t one = 0; one < group->count; one += 2) {
        const double each = r[one + 1].ns_per_param * (double)c->count;
        const double as_one = each * r[one].time_to_first / r[one + 1].time_to_first;
        if (c->tensors > 1)
            (void)printf(" %11.1f %8.1f %7.1f", each, as_one, each - as_one);
        else
            (void)printf(" %11.1f %8s %7s", each, "-", "-");
    }
    (void)putchar('\n');
}

/* ---- threads ------------------------------------------------------------------------------------ */

static size_t list_threads(const struct bench_plan *plan, struct bench_group groups[])
{
    size_t count = 0;
    for (size_t size = 8192; plan->threads > 1 && size <= 4 << 20 && size <= plan->large; size *= 2) {
        groups[count] = (struct bench_group){.count = 0};
        add(&groups[count], usual(plan, size, 1));
        add(&groups[count++], usual(plan, size, plan->threads));
    }
    return count;
}

static void head_threads(const struct bench_plan *plan)
{
    (void)printf("%10s %14s %9d threads %14s %14s", "parameters", "1 thread, us", plan->threads, "times faster",
                 "threads used");
}

static void print_threads(const struct bench_plan *plan, const struct bench_group *group, const struct bench_result *r)
{
    const double count = (double)group->cases[0].count;
    char text[NUMBER_TEXT_SIZE];
    (void)plan;
    (void)printf("%10s %14.2f %17.2f %14.2f %14d\n", count_text(text, group->cases[0].count),
                 r[0].ns_per_param * count * 1e-3, r[1].ns_per_param * count * 1e-3, 1 / r[1].time_to_first,
                 r[1].threads_used);
}

/* ---- growth ------------------------------------------------------------------------------------- */

/* 30 M, and from 100 M to 1 G. */
static size_t list_growth(const struct bench_plan *plan, struct bench_group groups[])
{
    static const struct {
        size_t thirds; /* of the large model */
        size_t rounds; /* fewer where they take long */
    } sizes[] = {{10, 0}, {30, 9}, {100, 5}};
    size_t count = 0;
    for (size_t i = 0; !plan->quick && i < sizeof sizes / sizeof sizes[0]; ++i) {
        groups[count] = (struct bench_group){.rounds = sizes[i].rounds};
        add(&groups[count], usual(plan, plan->large, plan->threads));
        add(&groups[count++], usual(plan, plan->large * sizes[i].thirds / 3, plan->threads));
    }
    return count;
}

static void head_growth(const struct bench_plan *plan)
{
    char text[NUMBER_TEXT_SIZE], heading[NUMBER_TEXT_SIZE + 8];
    (void)snprintf(heading, sizeof heading, "to %s", count_text(text, plan->large));
    (void)printf("%13s %10s %10s %16s %9s", "parameters", "data", "ns/param", heading, "of pass");
}

static void print_growth(const struct bench_plan *plan, const struct bench_group *group, const struct bench_result *r)
{
    char count[NUMBER_TEXT_SIZE], bytes[NUMBER_TEXT_SIZE];
    (void)plan;
    (void)printf("%13s %10s %10.3f %16.3f %9.2f\n", count_text(count, group->cases[1].count),
                 bytes_text(bytes, r[1].held_per_param * (double)group->cases[1].count), r[1].ns_per_param,
                 r[1].time_to_first, r[1].ratio_to_limit);
}

/* ---- checking and clipping ---------------------------------------------------------------------- */

static size_t list_checks(const struct bench_plan *plan, struct bench_group groups[])
{
    const struct bench_case models[] = {usual(plan, cached(plan), 1), usual(plan, plan->large, 1),
                                        usual(plan, plan->large, plan->threads)};
    const size_t count = plan->threads > 1 ? 3 : 2;
    for (size_t i = 0; i < count; ++i) {
        groups[i] = (struct bench_group){.count = 3, .cases = {models[i], models[i], models[i]}};
        groups[i].cases[1].nonfinite = RMS_NONFINITE_SKIP;
        groups[i].cases[2].clip_norm = 1;
    }
    return count;
}

static void head_checks(const struct bench_plan *plan)
{
    (void)plan;
    (void)printf("%36s%22s%22s\n", "neither", "nonfinite = skip", "clip_norm");
    (void)printf("%10s %7s%9s %8s%8s %5s %7s%8s %5s %7s", "parameters", "threads", "ns/param", "of pass", "ns", "x",
                 "of pass", "ns", "x", "of pass");
}

static void print_checks(const struct bench_plan *plan, const struct bench_group *group, const struct bench_result *r)
{
    char count[NUMBER_TEXT_SIZE];
    (void)plan;
    (void)printf("%10s %7d%9.3f %8.2f", count_text(count, group->cases[0].count), group->cases[0].threads,
                 r[0].ns_per_param, r[0].ratio_to_limit);
    for (size_t i = 1; i < group->count; ++i)
        (void)printf("%8.3f %5.2f %7.2f", r[i].ns_per_param, r[i].time_to_first, r[i].ratio_to_limit);
    (void)putchar('\n');
}

/* ---- the table ---------------------------------------------------------------------------------- */

const struct bench_section bench_sections[] = {
    {
        .name = "sizes",
        .title = "RMSProp by size",
        .note = "f32, 1 thread. data: gradients, parameters and state.\n",
        .limit = true,
        .arithmetic = true,
        .list = list_sizes,
        .print_heading = head_sizes,
        .print = print_size,
    },
    {
        .name = "rules",
        .title = "Every rule",
        .note = "f32. sgd has momentum 0.9.\n",
        .limit = true,
        .arithmetic = true,
        .list = list_rules,
        .print_heading = head_rules,
        .print = print_rule,
    },
    {
        .name = "dtypes",
        .title = "Number formats",
        .note = "RMSProp, large model, all threads. master: how 16-bit parameters keep what they\n"
                "cannot hold. Bytes per parameter that there are, and that must move.\n",
        .limit = true,
        .arithmetic = true,
        .list = list_dtypes,
        .print_heading = head_dtypes,
        .print = print_dtype,
    },
    {
        .name = "state",
        .title = "Formats of the state",
        .note = "f32 parameters, large model. to full: time by that of full state, in the same\n"
                "rounds. Bytes per parameter that there are, gradient and parameter among them,\n"
                "and that must move.\n",
        .limit = true,
        .arithmetic = true,
        .list = list_states,
        .print_heading = head_states,
        .print = print_states,
    },
    {
        .name = "tensors",
        .title = "Many tensors",
        .note = "RMSProp, f32, 1 thread. as one: as many parameters in one tensor, in the same\n"
                "rounds, ns by the number of tensors; beyond: what there being many costs.\n",
        .list = list_tensors,
        .print_heading = head_tensors,
        .print = print_tensors,
    },
    {
        .name = "threads",
        .title = "When threads pay",
        .note = "RMSProp, f32; microseconds for a step.\n",
        .list = list_threads,
        .print_heading = head_threads,
        .print = print_threads,
    },
    {
        .name = "growth",
        .title = "Growth",
        .note = "RMSProp, f32, all threads; each size next to the first in the same rounds.\n",
        .limit = true,
        .list = list_growth,
        .print_heading = head_growth,
        .print = print_growth,
    },
    {
        .name = "checks",
        .title = "Looking for NaN, and clipping",
        .note = "RMSProp, f32. x: time by that without either, in the same rounds. Both read the\n"
                "gradients once more, and so do their bare passes.\n",
        .limit = true,
        .list = list_checks,
        .print_heading = head_checks,
        .print = print_checks,
    },
    {
        .name = "environments",
        .title = "Environments",
        .note = "Of reinforcement learning: 1,024 copies, 1 thread, a random policy. Actions are\n"
                "drawn, and episodes that end begin anew, within the time.\n",
        .run = bench_environments,
        .print_heading = bench_head_environments,
    },
};
const size_t bench_section_count = sizeof bench_sections / sizeof bench_sections[0];
