/* rmsprop: RMSProp and the optimizers around it, in C.
 *
 * This header is the public interface and its manual; rmsprop_checkpoint.h adds files. It needs only a C11 or C++11 compiler and
 * links against librmsprop. Quickstart:
 *
 *     rms_options options = rms_options_for(RMS_RMSPROP);
 *     options.lr = 1e-3;
 *
 *     rms_optimizer *optimizer;
 *     rms_error error;
 *     if (rms_create(&optimizer, &options, &error) != RMS_OK)
 *         return fprintf(stderr, "%s\n", error.message), 1;
 *     rms_add(optimizer, &(rms_tensor){ .name = "fc1.weight", .count = n, .param = w, .grad = dw });
 *     for (int i = 0; i < steps; ++i) {
 *         backward();                          // your code fills dw
 *         rms_step(optimizer, NULL);           // updates w
 *     }
 *     rms_free(optimizer);
 *
 * The five contracts
 * ------------------
 * 1. Numbers. Same inputs, same bits: on every instruction set, thread count and machine, in the default
 *    floating-point environment (round to nearest, subnormals kept), except for NaN payloads. Anything
 *    else is a bug. docs/numerics.md says how, docs/math.md says which operations in which order.
 * 2. Memory. You own parameters and gradients. The library owns its state, taken from your allocator if
 *    you give one, 64-byte aligned; rms_state_bytes tells the size in advance. Nothing is allocated
 *    after the last rms_add and rms_add_group, but by rms_step_rows when it is given more rows or tensors
 *    than ever before (24 bytes a row, 64 a tensor), and, for their duration, by what reads and writes
 *    files (rmsprop_checkpoint.h).
 * 3. Errors. A call that can fail returns an rms_status; 0 is success and the values never change. A
 *    sentence names the argument and its bounds: rms_message(optimizer), or the rms_error of calls that
 *    have no object. After a failure nothing has changed (rms_load has one exception). A NaN or infinite gradient skips the whole
 *    step, leaves state and step count alone, and says so.
 * 4. Threads. Only one thread may use an object at a time (rms_step_shared is the exception); different objects
 *    are independent; no global state except the CPU's features, looked up once. Inside a step, and where state is
 *    first set to its start, the library uses OpenMP, or your parallel_for, and neither where the work is too small
 *    to gain. Where other programs use the same cores, OpenMP's threads wait for each other: set
 *    OMP_WAIT_POLICY=passive in the environment, or threads = 1.
 *    OpenMP's own limits hold: a child that was forked after a step on several threads must step with threads = 1 or
 *    a parallel_for.
 * 5. Compatibility. rms_options begins with its own size, other structs hold reserved space, objects are
 *    opaque: a program built against an older header keeps working with a newer library of the same
 *    major version; before 1.0, of the same minor version.
 *
 * SPDX-License-Identifier: MIT */
#ifndef RMSPROP_H
#define RMSPROP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version is defined here and nowhere else; the build reads it from these lines. */
#define RMS_VERSION_MAJOR 0
#define RMS_VERSION_MINOR 1
#define RMS_VERSION_PATCH 0

#if defined(__GNUC__) || defined(__clang__)
#define RMS_API __attribute__((visibility("default")))
#else
#define RMS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is running, as "0.1.0". Static storage; never NULL. */
RMS_API const char *rms_version(void);

/* ---------------------------------------------------------------------------------------------------
 * Names: every enum converts to its name and back. A *_name function returns static storage, or NULL
 * for a value that is not of the enum. A *_from_name function returns false, and leaves *value alone,
 * for NULL or an unknown name; names are lower case and compared exactly.
 * ------------------------------------------------------------------------------------------------- */

/* Zero is success, positive values are reasons, negative values are failures. */
typedef enum rms_status {
    RMS_OK = 0,                 /* "ok" */
    RMS_SKIPPED_NONFINITE = 1,  /* "skipped-nonfinite": a gradient was NaN or infinite; nothing has stepped */
    RMS_ERROR_ARGUMENT = -1,    /* "argument": NULL, overlap, or something that makes no sense */
    RMS_ERROR_RANGE = -2,       /* "range": a value outside its bounds; the message states them */
    RMS_ERROR_NAME = -3,        /* "name": an unknown key or name; where choices are few, the message lists them */
    RMS_ERROR_DUPLICATE = -4,   /* "duplicate": a tensor's name or memory is in use already */
    RMS_ERROR_MEMORY = -5,      /* "memory": the allocator returned NULL */
    RMS_ERROR_UNSUPPORTED = -6, /* "unsupported": this machine, build, version or dtype cannot do it */
    RMS_ERROR_FILE = -7,        /* "file": the system refused to open, read or write a file; errno's words follow */
    RMS_ERROR_FORMAT = -8       /* "format": a file is damaged, is no checkpoint, or is one of another model */
} rms_status;
RMS_API const char *rms_status_name(rms_status status);
RMS_API bool rms_status_from_name(const char *name, rms_status *value);

