/* Looking into checkpoints without a model; what the first version of the format has written stays readable. */
#include "checkpoint_support.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_VERSION GOLDEN_DIRECTORY "/checkpoint_v1.safetensors"

static rms_checkpoint *open_checkpoint(const char *path)
{
    rms_checkpoint *checkpoint = NULL;
    rms_error error = {.message = "not cleared"};
    assert_ok(rms_checkpoint_open(&checkpoint, path, &error), error.message);
    assert_string_equal(error.message, "");
    assert_non_null(checkpoint);
    return checkpoint;
}

static size_t tensor_of(const rms_checkpoint *checkpoint, const char *name, rms_checkpoint_tensor *tensor)
{
    size_t i = 0;
    while (rms_checkpoint_tensor_at(checkpoint, i, tensor) == RMS_OK && strcmp(tensor->name, name) != 0)
        ++i;
    assert_ok(rms_checkpoint_tensor_at(checkpoint, i, tensor), name);
    return i;
}

/* ---- what was saved -------------------------------------------------------------------------------- */

static void check_tensor(rms_checkpoint *checkpoint, const struct model *model, size_t index, rms_layout layout)
{
    rms_tensor tensor;
    rms_checkpoint_tensor found;
    rms_error error;
    uint64_t taken = 0;
    rms_options options;
    assert_ok(rms_tensor_at(model->optimizer, index, &tensor), rms_message(model->optimizer));
    assert_ok(rms_get_steps(model->optimizer, index, &taken), rms_message(model->optimizer));
    const size_t number = tensor_of(checkpoint, tensor.name, &found);
    assert_int_equal(found.count, tensor.count);
    assert_int_equal(found.dtype, tensor.dtype);
    assert_int_equal(found.steps, taken);
    assert_int_equal(found.group, tensor.group);
    assert_int_equal(found.has_param, layout == RMS_LAYOUT_FULL);
    assert_ok(rms_checkpoint_options(checkpoint, found.group, &options, sizeof options), "options");
    assert_int_equal(found.slots, rms_slots_kept(&options, tensor.dtype));
    for (size_t slot = 0; slot <= RMS_SLOTS_MAX; ++slot) {
        const bool is_param = slot == RMS_SLOTS_MAX;
        const char *name = is_param ? "param" : rms_slot_name(model->rule, slot);
        const bool there = is_param ? found.has_param : found.slots >> slot & 1;
        const size_t bytes = is_param ? tensor.count * rms_dtype_size(tensor.dtype)
                                      : rms_slot_bytes(&options, tensor.dtype, slot, tensor.count);
        void *out = bytes_create(bytes + 1);
        if (!there) {
            assert_status(RMS_ERROR_NAME,
                          rms_checkpoint_read(checkpoint, number, name ? name : "bogus", out, bytes, &error),
                          error.message);
        } else {
            assert_ok(rms_checkpoint_read(checkpoint, number, name, out, bytes, &error), error.message);
            const void *held = is_param ? tensor.param : rms_state(model->optimizer, index, name);
            if (bytes > 0)
                assert_memory_equal(out, held, bytes);
            assert_status(RMS_ERROR_RANGE, rms_checkpoint_read(checkpoint, number, name, out, bytes + 1, &error),
                          error.message);
            numbers_compared += tensor.count;
        }
        free(out);
    }
}

static void check_file(const rms_options *options, rms_layout layout)
{
    struct model *model = model_create(options, RMS_F32, true, 3);
    model_step_until(model, 3);
    const char *path = scratch_path("looked-into");
    assert_ok(rms_save_as(model->optimizer, path, layout), rms_message(model->optimizer));
    rms_checkpoint *checkpoint = open_checkpoint(path);
    rms_checkpoint_info info;
    assert_ok(rms_checkpoint_info_of(checkpoint, &info), "info");
    struct bytes file = read_bytes(path);
    assert_int_equal(info.layout, layout);
    assert_string_equal(info.version, rms_version());
    assert_int_equal(info.format, 1);
    assert_int_equal(info.steps, 3);
    assert_int_equal(info.tensor_count, MODEL_TENSORS);
    assert_int_equal(info.group_count, 2);
    assert_int_equal(info.file_bytes, file.size);
    free(file.data);
    for (size_t i = 0; i < MODEL_TENSORS; ++i)
        check_tensor(checkpoint, model, i, layout);
    rms_checkpoint_close(checkpoint);
    model_destroy(model);
}

