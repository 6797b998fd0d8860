/* Where a checkpoint may be written and read: links, permissions, leftovers, locks, full and read-only disks, and
 * everything that is no file. */
#define _GNU_SOURCE /* unshare */

#include "checkpoint_support.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT = 1000 };

static float param[COUNT], grad[COUNT];

static rms_optimizer *create(size_t count)
{
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "w", param, grad, count);
    return optimizer;
}

static const char *joined(const char *path, const char *end)
{
    static char whole[2048];
    (void)snprintf(whole, sizeof whole, "%.1500s%.500s", path, end);
    return whole;
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode;
}

static void assert_save_refused(rms_optimizer *optimizer, const char *path, rms_status expected, const char *sentence)
{
    assert_status(expected, rms_save(optimizer, path), rms_message(optimizer));
    assert_contains(rms_message(optimizer), sentence);
}

/* ---- names ----------------------------------------------------------------------------------------- */

static void a_link_stays_and_what_it_leads_to_is_replaced(void **state)
{
    (void)state;
    rms_optimizer *optimizer = create(COUNT);
    const char *target = scratch_path("target"), *link = scratch_path("link"), *dangling = scratch_path("dangling");
    assert_ok(rms_save(optimizer, target), rms_message(optimizer));
    assert_int_equal(symlink("target", link), 0);
    assert_ok(rms_set_steps(optimizer, 0, 7), rms_message(optimizer));
    assert_ok(rms_save(optimizer, link), rms_message(optimizer));
    assert_true(S_ISLNK(mode_of(link)) && S_ISREG(mode_of(target)));
    uint64_t steps = 0;
    assert_ok(rms_set_steps(optimizer, 0, 1), rms_message(optimizer));
    assert_ok(rms_load(optimizer, target), rms_message(optimizer));
    assert_ok(rms_get_steps(optimizer, 0, &steps), rms_message(optimizer));
    assert_int_equal(steps, 7);
    assert_int_equal(symlink("nowhere", dangling), 0);
    assert_save_refused(optimizer, dangling, RMS_ERROR_FILE, "cannot follow the link: No such file or directory");
    rms_free(optimizer);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    rms_optimizer *optimizer = create(COUNT);
    const char *folder = scratch_path("folder"), *pipe_path = scratch_path("pipe");
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_int_equal(mkfifo(pipe_path, 0666), 0);
    assert_save_refused(optimizer, NULL, RMS_ERROR_ARGUMENT, "path: NULL");
    assert_save_refused(optimizer, "", RMS_ERROR_ARGUMENT, "path: empty");
    assert_save_refused(optimizer, folder, RMS_ERROR_FILE, "a folder, and no regular file");
    assert_save_refused(optimizer, joined(folder, "/"), RMS_ERROR_FILE, "names a folder");
    assert_save_refused(optimizer, joined(folder, "/."), RMS_ERROR_FILE, "names a folder");
    assert_save_refused(optimizer, ".", RMS_ERROR_FILE, "names a folder");
    assert_save_refused(optimizer, pipe_path, RMS_ERROR_FILE, "no regular file");
    assert_save_refused(optimizer, "/dev/full", RMS_ERROR_FILE, "no regular file");
    assert_save_refused(optimizer, "/dev/null", RMS_ERROR_FILE, "no regular file");
    assert_save_refused(optimizer, joined(folder, "/missing/x"), RMS_ERROR_FILE,
                        "cannot open its folder: No such file");
    char name[400];
    memset(name, 'x', sizeof name - 1);
    name[0] = '/';
    name[sizeof name - 1] = '\0';
    assert_save_refused(optimizer, joined(folder, name), RMS_ERROR_FILE, "File name too long");
    /* Even root cannot write here. */
    assert_save_refused(optimizer, "/proc/rmsprop.safetensors", RMS_ERROR_FILE, "cannot create its .partial");
    assert_status(RMS_ERROR_ARGUMENT, rms_save(NULL, folder), "NULL");
    assert_status(RMS_ERROR_ARGUMENT, rms_save_as(optimizer, folder, (rms_layout)3), "layout");
    assert_contains(rms_message(optimizer), "layout is 3");

    assert_status(RMS_ERROR_ARGUMENT, rms_load(optimizer, NULL), "NULL");
    assert_status(RMS_ERROR_ARGUMENT, rms_load(NULL, folder), "NULL");
    assert_status(RMS_ERROR_FILE, rms_load(optimizer, joined(folder, "/missing")), "missing");
    assert_contains(rms_message(optimizer), "No such file or directory");
    assert_status(RMS_ERROR_FILE, rms_load(optimizer, folder), "folder");
    assert_status(RMS_ERROR_FILE, rms_load(optimizer, pipe_path), "pipe"); /* and does not wait */
    assert_status(RMS_ERROR_FILE, rms_load(optimizer, "/dev/zero"), "device");
    assert_contains(rms_message(optimizer), "not a regular file");
    rms_free(optimizer);
}

