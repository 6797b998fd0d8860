/* PyTorch's layout. Files that PyTorch's own optimizers have written are loaded, and the library goes on from there as
 * PyTorch does, as nearly as rounding allows; and the other way round, where Python with torch is there.
 *
 * The distance allowed is derived as in golden_bounds.h: both go through the same formula, so both lie within the bound of
 * its evaluation, hence within two of each other. golden/pytorch_checkpoint_generate.py makes the files. */
#include "checkpoint_support.h"
#include "golden_bounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER GOLDEN_DIRECTORY "/pytorch_checkpoints"

enum { TENSORS = 2, WEIGHTS = 12, BIASES = 3, BEFORE = 5, STEPS = 20, SETS = 13, LINE = 2048 };

static const struct {
    const char *name;
    size_t count;
} tensors[TENSORS] = {{"fc.weight", WEIGHTS}, {"fc.bias", BIASES}};

/* ---- the file of trajectories ---------------------------------------------------------------------- */

struct set {
    char name[64];
    rms_dtype dtype;
    rms_options options;
    double before[TENSORS][WEIGHTS]; /* PyTorch's parameters after BEFORE steps */
    double after[TENSORS][WEIGHTS];  /* and after STEPS */
};

static void read_numbers(FILE *file, int steps, double *numbers, size_t count)
{
    char line[LINE];
    assert_non_null(fgets(line, sizeof line, file));
    char *next = line;
    assert_int_equal(strtol(next, &next, 10), steps);
    for (size_t i = 0; i < count; ++i) {
        char *end;
        numbers[i] = strtod(next, &end);
        assert_true(end > next);
        next = end;
    }
}

/* The rule comes first. */
static void read_options(char *text, rms_options *options)
{
    char *rest = NULL;
    for (char *word = strtok_r(text, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
        char *value = strchr(word, '=');
        rms_error error;
        rms_rule rule;
        assert_non_null(value);
        *value++ = '\0';
        if (strcmp(word, "rule") == 0) {
            assert_true(rms_rule_from_name(value, &rule));
            *options = rms_options_for(rule);
        } else {
            assert_ok(rms_options_set_text(options, word, value, &error), error.message);
        }
    }
}

static bool read_set(FILE *file, struct set *set)
{
    char line[LINE], dtype[8];
    int options = 0;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "set %63s %7s %n", set->name, dtype, &options) < 2)
            continue;
        assert_true(rms_dtype_from_name(dtype, &set->dtype));
        read_options(line + options, &set->options);
        for (size_t i = 0; i < TENSORS; ++i)
            read_numbers(file, BEFORE, set->before[i], tensors[i].count);
        for (size_t i = 0; i < TENSORS; ++i)
            read_numbers(file, STEPS, set->after[i], tensors[i].count);
        return true;
    }
    return false;
}

static FILE *open_sets(void)
{
    FILE *file = fopen(FOLDER "/trajectories.txt", "r");
    assert_non_null(file);
    return file;
}

/* ---- the model of pytorch_checkpoint.py ------------------------------------------------------------ */

/* A number of [-1, 1) with all the bits of its dtype, as golden.py draws it. */
static double drawn(uint64_t *state, rms_dtype dtype)
{
    const int digits = dtype == RMS_F64 ? 52 : 23;
    const int64_t whole = (int64_t)(random_bits(state) >> (63 - digits)) - (INT64_C(1) << digits);
    return ldexp((double)whole, -digits);
}

static void put(rms_dtype dtype, void *array, size_t i, double value)
{
    if (dtype == RMS_F64)
        ((double *)array)[i] = value;
    else
        ((float *)array)[i] = (float)value;
}

