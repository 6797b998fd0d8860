/* What both kinds of bench share: instruction sets, memory, numbers, JSON of a case. */
#include "bench_report.h"

#include "output.h"

#include <stdio.h>
#include <string.h>

size_t bench_isas(rms_isa asked, rms_isa isas[], size_t most)
{
    size_t count = 0;
    if (asked != RMS_ISA_AUTO) {
        isas[count++] = asked;
        return count;
    }
    for (int isa = RMS_ISA_BASELINE + 1; rms_isa_name((rms_isa)isa) && count < most; ++isa)
        if (rms_isa_supported((rms_isa)isa))
            isas[count++] = (rms_isa)isa;
    if (count == 0)
        isas[count++] = RMS_ISA_BASELINE;
    return count;
}

bool bench_fits(const struct bench_case *cases, size_t count, size_t *bytes)
{
    const size_t available = system_memory_available();
    double sum = 0;
    for (size_t i = 0; i < count; ++i)
        sum += (double)bench_bytes(&cases[i]);
    *bytes = sum < (double)SIZE_MAX ? (size_t)sum : SIZE_MAX;
    return available == 0 || sum <= 0.75 * (double)available;
}

const char *bytes_text(char text[NUMBER_TEXT_SIZE], double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (bytes >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1024;
        ++unit;
    }
    (void)snprintf(text, NUMBER_TEXT_SIZE, "%.3g %s", bytes, units[unit]);
    return text;
}

const char *count_text(char text[NUMBER_TEXT_SIZE], size_t count)
{
    char digits[NUMBER_TEXT_SIZE];
    const int length = snprintf(digits, sizeof digits, "%zu", count);
    size_t end = 0;
    for (int i = 0; i < length && end + 2 < NUMBER_TEXT_SIZE; ++i) {
        if (i > 0 && (length - i) % 3 == 0)
            text[end++] = ',';
        text[end++] = digits[i];
    }
    text[end] = '\0';
    return text;
}

static const char *master_or_null(const struct bench_case *c)
{
    return rms_dtype_size(c->dtype) == sizeof(uint16_t) ? rms_master_name(c->master) : NULL;
}

json_t *bench_result_json(const struct bench_case *c, const struct bench_result *r)
{
    const double count = (double)c->count * (double)c->tensors;
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s?, s:I, s:I, s:i, s:i, s:s, s:s, s:f}", "rule", rms_rule_name(c->rule), "dtype",
        rms_dtype_name(c->dtype), "state", rms_dtype_name(c->dtype == RMS_F64 ? RMS_F64 : RMS_F32), "state_format",
        rms_state_format_name(c->state), "master", master_or_null(c), "count", (json_int_t)c->count, "tensors",
        (json_int_t)c->tensors, "threads", c->threads, "threads_used", r->threads_used, "isa", rms_isa_name(c->isa),
        "nonfinite", rms_nonfinite_name(c->nonfinite), "clip_norm", c->clip_norm);
    const struct {
        const char *key;
        double value;
    } figures[] = {
        {"ns_per_param", r->ns_per_param},
        {"ns_per_step", r->ns_per_param * count},
        {"gb_per_s", r->gb_per_s},
        {"bytes_per_param", r->bytes_per_param},
        {"held_bytes_per_param", r->held_per_param},
        {"limit_ns_per_param", r->limit_ns_per_param},
        {"ratio_to_limit", r->ratio_to_limit},
        {"arithmetic_ns_per_param", r->arithmetic_ns_per_param},
        {"ratio_to_slower_limit", r->ratio_to_slower},
        {"time_to_first", r->time_to_first},
        {"plain_loop_ns_per_param", r->plain_ns_per_param},
        {"times_faster_than_plain_loop", r->times_faster_than_plain},
    };
    bool complete = object != NULL;
    for (size_t i = 0; complete && i < sizeof figures / sizeof figures[0]; ++i)
        complete = json_object_set_new(object, figures[i].key, json_number(figures[i].value)) == 0;
    if (complete)
        return object;
    json_decref(object);
    return NULL;
}
