/* What the tests of checkpoints share; checkpoint_support.h says what each function is for. */
#include "checkpoint_support.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* ---- files ----------------------------------------------------------------------------------------- */

enum { PATH_SIZE = 512, PATHS = 8 };
static char folder[PATH_SIZE];
static pid_t owner;

static void remove_folder(void)
{
    DIR *listing = getpid() == owner ? opendir(folder) : NULL;
    if (!listing)
        return;
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlinkat(dirfd(listing), entry->d_name, 0) != 0)
            (void)unlinkat(dirfd(listing), entry->d_name, AT_REMOVEDIR);
    (void)closedir(listing);
    (void)rmdir(folder);
}

const char *scratch_path(const char *name)
{
    static char paths[PATHS][2 * PATH_SIZE];
    static size_t next;
    if (folder[0] == '\0') {
        const char *parent = getenv("TMPDIR");
        (void)snprintf(folder, sizeof folder, "%s/rmsprop-checkpoint-XXXXXX", parent ? parent : "/tmp");
        assert_non_null(mkdtemp(folder));
        owner = getpid();
        assert_int_equal(atexit(remove_folder), 0);
    }
    char *path = paths[next++ % PATHS];
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

struct bytes read_bytes(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    memset(&status, 0, sizeof status);
    if (!file || fstat(fileno(file), &status) != 0) {
        fail_msg("cannot read %s", path);
        return (struct bytes){.data = NULL};
    }
    const struct bytes bytes = {bytes_create((size_t)status.st_size), (size_t)status.st_size};
    assert_int_equal(fread(bytes.data, 1, bytes.size, file), bytes.size);
    (void)fclose(file);
    return bytes;
}

/* Cut at the end rather than emptied first: some file systems force to the disk what replaces an emptied file. */
void write_bytes(const char *path, const void *data, size_t size)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0 || pwrite(file, data, size, 0) != (ssize_t)size || ftruncate(file, (off_t)size) != 0 ||
        close(file) != 0)
        fail_msg("cannot write %s", path);
}

bool file_exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* ---- models ---------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t count;
} model_tensors[MODEL_TENSORS] = {
    {"fc1.weight", MODEL_COUNT_MAX}, {"fc1/bias", 1}, {"empty", 0}, {"\"quoted\\\" \xc3\xa4\t", 33}, {"param", 7}};

/* Doubles have no shortened state. */
static rms_dtype dtype_of(const rms_options *options, rms_dtype dtype, bool mixed, size_t tensor)
{
    const rms_dtype other = (rms_dtype)(((size_t)dtype + tensor) % 4);
    if (!mixed)
        return dtype;
    return options->state_format != RMS_STATE_FULL && other == RMS_F64 ? RMS_F32 : other;
}

struct model *model_create(const rms_options *options, rms_dtype dtype, bool mixed, uint64_t seed)
{
    struct model *model = bytes_create(sizeof *model);
    *model = (struct model){.optimizer = create_optimizer(options), .rule = options->rule, .seed = seed};
    size_t second = 0;
    assert_ok(rms_add_group(model->optimizer, &second), rms_message(model->optimizer));
    assert_ok(rms_set(model->optimizer, second, "lr", options->lr / 2), rms_message(model->optimizer));
    for (size_t i = 0; i < MODEL_TENSORS; ++i) {
        const size_t count = model_tensors[i].count;
        model->param[i] = bytes_create(count * sizeof(double));
        model->grad[i] = bytes_create(count * sizeof(double));
        const rms_tensor tensor = {.name = model_tensors[i].name,
                                   .count = count,
                                   .param = model->param[i],
                                   .grad = model->grad[i],
                                   .group = i == 1 ? second : 0,
                                   .dtype = dtype_of(options, dtype, mixed, i)};
        fill_parameters_of(tensor.dtype, tensor.param, count, seed + i);
        assert_ok(rms_add(model->optimizer, &tensor), rms_message(model->optimizer));
    }
    return model;
}

void model_destroy(struct model *model)
{
    rms_free(model->optimizer);
    for (size_t i = 0; i < MODEL_TENSORS; ++i) {
        free(model->param[i]);
        free(model->grad[i]);
    }
    free(model);
}

void model_step_until(struct model *model, uint64_t steps)
{
    while (model->steps < steps) {
        for (size_t i = 0; i < MODEL_TENSORS; ++i) {
            rms_tensor tensor;
            assert_ok(rms_tensor_at(model->optimizer, i, &tensor), rms_message(model->optimizer));
            fill_gradients_of(tensor.dtype, model->grad[i], tensor.count, model->seed + i, model->steps);
        }
        const rms_status status = rms_step(model->optimizer, NULL);
        assert_true(status == RMS_OK || status == RMS_SKIPPED_NONFINITE);
        ++model->steps;
    }
}

