/* Files that are damaged, or that somebody made to do harm: each is refused with a sentence that says why, and the object
 * is as it was, byte for byte. */
#include "checkpoint_support.h"

#include <stdlib.h>
#include <string.h>

/* ---- the object ------------------------------------------------------------------------------------ */

enum { COUNT = 3 };

/* What files are loaded into: RMSProp with one tensor, "w", of 3 floats, and its v. */
struct victim {
    rms_optimizer *optimizer;
    float param[COUNT];
    float grad[COUNT];
};

static void victim_create(struct victim *victim)
{
    *victim = (struct victim){.param = {1, 2, 3}, .grad = {0.5F, -0.5F, 2}};
    const rms_options options = rms_options_for(RMS_RMSPROP);
    victim->optimizer = create_optimizer(&options);
    add_tensor(victim->optimizer, "w", victim->param, victim->grad, COUNT);
    assert_ok(rms_step(victim->optimizer, NULL), rms_message(victim->optimizer));
}

struct held {
    float param[COUNT];
    float v[COUNT];
    double lr;
    uint64_t steps;
};

static struct held held_by(const struct victim *victim)
{
    struct held held;
    memset(&held, 0, sizeof held);
    memcpy(held.param, victim->param, sizeof held.param);
    memcpy(held.v, rms_state(victim->optimizer, 0, "v"), sizeof held.v);
    assert_ok(rms_get(victim->optimizer, 0, "lr", &held.lr), rms_message(victim->optimizer));
    assert_ok(rms_get_steps(victim->optimizer, 0, &held.steps), rms_message(victim->optimizer));
    return held;
}

/* Loads a file that must be refused; what the sentence must hold is NULL where any will do. */
static void assert_refused(struct victim *victim, const struct bytes *file, const char *sentence)
{
    const char *path = scratch_path("hostile");
    write_bytes(path, file->data, file->size);
    const struct held before = held_by(victim);
    const rms_status status = rms_load(victim->optimizer, path);
    if (status == RMS_OK)
        fail_msg("was loaded, instead of: %s", sentence ? sentence : "any refusal");
    assert_true(status == RMS_ERROR_FORMAT || status == RMS_ERROR_FILE);
    char message[RMS_MESSAGE_SIZE];
    (void)snprintf(message, sizeof message, "%s", rms_message(victim->optimizer));
    assert_contains(message, "hostile: ");
    if (sentence)
        assert_contains(message, sentence);
    const struct held after = held_by(victim);
    assert_memory_equal(&before, &after, sizeof before);
    ++numbers_compared;
}

/* ---- headers of anyone ----------------------------------------------------------------------------- */

#define V "\"state.w.square_avg\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}"
#define STEP "\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[12,16]}"