static void a_file_tells_all_that_was_saved(void **state)
{
    (void)state;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (rms_layout layout = RMS_LAYOUT_FULL; layout <= RMS_LAYOUT_STATE; ++layout)
            for (rms_state_format format = RMS_STATE_FULL; format <= RMS_STATE_8_BIT; ++format) {
                rms_options options = rms_options_for(rule);
                options.average_decay = 0.5;
                options.threads = 1;
                options.nonfinite = RMS_NONFINITE_PROPAGATE;
                options.state_format = format;
                if (rms_options_check(&options, NULL) == RMS_OK)
                    check_file(&options, layout);
            }
    report_comparisons("numbers looked into");
}

static void options_are_those_of_the_save_but_for_where_it_ran(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (size_t repetition = 0; repetition < 10 * RMS_RULE_COUNT; ++repetition) {
        rms_options options = random_options(&seed, (rms_rule)(repetition % RMS_RULE_COUNT));
        options.threads = 2;
        options.isa = RMS_ISA_BASELINE;
        rms_optimizer *optimizer = create_optimizer(&options);
        const char *path = scratch_path("options");
        assert_ok(rms_save(optimizer, path), rms_message(optimizer));
        rms_checkpoint *checkpoint = open_checkpoint(path);
        rms_options found;
        assert_ok(rms_checkpoint_options(checkpoint, 0, &found, sizeof found), "options");
        options.threads = found.threads = 0;
        options.isa = RMS_ISA_AUTO;
        options.nonfinite = found.nonfinite;
        assert_memory_equal(&options, &found, sizeof options);
        assert_status(RMS_ERROR_RANGE, rms_checkpoint_options(checkpoint, 1, &found, sizeof found), "group 1");
        rms_checkpoint_close(checkpoint);
        rms_free(optimizer);
    }
}

/* A program that was built before averages existed must not take a file with one for a file without. */
static void options_that_an_older_struct_cannot_hold_are_refused(void **state)
{
    (void)state;
    const size_t older = offsetof(rms_options, eta_minus);
    for (int averaged = 0; averaged < 2; ++averaged) {
        rms_options options = rms_options_for(RMS_RMSPROP), found;
        options.average_decay = averaged ? 0.5 : 0;
        rms_optimizer *optimizer = create_optimizer(&options);
        assert_ok(rms_save(optimizer, scratch_path("older")), rms_message(optimizer));
        rms_checkpoint *checkpoint = open_checkpoint(scratch_path("older"));
        assert_status(averaged ? RMS_ERROR_UNSUPPORTED : RMS_OK, rms_checkpoint_options(checkpoint, 0, &found, older),
                      "older struct");
        rms_checkpoint_close(checkpoint);
        rms_free(optimizer);
    }
}

/* The checksum is looked at where the data are read; what was read is handed out all the same. */
static void damage_shows_when_it_is_read(void **state)
{
    (void)state;
    float param[3] = {1, 2, 3}, grad[3] = {0}, out[3];
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "w", param, grad, 3);
    const char *path = scratch_path("damaged");
    assert_ok(rms_save(optimizer, path), rms_message(optimizer));
    struct bytes file = read_bytes(path);
    file.data[file.size - 1] ^= 1; /* the last of v */
    write_bytes(path, file.data, file.size);
    free(file.data);
    rms_checkpoint *checkpoint = open_checkpoint(path);
    rms_error error;
    assert_ok(rms_checkpoint_read(checkpoint, 0, "param", out, sizeof out, &error), error.message);
    assert_memory_equal(out, param, sizeof out);
    assert_status(RMS_ERROR_FORMAT, rms_checkpoint_read(checkpoint, 0, "v", out, sizeof out, &error), error.message);
    assert_contains(error.message, "\"w/v\" are damaged");
    assert_true(bits_of(out[2]) != 0);
    rms_checkpoint_close(checkpoint);
    rms_free(optimizer);
}

