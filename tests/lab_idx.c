/* IDX files, plain and compressed, whole and damaged in every way that a file is. */
#include "idx.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define HEADER_OF_2_BY_3 "\0\0\10\2\0\0\0\2\0\0\0\3"
#define WHOLE HEADER_OF_2_BY_3 "abcdef"
enum { WHOLE_SIZE = 18, COMPRESSED_ROOM = 200 };

static char folder[] = "/tmp/lab_idx_XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) && snprintf(path, sizeof path, "%s/file", folder) > 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void write_bytes(const void *bytes, size_t count)
{
    FILE *const file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

/* Writes through gzip and returns what the file then holds. */
static size_t compress_bytes(const void *bytes, size_t count, unsigned char compressed[COMPRESSED_ROOM])
{
    gzFile zipped = gzopen(path, "wb");
    assert_non_null(zipped);
    assert_int_equal(gzwrite(zipped, bytes, (unsigned)count), count);
    assert_int_equal(gzclose(zipped), Z_OK);
    FILE *const file = fopen(path, "rb");
    assert_non_null(file);
    const size_t size = fread(compressed, 1, COMPRESSED_ROOM, file);
    assert_int_equal(fclose(file), 0);
    return size;
}

static void assert_whole(void)
{
    struct lab_idx idx;
    rms_error error;
    assert_ok(lab_idx_read(&idx, path, &error), error.message);
    assert_int_equal(idx.dimension_count, 2);
    assert_int_equal(idx.sizes[0], 2);
    assert_int_equal(idx.sizes[1], 3);
    assert_int_equal(idx.count, 6);
    assert_memory_equal(idx.bytes, "abcdef", 6);
    lab_idx_free(&idx);
    assert_null(idx.bytes);
    lab_idx_free(&idx);
}

static void assert_refused(rms_status status, const char *sentence)
{
    struct lab_idx idx;
    rms_error error;
    assert_status(status, lab_idx_read(&idx, path, &error), error.message);
    assert_contains(error.message, path);
    assert_contains(error.message, sentence);
    assert_null(idx.bytes);
    assert_int_equal(idx.count, 0);
    assert_status(status, lab_idx_read(&idx, path, NULL), "without rms_error");
}

static void a_whole_file_is_read_plain_and_compressed(void **state)
{
    (void)state;
    unsigned char compressed[COMPRESSED_ROOM];
    write_bytes(WHOLE, WHOLE_SIZE);
    assert_whole();
    compress_bytes(WHOLE, WHOLE_SIZE, compressed);
    assert_whole();
}

static void a_damaged_file_is_refused_in_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
        const char *sentence;
    } cases[] = {
        {"", 0, "ends after 0 of 4 bytes"},
        {"\0\0\10", 3, "ends after 3 of 4 bytes"},
        {"\0\0\10\2\0\0\0\2\0\0", 10, "ends after 10 of 12 bytes"},
        {WHOLE, WHOLE_SIZE - 1, "ends after 17 of 18 bytes"},
        {WHOLE "g", WHOLE_SIZE + 1, "goes on after the 18 bytes"},
        {"\0\0\15\1\0\0\0\1\0\0\0\0", 12, "it begins 00 00 0d 01 (expected 00 00 08"}, /* floats */
        {"\0\0\10\0", 4, "it begins 00 00 08 00"},
        {"\0\0\10\5\0\0\0\1", 8, "it begins 00 00 08 05"},
        {"PNG, perhaps", 12, "it begins 50 4e 47 2c"},
        {"\0\0\10\2\0\0\0\0\0\0\0\3", 12, "multiply to 0 or to more"},
        {"\0\0\10\4\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377", 20, "multiply to 0 or to more"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        write_bytes(cases[i].bytes, cases[i].count);
        assert_refused(RMS_ERROR_FORMAT, cases[i].sentence);
    }
}

/* 4 GB that are not there: found out by reading, or by asking for memory. */
static void sizes_beyond_the_file_are_no_reason_to_crash(void **state)
{
    (void)state;
    struct lab_idx idx;
    rms_error error;
    write_bytes("\0\0\10\1\377\377\377\377a", 9);
    const rms_status status = lab_idx_read(&idx, path, &error);
    assert_true(status == RMS_ERROR_FORMAT || status == RMS_ERROR_MEMORY);
    assert_null(idx.bytes);
}

/* Every truncation, and every byte of the deflated data and checksum turned over. (The header of gzip holds a time and
 * a system, which nobody looks at.) */
static void a_damaged_compression_is_refused(void **state)
{
    (void)state;
    enum { GZIP_HEADER = 10 };
    unsigned char compressed[COMPRESSED_ROOM];
    const size_t size = compress_bytes(WHOLE, WHOLE_SIZE, compressed);
    assert_in_range(size, GZIP_HEADER + 8, COMPRESSED_ROOM - 1);
    for (size_t count = 0; count < size; ++count) {
        write_bytes(compressed, count);
        assert_refused(RMS_ERROR_FORMAT, "it ");
    }
    for (size_t i = GZIP_HEADER; i < size; ++i) {
        compressed[i] ^= 0xff;
        write_bytes(compressed, size);
        assert_refused(RMS_ERROR_FORMAT, "it");
        compressed[i] ^= 0xff;
    }
}

static void what_the_system_refuses_is_told_in_its_words(void **state)
{
    (void)state;
    (void)unlink(path);
    assert_refused(RMS_ERROR_FILE, "No such file or directory");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(RMS_ERROR_FILE, "Is a directory");
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_is_read_plain_and_compressed),
        cmocka_unit_test(a_damaged_file_is_refused_in_a_sentence),
        cmocka_unit_test(sizes_beyond_the_file_are_no_reason_to_crash),
        cmocka_unit_test(a_damaged_compression_is_refused),
        cmocka_unit_test(what_the_system_refuses_is_told_in_its_words),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