/* With 16 bytes of data: 3 floats and a count of steps, 1. */
static const struct {
    const char *header;
    const char *sentence;
} headers[] = {
    {"[" V "]", "does not begin with {"},
    {" {" V "," STEP "}", "does not begin with {"},
    {"\xef\xbb\xbf{" V "," STEP "}", "does not begin with {"},
    {"{" V "," STEP, "cannot be read as JSON"},
    {"{" V "," STEP "}}", "cannot be read as JSON"},
    {"{" V "," STEP "} x", "cannot be read as JSON"},
    {"{" V "," STEP ",}", "cannot be read as JSON"},
    {"{," V "," STEP "}", "cannot be read as JSON"},
    {"{'a':1," V "," STEP "}", "cannot be read as JSON"},
    {"{\"a\" 1," V "," STEP "}", "cannot be read as JSON"},
    {"{\"a\":[1,2 3]," V "}", "cannot be read as JSON"},
    {"{\"a\":[1,2,]," V "}", "cannot be read as JSON"},
    {"{\"a\":[1,2}", "cannot be read as JSON"},
    {"{\"a\":01," V "}", "cannot be read as JSON"},
    {"{\"a\":+1," V "}", "cannot be read as JSON"},
    {"{\"a\":.5," V "}", "cannot be read as JSON"},
    {"{\"a\":1.," V "}", "cannot be read as JSON"},
    {"{\"a\":1e," V "}", "cannot be read as JSON"},
    {"{\"a\":-," V "}", "cannot be read as JSON"},
    {"{\"a\":0x10," V "}", "cannot be read as JSON"},
    {"{\"a\":nul," V "}", "cannot be read as JSON"},
    {"{\"a\":True," V "}", "cannot be read as JSON"},
    {"{\"a\":NaN," V "}", "cannot be read as JSON"},
    {"{\"a", "cannot be read as JSON"},
    {"{\"a\":\"b", "cannot be read as JSON"},
    {"{\"a\":\"b\\", "cannot be read as JSON"},
    {"{\"a\":\"b\nc\"," V "}", "cannot be read as JSON"},
    {"{\"a\":\"\\x\"," V "}", "cannot be read as JSON"},
    {"{\"a\":\"\\u12g4\"," V "}", "cannot be read as JSON"},
    {"{\"a\":\"\\u12\"," V "}", "cannot be read as JSON"},
    {"{\"a\":\"\\u0000\"," V "}", "cannot be read as JSON"},
    {"{\"a\":\"\\ud800\"," V "}", "cannot be read as JSON"},
    {"{\"a\":\"\\ud800\\u0041\"," V "}", "cannot be read as JSON"},
    {"{\"a\":\"\\udc00\"," V "}", "cannot be read as JSON"},
    {"{" V "," V "," STEP "}", "cannot be read as JSON: duplicate object key"},
    {"{" V ",\"state.w.s\\u0074ep\":{}," STEP "}", "cannot be read as JSON: duplicate object key"},
    {"{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}," V "," STEP "}", "cannot be read as JSON: duplicate object key"},
    {"{\"\xff\":1," V "}", "cannot be read as JSON"},
    {"{\"\xc0\x80\":1," V "}", "cannot be read as JSON"},
    {"{\"\xed\xa0\x80\":1," V "}", "cannot be read as JSON"},
    {"{\"\xf4\x90\x80\x80\":1," V "}", "cannot be read as JSON"},
    {"{\"\xe2\x82", "cannot be read as JSON"},
    {"{\"state.w\\u0000.step\":1," V "}", "cannot be read as JSON"},
    {"{\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]}", "nested more than 4 deep"},
    {"{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}", "nested more than 4 deep"},
    {"{\"state.w.step\":1}", "tensor \"state.w.step\": is no object"},
    {"{\"state.w.step\":[]}", "is no object"},
    {"{\"state.w.step\":{}}", "has no dtype"},
    {"{\"state.w.step\":{\"dtype\":7}}", "has no dtype"},
    {"{\"state.w.step\":{\"dtype\":\"F33\"}}", "dtype \"F33\" is unknown"},
    {"{\"state.w.step\":{\"dtype\":\"F4\"}}", "dtype \"F4\" is unknown"},
    {"{\"state.w.step\":{\"dtype\":\"F32\"}}", "has no shape"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":3}}", "has no shape"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[-1]}}", "whole numbers from 0 on"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[1.0]}}", "whole numbers from 0 on"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[\"3\"]}}", "whole numbers from 0 on"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807]}}", "more elements than any file"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[18446744073709551616]}}",
     "cannot be read as JSON: too big integer"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296]}}", "more elements than any file"},
    {"{\"state.w.step\":{\"dtype\":\"F64\",\"shape\":[1152921504606846976]}}", "more elements than any file"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[3]}}", "has no data_offsets"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0]}}", "has no data_offsets"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12,24]}}", "has no data_offsets"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[-12,0]}}", "has no data_offsets"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[12,0]}}", "out of bounds"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[8,20]}}", "out of bounds"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,9223372036854775807]}}", "out of bounds"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,16]}}",
     "span 16 bytes, but its shape needs 12"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[0,12]}}", "but its shape needs 0"},
    {"{\"state.w.step\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"x\":1}}",
     "keys that the format does not know"},
    {"{" V "}", "has "}, /* a rest behind the last tensor */
    {"{" STEP "}", "a gap lies before its data"},
    {"{" V ",\"state.x.square_avg\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[4,16]}}", "overlap"},
    {"{" V ",\"state.x.square_avg\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}", "overlap"},
    {"{\"__metadata__\":[]," V "," STEP "}", "__metadata__ is no object"},
    {"{\"__metadata__\":{\"a\":1}," V "," STEP "}", "__metadata__: \"a\" is no string"},
    {"{\"__metadata__\":{\"a\":{\"b\":\"c\"}}," V "," STEP "}", "__metadata__: \"a\" is no string"},
    {"{\"w.square_avg\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}",
     "is no checkpoint: it holds \"w.square_avg\""},
    {"{\"state.step\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", "is no checkpoint"},
    {"{\"state..step\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", "is no checkpoint"},
    {"{\"state.w.\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", "is no checkpoint"},
    {"{\"model.weight\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", "is no checkpoint"},
    {"{\"state.w.what\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", "which of PyTorch's optimizers"},
    {"{\"state.w.square_avg\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", "lacks \"state.w.step\""},
    {"{" V ",\"state.w.step\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[12,16]}}", "holds 2 numbers"},
    {"{" V ",\"state.w.step\":{\"dtype\":\"U32\",\"shape\":[],\"data_offsets\":[12,16]}}", "no finite number"},
    {"{" V ",\"state.w.odd\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[12,16]}}", "nothing that rmsprop has"},
    {"{\"state.w.square_avg\":{\"dtype\":\"I32\",\"shape\":[3],\"data_offsets\":[0,12]}," STEP "}", "stored as I32"},
    {"{" V ",\"state.x.step\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[12,16]}}", "lacks \"state.w.step\""},
    {"{\"__metadata__\":{\"format\":\"rmsprop\"}," V "," STEP "}", "metadata lack format_version"},
    {"{\"__metadata__\":{\"header_checksum\":\"\"}," V "," STEP "}", "metadata lack format_version"},
    {"{\"__metadata__\":{\"format\":\"rmsprop\",\"format_version\":\"1\",\"library\":\"0.1.0\"}," V "," STEP "}",
     "no checksum"},
    {"{\"__metadata__\":{\"format\":\"rmsprop\",\"format_version\":\"2\",\"library\":\"0.9.3\"}," V "," STEP "}",
     "written by version 0.9.3 of the library, in format 2"},
    {"{\"__metadata__\":{\"format\":\"rmsprop\",\"format_version\":\"-1\",\"library\":\"0.1.0\"}," V "," STEP "}",
     "is no version"},
    {"{\"__metadata__\":{\"format\":\"rmsprop\",\"format_version\":\"1x\",\"library\":\"0.1.0\"}," V "," STEP "}",
     "is no version"},
};

