/* Files that were made to do harm: whatever lies in a file, opening and loading it crashes nothing, and a file that is
 * refused has changed nothing. The mutator puts checksums right, so that mutations get past them. */
#define _GNU_SOURCE /* memfd_create */

#include "objects.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

/* ---- what an object holds, byte for byte ----------------------------------------------------------- */

enum { VALUES_MAX = 64, SNAPSHOT_BYTES = 4096 };

struct snapshot {
    unsigned char bytes[SNAPSHOT_BYTES];
    size_t size;
};

static void keep(struct snapshot *snapshot, const void *data, size_t bytes)
{
    fuzz_require(snapshot->size + bytes <= sizeof snapshot->bytes);
    if (bytes > 0)
        memcpy(snapshot->bytes + snapshot->size, data, bytes);
    snapshot->size += bytes;
}

static void keep_tensor(struct snapshot *snapshot, rms_optimizer *optimizer, rms_rule rule, size_t index)
{
    rms_tensor tensor;
    uint64_t steps = 0;
    fuzz_require(rms_tensor_at(optimizer, index, &tensor) == RMS_OK);
    fuzz_require(rms_get_steps(optimizer, index, &steps) == RMS_OK);
    keep(snapshot, &steps, sizeof steps);
    keep(snapshot, tensor.param, tensor.count * rms_dtype_size(tensor.dtype));
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot) {
        const char *name = rms_slot_name(rule, slot);
        keep(snapshot, name ? rms_state(optimizer, index, name) : NULL, rms_state_size(optimizer, index, name));
    }
}

static void take_snapshot(struct snapshot *snapshot, const struct fuzz_object *object, rms_rule rule)
{
    memset(snapshot, 0, sizeof *snapshot);
    rms_option_info info;
    for (size_t group = 0; group < 2; ++group)
        for (size_t i = 0; rms_option_at(rule, i, &info); ++i) {
            double value = 0;
            fuzz_require(rms_get(object->optimizer, group, info.key, &value) == RMS_OK);
            keep(snapshot, &value, sizeof value);
        }
    for (size_t i = 0; i < TENSORS; ++i)
        keep_tensor(snapshot, object->optimizer, rule, i);
}

/* ---- one file -------------------------------------------------------------------------------------- */

/* Whether it can be opened at all. */
static bool look_into(const char *path)
{
    rms_checkpoint *checkpoint;
    rms_error error;
    if (rms_checkpoint_open(&checkpoint, path, &error) != RMS_OK) {
        fuzz_require(!checkpoint && error.message[0] != '\0' && memchr(error.message, 0, sizeof error.message));
        return false;
    }
    rms_checkpoint_info info;
    rms_options options;
    rms_checkpoint_tensor tensor;
    fuzz_require(rms_checkpoint_info_of(checkpoint, &info) == RMS_OK);
    for (size_t i = 0; i < info.group_count; ++i)
        fuzz_require(rms_checkpoint_options(checkpoint, i, &options, sizeof options) == RMS_OK &&
                     rms_options_check(&options, NULL) == RMS_OK);
    for (size_t i = 0; i < info.tensor_count; ++i) {
        unsigned char room[LONGEST * sizeof(double)];
        fuzz_require(rms_checkpoint_tensor_at(checkpoint, i, &tensor) == RMS_OK);
        fuzz_require(strlen(tensor.name) > 0 && tensor.group < info.group_count);
        const size_t bytes = tensor.count < LONGEST ? tensor.count * rms_dtype_size(tensor.dtype) : 0;
        (void)rms_checkpoint_read(checkpoint, i, "param", room, bytes, &error);
    }
    rms_checkpoint_close(checkpoint);
    return true;
}