static double get(rms_dtype dtype, const void *array, size_t i)
{
    return dtype == RMS_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

struct net {
    rms_optimizer *optimizer;
    rms_dtype dtype;
    double param[TENSORS][WEIGHTS]; /* memory for either dtype */
    double grad[TENSORS][WEIGHTS];
};

static double start_of(rms_dtype dtype, size_t tensor, size_t i)
{
    uint64_t state = 5000 + tensor;
    double value = 0;
    for (size_t k = 0; k <= i; ++k)
        value = 2 * drawn(&state, dtype);
    return value;
}

static double gradient_of(rms_dtype dtype, size_t tensor, size_t i, int step)
{
    uint64_t state = 100 * (uint64_t)step + tensor;
    double value = 0;
    for (size_t k = 0; k <= i; ++k)
        value = drawn(&state, dtype);
    return value;
}

static struct net *net_create(const struct set *set, const rms_options *options)
{
    struct net *net = bytes_create(sizeof *net);
    memset(net, 0, sizeof *net);
    net->optimizer = create_optimizer(options);
    net->dtype = set->dtype;
    size_t second = 0;
    assert_ok(rms_add_group(net->optimizer, &second), rms_message(net->optimizer));
    assert_ok(rms_set(net->optimizer, second, "lr", options->lr / 2), rms_message(net->optimizer));
    for (size_t t = 0; t < TENSORS; ++t) {
        const rms_tensor tensor = {.name = tensors[t].name,
                                   .count = tensors[t].count,
                                   .param = net->param[t],
                                   .grad = net->grad[t],
                                   .group = t == 1 ? second : 0,
                                   .dtype = set->dtype};
        for (size_t i = 0; i < tensors[t].count; ++i)
            put(set->dtype, net->param[t], i, start_of(set->dtype, t, i));
        assert_ok(rms_add(net->optimizer, &tensor), rms_message(net->optimizer));
    }
    return net;
}

static void net_destroy(struct net *net)
{
    rms_free(net->optimizer);
    free(net);
}

static void net_step(struct net *net, int first, int last)
{
    for (int step = first; step <= last; ++step) {
        for (size_t t = 0; t < TENSORS; ++t)
            for (size_t i = 0; i < tensors[t].count; ++i)
                put(net->dtype, net->grad[t], i, gradient_of(net->dtype, t, i, step));
        assert_ok(rms_step(net->optimizer, NULL), rms_message(net->optimizer));
    }
}

/* The formula's parameter after STEPS steps, with its bound. */
static struct bounded formula_of(const struct set *set, size_t tensor, size_t i)
{
    static const struct bounded unclipped = {1.0L, 0.0L};
    rms_options options = set->options;
    if (tensor == 1)
        options.lr /= 2;
    struct element element = element_start(&options, set->dtype, start_of(set->dtype, tensor, i));
    for (int step = 1; step <= STEPS; ++step)
        element_step(&element, &options, set->dtype, WORD_LERP, step, gradient_of(set->dtype, tensor, i, step),
                     unclipped);
    return element.param;
}

static double allowed_distance(const struct set *set, size_t tensor, size_t i)
{
    const double allowed = (double)(2.0L * formula_of(set, tensor, i).error);
    assert_true(isfinite(allowed) && allowed < 1e-3);
    return allowed;
}

/* ---- from PyTorch ---------------------------------------------------------------------------------- */

/* Options that the file must put right. Those that decide what is kept stay. */
static rms_options disturbed(const rms_options *options)
{
    static const char *const keys[] = {"lr",         "rho",           "beta2",          "eps",
                                       "eps_inside", "dampening",     "lr_decay",       "eta_minus",
                                       "eta_plus",   "step_size_max", "momentum_decay", "l2_decay"};
    rms_options other = *options;
    for (size_t i = 0; i < COUNT_OF(keys); ++i) {
        double value = 0;
        if (rms_options_get(options, keys[i], &value, NULL) == RMS_OK && value > 0 && !(options->nesterov && i == 5))
            (void)rms_options_set(&other, keys[i], value > 1 ? value * 2 : value * 0.75, NULL);
    }
    other.maximize = !options->maximize;
    assert_ok(rms_options_check(&other, NULL), "disturbed options");
    return other;
}

/* What a slot starts from is no option that PyTorch's optimizers need once they have started. */
static void assert_options(struct net *net, const struct set *set)
{
    rms_option_info info;
    for (size_t group = 0; group < 2; ++group)
        for (size_t i = 0; rms_option_at(set->options.rule, i, &info); ++i) {
            double expected = 0, found = 0;
            assert_ok(rms_options_get(&set->options, info.key, &expected, NULL), info.key);
            assert_ok(rms_get(net->optimizer, group, info.key, &found), info.key);
            if (strcmp(info.key, "lr") == 0 && group == 1)
                expected /= 2;
            if (strcmp(info.key, "isa") == 0) /* chosen */
                continue;
            if (bits_of_double(expected) != bits_of_double(found))
                fail_msg("%s, group %zu: %s is %.17g instead of %.17g", set->name, group, info.key, found, expected);
            ++numbers_compared;
        }
}

static double compare(const struct net *net, const struct set *set)
{
    double worst = 0;
    for (size_t t = 0; t < TENSORS; ++t)
        for (size_t i = 0; i < tensors[t].count; ++i, ++numbers_compared) {
            const double ours = get(net->dtype, net->param[t], i), theirs = set->after[t][i];
            const double distance = fabs(ours - theirs), allowed = allowed_distance(set, t, i);
            if (!(distance <= allowed))
                fail_msg("%s, %s, element %zu: %.9g (library), %.9g (PyTorch), %.2g apart; %.2g is allowed", set->name,
                         tensors[t].name, i, ours, theirs, distance, allowed);
            worst = distance > 0 ? fmax(worst, distance / allowed) : worst;
        }
    return worst;
}

static void the_library_goes_on_where_pytorch_stopped(void **state)
{
    (void)state;
    FILE *file = open_sets();
    struct set set;
    size_t sets = 0;
    for (; read_set(file, &set); ++sets) {
        char path[1024];
        (void)snprintf(path, sizeof path, "%s/%s.safetensors", FOLDER, set.name);
        const rms_options wrong = disturbed(&set.options);
        struct net *net = net_create(&set, &wrong);
        net_step(net, 1, 2); /* state that must go */
        assert_ok(rms_load(net->optimizer, path), rms_message(net->optimizer));
        assert_options(net, &set);
        for (size_t t = 0; t < TENSORS; ++t)
            for (size_t i = 0; i < tensors[t].count; ++i)
                put(set.dtype, net->param[t], i, set.before[t][i]);
        net_step(net, BEFORE + 1, STEPS);
        print_message("%-14s %.2f of the distance that is allowed\n", set.name, compare(net, &set));
        net_destroy(net);
    }
    assert_int_equal(sets, SETS);
    (void)fclose(file);
    report_comparisons("PyTorch's files");
}

static void files_of_pytorch_can_be_looked_into(void **state)
{
    (void)state;
    rms_checkpoint *checkpoint;
    rms_checkpoint_info info;
    rms_checkpoint_tensor tensor;
    rms_options options;
    rms_error error;
    float numbers[WEIGHTS];
    assert_ok(rms_checkpoint_open(&checkpoint, FOLDER "/adamw.safetensors", &error), error.message);
    assert_ok(rms_checkpoint_info_of(checkpoint, &info), "info");
    assert_int_equal(info.layout, RMS_LAYOUT_PYTORCH);
    assert_string_equal(info.version, "");
    assert_int_equal(info.steps, BEFORE);
    assert_int_equal(info.tensor_count, 2);
    assert_int_equal(info.group_count, 2);
    assert_ok(rms_checkpoint_tensor_at(checkpoint, 1, &tensor), "tensor");
    assert_string_equal(tensor.name, "fc.weight");
    assert_int_equal(tensor.count, WEIGHTS);
    assert_int_equal(tensor.steps, BEFORE);
    assert_int_equal(tensor.slots, 3);
    assert_false(tensor.has_param);
    assert_ok(rms_checkpoint_options(checkpoint, tensor.group, &options, sizeof options), "options");
    assert_int_equal(options.rule, RMS_ADAM);
    assert_true(bits_of_double(options.decoupled_decay) == bits_of_double(0.1) && !(options.l2_decay > 0));
    assert_true(bits_of_double(options.lr) == bits_of_double(0.01) && options.maximize);
    assert_ok(rms_checkpoint_read(checkpoint, 1, "v", numbers, sizeof numbers, &error), error.message);
    assert_true(numbers[0] > 0);
    rms_checkpoint_close(checkpoint);
}

/* ---- to PyTorch ------------------------------------------------------------------------------------ */

static void write_numbers(FILE *file, const char *head, const struct net *net, size_t tensor)
{
    (void)fprintf(file, "%s %s", head, tensors[tensor].name);
    for (size_t i = 0; i < tensors[tensor].count; ++i)
        (void)fprintf(file, " %a", get(net->dtype, net->param[tensor], i));
    (void)fprintf(file, "\n");
}

/* What pytorch_checkpoint_check.py reads. */
static void write_for_pytorch(const char *folder)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/trajectories.txt", folder);
    FILE *file = open_sets(), *out = fopen(path, "w");
    assert_non_null(out);
    struct set set;
    while (read_set(file, &set)) {
        struct net *net = net_create(&set, &set.options);
        net_step(net, 1, BEFORE);
        (void)snprintf(path, sizeof path, "%s/%s.safetensors", folder, set.name);
        assert_ok(rms_save_as(net->optimizer, path, RMS_LAYOUT_PYTORCH), rms_message(net->optimizer));
        (void)fprintf(out, "set %s\n", set.name);
        for (size_t t = 0; t < TENSORS; ++t)
            write_numbers(out, "5", net, t);
        net_step(net, BEFORE + 1, STEPS);
        for (size_t t = 0; t < TENSORS; ++t) {
            write_numbers(out, "20", net, t);
            (void)fprintf(out, "allowed %s", tensors[t].name);
            for (size_t i = 0; i < tensors[t].count; ++i)
                (void)fprintf(out, " %a", allowed_distance(&set, t, i));
            (void)fprintf(out, "\n");
        }
        net_destroy(net);
    }
    (void)fclose(file);
    assert_int_equal(fclose(out), 0);
}