static void headers_that_are_not_what_the_format_says_are_refused(void **state)
{
    (void)state;
    static const float data[4] = {1, 2, 3, 1};
    struct victim victim;
    victim_create(&victim);
    for (size_t i = 0; i < COUNT_OF(headers); ++i) {
        struct bytes file = safetensors_file(headers[i].header, data, sizeof data);
        assert_refused(&victim, &file, headers[i].sentence);
        free(file.data);
    }
    /* The same data under a header that is right: the table above refuses for the reasons that it says. */
    struct bytes file = safetensors_file("{" V "," STEP "}", data, sizeof data);
    write_bytes(scratch_path("right"), file.data, file.size);
    assert_ok(rms_load(victim.optimizer, scratch_path("right")), rms_message(victim.optimizer));
    assert_memory_equal(rms_state(victim.optimizer, 0, "v"), data, 3 * sizeof(float));
    free(file.data);
    rms_free(victim.optimizer);
    report_comparisons("hostile headers");
}

/* ---- lengths --------------------------------------------------------------------------------------- */

static void header_lengths_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t length;
        const char *sentence;
    } lengths[] = {
        {0, "would have 0 bytes"},
        {1, "would have 1 bytes"},
        {100000001, "would have 100000001 bytes"},
        {UINT64_MAX, "would have 18446744073709551615 bytes"},
        {UINT64_C(1) << 63, "would have 9223372036854775808 bytes"},
        {100000000, "was cut off"},
        {9, "was cut off"},
    };
    struct victim victim;
    victim_create(&victim);
    struct bytes file = safetensors_file("{      }", NULL, 0);
    for (size_t i = 0; i < COUNT_OF(lengths); ++i) {
        for (size_t k = 0; k < 8; ++k)
            file.data[k] = (unsigned char)(lengths[i].length >> 8 * k);
        assert_refused(&victim, &file, lengths[i].sentence);
    }
    for (size_t size = 0; size < 10; ++size)
        assert_refused(&victim, &(struct bytes){file.data, size}, "too few for a safetensors file");
    free(file.data);
    rms_free(victim.optimizer);
}

