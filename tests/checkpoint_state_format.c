/* State in 16 and 8 bits on disk: what the file holds of it, what of it is refused, codes that no library would write, and
 * PyTorch's layout, which holds numbers in full whatever they are kept in. */
#include "checkpoint_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* ---- what the file holds --------------------------------------------------------------------------- */

static void assert_entry(const struct bytes *file, const char *entry, size_t holds)
{
    const size_t length = header_length(file);
    char *header = bytes_create(length + 1);
    memcpy(header, file->data + 8, length);
    header[length] = '\0';
    if (!strstr(header, entry) == (holds > 0))
        fail_msg("the header %s %s: %s", holds > 0 ? "lacks" : "holds", entry, header);
    free(header);
}

static void sixteen_bits_are_stored_as_bf16_and_eight_as_bytes(void **state)
{
    (void)state;
    static const struct {
        rms_state_format format;
        const char *mean;
        const char *v;
    } cases[] = {
        {RMS_STATE_FULL, "\"w/mean\":{\"dtype\":\"F32\",\"shape\":[65]", "\"w/v\":{\"dtype\":\"F32\",\"shape\":[65]"},
        {RMS_STATE_16_BIT, "\"w/mean\":{\"dtype\":\"BF16\",\"shape\":[65]",
         "\"w/v\":{\"dtype\":\"BF16\",\"shape\":[65]"},
        {RMS_STATE_8_BIT, "\"w/mean\":{\"dtype\":\"U8\",\"shape\":[130]", "\"w/v\":{\"dtype\":\"U8\",\"shape\":[130]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        rms_options options = rms_options_for(RMS_ADAM);
        options.state_format = cases[i].format;
        options.average_decay = 0.5;
        float param[65] = {0}, grad[65];
        fill_gradients(grad, 65, 1, 1);
        rms_optimizer *optimizer = create_optimizer(&options);
        add_tensor(optimizer, "w", param, grad, 65);
        assert_true(rms_step(optimizer, NULL) >= 0);
        assert_ok(rms_save(optimizer, scratch_path("entries")), rms_message(optimizer));
        struct bytes file = read_bytes(scratch_path("entries"));
        assert_entry(&file, cases[i].mean, 1);
        assert_entry(&file, cases[i].v, 1);
        assert_entry(&file, "\"w/average\":{\"dtype\":\"F32\",\"shape\":[65]", 1);
        free(file.data);
        rms_free(optimizer);
    }
}

/* Files from before there was a choice say nothing of it. */
static void a_file_that_does_not_name_a_format_holds_full_state(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_ADAM);
    struct model *first = model_create(&options, RMS_F32, true, 1), *second = model_create(&options, RMS_F32, true, 2);
    model_step_until(first, 3);
    assert_ok(rms_save(first->optimizer, scratch_path("silent")), rms_message(first->optimizer));
    struct bytes file = read_bytes(scratch_path("silent")), expected = model_bytes(first);
    for (size_t group = 0; group < 2; ++group) {
        struct bytes shorter = file_with_header_changed(&file, "\\\"state_format\\\":\\\"full\\\",", "");
        free(file.data);
        file = shorter;
    }
    assert_entry(&file, "state_format", 0);
    write_bytes(scratch_path("silent"), file.data, file.size);
    assert_ok(rms_load(second->optimizer, scratch_path("silent")), rms_message(second->optimizer));
    assert_same_model(second, &expected, "no state_format");
    free(file.data);
    free(expected.data);
    model_destroy(first);
    model_destroy(second);
    report_comparisons("files without state_format");
}

static void a_living_groups_format_is_fixed(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    struct model *model = model_create(&options, RMS_F32, false, 1);
    size_t third = 0;
    assert_status(RMS_ERROR_ARGUMENT, rms_set(model->optimizer, 1, "state_format", RMS_STATE_8_BIT), "group 1");
    assert_contains(rms_message(model->optimizer), "which state is kept");
    assert_ok(rms_add_group(model->optimizer, &third), rms_message(model->optimizer));
    assert_ok(rms_set(model->optimizer, third, "state_format", RMS_STATE_8_BIT), rms_message(model->optimizer));
    model_destroy(model);
}