/* Runs a program to its end; its exit status. */
static int run(const char *program, const char *first, const char *second)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
        execlp(program, program, first, second, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* RMSPROP_PYTHON names a Python that has torch and safetensors, if python3 has not. */
static void pytorch_goes_on_where_the_library_stopped(void **state)
{
    (void)state;
    const char *named = getenv("RMSPROP_PYTHON"), *python = named ? named : "python3";
    if (run(python, "-c",
            "import importlib.util as u, sys; sys.exit(not (u.find_spec('torch') and "
            "u.find_spec('safetensors')))") != 0) {
        print_message("skipped: %s has no torch or no safetensors (RMSPROP_PYTHON may name one that has)\n", python);
        skip();
    }
    const char *trajectories = scratch_path("trajectories.txt");
    char folder[1024];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(trajectories, '/') - trajectories), trajectories);
    write_for_pytorch(folder);
    assert_int_equal(run(python, GOLDEN_DIRECTORY "/pytorch_checkpoint_check.py", folder), 0);
}

/* The library's own files of this layout keep what PyTorch does not: here, SGD's steps. */
static void the_layout_loses_nothing_that_it_can_say(void **state)
{
    (void)state;
    FILE *file = open_sets();
    struct set set;
    for (uint64_t taken = 0; read_set(file, &set); ++taken) {
        struct net *first = net_create(&set, &set.options), *second = net_create(&set, &set.options);
        const int steps = (int)(taken % 3); /* none, too */
        net_step(first, 1, steps);
        net_step(second, 1, BEFORE);
        const char *path = scratch_path("said");
        assert_ok(rms_save_as(first->optimizer, path, RMS_LAYOUT_PYTORCH), rms_message(first->optimizer));
        assert_ok(rms_load(second->optimizer, path), rms_message(second->optimizer));
        memcpy(second->param, first->param, sizeof first->param);
        net_step(first, steps + 1, STEPS);
        net_step(second, steps + 1, STEPS);
        assert_memory_equal(first->param, second->param, sizeof first->param);
        uint64_t a = 0, b = 1;
        assert_ok(rms_get_steps(first->optimizer, 1, &a), "steps");
        assert_ok(rms_get_steps(second->optimizer, 1, &b), "steps");
        assert_int_equal(a, b);
        net_destroy(first);
        net_destroy(second);
    }
    (void)fclose(file);
}