static void mistaken_calls_are_refused(void **state)
{
    (void)state;
    rms_checkpoint *checkpoint = NULL;
    rms_checkpoint_info info;
    rms_checkpoint_tensor tensor;
    rms_options options;
    rms_error error;
    assert_status(RMS_ERROR_ARGUMENT, rms_checkpoint_open(NULL, FIRST_VERSION, &error), error.message);
    assert_status(RMS_ERROR_ARGUMENT, rms_checkpoint_open(&checkpoint, NULL, &error), error.message);
    assert_status(RMS_ERROR_FILE, rms_checkpoint_open(&checkpoint, scratch_path("missing"), NULL), "missing");
    assert_null(checkpoint);
    checkpoint = open_checkpoint(FIRST_VERSION);
    assert_status(RMS_ERROR_ARGUMENT, rms_checkpoint_info_of(checkpoint, NULL), "info");
    assert_status(RMS_ERROR_ARGUMENT, rms_checkpoint_info_of(NULL, &info), "info");
    assert_status(RMS_ERROR_ARGUMENT, rms_checkpoint_tensor_at(checkpoint, 0, NULL), "tensor");
    assert_status(RMS_ERROR_RANGE, rms_checkpoint_tensor_at(checkpoint, 99, &tensor), "tensor");
    assert_status(RMS_ERROR_ARGUMENT, rms_checkpoint_options(checkpoint, 0, NULL, sizeof options), "options");
    assert_status(RMS_ERROR_ARGUMENT, rms_checkpoint_options(checkpoint, 0, &options, 1), "options");
    assert_status(RMS_ERROR_ARGUMENT, rms_checkpoint_read(checkpoint, 0, NULL, &info, 1, &error), error.message);
    assert_status(RMS_ERROR_ARGUMENT, rms_checkpoint_read(NULL, 0, "v", &info, 1, &error), error.message);
    assert_status(RMS_ERROR_ARGUMENT, rms_checkpoint_read(checkpoint, 0, "v", NULL, 1, &error), error.message);
    assert_status(RMS_ERROR_RANGE, rms_checkpoint_read(checkpoint, 99, "v", &info, 1, &error), error.message);
    rms_checkpoint_close(checkpoint);
    rms_checkpoint_close(NULL);
}

/* ---- how it was written ---------------------------------------------------------------------------- */

/* A locale's decimal comma has no place in JSON. */
static void locales_change_nothing(void **state)
{
    (void)state;
    static const char *const locales[] = {"C", "de_DE.UTF-8"};
    if (!setlocale(LC_ALL, locales[1])) {
        print_message("skipped: the locale de_DE.UTF-8 is not installed\n");
        skip();
    }
    struct bytes files[2];
    rms_options options = rms_options_for(RMS_ADAM);
    options.lr = 0.1;
    options.beta1 = 1.0 / 3;
    rms_optimizer *optimizer = create_optimizer(&options);
    for (size_t i = 0; i < 2; ++i) {
        assert_non_null(setlocale(LC_ALL, locales[i]));
        assert_ok(rms_save(optimizer, scratch_path("locale")), rms_message(optimizer));
        assert_ok(rms_set(optimizer, 0, "lr", 0.5), rms_message(optimizer));
        assert_ok(rms_load(optimizer, scratch_path("locale")), rms_message(optimizer));
        double lr = 0;
        assert_ok(rms_get(optimizer, 0, "lr", &lr), rms_message(optimizer));
        assert_true(bits_of_double(lr) == bits_of_double(0.1));
        files[i] = read_bytes(scratch_path("locale"));
    }
    (void)setlocale(LC_ALL, "C");
    assert_int_equal(files[0].size, files[1].size);
    assert_memory_equal(files[0].data, files[1].data, files[0].size);
    free(files[0].data);
    free(files[1].data);
    rms_free(optimizer);
}