/* The update rules. docs/math.md gives the formula of each. */
typedef enum rms_rule {
    RMS_SGD = 0,      /* "sgd" */
    RMS_ADAGRAD = 1,  /* "adagrad" */
    RMS_RMSPROP = 2,  /* "rmsprop" */
    RMS_ADAM = 3,     /* "adam": also AMSGrad, and AdamW by decoupled_decay */
    RMS_RPROP = 4,    /* "rprop": RMSProp's ancestor, for whole batches */
    RMS_ADADELTA = 5, /* "adadelta" */
    RMS_ADAMAX = 6,   /* "adamax" */
    RMS_NADAM = 7,    /* "nadam" */
    RMS_RADAM = 8,    /* "radam" */
    RMS_LION = 9      /* "lion" */
} rms_rule;
#define RMS_RULE_COUNT 10
RMS_API const char *rms_rule_name(rms_rule rule);
RMS_API bool rms_rule_from_name(const char *name, rms_rule *value);

/* Who published the rule, as "Hinton, lecture 6e, 2012"; NULL for an unknown rule. */
RMS_API const char *rms_rule_source(rms_rule rule);

/* Instruction sets. All give the same bits; they differ in speed. */
typedef enum rms_isa {
    RMS_ISA_AUTO = 0,     /* "auto": RMSPROP_ISA from the environment, else the best that this CPU runs */
    RMS_ISA_BASELINE = 1, /* "baseline": the least that the architecture guarantees; always there */
    RMS_ISA_AVX2 = 2,     /* "avx2" */
    RMS_ISA_AVX512 = 3,   /* "avx512": F, VL, BW and DQ */
    RMS_ISA_NEON = 4      /* "neon": AArch64 */
} rms_isa;
RMS_API const char *rms_isa_name(rms_isa isa);
RMS_API bool rms_isa_from_name(const char *name, rms_isa *value);

/* Whether this build has kernels for isa and this CPU, with this operating system, runs them (on x86:
 * CPUID and XGETBV). True for RMS_ISA_AUTO and RMS_ISA_BASELINE. */
RMS_API bool rms_isa_supported(rms_isa isa);

/* The number format of a tensor's parameters and gradients. f64 tensors have state in f64 and are computed
 * in double; all others have state in f32, or in what state_format says, and are computed in float. */
typedef enum rms_dtype {
    RMS_F32 = 0, /* "f32": IEEE 754 binary32, C's float */
    RMS_F64 = 1, /* "f64": IEEE 754 binary64, C's double */
    RMS_F16 = 2, /* "f16": IEEE 754 binary16; finite up to 65504 */
    RMS_BF16 = 3 /* "bf16": the upper half of binary32 */
} rms_dtype;
/* Bytes of one number; 0 for an unknown dtype. */
RMS_API size_t rms_dtype_size(rms_dtype dtype);
RMS_API const char *rms_dtype_name(rms_dtype dtype);
RMS_API bool rms_dtype_from_name(const char *name, rms_dtype *value);

/* What a step does when a gradient is NaN or infinite after unscaling. */
typedef enum rms_nonfinite {
    RMS_NONFINITE_SKIP = 0,     /* "skip": change nothing, return RMS_SKIPPED_NONFINITE; costs one more
                                   read of the gradients, which clipping by norm needs anyway. It looks at
                                   gradients, not at their squares: one above 1.8e19 is finite, but makes v
                                   infinite and its parameter stand still; clipping keeps it away */
    RMS_NONFINITE_PROPAGATE = 1 /* "propagate": do not look; IEEE arithmetic takes its course */
} rms_nonfinite;
RMS_API const char *rms_nonfinite_name(rms_nonfinite nonfinite);
RMS_API bool rms_nonfinite_from_name(const char *name, rms_nonfinite *value);

/* How 16-bit parameters keep what 16 bits cannot hold: an update smaller than half their last bit would be
 * lost for ever. For f32 and f64 it means nothing. */
typedef enum rms_master {
    RMS_MASTER_F32 = 0,       /* "f32": a float copy in the state is updated; the parameters are its rounding to
                                 nearest, so that what you write into them lasts until the next step: write the
                                 master, or call rms_reset. 4 more bytes per parameter */
    RMS_MASTER_REMAINDER = 1, /* "remainder", bf16 only: the state keeps the 16 bits that the parameter lacks to be
                                 that float; together they are the master, bit for bit (ties round away from
                                 zero here). 2 more bytes */
    RMS_MASTER_NONE = 2       /* "none": nothing is kept; the update is rounded up or down at random, with
                                 probabilities that make it right on average. The random bits are a function of
                                 seed, the tensor's name, its step and the element. Not for f16 with
                                 average_decay */
} rms_master;
RMS_API const char *rms_master_name(rms_master master);
RMS_API bool rms_master_from_name(const char *name, rms_master *value);

