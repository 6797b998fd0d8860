/* What runs on a subject in a contest: the step, its two limits, the textbook loop. */
#include "contest.h"
#include "plain_loop.h"
#include "subject.h"

#include <math.h>

/* What one thread does. */
typedef void part_pass(struct subject *subject, size_t part);

static void on_all_threads(struct subject *subject, part_pass *pass)
{
    const size_t parts = subject->parts;
    if (parts == 1) { /* a parallel region of one thread costs a microsecond all the same */
        pass(subject, 0);
        return;
    }
#ifdef _OPENMP
#pragma omp parallel for num_threads((int)parts) schedule(static, 1)
#endif
    for (size_t part = 0; part < parts; ++part)
        pass(subject, part);
}

struct stretch {
    size_t begin, end;
};

/* Which of so many things a part takes; edges are whole multiples of unit. */
static struct stretch stretch_of(const struct subject *subject, size_t part, size_t count, size_t unit)
{
    const size_t each = count / unit / subject->parts * unit;
    return (struct stretch){part * each, part + 1 == subject->parts ? count : (part + 1) * each};
}

/* One tensor is cut like in the library; of several, each part takes some. */
static void each_stretch(struct subject *subject, size_t part, void (*pass)(struct subject *, size_t, struct stretch))
{
    const struct bench_case *c = subject->bench_case;
    if (c->tensors == 1) {
        pass(subject, 0, stretch_of(subject, part, c->count, LIMIT_SCALED));
        return;
    }
    const struct stretch tensors = stretch_of(subject, part, c->tensors, 1);
    for (size_t t = tensors.begin; t < tensors.end; ++t)
        pass(subject, t, (struct stretch){0, c->count});
}

static void update_stretch(struct subject *subject, size_t tensor, struct stretch stretch)
{
    const size_t words = subject->words;
    const struct limit_arrays arrays = limit_stretch(&subject->arrays[tensor], stretch.begin * words);
    (void)limit_update(subject->limit_isa, (stretch.end - stretch.begin) * words, &arrays);
}

static void read_stretch(struct subject *subject, size_t tensor, struct stretch stretch)
{
    const size_t size = rms_dtype_size(subject->bench_case->dtype);
    const char *const grad = subject->arrays[tensor].grad;
    const size_t words = (stretch.end - stretch.begin) * size / sizeof(uint32_t);
    volatile unsigned sink = limit_read(subject->limit_isa, words, grad + stretch.begin * size);
    (void)sink;
}

static void read_part(struct subject *subject, size_t part)
{
    each_stretch(subject, part, read_stretch);
}

static void update_part(struct subject *subject, size_t part)
{
    each_stretch(subject, part, update_stretch);
}

void subject_limit(void *context)
{
    struct subject *const subject = context;
    if (subject->bench_case->nonfinite == RMS_NONFINITE_SKIP || subject->bench_case->clip_norm > 0)
        on_all_threads(subject, read_part);
    on_all_threads(subject, update_part);
}

void subject_choose_limit(struct subject *subject)
{
    enum { ROUNDS = 3 };
    const double small = 1 << 20; /* in near caches the widest registers are the fastest */
    const struct bench_case *c = subject->bench_case;
    if (subject->held_per_param * (double)c->count * (double)c->tensors < small)
        return;
    struct contestant candidate = {.run = subject_limit, .context = subject};
    double least = (double)INFINITY;
    rms_isa fastest = c->isa;
    for (int isa = RMS_ISA_BASELINE; isa <= (int)c->isa; ++isa) {
        if (!rms_isa_supported((rms_isa)isa))
            continue;
        subject->limit_isa = (rms_isa)isa;
        contest_run(&candidate, 1, ROUNDS);
        const double seconds = contest_median(&candidate, ROUNDS);
        if (seconds < least) {
            least = seconds;
            fastest = (rms_isa)isa;
        }
    }
    subject->limit_isa = fastest;
}

static void arithmetic_part(struct subject *subject, size_t part)
{
    const struct bench_case *c = subject->bench_case;
    const struct stretch stretch = stretch_of(subject, part, c->tensors * c->count, 1);
    double *const from = subject->blocks + part * BLOCKS_OF_PART;
    arithmetic_pass(c->isa, c->dtype == RMS_F64, subject->arithmetic, stretch.end - stretch.begin, from,
                    from + ARITHMETIC_BLOCK);
}

void subject_arithmetic(void *context)
{
    on_all_threads(context, arithmetic_part);
}

void subject_step(void *context)
{
    const struct subject *const subject = context;
    (void)rms_step(subject->optimizer, NULL);
}

void subject_plain(void *context)
{
    const struct subject *const subject = context;
    plain_loop_rmsprop(subject->bench_case->count, (float *)(void *)subject->param,
                       (const float *)(const void *)subject->grad, subject->arrays[0].words[1], 1e-6F, 0.99F, 1e-8F);
}
