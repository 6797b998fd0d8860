/* One training run told step by step, by looking on while it is made. */
#include "trace.h"

#include "run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

/* What looks on. */
struct recorder {
    struct lab_trace *trace;
    const rms_tensor *tensors;
    size_t tensor_count;
    unsigned char *before; /* the parameters before the step, tensor after tensor */
    float *rates;          /* of all parameters */
    bool failed;           /* memory is short */
};

/* ---------------------------------------------------------------------------------------------------
 * Numbers of any dtype
 * ------------------------------------------------------------------------------------------------- */

static double number_of_bf16(uint16_t bits)
{
    const uint32_t word = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &word, sizeof value);
    return (double)value;
}

static double number_of_f16(uint16_t bits)
{
    const int exponent = bits >> 10 & 31;
    const double fraction = (double)(bits & 1023);
    const double sign = bits >> 15 ? -1.0 : 1.0;
    if (exponent == 31)
        return fraction > 0.0 ? (double)NAN : sign * HUGE_VAL;
    return sign * (exponent == 0 ? ldexp(fraction, -24) : ldexp(1024.0 + fraction, exponent - 25));
}

static double number_at(rms_dtype dtype, const unsigned char *numbers, size_t index)
{
    const unsigned char *const place = numbers + index * rms_dtype_size(dtype);
    double number = 0.0;
    float single;
    uint16_t half;
    switch (dtype) {
    case RMS_F32:
        memcpy(&single, place, sizeof single);
        return (double)single;
    case RMS_F64:
        memcpy(&number, place, sizeof number);
        return number;
    case RMS_F16:
        memcpy(&half, place, sizeof half);
        return number_of_f16(half);
    case RMS_BF16:
        memcpy(&half, place, sizeof half);
        return number_of_bf16(half);
    }
    return number;
}

/* ---------------------------------------------------------------------------------------------------
 * Quantiles
 * ------------------------------------------------------------------------------------------------- */

static void swap(float *a, float *b)
{
    const float kept = *a;
    *a = *b;
    *b = kept;
}

/* Reorders values[first, last) until values[wanted] is what sorting would put there, as quickselect does. */
static void select_value(float *values, size_t first, size_t last, size_t wanted)
{
    while (last - first > 1) {
        const float pivot = values[first + (last - first) / 2];
        size_t less = first;   /* values[first, less) are less than the pivot, */
        size_t greater = last; /* values[greater, last) are greater, */
        size_t i = first;      /* and values[less, i) are equal. */
        while (i < greater)
            if (values[i] < pivot)
                swap(&values[i++], &values[less++]);
            else if (values[i] > pivot)
                swap(&values[i], &values[--greater]);
            else
                ++i;
        if (wanted >= less && wanted < greater)
            return;
        if (wanted < less)
            last = less;
        else
            first = greater;
    }
}

/* The least, the quartiles and the largest: values that are there, the nearest below where a quartile lies between. */
static void take_quantiles(double out[LAB_TRACE_RATES], float *values, size_t count)
{
    size_t first = 0;
    for (size_t i = 0; i < LAB_TRACE_RATES; ++i) {
        const size_t parts = LAB_TRACE_RATES - 1;
        const size_t place = (count - 1) / parts * i + (count - 1) % parts * i / parts;
        select_value(values, first, count, place);
        out[i] = (double)values[place];
        first = place;
    }
}

/* ---------------------------------------------------------------------------------------------------
 * The recorder
 * ------------------------------------------------------------------------------------------------- */

static void record_position(const struct recorder *recorder, struct lab_trace_point *point)
{
    size_t found = 0;
    for (size_t i = 0; i < recorder->tensor_count && found < 2; ++i) {
        const rms_tensor *const tensor = &recorder->tensors[i];
        for (size_t k = 0; k < tensor->count && found < 2; ++k)
            point->position[found++] = number_at(tensor->dtype, tensor->param, k);
    }
}

/* Room for the parameters and their rates, once it is known how many there are. */
static void prepare(struct recorder *recorder, const rms_tensor *tensors, size_t tensor_count)
{
    size_t bytes = 0;
    size_t count = 0;
    for (size_t i = 0; i < tensor_count; ++i) {
        count += tensors[i].count;
        bytes += tensors[i].count * rms_dtype_size(tensors[i].dtype);
    }
    struct lab_trace *const trace = recorder->trace;
    trace->parameter_count = count;
    trace->rate_quantiles = count > LAB_TRACE_RATES;
    trace->rate_count = trace->rate_quantiles ? LAB_TRACE_RATES : count;
    recorder->tensors = tensors;
    recorder->tensor_count = tensor_count;
    recorder->before = malloc(bytes > 0 ? bytes : 1);
    recorder->rates = calloc(count > 0 ? count : 1, sizeof *recorder->rates);
    recorder->failed = !recorder->before || !recorder->rates;
    if (!recorder->failed)
        record_position(recorder, &trace->points[0]);
}

static void before_step(void *context, size_t step, double loss, const rms_tensor *tensors, size_t tensor_count)
{
    struct recorder *const recorder = context;
    if (step == 0)
        prepare(recorder, tensors, tensor_count);
    if (recorder->failed)
        return;
    recorder->trace->points[step].loss = loss;
    unsigned char *place = recorder->before;
    for (size_t i = 0; i < tensor_count; ++i) {
        const size_t bytes = tensors[i].count * rms_dtype_size(tensors[i].dtype);
        memcpy(place, tensors[i].param, bytes);
        place += bytes;
    }
}