/* ---- codes that no library would write --------------------------------------------------------------- */

enum { COUNT = 150, PLACES = 192 + 3 };

struct victim {
    rms_optimizer *optimizer;
    float param[COUNT];
    float grad[COUNT];
};

static void victim_create(struct victim *victim, rms_state_format format)
{
    rms_options options = rms_options_for(RMS_ADAM);
    options.state_format = format;
    fill_parameters(victim->param, COUNT, 3);
    for (size_t i = 0; i < COUNT; ++i)
        victim->grad[i] = (float)i - 20;
    victim->optimizer = create_optimizer(&options);
    add_tensor(victim->optimizer, "w", victim->param, victim->grad, COUNT);
    assert_ok(rms_step(victim->optimizer, NULL), rms_message(victim->optimizer));
}

/* Replaces all bytes of w/v and w/mean, which lie last, and puts their checksums right. */
static struct bytes with_state(const struct bytes *file, const unsigned char *bytes, size_t size)
{
    static const char *const entries[] = {"w/mean", "w/v"};
    struct bytes other = {bytes_create(file->size), file->size};
    memcpy(other.data, file->data, file->size);
    memcpy(other.data + other.size - size, bytes, size);
    for (size_t i = 0; i < COUNT_OF(entries); ++i) {
        char old[64], new[64];
        const size_t half = size / 2;
        (void)snprintf(old, sizeof old, "\\\"%s\\\":\\\"%016llx\\\"", entries[i],
                       (unsigned long long)XXH3_64bits(file->data + file->size - size + i * half, half));
        (void)snprintf(new, sizeof new, "\\\"%s\\\":\\\"%016llx\\\"", entries[i],
                       (unsigned long long)XXH3_64bits(bytes + i * half, half));
        struct bytes mended = file_with_header_changed(&other, old, new);
        free(other.data);
        other = mended;
    }
    return other;
}

/* Whatever the codes, squares are not negative, and a step goes its way. */
static void check_codes(const struct bytes *file, const unsigned char *bytes)
{
    struct bytes other = with_state(file, bytes, (size_t)2 * PLACES);
    struct victim victim;
    victim_create(&victim, RMS_STATE_8_BIT);
    write_bytes(scratch_path("codes"), other.data, other.size);
    assert_ok(rms_load(victim.optimizer, scratch_path("codes")), rms_message(victim.optimizer));
    assert_memory_equal(rms_state(victim.optimizer, 0, "mean"), bytes, PLACES);
    assert_memory_equal(rms_state(victim.optimizer, 0, "v"), bytes + PLACES, PLACES);
    float numbers[COUNT], rates[COUNT];
    for (int step = 0; step < 2; ++step) {
        assert_ok(rms_read_state(victim.optimizer, 0, "v", numbers), rms_message(victim.optimizer));
        for (size_t i = 0; i < COUNT; ++i, ++numbers_compared)
            if (numbers[i] < 0)
                fail_msg("v[%zu] is %g", i, (double)numbers[i]);
        assert_ok(rms_effective_lr(victim.optimizer, 0, rates), rms_message(victim.optimizer));
        for (size_t i = 0; i < COUNT; ++i)
            if (rates[i] < 0)
                fail_msg("the rate of element %zu is %g", i, (double)rates[i]);
        assert_ok(rms_step(victim.optimizer, NULL), rms_message(victim.optimizer));
    }
    assert_ok(rms_save(victim.optimizer, scratch_path("codes")), rms_message(victim.optimizer));
    free(other.data);
    rms_free(victim.optimizer);
}