static void names_without_a_slash_are_of_the_current_folder(void **state)
{
    (void)state;
    char before[2048];
    assert_non_null(getcwd(before, sizeof before));
    const char *path = scratch_path("here");
    char folder[2048];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    rms_optimizer *optimizer = create(COUNT);
    assert_int_equal(chdir(folder), 0);
    assert_ok(rms_save(optimizer, "here"), rms_message(optimizer));
    assert_ok(rms_load(optimizer, "here"), rms_message(optimizer));
    assert_int_equal(chdir(before), 0);
    assert_true(file_exists(path) && !file_exists(joined(path, ".partial")));
    rms_free(optimizer);
}

static void names_of_tensors_must_be_utf8(void **state)
{
    (void)state;
    static const char *const names[] = {"a\xff", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82", "x\x80"};
    for (size_t i = 0; i < COUNT_OF(names); ++i) {
        const rms_options options = rms_options_for(RMS_SGD);
        rms_optimizer *optimizer = create_optimizer(&options);
        add_tensor(optimizer, names[i], param, grad, 1);
        assert_save_refused(optimizer, scratch_path("utf8"), RMS_ERROR_ARGUMENT, "tensor 0: its name is not UTF-8");
        assert_false(file_exists(scratch_path("utf8")));
        rms_free(optimizer);
    }
}

/* ---- permissions, leftovers and locks -------------------------------------------------------------- */

static void the_new_file_has_the_permissions_of_the_old(void **state)
{
    (void)state;
    rms_optimizer *optimizer = create(COUNT);
    const char *path = scratch_path("permissions");
    const mode_t mask = umask(027);
    assert_ok(rms_save(optimizer, path), rms_message(optimizer));
    assert_int_equal(mode_of(path) & 07777, 0640);
    assert_int_equal(chmod(path, 0604), 0);
    assert_ok(rms_save(optimizer, path), rms_message(optimizer));
    assert_int_equal(mode_of(path) & 07777, 0604);
    (void)umask(mask);
    rms_free(optimizer);
}

static void what_a_killed_process_left_is_reused(void **state)
{
    (void)state;
    rms_optimizer *optimizer = create(COUNT);
    const char *path = scratch_path("leftover"), *clean = scratch_path("clean");
    static unsigned char rubbish[100000];
    memset(rubbish, 0xa5, sizeof rubbish);
    write_bytes(joined(path, ".partial"), rubbish, sizeof rubbish);
    assert_ok(rms_save(optimizer, path), rms_message(optimizer));
    assert_ok(rms_save(optimizer, clean), rms_message(optimizer));
    struct bytes a = read_bytes(path), b = read_bytes(clean);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    assert_false(file_exists(joined(path, ".partial")));
    free(a.data);
    free(b.data);
    rms_free(optimizer);
}

/* Whoever may write into the folder could lead us to another file. */
static void a_partial_that_is_no_file_of_its_own_is_left_alone(void **state)
{
    (void)state;
    rms_optimizer *optimizer = create(COUNT);
    const char *path = scratch_path("trap"), *victim = scratch_path("victim");
    write_bytes(victim, "precious", 8);
    assert_int_equal(symlink(victim, joined(path, ".partial")), 0);
    assert_save_refused(optimizer, path, RMS_ERROR_FILE, "cannot create its .partial");
    assert_int_equal(unlink(joined(path, ".partial")), 0);
    assert_int_equal(link(victim, joined(path, ".partial")), 0);
    assert_save_refused(optimizer, path, RMS_ERROR_FILE, "no file of its own");
    assert_int_equal(unlink(joined(path, ".partial")), 0);
    assert_int_equal(mkfifo(joined(path, ".partial"), 0666), 0);
    assert_save_refused(optimizer, path, RMS_ERROR_FILE, "no file of its own");
    assert_int_equal(unlink(joined(path, ".partial")), 0);
    assert_int_equal(mkdir(joined(path, ".partial"), 0777), 0);
    assert_save_refused(optimizer, path, RMS_ERROR_FILE, "cannot create its .partial");
    struct bytes kept = read_bytes(victim);
    assert_int_equal(kept.size, 8);
    assert_memory_equal(kept.data, "precious", 8);
    free(kept.data);
    rms_free(optimizer);
}

static void a_second_saver_is_refused(void **state)
{
    (void)state;
    rms_optimizer *optimizer = create(COUNT);
    const char *path = scratch_path("locked");
    const int other = open(joined(path, ".partial"), O_RDWR | O_CREAT, 0666);
    assert_true(other >= 0);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_save_refused(optimizer, path, RMS_ERROR_FILE, "another process or thread is saving to it");
    assert_true(file_exists(joined(path, ".partial"))); /* the other's */
    assert_int_equal(close(other), 0);
    assert_ok(rms_save(optimizer, path), rms_message(optimizer));
    rms_free(optimizer);
}

/* Each of several processes saves again and again; whoever is refused tries again. */
static void save_many_times(const char *path, size_t times)
{
    rms_optimizer *optimizer = create(COUNT);
    for (size_t done = 0; done < times;) {
        const rms_status status = rms_save(optimizer, path);
        if (status != RMS_OK && !strstr(rms_message(optimizer), "saving to it"))
            _exit(1);
        done += status == RMS_OK;
    }
    _exit(0);
}

static void processes_that_save_at_once_never_leave_half_a_file(void **state)
{
    (void)state;
    enum { SAVERS = 4, SAVES = 30 };
    rms_optimizer *optimizer = create(COUNT);
    const char *path = scratch_path("contended");
    assert_ok(rms_save(optimizer, path), rms_message(optimizer));
    for (size_t i = 0; i < SAVERS; ++i) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            save_many_times(path, effort(SAVES));
    }
    size_t loads = 0;
    for (size_t ended = 0; ended < SAVERS;) {
        int status = 0;
        const pid_t child = waitpid(-1, &status, WNOHANG);
        assert_true(child >= 0);
        ended += child > 0;
        if (child > 0)
            assert_int_equal(status, 0);
        assert_ok(rms_load(optimizer, path), rms_message(optimizer));
        ++loads;
    }
    print_message("%zu loads while %d processes saved\n", loads, SAVERS);
    assert_false(file_exists(joined(path, ".partial")));
    rms_free(optimizer);
}