static double length_of_step(const struct recorder *recorder)
{
    const unsigned char *before = recorder->before;
    double sum = 0.0;
    for (size_t i = 0; i < recorder->tensor_count; ++i) {
        const rms_tensor *const tensor = &recorder->tensors[i];
        for (size_t k = 0; k < tensor->count; ++k) {
            const double change = number_at(tensor->dtype, tensor->param, k) - number_at(tensor->dtype, before, k);
            sum += change * change;
        }
        before += tensor->count * rms_dtype_size(tensor->dtype);
    }
    return sqrt(sum);
}

static void record_rates(const struct recorder *recorder, struct lab_trace_point *point, rms_optimizer *optimizer)
{
    struct lab_trace *const trace = recorder->trace;
    size_t count = 0;
    for (size_t i = 0; i < recorder->tensor_count; ++i) {
        (void)rms_effective_lr(optimizer, i, recorder->rates + count);
        count += recorder->tensors[i].count;
    }
    if (trace->rate_quantiles)
        take_quantiles(point->rates, recorder->rates, count);
    else
        for (size_t i = 0; i < count; ++i)
            point->rates[i] = (double)recorder->rates[i];
}

static void after_step(void *context, size_t step, rms_optimizer *optimizer, const rms_report *report,
                       rms_status status)
{
    struct recorder *const recorder = context;
    if (recorder->failed || status != RMS_OK)
        return;
    struct lab_trace *const trace = recorder->trace;
    struct lab_trace_point *const point = &trace->points[step];
    point->gradient_norm = report->gradient_norm;
    point->step_length = length_of_step(recorder);
    record_rates(recorder, point, optimizer);
    record_position(recorder, point + 1);
    trace->step_count = step + 1;
}

/* ---------------------------------------------------------------------------------------------------
 * Traces
 * ------------------------------------------------------------------------------------------------- */

static void clear_points(struct lab_trace_point *points, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        points[i] = (struct lab_trace_point){.position = {(double)NAN, (double)NAN},
                                             .loss = (double)NAN,
                                             .gradient_norm = (double)NAN,
                                             .step_length = (double)NAN};
        for (size_t k = 0; k < LAB_TRACE_RATES; ++k)
            points[i].rates[k] = (double)NAN;
    }
}

static rms_status refuse_memory(const struct lab_trace_request *request, rms_error *error)
{
    if (error)
        (void)snprintf(error->message, sizeof error->message, "not enough memory to record a run on %s",
                       request->instance->name);
    return RMS_ERROR_MEMORY;
}

/* Trains with the recorder looking on, and notes how it ended. */
static rms_status record(struct recorder *recorder, const struct lab_trace_request *request, struct lab_run *run,
                         const atomic_int *stop, rms_error *error)
{
    const struct lab_run_watcher watcher = {.context = recorder, .before = before_step, .after = after_step};
    rms_status status =
        lab_run_train(run, request->instance, request->contender, request->steps, stop, &watcher, error);
    if (status == RMS_OK && recorder->failed)
        status = refuse_memory(request, error);
    recorder->trace->diverged = run->state == LAB_RUN_DIVERGED;
    recorder->trace->digest = run->digest;
    if (status == RMS_OK && run->state == LAB_RUN_PENDING)
        lab_trace_free(recorder->trace);
    return status;
}

static rms_status run_trace(struct lab_trace *trace, const struct lab_trace_request *request, const atomic_int *stop,
                            rms_error *error)
{
    struct recorder recorder = {.trace = trace};
    struct lab_run run = {.seed = request->seed, .learning_rate = request->learning_rate, .trial = request->trial};
    *trace = (struct lab_trace){0};
    trace->points = calloc(request->steps + 1, sizeof *trace->points);
    run.curve = calloc(request->steps / request->instance->score_every + 1, sizeof *run.curve);
    rms_status status = RMS_OK;
    if (trace->points && run.curve) {
        clear_points(trace->points, request->steps + 1);
        status = record(&recorder, request, &run, stop, error);
    } else {
        status = refuse_memory(request, error);
    }
    free(recorder.before);
    free(recorder.rates);
    free(run.curve);
    if (status != RMS_OK)
        lab_trace_free(trace);
    return status;
}

rms_status lab_trace_run(struct lab_trace *trace, const struct lab_trace_request *request, rms_error *error)
{
    return run_trace(trace, request, NULL, error);
}

#ifdef _OPENMP
static int thread_count(int threads, size_t count)
{
    const int wanted = threads > 0 ? threads : omp_get_max_threads();
    return count < (size_t)wanted ? (int)count : wanted;
}
#endif

rms_status lab_traces_run(struct lab_trace *traces, const struct lab_trace_request *requests, size_t count, int threads,
                          const atomic_int *stop, rms_error *error)
{
    rms_status status = RMS_OK;
    const long last = (long)count;
    (void)threads; /* without OpenMP */
    for (size_t i = 0; i < count; ++i)
        traces[i] = (struct lab_trace){0};
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic, 1) num_threads(thread_count(threads, count))
#endif
    for (long i = 0; i < last; ++i) {
        rms_error own = {{0}};
        const rms_status made = run_trace(&traces[i], &requests[i], stop, &own);
        if (made == RMS_OK)
            continue;
#ifdef _OPENMP
#pragma omp critical(lab_traces_failure)
#endif
        {
            status = made;
            if (error)
                *error = own;
        }
    }
    for (size_t i = 0; status != RMS_OK && i < count; ++i)
        lab_trace_free(&traces[i]);
    return status;
}

void lab_trace_free(struct lab_trace *trace)
{
    free(trace->points);
    *trace = (struct lab_trace){0};
}