/* Whatever was loaded: codes stand for numbers, and squares that are kept in 8 bits are not negative. */
static void require_numbers(rms_optimizer *optimizer, rms_rule rule)
{
    double format = 0;
    fuzz_require(rms_get(optimizer, 0, "state_format", &format) == RMS_OK);
    for (size_t i = 0; i < TENSORS; ++i)
        for (size_t slot = 0; slot < rms_slot_count(rule); ++slot) {
            const char *name = rms_slot_name(rule, slot);
            rms_tensor tensor;
            double room[LONGEST];
            float numbers[2 * LONGEST];
            if (rms_state_size(optimizer, i, name) == 0)
                continue;
            fuzz_require(rms_tensor_at(optimizer, i, &tensor) == RMS_OK);
            fuzz_require(rms_read_state(optimizer, i, name, room) == RMS_OK);
            memcpy(numbers, room, sizeof numbers);
            for (size_t k = 0; format == RMS_STATE_8_BIT && strcmp(name, "v") == 0 && k < tensor.count; ++k)
                fuzz_require(!(numbers[k] < 0));
        }
}

static void load_into(size_t number, const char *path)
{
    static struct fuzz_object objects[OBJECTS];
    static struct snapshot before[OBJECTS], after;
    struct fuzz_object *object = &objects[number];
    const rms_rule rule = fuzz_objects[number].rule;
    if (!object->optimizer) {
        fuzz_create(object, number);
        fuzz_require(rms_step(object->optimizer, NULL) == RMS_OK);
        take_snapshot(&before[number], object, rule);
    }
    if (rms_load(object->optimizer, path) == RMS_OK) {
        require_numbers(object->optimizer, rule);
        fuzz_require(rms_step(object->optimizer, NULL) >= RMS_OK);
        rms_free(object->optimizer);
        object->optimizer = NULL;
        return;
    }
    fuzz_require(rms_message(object->optimizer)[0] != '\0');
    take_snapshot(&after, object, rule);
    fuzz_require(memcmp(&after, &before[number], sizeof after) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    static char path[64];
    if (file < 0) {
        file = memfd_create("checkpoint", MFD_CLOEXEC);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    fuzz_require(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
    const size_t objects = look_into(path) ? OBJECTS : 1;
    for (size_t number = 0; number < objects; ++number)
        load_into(number, path);
    return 0;
}

/* ---- the mutator ----------------------------------------------------------------------------------- */

enum { LENGTH_BYTES = 8, DIGITS = 16, DATA_MAX = 4096 };
static const char header_key[] = "\"header_checksum\":\"";

static size_t header_length(const uint8_t *data, size_t size)
{
    uint64_t length = 0;
    for (size_t i = 0; i < LENGTH_BYTES && size >= LENGTH_BYTES; ++i)
        length |= (uint64_t)data[i] << 8 * i;
    return size >= LENGTH_BYTES && length <= size - LENGTH_BYTES ? (size_t)length : 0;
}

static void write_digits(char *digits, uint64_t value)
{
    char text[DIGITS + 1];
    (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
    memcpy(digits, text, DIGITS);
}

/* A digit's place in the header: behind key, if that is there, and DIGITS bytes follow. */
static char *digits_behind(char *header, const char *key)
{
    char *found = strstr(header, key);
    return found && strlen(found) >= strlen(key) + DIGITS ? found + strlen(key) : NULL;
}

/* The checksums text is JSON within a string: \"NAME\":\"0123...\". */
static void mend_entry(char *header, const char *name, const json_t *entry, const uint8_t *data, size_t bytes)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_int_t begin = json_integer_value(json_array_get(offsets, 0));
    const json_int_t end = json_integer_value(json_array_get(offsets, 1));
    char key[256];
    (void)snprintf(key, sizeof key, "\\\"%.200s\\\":\\\"", name);
    char *digits = digits_behind(header, key);
    if (digits && begin >= 0 && begin <= end && (uint64_t)end <= bytes)
        write_digits(digits, XXH3_64bits(data + begin, (size_t)(end - begin)));
}

/* Gives the file as many bytes as its header wants, if it can. */
static size_t mend_size(json_t *root, size_t begin, size_t size, size_t size_max)
{
    size_t end = 0;
    for (void *at = json_object_iter(root); at; at = json_object_iter_next(root, at)) {
        const json_int_t last =
            json_integer_value(json_array_get(json_object_get(json_object_iter_value(at), "data_offsets"), 1));
        if (last > 0 && last <= DATA_MAX && (size_t)last > end)
            end = (size_t)last;
    }
    return begin + end <= size_max ? begin + end : size;
}

/* Puts length, size and checksums right, as far as the header can be read. */
static size_t mend(uint8_t *file, size_t size, size_t header_bytes, size_t size_max, bool resize)
{
    for (size_t i = 0; i < LENGTH_BYTES; ++i)
        file[i] = (uint8_t)(header_bytes >> 8 * i);
    json_t *root = json_loadb((const char *)file + LENGTH_BYTES, header_bytes, 0, NULL);
    const size_t begin = LENGTH_BYTES + header_bytes;
    if (resize && root) {
        const size_t mended = mend_size(root, begin, size, size_max);
        if (mended > size)
            memset(file + size, 0, mended - size);
        size = mended;
    }
    char *header = strndup((const char *)file + LENGTH_BYTES, header_bytes);
    for (void *at = json_object_iter(root); at && header; at = json_object_iter_next(root, at))
        mend_entry(header, json_object_iter_key(at), json_object_iter_value(at), file + begin, size - begin);
    char *digits = header ? digits_behind(header, header_key) : NULL;
    if (digits) {
        memset(digits, '0', DIGITS);
        write_digits(digits, XXH3_64bits(header, strlen(header)));
    }
    if (header)
        memcpy(file + LENGTH_BYTES, header, strlen(header));
    free(header);
    json_decref(root);
    return size;
}

/* A whole number of the header becomes another. */
static size_t mutate_number(uint8_t *header, size_t bytes, size_t bytes_max, unsigned seed)
{
    static const char *const numbers[] = {"0",  "1",   "2",          "3",          "5",
                                          "8",  "24",  "-1",         "4294967296", "9223372036854775807",
                                          "64", "1.5", "1e400",      "[]",         "18446744073709551616",
                                          "12", "40",  "2147483648", "16777217",   "{}"};
    const char *number = numbers[seed / 64 % (sizeof numbers / sizeof *numbers)];
    size_t at = bytes > 0 ? seed % bytes : 0;
    while (at < bytes && (header[at] < '0' || header[at] > '9'))
        ++at;
    size_t end = at;
    while (end < bytes && header[end] >= '0' && header[end] <= '9')
        ++end;
    const size_t length = strlen(number);
    if (at == bytes || bytes - (end - at) + length > bytes_max)
        return bytes;
    memmove(header + at + length, header + end, bytes - end);
    memcpy(header + at, number, length);
    return bytes - (end - at) + length;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    const size_t header_bytes = header_length(data, size);
    if (header_bytes == 0 || seed % 8 == 0 || size_max < LENGTH_BYTES + 64)
        return LLVMFuzzerMutate(data, size, size_max);
    const size_t data_bytes = size - LENGTH_BYTES - header_bytes;
    uint8_t rest[DATA_MAX];
    if (data_bytes > sizeof rest)
        return LLVMFuzzerMutate(data, size, size_max);
    memcpy(rest, data + LENGTH_BYTES + header_bytes, data_bytes);
    uint8_t *header = data + LENGTH_BYTES;
    const size_t header_max = size_max - LENGTH_BYTES - data_bytes;
    size_t mutated = header_bytes;
    if (seed % 8 == 1 && data_bytes > 0)
        (void)LLVMFuzzerMutate(rest, data_bytes, data_bytes);
    else if (seed % 2 == 0)
        mutated = mutate_number(header, header_bytes, header_max, seed / 8);
    else
        mutated = LLVMFuzzerMutate(header, header_bytes, header_max);
    memcpy(header + mutated, rest, data_bytes);
    return mend(data, LENGTH_BYTES + mutated + data_bytes, mutated, size_max, seed / 16 % 2 == 0);
}