/* The data begin on a cache line, and each number lies aligned: readers that map the file rely on it. */
static void data_lie_aligned(void **state)
{
    (void)state;
    const rms_options options = rms_options_for(RMS_RMSPROP);
    struct model *model = model_create(&options, RMS_F16, true, 1);
    assert_ok(rms_save(model->optimizer, scratch_path("aligned")), rms_message(model->optimizer));
    struct bytes file = read_bytes(scratch_path("aligned"));
    uint64_t length = 0;
    for (size_t i = 0; i < 8; ++i)
        length |= (uint64_t)file.data[i] << 8 * i;
    assert_int_equal((8 + length) % 64, 0);
    static const struct {
        const char *dtype;
        uint64_t size;
    } sizes[] = {{"\"F64\"", 8}, {"\"F32\"", 4}, {"\"F16\"", 2}, {"\"BF16\"", 2}};
    file.data[8 + length - 1] = '\0'; /* a space, or the last brace */
    for (size_t i = 0; i < COUNT_OF(sizes); ++i) {
        const char *entry = strstr((const char *)file.data + 8, sizes[i].dtype);
        for (; entry; entry = strstr(entry + 1, sizes[i].dtype)) {
            const char *offset = strstr(entry, "\"data_offsets\":[");
            assert_non_null(offset);
            assert_int_equal(strtoull(offset + strlen("\"data_offsets\":["), NULL, 10) % sizes[i].size, 0);
            ++numbers_compared;
        }
    }
    free(file.data);
    model_destroy(model);
    report_comparisons("aligned arrays");
}

/* ---- the first version ----------------------------------------------------------------------------- */

/* What the first version's file holds: not computed, so that no change of the arithmetic can touch it. */
static struct model *first_version_model(void)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.centered = true;
    options.momentum = 0.9;
    options.average_decay = 0.5;
    options.lr = 0.001;
    options.clip_norm = 2;
    options.seed = 3;
    struct model *model = model_create(&options, RMS_F32, true, 11);
    model_step_until(model, 1);
    for (size_t i = 0; i < MODEL_TENSORS; ++i) {
        rms_tensor tensor;
        assert_ok(rms_tensor_at(model->optimizer, i, &tensor), rms_message(model->optimizer));
        assert_ok(rms_set_steps(model->optimizer, i, 1000 + i), rms_message(model->optimizer));
        fill_parameters_of(tensor.dtype, tensor.param, tensor.count, 100 + i);
        for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
            void *held = rms_state(model->optimizer, i, rms_slot_name(RMS_RMSPROP, slot));
            const rms_dtype real = tensor.dtype == RMS_F64 ? RMS_F64 : RMS_F32;
            if (held)
                fill_parameters_of(real, held, tensor.count, 100 * slot + i);
        }
    }
    return model;
}

/* The file was written once, by a library of version 0.1.0, with RMSPROP_WRITE_FIRST_VERSION set. */
static void what_the_first_version_wrote_is_read(void **state)
{
    (void)state;
    struct model *model = first_version_model();
    if (getenv("RMSPROP_WRITE_FIRST_VERSION"))
        assert_ok(rms_save(model->optimizer, FIRST_VERSION), rms_message(model->optimizer));
    struct bytes expected = model_bytes(model);
    model_step_until(model, 3);
    assert_ok(rms_load(model->optimizer, FIRST_VERSION), rms_message(model->optimizer));
    assert_same_model(model, &expected, "the first version's file");
    rms_checkpoint *checkpoint = open_checkpoint(FIRST_VERSION);
    rms_checkpoint_info info;
    assert_ok(rms_checkpoint_info_of(checkpoint, &info), "info");
    assert_string_equal(info.version, "0.1.0");
    assert_int_equal(info.format, 1);
    /* It knew of no other way to keep state. */
    struct bytes file = read_bytes(FIRST_VERSION);
    rms_options options;
    file.data[header_length(&file) + 8] = '\0';
    assert_null(strstr((const char *)file.data + 8, "state_format"));
    assert_ok(rms_checkpoint_options(checkpoint, 0, &options, sizeof options), "options");
    assert_int_equal(options.state_format, RMS_STATE_FULL);
    free(file.data);
    rms_checkpoint_close(checkpoint);
    free(expected.data);
    model_destroy(model);
    report_comparisons("first version");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_tells_all_that_was_saved),
        cmocka_unit_test(options_are_those_of_the_save_but_for_where_it_ran),
        cmocka_unit_test(options_that_an_older_struct_cannot_hold_are_refused),
        cmocka_unit_test(damage_shows_when_it_is_read),
        cmocka_unit_test(mistaken_calls_are_refused),
        cmocka_unit_test(locales_change_nothing),
        cmocka_unit_test(data_lie_aligned),
        cmocka_unit_test(what_the_first_version_wrote_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