static void any_codes_and_scales_are_numbers(void **state)
{
    (void)state;
    struct victim victim;
    victim_create(&victim, RMS_STATE_8_BIT);
    assert_int_equal(rms_state_size(victim.optimizer, 0, "v"), PLACES);
    assert_ok(rms_save(victim.optimizer, scratch_path("codes")), rms_message(victim.optimizer));
    struct bytes file = read_bytes(scratch_path("codes"));
    unsigned char bytes[2 * PLACES];
    for (unsigned scale = 0; scale < 256; scale += 256 / (unsigned)effort(256)) { /* every code with every scale */
        for (size_t i = 0; i < sizeof bytes; ++i)
            bytes[i] = (unsigned char)(i % PLACES < 192 ? i + (i >= PLACES ? 64 : 0) + scale : scale);
        check_codes(&file, bytes);
    }
    uint64_t random = 7;
    for (size_t repetition = 0; repetition < effort(100); ++repetition) {
        for (size_t i = 0; i < sizeof bytes; ++i)
            bytes[i] = (unsigned char)random_bits(&random);
        check_codes(&file, bytes);
    }
    free(file.data);
    rms_free(victim.optimizer);
    report_comparisons("hostile codes");
}

static const struct {
    rms_state_format format;
    const char *piece;
    const char *other;
    const char *sentence;
} changes[] = {
    {RMS_STATE_8_BIT, "\"w/v\":{\"dtype\":\"U8\",\"shape\":[195]", "\"w/v\":{\"dtype\":\"U8\",\"shape\":[195,1]",
     "holds 195 numbers of U8 in 2 dimensions (expected 195 of U8 in 1)"},
    {RMS_STATE_8_BIT, "\"w/v\":{\"dtype\":\"U8\"", "\"w/v\":{\"dtype\":\"I8\"", "holds 195 numbers of I8"},
    {RMS_STATE_8_BIT, "\"w/v\":{\"dtype\":\"U8\"", "\"w/v\":{\"dtype\":\"BOOL\"", "holds 195 numbers of BOOL"},
    {RMS_STATE_8_BIT, "\\\"count\\\":150", "\\\"count\\\":151", "expected 151 of F32"},
    {RMS_STATE_8_BIT, "\\\"count\\\":150", "\\\"count\\\":9223372036854775807", "(expected 9223372036854775807 of F32"},
    {RMS_STATE_8_BIT, "\\\"8-bit\\\"", "\\\"16-bit\\\"",
     "holds 195 numbers of U8 in 1 dimensions (expected 150 of BF16"},
    {RMS_STATE_8_BIT, "\\\"8-bit\\\"", "\\\"full\\\"", "(expected 150 of F32 in 1)"},
    {RMS_STATE_8_BIT, "\\\"amsgrad\\\":false", "\\\"amsgrad\\\":true",
     "the slot v_max of adam with amsgrad needs full state"},
    {RMS_STATE_8_BIT, "\\\"dtype\\\":\\\"f32\\\"", "\\\"dtype\\\":\\\"f64\\\"", "state of doubles is kept in full"},
    {RMS_STATE_16_BIT, "\"w/v\":{\"dtype\":\"BF16\"", "\"w/v\":{\"dtype\":\"F16\"", "holds 150 numbers of F16"},
    {RMS_STATE_16_BIT, "\"w/v\":{\"dtype\":\"BF16\"", "\"w/v\":{\"dtype\":\"U16\"", "holds 150 numbers of U16"},
    {RMS_STATE_16_BIT, "\\\"16-bit\\\"", "\\\"8-bit\\\"", "(expected 195 of U8 in 1)"},
};