/* A header of 20 MB of commas costs no more memory than it is worth. */
static void headers_with_more_values_than_any_model_are_refused_before_they_are_parsed(void **state)
{
    (void)state;
    enum { VALUES = 9000000 };
    char *header = bytes_create(2 * (size_t)VALUES + 16);
    char *next = header + snprintf(header, 16, "{\"a\":[0");
    for (size_t i = 0; i < VALUES; ++i) {
        *next++ = ',';
        *next++ = '0';
    }
    (void)snprintf(next, 3, "]}");
    struct victim victim;
    victim_create(&victim);
    struct bytes file = safetensors_file(header, NULL, 0);
    assert_refused(&victim, &file, "values");
    free(header);
    free(file.data);
    rms_free(victim.optimizer);
}

/* ---- the library's own files, changed -------------------------------------------------------------- */

/* Saves the victim, as it is after its first step. */
static struct bytes saved(struct victim *victim, rms_layout layout)
{
    victim_create(victim);
    const char *path = scratch_path("own");
    assert_ok(rms_save_as(victim->optimizer, path, layout), rms_message(victim->optimizer));
    return read_bytes(path);
}

static const struct {
    const char *piece;
    const char *other;
    const char *sentence;
} changes[] = {
    {"\"layout\":\"full\"", "\"layout\":\"fill\"", "layout \"fill\" is unknown"},
    {"\"layout\":\"full\"", "\"layout\":\"state\"", "holds 2 arrays, but its tensors account for 1"},
    {"\"layout\":\"full\"", "\"layout\":\"pytorch\"", "is no checkpoint"},
    {"\"layout\":\"full\",", "", "layout \"\" is unknown"},
    {"\"steps\":\"1\"", "\"steps\":\"-1\"", "is no count of steps"},
    {"\"steps\":\"1\"", "\"steps\":\"9223372036854775808\"", "is no count of steps"},
    {"\"steps\":\"1\"", "\"steps\":\"99999999999999999999\"", "is no count of steps"},
    {"\"steps\":\"1\",", "", "is no count of steps"},
    {"\"library\":", "\"future\":\"1\",\"library\":",
     "version 0.1.0 does not know \"future\" (the file was written by version 0.1.0)"},
    {"\"groups\":", "\"troups\":", "does not know \"troups\""},
    {"\"groups\":\"[{", "\"groups\":\"[[{", "groups cannot be read as JSON"},
    {"\"groups\":\"[{\\\"rule\\\"", "\"groups\":\"[{\\\"role\\\"", "group 0 is no object of rule and options"},
    {"\\\"rule\\\":\\\"rmsprop\\\"", "\\\"rule\\\":\\\"adam\\\"", "does not know \"rho\""},
    {"\\\"rule\\\":\\\"rmsprop\\\"", "\\\"rule\\\":\\\"magic\\\"", "has no rule \"magic\""},
    {"\\\"lr\\\":0.01", "\\\"lr\\\":-1", "lr = -1 is out of bounds"},
    {"\\\"lr\\\":0.01", "\\\"lr\\\":1e400", "real number overflow"},
    {"\\\"lr\\\":0.01", "\\\"lr\\\":null", "is no number, flag or word"},
    {"\\\"lr\\\":0.01", "\\\"lr\\\":\\\"fast\\\"", "group 0: lr"},
    {"\\\"lr\\\":0.01", "\\\"lr\\\":0.01,\\\"lr\\\":0.02", "cannot be read as JSON: duplicate"},
    {"\\\"lr\\\":0.01", "\\\"zeal\\\":0.01", "does not know \"zeal\""},
    {"\\\"eps\\\":1e-08", "\\\"eps\\\":0", "group 0: eps or eps_inside must be at least"},
    {"\\\"centered\\\":false", "\\\"centered\\\":true", "lacks \"w/mean\""},
    {"\\\"centered\\\":false", "\\\"centered\\\":2", "is out of bounds: expected 0 to 1"},
    {"\\\"momentum\\\":0,", "\\\"momentum\\\":0.5,", "lacks \"w/momentum\""},
    {"\\\"average_decay\\\":0,", "\\\"average_decay\\\":0.5,", "lacks \"w/average\""},
    {"\\\"state_format\\\":\\\"full\\\"", "\\\"state_format\\\":\\\"8-bit\\\"",
     "holds 3 numbers of F32 in 1 dimensions (expected 65 of U8 in 1)"},
    {"\\\"state_format\\\":\\\"full\\\"", "\\\"state_format\\\":\\\"16-bit\\\"", "(expected 3 of BF16 in 1)"},
    {"\\\"state_format\\\":\\\"full\\\"", "\\\"state_format\\\":\\\"4-bit\\\"", "choose from full, 16-bit, 8-bit"},
    {"\\\"state_format\\\":\\\"full\\\"", "\\\"state_format\\\":7", "state_format = 7 is out of bounds"},
    {"\\\"state_format\\\":\\\"full\\\"", "\\\"state_format\\\":{}", "is no number, flag or word"},
    {"\\\"group\\\":0", "\\\"group\\\":1", "is of group 1, but there are 1"},
    {"\\\"group\\\":0", "\\\"group\\\":-1", "is no object of group, steps, count and dtype"},
    {"\\\"steps\\\":1", "\\\"steps\\\":1.0", "is no object of group, steps, count and dtype"},
    {"\\\"count\\\":3", "\\\"count\\\":4", "holds 3 numbers of F32 in 1 dimensions (expected 4 of F32 in 1)"},
    {"\\\"count\\\":3", "\\\"count\\\":3,\\\"more\\\":1", "is no object of group, steps, count and dtype"},
    {"\\\"dtype\\\":\\\"f32\\\"", "\\\"dtype\\\":\\\"f64\\\"", "expected 3 of F64"},
    {"\\\"dtype\\\":\\\"f32\\\"", "\\\"dtype\\\":\\\"f31\\\"", "is no object of group, steps, count and dtype"},
    {"\"tensors\":\"{\\\"w\\\"", "\"tensors\":\"{\\\"x\\\"", "lacks \"x/param\""},
    {"\"tensors\":\"{\\\"w\\\"", "\"tensors\":\"{\\\"\\\"", "is no object of group, steps, count and dtype"},
    {"\"tensors\":\"{", "\"tensors\":\"[{", "tensors cannot be read as JSON"},
    {"\"checksums\":\"{\\\"w/param\\\"", "\"checksums\":\"{\\\"w/parum\\\"", "the checksum of \"w/par"},
    {"\"checksums\":\"{", "\"checksums\":\"{\\\"z\\\":\\\"0000000000000000\\\",", "holds 2 arrays, and checksums of 3"},
    {"\"checksums\":\"{\\\"w/param\\\":\\\"", "\"checksums\":\"{\\\"w/param\\\":\\\"f", "the checksum of \"w/par"},
    {"\"checksums\":", "\"chocksums\":", "lack checksums"},
    {"\"w/param\":{", "\"w/patam\":{", "the checksum of \"w/param\" is none"},
    {"\"shape\":[3]", "\"shape\":[3,1]", "in 2 dimensions"},
    {"\"shape\":[3]", "\"shape\":[1,3]", "in 2 dimensions"},
    {"\"dtype\":\"F32\"", "\"dtype\":\"I32\"", "holds 3 numbers of I32"},
};

