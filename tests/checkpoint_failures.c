/* Any call to the system may fail, at any time. This program puts its own functions before the C library's, and lets the
 * n-th call of each fail, for n = 1, 2, ... until it is not reached: the failure is reported by name, nothing is left
 * behind, the old file is what it was, and the next save succeeds. */
#define _GNU_SOURCE /* RTLD_NEXT */

#include "checkpoint_support.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#if OWN_MALLOC && defined(__linux__)
#define INTERPOSED 1
#else
#define INTERPOSED 0 /* a sanitizer has put its own functions there */
#endif

/* ---- calls that fail ------------------------------------------------------------------------------- */

enum call { OPEN, OPENAT, RESERVE, TRUNCATE, WRITE, READ, SYNC, RENAME, CLOSE, DUPLICATE, STAT, CHMOD, MALLOC, CALLS };
static const char *const call_names[CALLS] = {"open",   "openat", "fallocate", "ftruncate", "pwrite", "pread", "fsync",
                                              "rename", "close",  "fcntl",     "fstat",     "fchmod", "malloc"};

static struct {
    bool active;
    enum call call;
    size_t at;        /* which call fails, counted from 1 */
    int number;       /* errno */
    bool partly;      /* writes and reads do less than they were asked for, instead of failing */
    bool interrupted; /* EINTR, once */
    size_t calls[CALLS];
    const char *overtaken; /* a path whose .partial is renamed just before it is locked */
    char order[64];        /* of the calls that note knows, a letter each */
} plan;

#if INTERPOSED
/* What durability depends on is the order of these. */
static void note(enum call call)
{
    static const char letters[CALLS] = {[WRITE] = 'w', [SYNC] = 's', [RENAME] = 'r'};
    const size_t length = strlen(plan.order);
    if (letters[call] != '\0' && length + 1 < sizeof plan.order &&
        (length == 0 || call != WRITE || plan.order[length - 1] != 'w'))
        plan.order[length] = letters[call];
}

/* Whether this call is to fail; errno is set then. */
static bool fails(enum call call)
{
    if (plan.active)
        note(call);
    if (!plan.active || ++plan.calls[call] != plan.at || plan.call != call || plan.partly)
        return false;
    errno = plan.interrupted ? EINTR : plan.number;
    return true;
}

static bool is_cut(enum call call)
{
    return plan.active && plan.partly && plan.call == call;
}