static void files_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); ++i) {
        struct victim victim;
        float numbers[COUNT], after[COUNT];
        victim_create(&victim, changes[i].format);
        assert_ok(rms_read_state(victim.optimizer, 0, "v", numbers), rms_message(victim.optimizer));
        assert_ok(rms_save(victim.optimizer, scratch_path("own")), rms_message(victim.optimizer));
        struct bytes file = read_bytes(scratch_path("own"));
        struct bytes other = file_with_header_changed(&file, changes[i].piece, changes[i].other);
        write_bytes(scratch_path("changed"), other.data, other.size);
        assert_status(RMS_ERROR_FORMAT, rms_load(victim.optimizer, scratch_path("changed")), changes[i].other);
        assert_contains(rms_message(victim.optimizer), changes[i].sentence);
        assert_ok(rms_read_state(victim.optimizer, 0, "v", after), rms_message(victim.optimizer));
        assert_same_floats(after, numbers, COUNT, changes[i].sentence, NULL);
        free(file.data);
        free(other.data);
        rms_free(victim.optimizer);
    }
}

/* A tensor so long that its codes would not fit into memory must not pass for one of which nothing is kept. */
static void a_count_beyond_all_memory_is_refused(void **state)
{
    (void)state;
    struct victim victim;
    victim_create(&victim, RMS_STATE_8_BIT);
    float none = 0;
    rms_options options = rms_options_for(RMS_ADAM);
    options.state_format = RMS_STATE_8_BIT;
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "w", &none, &none, 0);
    assert_ok(rms_save_as(optimizer, scratch_path("empty"), RMS_LAYOUT_STATE), rms_message(optimizer));
    struct bytes file = read_bytes(scratch_path("empty"));
    struct bytes other = file_with_header_changed(&file, "\\\"count\\\":0", "\\\"count\\\":9223372036854775807");
    write_bytes(scratch_path("changed"), other.data, other.size);
    assert_status(RMS_ERROR_FORMAT, rms_load(victim.optimizer, scratch_path("changed")), "huge count");
    assert_contains(rms_message(victim.optimizer), "exceeds this machine's memory");
    free(file.data);
    free(other.data);
    rms_free(optimizer);
    rms_free(victim.optimizer);
}

/* ---- PyTorch's layout ------------------------------------------------------------------------------ */

/* Several chunks of what is decoded at once, and of what is encoded; parts for several threads; a block that is cut. */
enum { LONG = 600037, THREADS = 3 };

static rms_optimizer *create_long(rms_rule rule, rms_state_format format, float *param, const float *grad)
{
    rms_options options = rms_options_for(rule);
    if (rule == RMS_SGD || rule == RMS_RMSPROP)
        options.momentum = 0.9;
    static const rms_parallel parallel = {.parallel_for = run_on_threads};
    options.state_format = format;
    options.threads = THREADS;
    options.parallel = &parallel;
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "w", param, grad, LONG);
    return optimizer;
}

static void assert_same_state(rms_optimizer *a, rms_optimizer *b, rms_rule rule, const char *context)
{
    for (size_t slot = 0; slot < rms_slot_count(rule); ++slot) {
        const char *name = rms_slot_name(rule, slot);
        const size_t bytes = rms_state_size(a, 0, name);
        assert_int_equal(bytes, rms_state_size(b, 0, name));
        if (bytes > 0 && memcmp(rms_state(a, 0, name), rms_state(b, 0, name), bytes) != 0)
            fail_msg("%s, %s: %s differs", rms_rule_name(rule), context, name);
        numbers_compared += bytes;
    }
}