static void changes_that_keep_the_checksum_right_are_refused_for_what_they_say(void **state)
{
    (void)state;
    struct victim victim;
    struct bytes file = saved(&victim, RMS_LAYOUT_FULL);
    for (size_t i = 0; i < COUNT_OF(changes); ++i) {
        struct bytes other = file_with_header_changed(&file, changes[i].piece, changes[i].other);
        assert_refused(&victim, &other, changes[i].sentence);
        free(other.data);
    }
    /* A change that means something is taken; so it was not the checksum that refused the others. */
    struct bytes other = file_with_header_changed(&file, "\\\"lr\\\":0.01", "\\\"lr\\\":0.02");
    write_bytes(scratch_path("changed"), other.data, other.size);
    assert_ok(rms_load(victim.optimizer, scratch_path("changed")), rms_message(victim.optimizer));
    double lr = 0;
    assert_ok(rms_get(victim.optimizer, 0, "lr", &lr), rms_message(victim.optimizer));
    assert_true(lr > 0.0199 && lr < 0.0201);
    free(other.data);
    free(file.data);
    rms_free(victim.optimizer);
    report_comparisons("changed headers");
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    for (rms_layout layout = RMS_LAYOUT_FULL; layout <= RMS_LAYOUT_PYTORCH; ++layout) {
        struct victim victim;
        struct bytes file = saved(&victim, layout);
        const size_t stride = effort(7) < 7 ? 7 : 1; /* 7: every place within a byte comes up */
        for (size_t bit = 0; bit < 8 * file.size; bit += stride) {
            file.data[bit / 8] ^= (unsigned char)(1U << bit % 8);
            assert_refused(&victim, &file, NULL);
            file.data[bit / 8] ^= (unsigned char)(1U << bit % 8);
        }
        free(file.data);
        rms_free(victim.optimizer);
    }
    report_comparisons("flipped bits");
}

static void every_other_length_is_noticed(void **state)
{
    (void)state;
    struct victim victim;
    struct bytes file = saved(&victim, RMS_LAYOUT_FULL);
    for (size_t size = 0; size < file.size; ++size)
        assert_refused(&victim, &(struct bytes){file.data, size}, NULL);
    for (size_t more = 1; more < 100; ++more) {
        struct bytes longer = {bytes_create(file.size + more), file.size + more};
        memset(longer.data, 0, longer.size);
        memcpy(longer.data, file.data, file.size);
        assert_refused(&victim, &longer, "but its tensors end at byte");
        free(longer.data);
    }
    free(file.data);
    rms_free(victim.optimizer);
    report_comparisons("lengths");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_that_are_not_what_the_format_says_are_refused),
        cmocka_unit_test(header_lengths_that_cannot_be_are_refused),
        cmocka_unit_test(headers_with_more_values_than_any_model_are_refused_before_they_are_parsed),
        cmocka_unit_test(changes_that_keep_the_checksum_right_are_refused_for_what_they_say),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(every_other_length_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