/* ---- what it cannot say ---------------------------------------------------------------------------- */

static const struct {
    rms_rule rule;
    const char *options;
    const char *sentence;
} unsayable[] = {
    {RMS_RMSPROP, "momentum=0.9 lr_in_momentum=true", "lr_in_momentum = 1 cannot be said in PyTorch's layout"},
    {RMS_RMSPROP, "eps_inside=0.001", "eps_inside = 0.001 cannot be said"},
    {RMS_RMSPROP, "bias_correction=true", "bias_correction = 1 cannot be said"},
    {RMS_RMSPROP, "momentum=0.9 nesterov=true", "nesterov = 1 cannot be said"},
    {RMS_RMSPROP, "momentum=0.9 momentum_average=true", "momentum_average = 1 cannot be said"},
    {RMS_RMSPROP, "decoupled_decay=0.1", "decoupled_decay = 0.1 cannot be said"},
    {RMS_RMSPROP, "average_decay=0.5", "average_decay = 0.5 cannot be said"},
    {RMS_ADAM, "bias_correction=false", "bias_correction = 0 cannot be said"},
    {RMS_ADAM, "l2_decay=0.1 decoupled_decay=0.1", "l2_decay and decoupled_decay together"},
    {RMS_ADAGRAD, "decoupled_decay=0.1", "torch.optim's adagrad has no such option"},
    {RMS_RPROP, "l2_decay=0.1", "l2_decay = 0.1 cannot be said"},
    {RMS_LION, "l2_decay=0.1", "l2_decay = 0.1 cannot be said"},
};