/* From shortened state to a file, from there into full state, and from there back again. */
static void check_layout(rms_rule rule, rms_state_format format, float *const memory[4])
{
    rms_optimizer *shortened = create_long(rule, format, memory[0], memory[3]);
    rms_optimizer *full = create_long(rule, RMS_STATE_FULL, memory[0], memory[3]);
    rms_optimizer *loaded = create_long(rule, format, memory[0], memory[3]);
    rms_optimizer *written = create_long(rule, format, memory[0], memory[3]);
    assert_ok(rms_step(shortened, NULL), rms_message(shortened));
    assert_ok(rms_step(loaded, NULL), rms_message(loaded)); /* state that must go */
    const char *path = scratch_path("pytorch");
    assert_ok(rms_save_as(shortened, path, RMS_LAYOUT_PYTORCH), rms_message(shortened));
    assert_ok(rms_load(full, path), rms_message(full));
    for (size_t slot = 0; slot < rms_slot_count(rule); ++slot) {
        const char *name = rms_slot_name(rule, slot);
        if (rms_state_size(full, 0, name) == 0)
            continue;
        assert_ok(rms_read_state(shortened, 0, name, memory[1]), rms_message(shortened));
        assert_same_floats(rms_state(full, 0, name), memory[1], LONG, "decoded on saving", NULL);
        assert_ok(rms_write_state(written, 0, name, memory[1]), rms_message(written));
    }
    assert_ok(rms_load(loaded, path), rms_message(loaded));
    assert_same_state(loaded, written, rule, "rounded on loading");
    uint64_t steps = 0;
    assert_ok(rms_get_steps(loaded, 0, &steps), rms_message(loaded));
    assert_int_equal(steps, 1);

    /* Numbers with all their bits, through the file and by hand. */
    assert_ok(rms_step(full, NULL), rms_message(full));
    assert_ok(rms_save_as(full, path, RMS_LAYOUT_PYTORCH), rms_message(full));
    assert_ok(rms_load(loaded, path), rms_message(loaded));
    for (size_t slot = 0; slot < rms_slot_count(rule); ++slot)
        if (rms_state_size(full, 0, rms_slot_name(rule, slot)) > 0)
            assert_ok(
                rms_write_state(written, 0, rms_slot_name(rule, slot), rms_state(full, 0, rms_slot_name(rule, slot))),
                rms_message(written));
    assert_same_state(loaded, written, rule, "full numbers, rounded on loading");
    double kept = -1;
    assert_ok(rms_get(loaded, 0, "state_format", &kept), rms_message(loaded));
    assert_true(kept == (double)format);
    rms_free(shortened);
    rms_free(full);
    rms_free(loaded);
    rms_free(written);
}

static void pytorchs_layout_holds_shortened_state_in_full(void **state)
{
    (void)state;
    float *memory[4];
    for (size_t i = 0; i < COUNT_OF(memory); ++i)
        memory[i] = floats_create(LONG);
    fill_parameters(memory[0], LONG, 1);
    for (size_t i = 0; i < LONG; ++i)
        memory[3][i] = ldexpf((float)(i % 1000) - 300, -(int)(i / 1000 % 30));
    for (rms_state_format format = RMS_STATE_16_BIT; format <= RMS_STATE_8_BIT; ++format)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
            if (rule != RMS_RPROP && rule != RMS_ADAMAX)
                check_layout(rule, format, memory);
    for (size_t i = 0; i < COUNT_OF(memory); ++i)
        free(memory[i]);
    report_comparisons("PyTorch's layout and shortened state");
}

/* One number is negative; it lies behind numbers that would have been written by then. */
static void negative_squares_are_refused_before_anything_is_written(void **state)
{
    (void)state;
    float *param = floats_create(LONG), *grad = floats_create(LONG);
    fill_parameters(param, LONG, 1);
    for (size_t i = 0; i < LONG; ++i)
        grad[i] = (float)(i % 1000) - 300;
    rms_optimizer *full = create_long(RMS_RMSPROP, RMS_STATE_FULL, param, grad);
    rms_optimizer *other = create_long(RMS_RMSPROP, RMS_STATE_8_BIT, param, grad);
    rms_optimizer *twin = create_long(RMS_RMSPROP, RMS_STATE_8_BIT, param, grad);
    assert_ok(rms_step(full, NULL), rms_message(full));
    float *v = rms_state(full, 0, "v");
    v[LONG - 2] = -1.5F;
    assert_ok(rms_save_as(full, scratch_path("negative"), RMS_LAYOUT_PYTORCH), rms_message(full));
    assert_status(RMS_ERROR_FORMAT, rms_load(other, scratch_path("negative")), rms_message(other));
    assert_contains(rms_message(other),
                    "number 600035 of \"state.w.square_avg\" is -1.5: 8-bit squares cannot be negative");
    assert_same_state(other, twin, RMS_RMSPROP, "refused");
    v[LONG - 2] = -0.0F;
    assert_ok(rms_save_as(full, scratch_path("negative"), RMS_LAYOUT_PYTORCH), rms_message(full));
    assert_ok(rms_load(other, scratch_path("negative")), rms_message(other));
    rms_free(full);
    rms_free(other);
    rms_free(twin);
    free(param);
    free(grad);
}