/* How the rule's own slots (v, sum, mean, momentum) of f32, f16 and bf16 tensors are kept. The step computes with
 * floats and uses each fresh float before it is shortened. Shortening rounds up or down at random, with
 * probabilities that make it right on average, as with master none (only squares below 2^-30 of the largest of their
 * block are kept as the least that 8 bits hold beside it): rounded to nearest, an average would stand still as
 * soon as a step moves it by less than half a code. Squares never become 0 unless they are 0. Refused where
 * this cannot be right (centered, amsgrad, Adamax, Rprop), and for f64 tensors. */
typedef enum rms_state_format {
    RMS_STATE_FULL = 0,   /* "full": float, or double for f64 */
    RMS_STATE_16_BIT = 1, /* "16-bit": bf16 */
    RMS_STATE_8_BIT = 2   /* "8-bit": a code for each number, and for each RMS_STATE_BLOCK of them a byte that says
                             where their exponents lie; docs/numerics.md defines both */
} rms_state_format;
RMS_API const char *rms_state_format_name(rms_state_format format);
RMS_API bool rms_state_format_from_name(const char *name, rms_state_format *value);

/* What rms_step_rows does to the rows that are not given. */
typedef enum rms_rows_mode {
    RMS_ROWS_LAZY = 0, /* "lazy": nothing: only the given rows' parameters and state change (TensorFlow's sparse
                          kernels, torch.optim.SparseAdam) */
    RMS_ROWS_DENSE = 1 /* "dense": they have gradient 0, like any other: averages decay, momentum moves on; bit for
                          bit what rms_step does with the scattered gradient (Keras) */
} rms_rows_mode;
RMS_API const char *rms_rows_mode_name(rms_rows_mode mode);
RMS_API bool rms_rows_mode_from_name(const char *name, rms_rows_mode *value);

/* One sentence about what went wrong, always NUL-terminated; empty after success. */
#define RMS_MESSAGE_SIZE 512
typedef struct rms_error {
    char message[RMS_MESSAGE_SIZE];
} rms_error;

/* ---------------------------------------------------------------------------------------------------
 * Options. Start from rms_options_for, then change fields, or use the keys below, which are the names of
 * the fields. A rule refuses options that are not its own, rather than ignore them; dampening, and
 * lr_in_momentum, wait for momentum above 0.
 * ------------------------------------------------------------------------------------------------- */

/* 64-byte aligned memory, or NULL on failure; bytes > 0, alignment a power of two. release gets the address
 * and the size that allocate was asked for. Both may be called from rms_create, rms_add_group, rms_add,
 * rms_step_rows and rms_free only, on the calling thread. */
typedef struct rms_allocator {
    void *(*allocate)(void *context, size_t bytes, size_t alignment);
    void (*release)(void *context, void *memory, size_t bytes);
    void *context;
} rms_allocator;

/* Runs task(task_context, i) once for each i in 0..task_count-1, on any threads in any order, and returns
 * when all have returned. */
typedef void rms_task(void *task_context, size_t index);
typedef struct rms_parallel {
    void (*parallel_for)(void *context, size_t task_count, rms_task *task, void *task_context);
    void *context;
} rms_parallel;