static void append(struct bytes *bytes, const void *data, size_t size)
{
    bytes->data = realloc(bytes->data, bytes->size + size + 1);
    assert_non_null(bytes->data);
    if (size > 0)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static void append_tensor(struct bytes *bytes, const struct model *model, size_t index)
{
    rms_optimizer *optimizer = model->optimizer;
    rms_tensor tensor;
    uint64_t steps = 0;
    assert_ok(rms_tensor_at(optimizer, index, &tensor), rms_message(optimizer));
    assert_ok(rms_get_steps(optimizer, index, &steps), rms_message(optimizer));
    append(bytes, &steps, sizeof steps);
    append(bytes, tensor.param, tensor.count * rms_dtype_size(tensor.dtype));
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
        const char *name = rms_slot_name(model->rule, slot);
        const void *state = name ? rms_state(optimizer, index, name) : NULL;
        if (state)
            append(bytes, state, rms_state_size(optimizer, index, name));
    }
}

/* Where a step runs is no part of what a checkpoint holds, nor who sets gradients to 0. */
static bool is_kept(const char *key)
{
    return strcmp(key, "isa") != 0 && strcmp(key, "threads") != 0 && strcmp(key, "nonfinite") != 0 &&
           strcmp(key, "zero_grad") != 0;
}

struct bytes model_bytes(const struct model *model)
{
    struct bytes bytes = {.data = NULL};
    rms_option_info info;
    for (size_t i = 0; i < MODEL_TENSORS; ++i)
        append_tensor(&bytes, model, i);
    for (size_t group = 0; group < 2; ++group)
        for (size_t i = 0; rms_option_at(model->rule, i, &info); ++i) {
            double value = 0;
            assert_ok(rms_get(model->optimizer, group, info.key, &value), rms_message(model->optimizer));
            if (is_kept(info.key))
                append(&bytes, &value, sizeof value);
        }
    return bytes;
}

void assert_same_model(const struct model *model, const struct bytes *expected, const char *context)
{
    struct bytes found = model_bytes(model);
    numbers_compared += found.size;
    if (found.size != expected->size)
        fail_msg("%s: the object holds %zu bytes instead of %zu", context, found.size, expected->size);
    for (size_t i = 0; i < found.size; ++i)
        if (found.data[i] != expected->data[i])
            fail_msg("%s: byte %zu of what the object holds is 0x%02x instead of 0x%02x", context, i, found.data[i],
                     expected->data[i]);
    free(found.data);
}

/* ---- files made by hand ---------------------------------------------------------------------------- */

struct bytes safetensors_file(const char *header, const void *data, size_t data_size)
{
    const size_t length = strlen(header);
    struct bytes file = {bytes_create(8 + length + data_size), 8 + length + data_size};
    for (size_t i = 0; i < 8; ++i)
        file.data[i] = (unsigned char)((uint64_t)length >> 8 * i);
    memcpy(file.data + 8, header, length);
    if (data_size > 0)
        memcpy(file.data + 8 + length, data, data_size);
    return file;
}

size_t header_length(const struct bytes *file)
{
    uint64_t length = 0;
    for (size_t i = 0; i < 8; ++i)
        length |= (uint64_t)file->data[i] << 8 * i;
    return (size_t)length;
}

static void mend_header(char *header)
{
    static const char key[] = "\"header_checksum\":\"";
    char *digits = strstr(header, key);
    if (!digits || strlen(digits) < sizeof key + 16)
        return;
    digits += sizeof key - 1;
    memset(digits, '0', 16);
    uint64_t checksum = XXH3_64bits(header, strlen(header));
    for (size_t i = 16; i-- > 0; checksum /= 16)
        digits[i] = "0123456789abcdef"[checksum % 16];
}

struct bytes file_with_header_changed(const struct bytes *file, const char *piece, const char *other)
{
    const size_t length = header_length(file), room = length + strlen(other) + 1;
    char *header = bytes_create(length + 1), *altered = bytes_create(room);
    memcpy(header, file->data + 8, length);
    header[length] = '\0';
    const char *found = strstr(header, piece);
    if (!found) {
        fail_msg("the header holds no %s: %s", piece, header);
        return (struct bytes){.data = NULL};
    }
    (void)snprintf(altered, room, "%.*s%s%s", (int)(found - header), header, other, found + strlen(piece));
    mend_header(altered);
    const struct bytes result = safetensors_file(altered, file->data + 8 + length, file->size - 8 - length);
    free(header);
    free(altered);
    return result;
}