static void *original(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

/* Functions with and without 64 in their names: the library is free to call either. POSIX wants object and function
 * pointers to be exchangeable; C does not, hence memcpy. */
#define ORIGINAL(result, arguments, name)                                                                              \
    static result(*real) arguments;                                                                                    \
    if (!real) {                                                                                                       \
        void *const address = original(name);                                                                          \
        memcpy(&real, &address, sizeof real);                                                                          \
    }
#define VISIBLE __attribute__((visibility("default")))

#define DEFINE_WRITE(name)                                                                                             \
    VISIBLE ssize_t name(int file, const void *data, size_t bytes, off_t offset);                                      \
    VISIBLE ssize_t name(int file, const void *data, size_t bytes, off_t offset)                                       \
    {                                                                                                                  \
        ORIGINAL(ssize_t, (int, const void *, size_t, off_t), #name)                                                   \
        return fails(WRITE) ? -1 : real(file, data, is_cut(WRITE) && bytes > 7 ? 7 : bytes, offset);                   \
    }
#define DEFINE_READ(name)                                                                                              \
    VISIBLE ssize_t name(int file, void *data, size_t bytes, off_t offset);                                            \
    VISIBLE ssize_t name(int file, void *data, size_t bytes, off_t offset)                                             \
    {                                                                                                                  \
        ORIGINAL(ssize_t, (int, void *, size_t, off_t), #name)                                                         \
        return fails(READ) ? -1 : real(file, data, is_cut(READ) && bytes > 7 ? 7 : bytes, offset);                     \
    }
#define DEFINE_RESERVE(name)                                                                                           \
    VISIBLE int name(int file, int mode, off_t offset, off_t bytes);                                                   \
    VISIBLE int name(int file, int mode, off_t offset, off_t bytes)                                                    \
    {                                                                                                                  \
        ORIGINAL(int, (int, int, off_t, off_t), #name)                                                                 \
        return fails(RESERVE) ? -1 : real(file, mode, offset, bytes);                                                  \
    }
#define DEFINE_TRUNCATE(name)                                                                                          \
    VISIBLE int name(int file, off_t bytes);                                                                           \
    VISIBLE int name(int file, off_t bytes)                                                                            \
    {                                                                                                                  \
        ORIGINAL(int, (int, off_t), #name)                                                                             \
        return fails(TRUNCATE) ? -1 : real(file, bytes);                                                               \
    }
#define DEFINE_OPEN(name)                                                                                              \
    VISIBLE int name(const char *path, int flags, ...);                                                                \
    VISIBLE int name(const char *path, int flags, ...)                                                                 \
    {                                                                                                                  \
        ORIGINAL(int, (const char *, int, ...), #name)                                                                 \
        return fails(OPEN) ? -1 : real(path, flags, 0666);                                                             \
    }
#define DEFINE_OPENAT(name)                                                                                            \
    VISIBLE int name(int folder, const char *path, int flags, ...);                                                    \
    VISIBLE int name(int folder, const char *path, int flags, ...)                                                     \
    {                                                                                                                  \
        ORIGINAL(int, (int, const char *, int, ...), #name)                                                            \
        return fails(OPENAT) ? -1 : real(folder, path, flags, 0666);                                                   \
    }
#define DEFINE_FCNTL(name)                                                                                             \
    VISIBLE int name(int file, int command, ...);                                                                      \
    VISIBLE int name(int file, int command, ...)                                                                       \
    {                                                                                                                  \
        ORIGINAL(int, (int, int, ...), #name)                                                                          \
        return fails(DUPLICATE) ? -1 : real(file, command, 0);                                                         \
    }
#define DEFINE_STAT(name, type)                                                                                        \
    VISIBLE int name(int file, type *status);                                                                          \
    int name(int file, type *status)                                                                                   \
    {                                                                                                                  \
        ORIGINAL(int, (int, type *), #name)                                                                            \
        return fails(STAT) ? -1 : real(file, status);                                                                  \
    }

DEFINE_WRITE(pwrite)
DEFINE_WRITE(pwrite64)
DEFINE_READ(pread)
DEFINE_READ(pread64)
DEFINE_RESERVE(fallocate)
DEFINE_RESERVE(fallocate64)
DEFINE_TRUNCATE(ftruncate)
DEFINE_TRUNCATE(ftruncate64)
DEFINE_OPEN(open)
DEFINE_OPEN(open64)
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)
DEFINE_FCNTL(fcntl)
DEFINE_FCNTL(fcntl64)
DEFINE_STAT(fstat, struct stat)
DEFINE_STAT(fstat64, struct stat64)

VISIBLE int fsync(int file)
{
    ORIGINAL(int, (int), "fsync")
    return fails(SYNC) ? -1 : real(file);
}

VISIBLE int flock(int file, int operation)
{
    ORIGINAL(int, (int, int), "flock")
    if (plan.active && plan.overtaken) {
        char partial[1024];
        (void)snprintf(partial, sizeof partial, "%s.partial", plan.overtaken);
        (void)rename(partial, plan.overtaken);
        (void)close(open(partial, O_RDWR | O_CREAT, 0666)); /* a third one's, or a dead one's */
        plan.overtaken = NULL;
    }
    return real(file, operation);
}

VISIBLE int renameat(int folder, const char *from, int other, const char *to)
{
    ORIGINAL(int, (int, const char *, int, const char *), "renameat")
    return fails(RENAME) ? -1 : real(folder, from, other, to);
}

/* As on Linux, the descriptor is gone even so. */
VISIBLE int close(int file)
{
    ORIGINAL(int, (int), "close")
    const int number = errno;
    const int result = real(file);
    errno = number;
    return fails(CLOSE) ? -1 : result;
}

VISIBLE int fchmod(int file, mode_t mode)
{
    ORIGINAL(int, (int, mode_t), "fchmod")
    return fails(CHMOD) ? -1 : real(file, mode);
}

/* jansson 2.14 stops the program, or writes where it must not, when memory fails it while it reads: the library asks for
 * as much beforehand, and calls from there do not fail here. */
static bool starves(const void *caller)
{
    Dl_info from;
    if (plan.active && dladdr(caller, &from) != 0 && from.dli_fname && strstr(from.dli_fname, "jansson"))
        return false;
    return fails(MALLOC);
}

VISIBLE void *malloc(size_t bytes)
{
    ORIGINAL(void *, (size_t), "malloc")
    return starves(__builtin_return_address(0)) ? NULL : real(bytes);
}

VISIBLE void *calloc(size_t count, size_t bytes)
{
    ORIGINAL(void *, (size_t, size_t), "calloc")
    return starves(__builtin_return_address(0)) ? NULL : real(count, bytes);
}

VISIBLE void *realloc(void *memory, size_t bytes)
{
    ORIGINAL(void *, (void *, size_t), "realloc")
    return starves(__builtin_return_address(0)) ? NULL : real(memory, bytes);
}
#endif

/* ---- the object ------------------------------------------------------------------------------------ */

static const struct {
    enum call call;
    int number;
} causes[] = {
    {OPEN, EMFILE}, {OPENAT, EACCES}, {RESERVE, ENOSPC}, {TRUNCATE, EIO},     {WRITE, ENOSPC}, {WRITE, EIO},
    {SYNC, EIO},    {RENAME, EIO},    {CLOSE, EIO},      {DUPLICATE, EMFILE}, {STAT, EIO},     {CHMOD, EPERM},
};

enum { MOST_CALLS = 100000 };

static void start_failing(enum call call, size_t at, int number)
{
    memset(&plan, 0, sizeof plan);
    plan.call = call;
    plan.at = at;
    plan.number = number;
    plan.active = true;
}

/* Whether the call that should have failed was reached. */
static bool stop_failing(void)
{
    plan.active = false;
    return plan.calls[plan.call] >= plan.at;
}

/* With state as it is kept at full length, and in codes. */
static const rms_state_format formats[] = {RMS_STATE_FULL, RMS_STATE_8_BIT};

static struct model *create(uint64_t seed, rms_state_format format)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.momentum = 0.9;
    options.state_format = format;
    struct model *model = model_create(&options, RMS_F32, true, seed);
    model_step_until(model, 2);
    return model;
}

static const char *partial_of(const char *path)
{
    static char partial[1024];
    (void)snprintf(partial, sizeof partial, "%s.partial", path);
    return partial;
}

static void assert_content(const char *path, const struct bytes *expected, const char *context)
{
    struct bytes found = read_bytes(path);
    if (found.size != expected->size || memcmp(found.data, expected->data, found.size) != 0)
        fail_msg("%s: the old file has changed", context);
    free(found.data);
}

static size_t descriptors_in_use(void)
{
    size_t count = 0;
    for (int file = 0; file < 256; ++file)
        count += lseek(file, 0, SEEK_CUR) >= 0 || errno != EBADF;
    return count;
}

/* ---- saving ---------------------------------------------------------------------------------------- */

/* The n-th call of this kind fails. false: there are not so many. */
static bool save_with_failure(struct model *model, const char *path, const struct bytes *old, enum call call, size_t at,
                              int number)
{
    char context[64];
    (void)snprintf(context, sizeof context, "%s number %zu fails", call_names[call], at);
    start_failing(call, at, number);
    const rms_status status = rms_save(model->optimizer, path);
    if (!stop_failing()) {
        assert_ok(status, rms_message(model->optimizer));
        return false;
    }
    ++numbers_compared;
    if (status == RMS_OK) {
        /* What has been renamed may be closed as it likes, and a look that fails is taken once more. */
        if (call != CLOSE && call != STAT)
            fail_msg("%s, and nobody notices", context);
        return true;
    }
    assert_true(rms_message(model->optimizer)[0] != '\0');
    assert_status(call == MALLOC ? RMS_ERROR_MEMORY : RMS_ERROR_FILE, status, rms_message(model->optimizer));
    if (file_exists(partial_of(path)))
        fail_msg("%s: the .partial is still there", context);
    if (strstr(rms_message(model->optimizer), "the new file is in place"))
        assert_true(call == SYNC); /* the folder's */
    else
        assert_content(path, old, context);
    return true;
}

static void check_cause(struct model *model, const char *path, enum call call, int number)
{
    assert_ok(rms_save(model->optimizer, path), rms_message(model->optimizer));
    struct bytes old = read_bytes(path);
    struct bytes before = model_bytes(model);
    const size_t descriptors = descriptors_in_use();
    size_t at = 1;
    while (at < MOST_CALLS && save_with_failure(model, path, &old, call, at, number)) {
        assert_same_model(model, &before, call_names[call]);
        assert_int_equal(descriptors_in_use(), descriptors);
        ++at;
    }
    print_message("%-10s %3zu failures\n", call_names[call], at - 1);
    assert_true(at > 1);
    assert_content(path, &old, "after all failures"); /* the last one succeeded, with the same state */
    free(old.data);
    free(before.data);
}

static void a_save_that_fails_leaves_the_old_file(void **state)
{
    (void)state;
    if (!INTERPOSED)
        skip();
    for (size_t k = 0; k < COUNT_OF(formats); ++k) {
        struct model *model = create(1, formats[k]);
        for (size_t i = 0; i < COUNT_OF(causes); ++i)
            check_cause(model, scratch_path("failing"), causes[i].call, causes[i].number);
        model_destroy(model);
    }
    report_comparisons("failed saves");
}

static void a_save_without_memory_leaves_the_old_file(void **state)
{
    (void)state;
    if (!INTERPOSED)
        skip();
    for (size_t k = 0; k < COUNT_OF(formats); ++k) {
        struct model *model = create(1, formats[k]);
        check_cause(model, scratch_path("starving"), MALLOC, ENOMEM);
        model_destroy(model);
    }
}

/* Data before the name, and the name before success is reported. */
static void a_file_is_forced_to_the_disk_before_it_is_renamed_and_its_folder_afterwards(void **state)
{
    (void)state;
    if (!INTERPOSED)
        skip();
    struct model *model = create(1, RMS_STATE_FULL);
    start_failing(CALLS, SIZE_MAX, 0);
    const rms_status status = rms_save(model->optimizer, scratch_path("ordered"));
    plan.active = false;
    assert_ok(status, rms_message(model->optimizer));
    assert_string_equal(plan.order, "wsrs");
    model_destroy(model);
}

/* Another saver finishes between our opening its .partial and our locking it: what we hold is the checkpoint itself by
 * then, and must not be touched. */
static void a_saver_that_is_overtaken_begins_anew(void **state)
{
    (void)state;
    if (!INTERPOSED)
        skip();
    struct model *model = create(1, RMS_STATE_FULL);
    const char *path = scratch_path("overtaken");
    assert_ok(rms_save(model->optimizer, path), rms_message(model->optimizer));
    struct bytes others = read_bytes(path);
    others.data[others.size - 1] ^= 1; /* as if another had made it */
    write_bytes(partial_of(path), others.data, others.size);
    const int descriptor = open(partial_of(path), O_RDONLY);
    assert_true(descriptor >= 0);
    start_failing(CALLS, SIZE_MAX, 0);
    plan.overtaken = path;
    const rms_status status = rms_save(model->optimizer, path);
    plan.active = false;
    assert_ok(status, rms_message(model->optimizer));
    assert_null(plan.overtaken);
    struct stat file;
    memset(&file, 0, sizeof file);
    assert_int_equal(fstat(descriptor, &file), 0);
    assert_int_equal(file.st_size, others.size);
    unsigned char *read_back = bytes_create(others.size);
    assert_int_equal(read(descriptor, read_back, others.size), others.size);
    assert_memory_equal(read_back, others.data, others.size);
    assert_ok(rms_load(model->optimizer, path), rms_message(model->optimizer));
    assert_false(file_exists(partial_of(path)));
    (void)close(descriptor);
    free(read_back);
    free(others.data);
    model_destroy(model);
}

/* Not a failure: the rest is written, and read, by further calls. */
static void short_and_interrupted_calls_are_continued(void **state)
{
    (void)state;
    if (!INTERPOSED)
        skip();
    const char *whole = scratch_path("whole"), *pieces = scratch_path("pieces");
    struct model *model = create(1, RMS_STATE_FULL), *other = create(2, RMS_STATE_FULL);
    struct bytes before = model_bytes(model);
    assert_ok(rms_save(model->optimizer, whole), rms_message(model->optimizer));
    struct bytes expected = read_bytes(whole);
    for (int interrupted = 0; interrupted < 2; ++interrupted) {
        start_failing(WRITE, interrupted ? 2 : SIZE_MAX, 0);
        plan.partly = !interrupted;
        plan.interrupted = interrupted;
        const rms_status saved = rms_save(model->optimizer, pieces);
        plan.active = false;
        assert_ok(saved, rms_message(model->optimizer));
        assert_content(pieces, &expected, "short writes");
        start_failing(READ, interrupted ? 2 : SIZE_MAX, 0);
        plan.partly = !interrupted;
        plan.interrupted = interrupted;
        const rms_status loaded = rms_load(other->optimizer, pieces);
        plan.active = false;
        assert_ok(loaded, rms_message(other->optimizer));
        assert_same_model(other, &before, "short reads");
    }
    free(before.data);
    free(expected.data);
    model_destroy(model);
    model_destroy(other);
}

/* ---- loading --------------------------------------------------------------------------------------- */

static void assert_broken(rms_status status, rms_optimizer *optimizer, const char *call)
{
    assert_status(RMS_ERROR_ARGUMENT, status, call);
    assert_contains(rms_message(optimizer), "load");
    assert_contains(rms_message(optimizer), "rms_reset");
}
#define ASSERT_BROKEN(call) assert_broken(call, optimizer, #call)

/* What would change the object, or save it, is refused; reading is not. */
static void assert_only_read(const struct model *model, const char *path)
{
    rms_optimizer *optimizer = model->optimizer;
    struct bytes before = model_bytes(model);
    static float param[1], grad[1];
    const rms_tensor tensor = {.name = "new", .count = 1, .param = param, .grad = grad};
    size_t group = 77;
    ASSERT_BROKEN(rms_step(optimizer, NULL));
    ASSERT_BROKEN(rms_save(optimizer, path));
    ASSERT_BROKEN(rms_swap_averages(optimizer));
    ASSERT_BROKEN(rms_set(optimizer, 0, "lr", 0.5));
    ASSERT_BROKEN(rms_add_group(optimizer, &group));
    ASSERT_BROKEN(rms_add(optimizer, &tensor));
    ASSERT_BROKEN(rms_rebind(optimizer, 1, param, grad));
    ASSERT_BROKEN(rms_set_steps(optimizer, 0, 1));
    assert_int_equal(group, 77);
    assert_false(rms_averages_in(optimizer));
    assert_same_model(model, &before, "refused");
    free(before.data);
}

/* A disk that fails while the state is being written leaves an object that says so; it can be loaded again, or reset. */
static void check_broken(struct model *model, const char *path, const struct bytes *saved, bool reset)
{
    assert_contains(rms_message(model->optimizer), "load again, or rms_reset");
    assert_only_read(model, path);
    if (reset) {
        assert_ok(rms_reset(model->optimizer), rms_message(model->optimizer));
    } else {
        assert_ok(rms_load(model->optimizer, path), rms_message(model->optimizer));
        assert_same_model(model, saved, "loaded again");
    }
    assert_true(rms_step(model->optimizer, NULL) >= 0);
}

static bool load_with_failure(const char *path, rms_state_format format, const struct bytes *saved, enum call call,
                              size_t at, size_t *broken)
{
    struct model *model = create(2, format);
    struct bytes before = model_bytes(model);
    start_failing(call, at, call == MALLOC ? ENOMEM : EIO);
    const rms_status status = rms_load(model->optimizer, path);
    const bool reached = stop_failing();
    const char *message = rms_message(model->optimizer);
    if (status == RMS_OK) {
        assert_same_model(model, saved, "loaded");
    } else {
        assert_true(message[0] != '\0' && reached);
        if (strstr(message, "load again")) {
            assert_true(call == READ);
            check_broken(model, path, saved, *broken % 2 == 1);
            ++*broken;
        } else {
            assert_same_model(model, &before, message);
        }
    }
    free(before.data);
    model_destroy(model);
    return reached;
}

static void check_loads(rms_state_format format)
{
    static const enum call calls[] = {OPEN, STAT, READ, MALLOC};
    const char *path = scratch_path("to-load");
    struct model *model = create(1, format);
    struct bytes saved = model_bytes(model);
    assert_ok(rms_save(model->optimizer, path), rms_message(model->optimizer));
    size_t broken = 0;
    for (size_t i = 0; i < COUNT_OF(calls); ++i) {
        size_t at = 1;
        while (at < MOST_CALLS && load_with_failure(path, format, &saved, calls[i], at, &broken))
            ++at;
        print_message("%-10s %3zu failures\n", call_names[calls[i]], at - 1);
        assert_true(at > 1);
    }
    print_message("%zu of them after the first write\n", broken);
    assert_true(broken > 1);
    free(saved.data);
    model_destroy(model);
}

static void a_load_that_fails_changes_nothing_or_says_what_it_has_done(void **state)
{
    (void)state;
    if (!INTERPOSED)
        skip();
    for (size_t k = 0; k < COUNT_OF(formats); ++k)
        check_loads(formats[k]);
    report_comparisons("failed loads");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_save_that_fails_leaves_the_old_file),
        cmocka_unit_test(a_save_without_memory_leaves_the_old_file),
        cmocka_unit_test(a_file_is_forced_to_the_disk_before_it_is_renamed_and_its_folder_afterwards),
        cmocka_unit_test(a_saver_that_is_overtaken_begins_anew),
        cmocka_unit_test(short_and_interrupted_calls_are_continued),
        cmocka_unit_test(a_load_that_fails_changes_nothing_or_says_what_it_has_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