typedef struct rms_options {
    size_t struct_size; /* sizeof(rms_options); set by rms_options_for */
    rms_rule rule;      /* set by rms_options_for; no key */

    /* The rule's. Which rule takes which: rms_option_at, or `rmsprop list`. */
    double lr;                  /* learning rate, 0 to 1e30; the unit is the parameter's for rules that normalise
                                   the gradient, parameter per gradient for SGD. Rprop: the first step size, and nothing later */
    double rho;                 /* RMSProp, Adadelta: decay of the squared-gradient average (PyTorch's alpha), [0, 1) */
    double beta1;               /* Adam and its kin: decay of the gradient average, [0, 1). Lion: its weight against the
                                   newest gradient */
    double beta2;               /* Adam and its kin: decay of the squared-gradient average, [0, 1). Adamax: of the
                                   largest gradient. Lion: of the gradient average */
    double eps;                 /* added to the root, outside it: sqrt(v) + eps; eps and eps_inside not both 0.
                                   Adamax: added to the gradient's size */
    double eps_inside;          /* added under the root: sqrt(v + eps_inside) */
    double initial_accumulator; /* squared-gradient average (RMSProp) or sum (Adagrad) before the first step */
    double momentum;            /* SGD, RMSProp: decay of the update buffer, [0, 1); 0 keeps no buffer */
    double dampening;           /* SGD: the buffer takes (1 - dampening) of each gradient after its first, [0, 1] */
    double lr_decay;            /* Adagrad: the rate of step t is lr / (1 + (t - 1) lr_decay), 0 or more */
    bool nesterov;              /* SGD, RMSProp: look ahead along the buffer; needs momentum, no dampening */
    bool lr_in_momentum;        /* SGD, RMSProp: the buffer holds updates already scaled by lr (TensorFlow, Keras)
                                   instead of being scaled when used (PyTorch) */
    bool centered;              /* RMSProp: divide by the standard deviation; the variance is clamped at 0. Where
                                   the gradient hardly varies (as at the first step with bias_correction)
                                   the divisor is little more than eps: choose it accordingly, say 1e-2 */
    bool bias_correction;       /* RMSProp, Adam, Adamax: divide averages by 1 - decay^t (NAdam, RAdam always do) */
    bool amsgrad;               /* Adam: use the largest squared-gradient average so far */
    bool maximize;              /* climb: the gradient's sign is flipped, before weight decay */
    double l2_decay;            /* adds l2_decay * parameter to the gradient (PyTorch's weight_decay), 0 or more */
    double decoupled_decay;     /* multiplies parameters by 1 - lr * decoupled_decay (AdamW), lr * it at most 1 */

    /* The step's, common to all groups. The order is fixed: unscale, non-finite check, clip by norm, clip
     * by value, maximize, L2 decay, rule. */
    double grad_scale;       /* gradients are multiplied by this first: 1 / loss scale; more than 0 */
    double clip_norm;        /* largest L2 norm of all gradients together, after unscaling; 0: off */
    double clip_value;       /* largest magnitude of a gradient, after clip_norm; 0: off */
    rms_nonfinite nonfinite; /* skip (the default) or propagate */

    /* Where it runs; none of these changes a bit of the result. */
    rms_isa isa; /* instruction set; an explicit choice beats RMSPROP_ISA */
    int threads; /* at most so many threads, 0 to 4096; 0: as many as OpenMP would use. More than the system
                    grants ends the process: libgomp does not return from that */

    const rms_allocator *allocator; /* NULL: the C library's; copied, context must outlive the object */
    const rms_parallel *parallel;   /* NULL: OpenMP where built in; copied; needs threads > 0 */

    /* More of the rule's. The struct grows at its end. */
    double eta_minus;     /* Rprop: what a step size is multiplied by when the gradient's sign has flipped, (0, 1) */
    double eta_plus;      /* Rprop: the same, when it has stayed, 1 or more */
    double step_size_min; /* Rprop: step sizes stay within these two, in the parameter's unit */
    double step_size_max;
    double momentum_decay;  /* NAdam: how fast its momentum rises to beta1 (PyTorch's momentum_decay), 0 or more */
    bool momentum_average;  /* RMSProp: the buffer is an average: it takes (1 - momentum) of each update, and
                               bias_correction corrects it as well. With bias_correction this is LaProp */
    bool zero_grad;         /* the step's: sets gradients to 0 as it passes over them, also when it skips; rows
                               that are given to rms_step_rows stay as they are, and may not overlap gradients
                               then. Gradients of two tensors that overlap are refused. Not for rms_apply */
    bool reserved_flags[6]; /* 0 */

    /* Every rule's. */
    double average_decay;          /* keeps a moving average of the parameters beside them, average = average_decay *
                             average + (1 - average_decay) * parameter after each step, from the first step's
                             parameters on; see rms_swap_averages. [0, 1); 0 keeps none */
    rms_master master;             /* how 16-bit parameters keep what they cannot hold */
    int seed;                      /* of the random bits that rounding uses, 0 or more */
    rms_state_format state_format; /* how the rule's slots are kept */
    int reserved_number;           /* 0 */
} rms_options;

/* Fills *options with the rule's defaults (PyTorch's, docs/math.md lists them). struct_size is the
 * caller's sizeof(rms_options). An unknown rule or NULL options is RMS_ERROR_ARGUMENT. Usually called as
 * rms_options_for. */
RMS_API rms_status rms_options_init(rms_options *options, size_t struct_size, rms_rule rule);

/* The rule's default options, by value; for an unknown rule, options that every other call refuses. */
static inline rms_options rms_options_for(rms_rule rule)
{
    rms_options options;
    rms_options_init(&options, sizeof options, rule);
    return options;
}

/* ---------------------------------------------------------------------------------------------------
 * Presets: "RMSProp" as a framework or a paper defines it, by name. docs/frameworks.md compares them.
 * ------------------------------------------------------------------------------------------------- */

typedef struct rms_preset {
    const char *name;    /* "pytorch" */
    const char *title;   /* "PyTorch, torch.optim.RMSprop" */
    const char *version; /* what it was checked against: a version, or the year of a paper */
    const char *source;  /* the file or the page that states it */
    const char *note;    /* what to know before using it; "" if nothing */
    rms_rule rule;
    bool recipe; /* true: a paper's or a program's settings; false: a framework's defaults */
    uint64_t reserved[4];
} rms_preset;

/* How many there are, and each of them; false when there is none with that number or preset is NULL. Strings have
 * static storage. */
RMS_API size_t rms_preset_count(void);
RMS_API bool rms_preset_at(size_t index, rms_preset *preset);

/* Fills *options with the preset's rule and values; everything that it does not speak of is the rule's default.
 * struct_size as in rms_options_init: RMS_ERROR_ARGUMENT when it is none, or options is NULL; RMS_ERROR_UNSUPPORTED
 * when it has no room for an option that the preset sets. RMS_ERROR_NAME for NULL or an unknown name, the message
 * lists the names. On failure *options is untouched. error may be NULL. Usually called as rms_options_preset. */