/* A parameter that has no state there starts afresh. */
static void parameters_that_never_stepped_start_in_their_format(void **state)
{
    (void)state;
    static const char header[] = "{\"param_groups.w.alpha\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}";
    static const float alpha = 0.5F;
    struct bytes file = safetensors_file(header, &alpha, sizeof alpha);
    write_bytes(scratch_path("fresh"), file.data, file.size);
    for (rms_state_format format = RMS_STATE_FULL; format <= RMS_STATE_8_BIT; ++format) {
        rms_options options = rms_options_for(RMS_RMSPROP);
        float param[100] = {0}, grad[100], v[100];
        fill_gradients(grad, 100, 3, 1);
        options.initial_accumulator = 0.25;
        options.state_format = format;
        rms_optimizer *optimizer = create_optimizer(&options);
        add_tensor(optimizer, "w", param, grad, 100);
        assert_true(rms_step(optimizer, NULL) >= 0);
        assert_ok(rms_load(optimizer, scratch_path("fresh")), rms_message(optimizer));
        assert_ok(rms_read_state(optimizer, 0, "v", v), rms_message(optimizer));
        for (size_t i = 0; i < 100; ++i)
            assert_int_equal(bits_of(v[i]), bits_of(0.25F));
        rms_free(optimizer);
    }
    free(file.data);
}

/* ---- files that were written once ------------------------------------------------------------------- */

#define WRITTEN GOLDEN_DIRECTORY "/checkpoint_state_formats.safetensors"
#define WRITTEN_IN_FULL GOLDEN_DIRECTORY "/checkpoint_state_formats_pytorch.safetensors"

enum { FORMATS = 3 };
static const char *const names[FORMATS] = {"full", "sixteen", "eight"};

struct trio {
    rms_optimizer *optimizer;
    float param[FORMATS][COUNT];
    float grad[FORMATS][COUNT];
};

/* A tensor of each format. */
static void trio_create(struct trio *trio)
{
    const rms_options options = rms_options_for(RMS_ADAM);
    trio->optimizer = create_optimizer(&options);
    for (size_t i = 0; i < FORMATS; ++i) {
        size_t group = 0;
        if (i > 0)
            assert_ok(rms_add_group(trio->optimizer, &group), rms_message(trio->optimizer));
        assert_ok(rms_set(trio->optimizer, group, "state_format", (double)i), rms_message(trio->optimizer));
        const rms_tensor tensor = {
            .name = names[i], .count = COUNT, .param = trio->param[i], .grad = trio->grad[i], .group = group};
        for (size_t k = 0; k < COUNT; ++k)
            trio->param[i][k] = (float)(k * 7 % 33) / 16 - 1;
        assert_ok(rms_add(trio->optimizer, &tensor), rms_message(trio->optimizer));
    }
}

/* With RMSPROP_WRITE_STATE_FORMATS set; done once, by a library of version 0.1.0. */
static void write_files(struct trio *trio)
{
    for (uint64_t step = 0; step < 5; ++step) {
        for (size_t i = 0; i < FORMATS; ++i)
            for (size_t k = 0; k < COUNT; ++k)
                trio->grad[i][k] = ldexpf((float)(k * 37 % 101) - 50, -(int)(k % 12)) + (float)(step % 2);
        assert_ok(rms_step(trio->optimizer, NULL), rms_message(trio->optimizer));
    }
    assert_ok(rms_save(trio->optimizer, WRITTEN), rms_message(trio->optimizer));
    assert_ok(rms_save_as(trio->optimizer, WRITTEN_IN_FULL, RMS_LAYOUT_PYTORCH), rms_message(trio->optimizer));
}