static void options_without_a_word_are_refused_by_name(void **state)
{
    (void)state;
    const char *path = scratch_path("unsayable");
    for (size_t i = 0; i < COUNT_OF(unsayable); ++i) {
        rms_options options = rms_options_for(unsayable[i].rule);
        set_options(&options, unsayable[i].options);
        float param = 1, grad = 1;
        rms_optimizer *optimizer = create_optimizer(&options);
        add_tensor(optimizer, "w", &param, &grad, 1);
        assert_status(RMS_ERROR_UNSUPPORTED, rms_save_as(optimizer, path, RMS_LAYOUT_PYTORCH), rms_message(optimizer));
        assert_contains(rms_message(optimizer), unsayable[i].sentence);
        assert_ok(rms_save(optimizer, path), rms_message(optimizer));
        rms_free(optimizer);
    }
    /* Options of the step are no affair of PyTorch's optimizers. */
    rms_options options = rms_options_for(RMS_RMSPROP);
    set_options(&options, "clip_norm=1 clip_value=2 grad_scale=0.5 seed=3");
    rms_optimizer *optimizer = create_optimizer(&options);
    uint16_t half = 0;
    assert_ok(rms_save_as(optimizer, path, RMS_LAYOUT_PYTORCH), rms_message(optimizer));
    const rms_tensor tensor = {.name = "h", .count = 1, .param = &half, .grad = &(uint16_t){0}, .dtype = RMS_BF16};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    assert_status(RMS_ERROR_UNSUPPORTED, rms_save_as(optimizer, path, RMS_LAYOUT_PYTORCH), rms_message(optimizer));
    assert_contains(rms_message(optimizer), "tensor \"h\" is bf16");
    rms_free(optimizer);
}

/* ---- what others write ----------------------------------------------------------------------------- */

static rms_status load_header(rms_optimizer *optimizer, const char *header, const void *data, size_t size)
{
    struct bytes file = safetensors_file(header, data, size);
    write_bytes(scratch_path("foreign"), file.data, file.size);
    free(file.data);
    return rms_load(optimizer, scratch_path("foreign"));
}

/* A parameter that was never stepped has no slots there that could differ: its options do. */
static void options_that_keep_other_state_are_refused_before_the_first_step(void **state)
{
    (void)state;
    static const char header[] = "{\"param_groups.w.alpha\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                                 "\"param_groups.w.momentum\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]}}";
    static const float with[2] = {0.5F, 0.75F}, without[2] = {0.5F, 0};
    float w[4] = {0}, grad[4] = {0};
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "w", w, grad, 4);
    assert_status(RMS_ERROR_FORMAT, load_header(optimizer, header, with, sizeof with), rms_message(optimizer));
    assert_contains(rms_message(optimizer), "keep other state than those here");
    double rho = 0;
    assert_ok(rms_get(optimizer, 0, "rho", &rho), rms_message(optimizer));
    assert_true(rho == options.rho);
    assert_ok(load_header(optimizer, header, without, sizeof without), rms_message(optimizer));
    assert_ok(rms_get(optimizer, 0, "rho", &rho), rms_message(optimizer));
    assert_true(rho == 0.5);
    rms_free(optimizer);
}