RMS_API rms_status rms_options_init_preset(rms_options *options, size_t struct_size, const char *name,
                                           rms_error *error);

static inline rms_status rms_options_preset(rms_options *options, const char *name, rms_error *error)
{
    return rms_options_init_preset(options, sizeof *options, name, error);
}

typedef enum rms_option_type {
    RMS_OPTION_REAL = 0,  /* "real": a double */
    RMS_OPTION_COUNT = 1, /* "count": a whole number */
    RMS_OPTION_FLAG = 2,  /* "flag": false or true, 0 or 1 */
    RMS_OPTION_CHOICE = 3 /* "choice": an enum, set by its name or its value */
} rms_option_type;
RMS_API const char *rms_option_type_name(rms_option_type type);
RMS_API bool rms_option_type_from_name(const char *name, rms_option_type *value);

/* What a user interface needs to know of one option of one rule. Strings have static storage. */
typedef struct rms_option_info {
    const char *key;
    rms_option_type type;
    double minimum; /* both bounds are included */
    double maximum;
    double default_value;
    const char *unit;    /* "" for a pure number */
    const char *meaning; /* a phrase, lower case, no full stop */
    const char *choices; /* for a choice, its names separated by ", "; else NULL */
    bool per_group;      /* may differ between groups; else it belongs to the whole step */
    uint64_t reserved[4];
} rms_option_info;

/* Number of options that a rule takes; 0 for an unknown rule. */
RMS_API size_t rms_option_count(rms_rule rule);

/* Describes option number index of a rule; false when there is none or info is NULL. */
RMS_API bool rms_option_at(rms_rule rule, size_t index, rms_option_info *info);

/* Sets or reads one option by key: RMS_ERROR_NAME for a key that the rule does not take (the message lists
 * those it takes), RMS_ERROR_RANGE outside the bounds (the message states them). The text form takes what
 * a person writes: "0.001", "true", "avx2". Flags and choices are whole numbers in the number form.
 * RMS_ERROR_UNSUPPORTED for an option that a struct of an older header does not hold. On failure *options and
 * *value keep what they held. error may be NULL. */
RMS_API rms_status rms_options_set(rms_options *options, const char *key, double value, rms_error *error);
RMS_API rms_status rms_options_set_text(rms_options *options, const char *key, const char *text, rms_error *error);
RMS_API rms_status rms_options_get(const rms_options *options, const char *key, double *value, rms_error *error);

/* Checks everything that rms_create would check, except that the instruction set is there. */
RMS_API rms_status rms_options_check(const rms_options *options, rms_error *error);

/* ---------------------------------------------------------------------------------------------------
 * The optimizer object
 * ------------------------------------------------------------------------------------------------- */
typedef struct rms_optimizer rms_optimizer;

/* Creates an optimizer; *options is copied and stays yours. On failure *optimizer is NULL and nothing is
 * leaked: RMS_ERROR_ARGUMENT or RANGE for options, MEMORY, or UNSUPPORTED for an instruction set that
 * this machine does not run (asked for by option or by RMSPROP_ISA, which is read here: the message lists
 * those it does) and for fields that only a later version knows. error may be NULL. */
RMS_API rms_status rms_create(rms_optimizer **optimizer, const rms_options *options, rms_error *error);

/* Releases the optimizer and its state, not the parameters and gradients. NULL is allowed. */
RMS_API void rms_free(rms_optimizer *optimizer);

/* The sentence of the last call on this object that failed or skipped; "" if the last one succeeded.
 * Valid until the next call on the object. "" for NULL. */
RMS_API const char *rms_message(const rms_optimizer *optimizer);

/* The instruction set chosen at creation, never RMS_ISA_AUTO (but for NULL). */
RMS_API rms_isa rms_chosen_isa(const rms_optimizer *optimizer);

/* Adds a group that starts with a copy of group 0's options (those of rms_create, as since changed) and
 * stores its number in *group. */
RMS_API rms_status rms_add_group(rms_optimizer *optimizer, size_t *group);

/* Sets or reads one option of one group by key, at any time: schedules are the caller's. Options of the
 * step (rms_option_info.per_group false) go by group 0. Refused: isa, and what lies outside its bounds;
 * and, once the group holds tensors, what would add, remove or reinterpret state, such as centered, the
 * first momentum or lr_in_momentum. */
RMS_API rms_status rms_set(rms_optimizer *optimizer, size_t group, const char *key, double value);
RMS_API rms_status rms_get(rms_optimizer *optimizer, size_t group, const char *key, double *value);

/* A tensor: count numbers in a row. Any shape, any alignment that the dtype has in C. Fields that you do not
 * set must be 0: use designated initializers, or in C++ `rms_tensor tensor{}; tensor.name = …;`. */