/* ---- disks ----------------------------------------------------------------------------------------- */

enum { ENDED_WELL = 0, ENDED_BADLY = 1, NOT_PERMITTED = 2 };

/* Runs body in a process of its own, since it changes what the process sees. */
static int run_apart(int (*body)(const char *path), const char *path)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(body(path));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : ENDED_BADLY;
}

static bool refuses(rms_optimizer *optimizer, const char *path, const char *sentence)
{
    if (rms_save(optimizer, path) == RMS_ERROR_FILE && strstr(rms_message(optimizer), sentence))
        return true;
    (void)fprintf(stderr, "expected \"%s\", and not \"%s\"\n", sentence, rms_message(optimizer));
    return false;
}

/* Mounts a file system of 64 kB on folder, in a view of its own; false where that is not permitted. */
static bool mount_small(const char *folder)
{
    return (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("rmsprop", folder, "tmpfs", 0, "size=64k") == 0;
}

/* One that fits, one that does not, and the first is still there. */
static int fill_the_disk(const char *folder)
{
    if (!mount_small(folder))
        return NOT_PERMITTED;
    char path[2048];
    (void)snprintf(path, sizeof path, "%s/checkpoint", folder);
    static float large_param[100000], large_grad[100000];
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *small = create(COUNT), *large = create_optimizer(&options);
    add_tensor(large, "w", large_param, large_grad, COUNT_OF(large_param));
    bool well = rms_save(small, path) == RMS_OK && refuses(large, path, "No space left on device");
    well = well && rms_load(small, path) == RMS_OK && !file_exists(joined(path, ".partial"));
    well = well && mount(NULL, folder, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0 &&
           refuses(small, path, "Read-only file system") && rms_load(small, path) == RMS_OK;
    rms_free(small);
    rms_free(large);
    return well ? ENDED_WELL : ENDED_BADLY;
}

static void full_and_read_only_disks_leave_the_old_file(void **state)
{
    (void)state;
    const char *folder = scratch_path("disk");
    assert_int_equal(mkdir(folder, 0777), 0);
    const int ended = run_apart(fill_the_disk, folder);
    if (ended == NOT_PERMITTED) {
        print_message("skipped: this process may not mount a small file system to fill\n");
        skip();
    }
    assert_int_equal(ended, ENDED_WELL);
}

static int exceed_the_limit(const char *path)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    rms_optimizer *optimizer = create(COUNT);
    const bool saved = rms_save(optimizer, path) == RMS_OK;
    const bool limited = setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, 4096}) == 0;
    const bool well = saved && limited && refuses(optimizer, path, "File too large") &&
                      rms_load(optimizer, path) == RMS_OK && !file_exists(joined(path, ".partial"));
    rms_free(optimizer);
    return well ? ENDED_WELL : ENDED_BADLY;
}

static void a_limit_on_file_sizes_leaves_the_old_file(void **state)
{
    (void)state;
    assert_int_equal(run_apart(exceed_the_limit, scratch_path("limited")), ENDED_WELL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_stays_and_what_it_leads_to_is_replaced),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(names_without_a_slash_are_of_the_current_folder),
        cmocka_unit_test(names_of_tensors_must_be_utf8),
        cmocka_unit_test(the_new_file_has_the_permissions_of_the_old),
        cmocka_unit_test(what_a_killed_process_left_is_reused),
        cmocka_unit_test(a_partial_that_is_no_file_of_its_own_is_left_alone),
        cmocka_unit_test(a_second_saver_is_refused),
        cmocka_unit_test(processes_that_save_at_once_never_leave_half_a_file),
        cmocka_unit_test(full_and_read_only_disks_leave_the_old_file),
        cmocka_unit_test(a_limit_on_file_sizes_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