/* The codes of the one file are the numbers of the other, now and in every later version. */
static void codes_that_were_written_once_stand_for_the_same_numbers(void **state)
{
    (void)state;
    static const char *const slots[] = {"mean", "v"};
    struct trio trio;
    memset(&trio, 0, sizeof trio);
    trio_create(&trio);
    if (getenv("RMSPROP_WRITE_STATE_FORMATS"))
        write_files(&trio);
    rms_checkpoint *in_full;
    rms_error error;
    assert_ok(rms_load(trio.optimizer, WRITTEN), rms_message(trio.optimizer));
    assert_ok(rms_checkpoint_open(&in_full, WRITTEN_IN_FULL, &error), error.message);
    for (size_t i = 0; i < FORMATS; ++i) {
        rms_checkpoint_tensor tensor = {.name = ""};
        size_t there = 0, distinct = 0;
        while (rms_checkpoint_tensor_at(in_full, there, &tensor) == RMS_OK && strcmp(tensor.name, names[i]) != 0)
            ++there;
        for (size_t slot = 0; slot < COUNT_OF(slots); ++slot) {
            float ours[COUNT], theirs[COUNT];
            assert_ok(rms_read_state(trio.optimizer, i, slots[slot], ours), rms_message(trio.optimizer));
            assert_ok(rms_checkpoint_read(in_full, there, slots[slot], theirs, sizeof theirs, &error), error.message);
            assert_same_floats(ours, theirs, COUNT, names[i], NULL);
            for (size_t k = 1; k < COUNT; ++k)
                distinct += bits_of(ours[k]) != bits_of(ours[k - 1]);
        }
        assert_true(distinct > COUNT);
    }
    rms_checkpoint_close(in_full);
    rms_free(trio.optimizer);
    report_comparisons("codes of the first version");
}

/* PyTorch's file asks for what the object's format cannot keep. */
static void files_whose_options_need_full_state_are_refused(void **state)
{
    (void)state;
    rms_options options = rms_options_for(RMS_RMSPROP), centered = options;
    centered.centered = true;
    options.state_format = RMS_STATE_8_BIT;
    float param[3] = {0}, grad[3] = {1, 2, 3};
    rms_optimizer *first = create_optimizer(&centered), *second = create_optimizer(&options);
    add_tensor(first, "w", param, grad, 3);
    add_tensor(second, "w", param, grad, 3);
    assert_ok(rms_save_as(first, scratch_path("centered"), RMS_LAYOUT_PYTORCH), rms_message(first));
    assert_status(RMS_ERROR_FORMAT, rms_load(second, scratch_path("centered")), rms_message(second));
    rms_free(first);
    rms_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_bits_are_stored_as_bf16_and_eight_as_bytes),
        cmocka_unit_test(a_file_that_does_not_name_a_format_holds_full_state),
        cmocka_unit_test(a_living_groups_format_is_fixed),
        cmocka_unit_test(any_codes_and_scales_are_numbers),
        cmocka_unit_test(files_that_contradict_themselves_are_refused),
        cmocka_unit_test(a_count_beyond_all_memory_is_refused),
        cmocka_unit_test(pytorchs_layout_holds_shortened_state_in_full),
        cmocka_unit_test(negative_squares_are_refused_before_anything_is_written),
        cmocka_unit_test(parameters_that_never_stepped_start_in_their_format),
        cmocka_unit_test(codes_that_were_written_once_stand_for_the_same_numbers),
        cmocka_unit_test(files_whose_options_need_full_state_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
