/* A process that is killed while it saves, at any moment, leaves the old checkpoint or the new one, whole. */
#include "checkpoint_support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COUNT = 20000, KILLS = 200, LONGEST_MICROSECONDS = 4000 };

static float param[COUNT], other_param[COUNT], grad[COUNT];

/* A tensor with full state, and one with state in 8 bits. */
static rms_optimizer *create(void)
{
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = create_optimizer(&options);
    size_t group = 0;
    add_tensor(optimizer, "w", param, grad, COUNT);
    assert_ok(rms_add_group(optimizer, &group), rms_message(optimizer));
    assert_ok(rms_set(optimizer, group, "state_format", RMS_STATE_8_BIT), rms_message(optimizer));
    assert_ok(rms_add(optimizer,
                      &(rms_tensor){.name = "x", .count = COUNT, .param = other_param, .grad = grad, .group = group}),
              rms_message(optimizer));
    return optimizer;
}

/* Every number of checkpoint number n is n, and every byte of codes and scales the last of n: mixtures show. */
static void set_all(rms_optimizer *optimizer, uint64_t number)
{
    float *v = rms_state(optimizer, 0, "v");
    for (size_t i = 0; i < COUNT; ++i)
        param[i] = v[i] = (float)number;
    memset(rms_state(optimizer, 1, "v"), (unsigned char)number, rms_state_size(optimizer, 1, "v"));
    assert_ok(rms_set_steps(optimizer, 0, number), rms_message(optimizer));
}

/* Saves number first, first + 1, ... until it is killed; says each by a byte, once it is durable. */
static void save_for_ever(const char *path, uint64_t first, int report)
{
    rms_optimizer *optimizer = create();
    for (uint64_t number = first;; ++number) {
        set_all(optimizer, number);
        if (rms_save(optimizer, path) != RMS_OK || write(report, "", 1) != 1)
            _exit(1);
    }
}

static uint64_t number_of(rms_optimizer *optimizer, const char *path)
{
    uint64_t number = 0;
    memset(param, 0xff, sizeof param);
    assert_ok(rms_load(optimizer, path), rms_message(optimizer));
    assert_ok(rms_get_steps(optimizer, 0, &number), rms_message(optimizer));
    const float *v = rms_state(optimizer, 0, "v");
    const unsigned char *codes = rms_state(optimizer, 1, "v");
    for (size_t i = 0; i < rms_state_size(optimizer, 1, "v"); ++i)
        if (codes[i] != (unsigned char)number)
            fail_msg("checkpoint %llu holds %u at byte %zu", (unsigned long long)number, codes[i], i);
    for (size_t i = 0; i < COUNT; ++i, ++numbers_compared)
        if (bits_of(param[i]) != bits_of((float)number) || bits_of(v[i]) != bits_of((float)number))
            fail_msg("checkpoint %llu holds %g and %g at element %zu", (unsigned long long)number, (double)param[i],
                     (double)v[i], i);
    return number;
}

static void sleep_microseconds(size_t microseconds)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)microseconds * 1000}, NULL);
}

/* How many saves the child has finished. */
static uint64_t count_reports(int report)
{
    uint64_t count = 0;
    char bytes[64];
    for (ssize_t some; (some = read(report, bytes, sizeof bytes)) > 0;)
        count += (uint64_t)some;
    return count;
}

static void what_a_killed_process_leaves_is_old_or_new(void **state)
{
    (void)state;
    const char *path = scratch_path("killed");
    rms_optimizer *optimizer = create();
    uint64_t random = 1, number = 1, interrupted = 0;
    set_all(optimizer, number);
    assert_ok(rms_save(optimizer, path), rms_message(optimizer));
    /* Few kills may all fall between two saves: then there are more. */
    for (size_t kill_number = 0; kill_number < effort(KILLS) || (interrupted == 0 && kill_number < 50 * KILLS);
         ++kill_number) {
        int report[2];
        assert_int_equal(pipe(report), 0);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            save_for_ever(path, number + 1, report[1]);
        (void)close(report[1]);
        sleep_microseconds(random_below(&random, LONGEST_MICROSECONDS));
        assert_int_equal(kill(child, SIGKILL), 0);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        const uint64_t reported = count_reports(report[0]);
        (void)close(report[0]);
        char partial[1024];
        (void)snprintf(partial, sizeof partial, "%s.partial", path);
        interrupted += file_exists(partial);
        /* What it said it had saved is there; the one after that may be. */
        const uint64_t found = number_of(optimizer, path);
        if (found != number + reported && found != number + reported + 1)
            fail_msg("%llu were saved after %llu, and %llu is there", (unsigned long long)reported,
                     (unsigned long long)number, (unsigned long long)found);
        number = found;
    }
    print_message("%llu of the killed processes were writing\n", (unsigned long long)interrupted);
    assert_true(interrupted > 0);
    rms_free(optimizer);
    report_comparisons("after kills");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_a_killed_process_leaves_is_old_or_new)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