/* Numbers in any type, shapes of any form, options that say how PyTorch ran it, a parameter that was never stepped. */
static void files_may_say_it_in_other_ways(void **state)
{
    (void)state;
    float w[4] = {0}, x[2] = {0}, grad[4] = {0};
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.initial_accumulator = 0.25;
    options.clip_norm = 3;
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "w", w, grad, 4);
    add_tensor(optimizer, "x.y", x, grad, 2);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    static const struct {
        float v[4];
        int64_t step;
        float alpha;
        int32_t decay;
        unsigned char flag;
    } data = {{1, 2, 3, 4}, 9, 0.5F, 0, 0};
    assert_status(
        RMS_ERROR_FORMAT,
        load_header(optimizer,
                    "{\"state.w.square_avg\":{\"dtype\":\"F32\",\"shape\":[2,1,2],\"data_offsets\":[0,16]},"
                    "\"state.w.step\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[16,24]},"
                    "\"param_groups.w.alpha\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[24,28]},"
                    "\"param_groups.w.weight_decay\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[28,32]},"
                    "\"param_groups.w.foreach\":{\"dtype\":\"BOOL\",\"shape\":[],\"data_offsets\":[32,33]},"
                    "\"param_groups.x.y.alpha\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[33,33]}}",
                    &data, 33),
        "an option without a number");
    assert_contains(rms_message(optimizer), "\"param_groups.x.y.alpha\" holds 0 numbers (expected 1)");
    assert_status(
        RMS_ERROR_FORMAT,
        load_header(optimizer,
                    "{\"state.w.square_avg\":{\"dtype\":\"F32\",\"shape\":[2,1,2],\"data_offsets\":[0,16]},"
                    "\"state.w.step\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[16,24]},"
                    "\"param_groups.w.alpha\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[24,28]},"
                    "\"param_groups.x.y.weight_decay\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[28,32]}}",
                    &data, 32),
        "options that differ within a group");
    assert_contains(rms_message(optimizer), "are of one group here");
    assert_ok(load_header(optimizer,
                          "{\"state.w.square_avg\":{\"dtype\":\"F32\",\"shape\":[2,1,2],\"data_offsets\":[0,16]},"
                          "\"state.w.step\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[16,24]},"
                          "\"param_groups.w.alpha\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[24,28]},"
                          "\"param_groups.x.y.alpha\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[28,32]},"
                          "\"param_groups.x.y.initial_lr\":{\"dtype\":\"BOOL\",\"shape\":[],\"data_offsets\":[32,33]}}",
                          &(struct {
                              float v[4];
                              int64_t step;
                              float alpha[2];
                              unsigned char flag;
                          }){{1, 2, 3, 4}, 9, {0.5F, 0.5F}, 0},
                          33),
              rms_message(optimizer));
    const float *v = rms_state(optimizer, 0, "v"), *fresh = rms_state(optimizer, 1, "v");
    for (size_t i = 0; i < 4; ++i)
        assert_true(bits_of(v[i]) == bits_of((float)(i + 1)));
    assert_true(bits_of(fresh[0]) == bits_of(0.25F) && bits_of(fresh[1]) == bits_of(0.25F));
    uint64_t steps = 0;
    double rho = 0, clip = 0;
    assert_ok(rms_get_steps(optimizer, 0, &steps), "steps");
    assert_int_equal(steps, 9);
    assert_ok(rms_get_steps(optimizer, 1, &steps), "steps");
    assert_int_equal(steps, 0);
    assert_ok(rms_get(optimizer, 0, "rho", &rho), "rho");
    assert_ok(rms_get(optimizer, 0, "clip_norm", &clip), "clip_norm");
    assert_true(bits_of_double(rho) == bits_of_double(0.5) && bits_of_double(clip) == bits_of_double(3));
    rms_free(optimizer);
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "--write") == 0) {
        write_for_pytorch(arguments[2]);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_goes_on_where_pytorch_stopped),
        cmocka_unit_test(files_of_pytorch_can_be_looked_into),
        cmocka_unit_test(pytorch_goes_on_where_the_library_stopped),
        cmocka_unit_test(the_layout_loses_nothing_that_it_can_say),
        cmocka_unit_test(options_without_a_word_are_refused_by_name),
        cmocka_unit_test(options_that_keep_other_state_are_refused_before_the_first_step),
        cmocka_unit_test(files_may_say_it_in_other_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