typedef struct rms_tensor {
    const char *name; /* unique in the object, not empty; copied */
    size_t count;     /* 0 is allowed: nothing happens to it; bytes must fit in PTRDIFF_MAX */
    void *param;      /* not NULL unless count is 0; yours, must stay valid until rms_free or rms_rebind */
    const void *grad; /* likewise; may not overlap any parameter. NULL for a tensor whose gradients come in rows
                         only, by rms_step_rows. With zero_grad it is written to, const or not */
    size_t group;     /* 0, or from rms_add_group */
    rms_dtype dtype;  /* of parameter and gradient */
    uint64_t reserved[4];
} rms_tensor;

/* Adds a tensor and allocates its state. Its number is the count of tensors before it; its own step count
 * starts at 0, also when others have stepped. State is set to its start by the first later call that needs it, on the
 * threads that will step it; masters are taken from the parameters then. RMS_ERROR_DUPLICATE if the name is taken or the parameters
 * overlap those of another tensor; every tensor is looked at for that, so that adding many is quadratic. */
RMS_API rms_status rms_add(rms_optimizer *optimizer, const rms_tensor *tensor);

/* Points a tensor at other memory for its parameters and gradients, under the same rules as rms_add. State
 * stays as it is, master weights among it: the memory is taken to hold the same numbers. Who writes other
 * numbers into 16-bit parameters calls rms_reset, or writes the master, too. */
RMS_API rms_status rms_rebind(rms_optimizer *optimizer, size_t tensor, void *param, const void *grad);

/* What a step did. */
typedef struct rms_report {
    double gradient_norm; /* L2 norm of all gradients after unscaling, before clipping; NaN or infinite when
                             a gradient is, else at most DBL_MAX */
    double clip_factor;   /* what clip_norm multiplied the gradients by, at most 1 */
    bool skipped;         /* true: a gradient was not finite; parameters and state are as they were */
    uint64_t steps;       /* steps taken by the object since creation or reset, this one included */
    uint64_t reserved[4];
} rms_report;

/* Performs one update of every tensor, using the gradients that the tensors point to.
 *
 * report  may be NULL; untouched when the status is negative. Asking for one costs the norm's read of the
 *         gradients where neither clip_norm nor the non-finite check needs it.
 *
 * Returns RMS_OK, also with no tensors; or RMS_SKIPPED_NONFINITE when a gradient is NaN or infinite and
 * nonfinite is skip: then no parameter, no state and no step count has changed; or RMS_ERROR_ARGUMENT when a
 * tensor has no gradients (it was added without), while averages are swapped in, and after a load that failed
 * half-way. Does not allocate. Bits depend neither on the thread count nor on the instruction set. */
RMS_API rms_status rms_step(rms_optimizer *optimizer, rms_report *report);

/* Performs one update of one tensor, for programs that free or overwrite each gradient as soon as it is used (optimizer
 * in backward). Only this tensor's step count rises. As rms_step otherwise, with norm and check going over this tensor
 * alone; RMS_ERROR_ARGUMENT with clip_norm, which needs the gradients of all, and RMS_ERROR_RANGE for a number that
 * no tensor has. report->steps is the tensor's. */
RMS_API rms_status rms_step_tensor(rms_optimizer *optimizer, size_t tensor, rms_report *report);

/* One update of every tensor by one of several threads that all step this object's parameters and state at the same
 * time, without locks after the first call: A3C's shared RMSProp (Mnih et al., 2016), Hogwild (Niu et al., 2011).
 *
 * grads   grads[i] holds the gradients of tensor i; they are this thread's own, apart from all parameters and state.
 *         grads_count is rms_tensor_count.
 * report, error  as usual, this thread's own; rms_message stays as it is.
 *
 * This is the one call that several threads may make on an object at once; while they do, no other call on it is
 * allowed. Every number is read and written whole (relaxed atomics), so that v stays 0 or more,
 * and finite where the squares of the gradients are. But two threads may read the same old number, and one update is then lost;
 * the order is chance, and results are not reproducible. Alone, it gives the bits of rms_step. It is slower, too: no
 * vector instructions. RMS_ERROR_UNSUPPORTED for f16 and bf16, for a state_format other than full, and with
 * average_decay or zero_grad. */
RMS_API rms_status rms_step_shared(rms_optimizer *optimizer, const void *const *grads, size_t grads_count,
                                   rms_report *report, rms_error *error);

/* The gradient of one tensor as some of its rows: an embedding's. The tensor is a matrix of count / width rows. */
typedef struct rms_rows {
    size_t tensor;          /* its number */
    size_t width;           /* numbers in a row; divides the tensor's count */
    size_t row_count;       /* rows given; 0 is allowed */
    const int64_t *indices; /* row_count of them, each in 0..count / width - 1, in any order, repeated at will: the
                               gradients of a repeated row are added up, in the order in which they are given, each
                               sum rounded to the precision of the computation */
    const void *values;     /* row_count * width numbers of the tensor's dtype, row after row; neither they nor
                               the indices may overlap any parameter or state */
    rms_rows_mode mode;
    uint64_t reserved[4];
} rms_rows;

/* Performs one update of every tensor, like rms_step, but takes the gradients of the tensors that rows names,
 * rows_count of them and each at most once, from there. Norm, clipping and the non-finite check go over all
 * gradients together, repeated rows summed. Step counts, and with them bias correction, are the tensor's, not
 * the row's, also in lazy mode.
 *
 * Lazy rows of a tensor with 8-bit state have a width that is a multiple of RMS_STATE_BLOCK: RMS_ERROR_UNSUPPORTED.
 * All indices are checked before the first write: RMS_ERROR_RANGE for one outside the tensor, for a width that
 * does not divide the count; RMS_ERROR_DUPLICATE for two sets of one tensor; RMS_ERROR_ARGUMENT for NULL, overlap,
 * alignment or an unknown mode. May allocate, as said above: RMS_ERROR_MEMORY. Otherwise as rms_step. */
RMS_API rms_status rms_step_rows(rms_optimizer *optimizer, const rms_rows *rows, size_t rows_count, rms_report *report);

/* Exchanges the parameters with their averages in every tensor that keeps one (average_decay above 0): once to
 * evaluate the averaged model, once more to go on training; nothing is lost on the way. While they are exchanged,
 * rms_averages_in says true; parameters and state may be read, not written, and the slot average means nothing;
 * what steps, saves, loads, resets, sets steps, adds or rebinds tensors is refused. A tensor that has not stepped,
 * or keeps no average, stays as it is. */
RMS_API rms_status rms_swap_averages(rms_optimizer *optimizer);
RMS_API bool rms_averages_in(const rms_optimizer *optimizer);

/* Puts step counts back to 0 and state to what the options, as they are now, let it start from; parameters
 * stay, and master weights become them. */
RMS_API rms_status rms_reset(rms_optimizer *optimizer);

/* Reading the object. Tensor numbers run from 0 to rms_tensor_count - 1. rms_find fails with
 * RMS_ERROR_NAME; rms_tensor_at fills *out, whose name lives as long as the object. */
RMS_API size_t rms_tensor_count(const rms_optimizer *optimizer);
RMS_API rms_status rms_find(rms_optimizer *optimizer, const char *name, size_t *tensor);
RMS_API rms_status rms_tensor_at(rms_optimizer *optimizer, size_t tensor, rms_tensor *out);

/* State slots: the arrays that are kept beside each tensor, count numbers each, in f64 for an f64 tensor and
 * in f32 otherwise, but for remainder, which is uint16_t, and for the rule's own where state_format says so. The first
 * RMS_RULE_SLOTS are the rule's own, options decide which of them are kept; the others are the same for every rule. */
#define RMS_RULE_SLOTS 3
#define RMS_SLOT_MASTER 3    /* "master": 16-bit tensors with master f32 */
#define RMS_SLOT_REMAINDER 4 /* "remainder": bf16 tensors with master remainder */
#define RMS_SLOT_AVERAGE 5   /* "average": with average_decay */
#define RMS_SLOTS_MAX 6

/* How many slots a rule has of its own; 0 for an unknown rule. */
RMS_API size_t rms_slot_count(rms_rule rule);

/* A slot's name, by number. sgd: momentum. adagrad: sum. rmsprop: v, mean, momentum. adam: mean, v, v_max.
 * rprop: previous, step_size. adadelta: v, delta. adamax: mean, largest. nadam, radam: mean, v. lion: mean. NULL
 * where there is none. */
RMS_API const char *rms_slot_name(rms_rule rule, size_t slot);

/* Bit i is set when these options keep slot i for a tensor of this dtype. 0 for options that rms_options_check
 * refuses, for an unknown dtype, and for one that these options do not go with. */
RMS_API unsigned rms_slots_kept(const rms_options *options, rms_dtype dtype);

/* Bytes of that slot of a tensor of that dtype; 0 if it is not kept, would exceed all memory, or the options are refused.
 * Count numbers of 8, 4 or 2 bytes; in 8 bits, count codes, zeros up to a multiple of RMS_STATE_BLOCK, and a byte for
 * each block that has begun. */
#define RMS_STATE_BLOCK 64
RMS_API size_t rms_slot_bytes(const rms_options *options, rms_dtype dtype, size_t slot, size_t count);

/* Bytes of state for one tensor of count elements, in advance; SIZE_MAX if that overflows or the options
 * are refused. */
RMS_API size_t rms_state_bytes(const rms_options *options, rms_dtype dtype, size_t count);

/* A tensor's state, to read or to write between steps, in the format in which it is kept; the optimizer keeps owning
 * it. NULL when there is no such tensor, no such slot, it is not kept, or the tensor is empty; rms_message stays as it
 * was. rms_state_size gives its bytes, 0 where that is NULL. */
RMS_API void *rms_state(rms_optimizer *optimizer, size_t tensor, const char *slot);
RMS_API size_t rms_state_size(const rms_optimizer *optimizer, size_t tensor, const char *slot);

/* Copies a slot's numbers to or from memory outside the optimizer's state: count floats, or doubles for an f64 tensor.
 * Reading is exact; what is written is rounded to nearest where the slot is shorter, and refused, with
 * RMS_ERROR_RANGE, where squares are negative. RMS_ERROR_NAME for a slot that is not kept, and for remainder, which
 * holds no numbers. */
RMS_API rms_status rms_read_state(rms_optimizer *optimizer, size_t tensor, const char *slot, void *numbers);
RMS_API rms_status rms_write_state(rms_optimizer *optimizer, size_t tensor, const char *slot, const void *numbers);

/* Steps that a tensor has taken, at most RMS_STEPS_MAX: with its parameters, its kept slots and the options,
 * all that a checkpoint needs; rmsprop_checkpoint.h writes one. */
#define RMS_STEPS_MAX UINT64_C(0x7fffffffffffffff)
RMS_API rms_status rms_get_steps(rms_optimizer *optimizer, size_t tensor, uint64_t *steps);
RMS_API rms_status rms_set_steps(rms_optimizer *optimizer, size_t tensor, uint64_t steps);

/* Writes, for each parameter of a tensor, the rate at which it moves now: what the rule multiplies the
 * gradient by (for Adam, the gradient average), from the state after the last step and the options as they
 * are now: lr / (sqrt(v) + eps) for RMSProp, with its options. What momentum repeats later is not counted.
 * Rules that move by signs (Rprop, Lion) write the rate at which the parameter itself moves. out has room for the
 * tensor's count of floats, whatever its dtype, outside the optimizer's state. Before the first step it is what
 * the initial state gives. */
RMS_API rms_status rms_effective_lr(rms_optimizer *optimizer, size_t tensor, float *out);

/* ---------------------------------------------------------------------------------------------------
 * For programs that own all their memory: no object, no allocation.
 * ------------------------------------------------------------------------------------------------- */

/* One step of one tensor: what rms_step does to an object that holds only this tensor, with an empty name.
 *
 * dtype   of param and grad.
 * step    the number of this step, 1 to RMS_STEPS_MAX; bias correction and lr_decay depend on it.
 * slots   slots[i] is state slot i, for each i that rms_slots_kept names, in the format in which it is kept (zero bytes
 *         are 0 in each; for other numbers copy an object's rms_state); others are not read. Fill them with what the
 *         rule starts from: 0; initial_accumulator for slot 0 of RMSProp and Adagrad; lr for Rprop's step_size; the
 *         parameters for master. May be NULL if no slot is kept.
 * report  may be NULL; its steps is step, or step - 1 when skipped.
 * error   may be NULL.
 *
 * Parameters, gradients and slots may not overlap. All options are checked at each call; an optimizer
 * checks them once. zero_grad is refused: gradients are only read here. */
RMS_API rms_status rms_apply(const rms_options *options, rms_dtype dtype, uint64_t step, size_t count, void *param,
                             const void *grad, void *const *slots, rms_report *report, rms_error *error);

/* ---------------------------------------------------------------------------------------------------
 * Learning-rate schedules: a pure function of the step, for rms_set(optimizer, group, "lr", ...).
 * ------------------------------------------------------------------------------------------------- */

typedef enum rms_decay {
    RMS_DECAY_CONSTANT = 0,   /* "constant" */
    RMS_DECAY_LINEAR = 1,     /* "linear": a straight line to final_lr over decay_steps, then constant */
    RMS_DECAY_COSINE = 2,     /* "cosine": half a wave to final_lr over decay_steps, then constant (Loshchilov and
                                 Hutter, 2017) */
    RMS_DECAY_STEP = 3,       /* "step": times factor after every decay_steps; never below final_lr */
    RMS_DECAY_EXPONENTIAL = 4 /* "exponential": times factor over every decay_steps, smoothly; never below final_lr */
} rms_decay;
RMS_API const char *rms_decay_name(rms_decay decay);
RMS_API bool rms_decay_from_name(const char *name, rms_decay *value);

typedef struct rms_schedule {
    double lr;             /* the rate after warm-up, 0 to 1e30 */
    uint64_t warmup_steps; /* steps over which the rate moves in a straight line from warmup_lr to lr; 0: none */
    double warmup_lr;      /* the rate of step 0 if there is warm-up, 0 to 1e30 */
    rms_decay decay;       /* what follows the warm-up; its steps count from there */
    uint64_t decay_steps;  /* 1 or more; constant: 0 */
    double final_lr;       /* 0 to lr; constant: 0 */
    double factor;         /* step, exponential: (0, 1]; the others: 0 */
    uint64_t reserved[4];
} rms_schedule;

/* RMS_ERROR_RANGE, with a sentence, for a schedule that makes no sense; RMS_ERROR_ARGUMENT for NULL. error may be
 * NULL. */
RMS_API rms_status rms_schedule_check(const rms_schedule *schedule, rms_error *error);

/* The learning rate after so many steps: 0 gives that of the first step. The same bits on every machine; exactly lr
 * where the warm-up ends, exactly final_lr where a line or a wave ends and ever after; from there to there it goes
 * one way only. NaN for NULL and for a schedule that rms_schedule_check refuses. */
RMS_API double rms_schedule_lr(const rms_schedule *schedule, uint64_t steps);

#ifdef __cplusplus
}
#endif
#endif
