/* What a run does besides: gradients in rows, problems that change, parameters of every dtype; and runs that are watched,
 * timed and recalled. */
#include "digest.h"
#include "lab_parabola.h"
#include "run.h"

#include <time.h>

/* ---- Problems that change */

static bool changes_at_three(const struct lab_task *task, size_t step)
{
    (void)task;
    return step == 3;
}

/* Eight steps of the parabola by hand, with what is done before the fourth; returns where they end. */
static float walk(const rms_options *options, float param, enum lab_reset reset)
{
    float grad = 0.0F;
    rms_optimizer *optimizer;
    rms_error error;
    assert_ok(rms_create(&optimizer, options, &error), error.message);
    assert_ok(rms_add(optimizer, &(rms_tensor){.name = "p", .count = 1, .param = &param, .grad = &grad}), "");
    for (size_t step = 0; step < 8; ++step) {
        if (step == 3 && reset == LAB_RESET_STATE)
            assert_ok(rms_reset(optimizer), rms_message(optimizer));
        if (step == 3 && reset == LAB_RESET_STEPS)
            assert_ok(rms_set_steps(optimizer, 0, 0), rms_message(optimizer));
        grad = param;
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    }
    rms_free(optimizer);
    return param;
}

static void a_contender_forgets_what_it_is_told_to_where_the_problem_changes(void **state)
{
    (void)state;
    struct lab_problem problem = parabola;
    problem.changes = changes_at_three;
    const struct lab_instance changing = instance_of(&problem), steady = instance_of(&parabola);
    struct lab_contender contender = {.name = "adam", .options = rms_options_for(RMS_ADAM)};
    contender.options.threads = 1;
    contender.options.lr = 0.0625;
    uint64_t digests[3];
    for (int reset = LAB_RESET_NOTHING; reset <= LAB_RESET_STEPS; ++reset) {
        double curve[5];
        struct lab_run run = {.seed = 2, .learning_rate = 0.0625, .trial = lab_trial_none(), .curve = curve};
        contender.reset = (enum lab_reset)reset;
        assert_ok(lab_run_train(&run, &changing, &contender, 8, NULL, NULL, NULL), "");
        const float expected = walk(&contender.options, 1.0F, contender.reset);
        assert_true(run.digest == lab_digest_floats(LAB_DIGEST_EMPTY, &expected, 1));
        digests[reset] = run.digest;

        assert_ok(lab_run_train(&run, &steady, &contender, 8, NULL, NULL, NULL), "");
        assert_true(run.digest == digests[LAB_RESET_NOTHING]);
    }
    assert_true(digests[0] != digests[1] && digests[0] != digests[2] && digests[1] != digests[2]);
}

/* ---- Gradients in rows: of two rows of one number each, step after step the other one. */
struct table {
    struct lab_task task; /* first: the problem's functions see it as this */
    float params[2], grad;
    int64_t index;
    rms_tensor tensor;
    rms_rows rows;
};

static struct lab_task *table_create(const struct lab_instance *instance, uint64_t seed)
{
    (void)instance;
    (void)seed;
    struct table *const table = calloc(1, sizeof *table);
    if (!table)
        return NULL;
    table->params[0] = table->params[1] = 1.0F;
    table->tensor = (rms_tensor){.name = "t", .count = 2, .param = table->params};
    table->rows = (rms_rows){.width = 1, .row_count = 1, .indices = &table->index, .values = &table->grad};
    return &table->task;
}

static size_t table_tensors(const struct lab_task *task, const rms_tensor **tensors)
{
    *tensors = &((const struct table *)(const void *)task)->tensor;
    return 1;
}

static double table_gradient(struct lab_task *task, size_t step)
{
    struct table *const table = (struct table *)(void *)task;
    table->index = (int64_t)(step % 2);
    table->grad = table->params[table->index];
    return 0.0;
}

static const rms_rows *table_rows(struct lab_task *task, size_t *count)
{
    *count = 1;
    return &((struct table *)(void *)task)->rows;
}

static struct lab_score table_score(struct lab_task *task)
{
    const struct table *const table = (const struct table *)(const void *)task;
    return (struct lab_score){(double)table->params[0], (double)table->params[1], 0.0};
}

/* At lr 0.5 each step halves one of the two: after seven the first has been halved four times, the other three. */
static void gradients_in_rows_step_the_rows_alone(void **state)
{
    (void)state;
    struct lab_problem problem = parabola;
    problem.create = table_create;
    problem.tensors = table_tensors;
    problem.gradient = table_gradient;
    problem.rows = table_rows;
    problem.score = table_score;
    problem.score_every = problem.steps = problem.quick_steps = 7;
    const struct lab_instance instance = instance_of(&problem);
    double curve[2];
    struct lab_contender contender = {.name = "sgd", .options = rms_options_for(RMS_SGD)};
    struct lab_run run = {.learning_rate = 0.5, .trial = lab_trial_none(), .curve = curve};
    rms_error error;
    assert_ok(lab_run_train(&run, &instance, &contender, 7, NULL, NULL, &error), error.message);
    assert_true(run.final.training == 0.0625 && run.final.validation == 0.125);
}

/* ---- Digests of other dtypes: FNV-1a of each number's bytes, lowest first. */
static uint64_t fnv(const unsigned char *bytes, size_t count)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < count; ++i)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

static void parameters_of_every_dtype_have_a_digest_of_their_bytes(void **state)
{
    (void)state;
    double f64[] = {1.0, -0.0};
    uint16_t half[] = {0x3c00, 0x8001, 0x7c00};
    const unsigned char f64_bytes[] = {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x80};
    const unsigned char half_bytes[] = {0x00, 0x3c, 0x01, 0x80, 0x00, 0x7c};
    rms_tensor tensor = {.count = 2, .param = f64, .dtype = RMS_F64};
    assert_true(lab_digest_tensor(LAB_DIGEST_EMPTY, &tensor) == fnv(f64_bytes, sizeof f64_bytes));
    tensor = (rms_tensor){.count = 3, .param = half, .dtype = RMS_F16};
    assert_true(lab_digest_tensor(LAB_DIGEST_EMPTY, &tensor) == fnv(half_bytes, sizeof half_bytes));
    tensor.dtype = RMS_BF16;
    assert_true(lab_digest_tensor(LAB_DIGEST_EMPTY, &tensor) == fnv(half_bytes, sizeof half_bytes));
}

static void all_nans_have_one_digest(void **state)
{
    (void)state;
    static const struct {
        rms_dtype dtype;
        uint64_t nans[3], infinity;
    } cases[] = {
        {RMS_F64, {0x7ff8000000000000, 0xfff0000000000001, 0x7fffffffffffffff}, 0x7ff0000000000000},
        {RMS_F32, {0x7fc00000, 0xff800001, 0x7fffffff}, 0x7f800000},
        {RMS_F16, {0x7e00, 0xfc01, 0x7fff}, 0x7c00},
        {RMS_BF16, {0x7fc0, 0xff81, 0x7fff}, 0x7f80},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        uint64_t digests[4];
        for (size_t k = 0; k < 4; ++k) {
            uint64_t wide = k < 3 ? cases[i].nans[k] : cases[i].infinity;
            uint32_t single = (uint32_t)wide;
            uint16_t narrow = (uint16_t)wide;
            void *const param = cases[i].dtype == RMS_F64   ? &wide
                                : cases[i].dtype == RMS_F32 ? (void *)&single
                                                            : &narrow;
            const rms_tensor tensor = {.count = 1, .param = param, .dtype = cases[i].dtype};
            digests[k] = lab_digest_tensor(LAB_DIGEST_EMPTY, &tensor);
        }
        assert_true(digests[0] == digests[1] && digests[0] == digests[2] && digests[0] != digests[3]);
    }
}

/* ---- Looking on, and looking at the clock */
struct onlooker {
    size_t before, after;
    double first_loss;
    float grad, param;
    bool in_order;
};

static void see_before(void *context, size_t step, double loss, const rms_tensor *tensors, size_t tensor_count)
{
    struct onlooker *const onlooker = context;
    onlooker->in_order =
        onlooker->in_order && step == onlooker->before++ && onlooker->after == step && tensor_count == 1;
    if (step == 0)
        onlooker->first_loss = loss;
    memcpy(&onlooker->grad, tensors[0].grad, sizeof onlooker->grad);
    memcpy(&onlooker->param, tensors[0].param, sizeof onlooker->param);
}

static void see_after(void *context, size_t step, rms_optimizer *optimizer, const rms_report *report, rms_status status)
{
    struct onlooker *const onlooker = context;
    onlooker->in_order = onlooker->in_order && step == onlooker->after++ && onlooker->before == step + 1 &&
                         status == RMS_OK && report->steps == step + 1 && rms_tensor_count(optimizer) == 1 &&
                         report->gradient_norm == fabs((double)onlooker->grad) && onlooker->grad == onlooker->param;
}

static void a_run_that_is_watched_is_the_same_run(void **state)
{
    (void)state;
    const struct lab_instance instance = instance_of(&parabola);
    struct lab_contender contender = {.name = "rmsprop", .options = rms_options_for(RMS_RMSPROP)};
    double curves[2][5];
    struct lab_run runs[2];
    struct onlooker onlooker = {.in_order = true};
    const struct lab_run_watcher watcher = {&onlooker, see_before, see_after}, blind = {0};
    for (size_t i = 0; i < 2; ++i) {
        runs[i] = (struct lab_run){.seed = 1, .learning_rate = 0.1, .trial = lab_trial_none(), .curve = curves[i]};
        assert_ok(lab_run_train(&runs[i], &instance, &contender, 8, NULL, i == 0 ? &watcher : &blind, NULL), "");
    }
    assert_true(runs[0].digest == runs[1].digest);
    assert_memory_equal(curves[0], curves[1], sizeof curves[0]);
    assert_true(onlooker.in_order && onlooker.first_loss == 2.0);
    assert_int_equal(onlooker.after, 8);
}

static void sleep_for(long milliseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000}, NULL);
}

static double slow_gradient(struct lab_task *task, size_t step)
{
    sleep_for(2);
    return parabola_gradient(task, step);
}

static struct lab_score slow_score(struct lab_task *task)
{
    sleep_for(20);
    return parabola_score(task);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Eight steps of 2 ms at least; five scores of 20 ms at least, which are not among them. The target is met after four
 * steps by even seeds. */
static void seconds_are_those_of_steps_without_scores(void **state)
{
    (void)state;
    struct lab_problem problem = parabola;
    problem.gradient = slow_gradient;
    problem.score = slow_score;
    const struct lab_instance instance = instance_of(&problem);
    const struct lab_contender contender = {.name = "sgd", .options = rms_options_for(RMS_SGD)};
    double curve[5];
    struct lab_run run = {.seed = 2, .learning_rate = 0.5, .trial = lab_trial_none(), .curve = curve};
    const double started = now();
    assert_ok(lab_run_train(&run, &instance, &contender, 8, NULL, NULL, NULL), "");
    const double elapsed = now() - started;
    assert_true(run.seconds >= 0.016 && run.seconds <= elapsed - 0.1);
    assert_int_equal(run.steps_to_target, 4);
    assert_true(run.seconds_to_target >= 0.008 && run.seconds_to_target <= run.seconds - 0.008);
    run.learning_rate = 0.0;
    assert_ok(lab_run_train(&run, &instance, &contender, 2, NULL, NULL, NULL), "");
    assert_true(run.seconds_to_target == HUGE_VAL && run.seconds < elapsed);
}

/* ---- Recalling. The hooks are called by one thread at a time. */
struct memory {
    const struct lab_race *made;
    size_t every; /* of how many runs one is recalled */
    size_t asked, recalled, watched;
};

static bool recall(void *context, const struct lab_race *race, struct lab_run *run, const struct lab_entry *entry)
{
    struct memory *const memory = context;
    const struct lab_entry *const same = &memory->made->entries[entry - race->entries];
    if (memory->asked++ % memory->every != 0)
        return false;
    const size_t tuning = race->plan->grid_count * race->plan->tuning_seeds, report = race->plan->report_seeds;
    const struct lab_run *const all[] = {same->tuning, same->default_runs, same->tuned_runs};
    for (size_t k = 0; k < 3; ++k)
        for (size_t i = 0; i < (k == 0 ? tuning : report); ++i)
            if (all[k][i].seed == run->seed && all[k][i].learning_rate == run->learning_rate) {
                double *const curve = run->curve;
                memcpy(curve, all[k][i].curve,
                       (race->plan->steps / race->plan->instance->score_every + 1) * sizeof *curve);
                *run = all[k][i];
                run->curve = curve;
                ++memory->recalled;
                return true;
            }
    return false;
}

static void count_watched(void *context, const struct lab_race *race, const struct lab_run *finished,
                          const struct lab_entry *entry)
{
    (void)race;
    (void)finished;
    (void)entry;
    ++((struct memory *)context)->watched;
}

static void a_race_that_recalls_runs_is_the_same_race(void **state)
{
    (void)state;
    struct lab_instance digits;
    assert_ok(lab_instance_open_problem(&digits, &lab_problem_digits, NULL), "");
    struct lab_race_plan plan;
    lab_race_plan_standard(&plan, &digits, true);
    plan.grid[0] = 0.1;
    plan.grid[1] = 1e30; /* which diverges */
    plan.grid_count = 2;
    plan.report_seeds = 2;
    plan.steps = 80;
    struct lab_race straight;
    run_race(&straight, &plan);
    for (size_t every = 1; every <= 3; ++every)
        for (int threads = 1; threads <= 4; threads *= 2) {
            struct memory memory = {.made = &straight, .every = every};
            const struct lab_race_hooks hooks = {.context = &memory, .watch = count_watched, .recall = recall};
            plan.threads = threads;
            struct lab_race race;
            assert_ok(lab_race_run(&race, &plan, &hooks, NULL), "");
            assert_same_race(&straight, &race);
            assert_int_equal(memory.asked, race.runs_total);
            assert_int_equal(memory.recalled, (race.runs_total + every - 1) / every);
            assert_int_equal(memory.recalled + memory.watched, race.runs_total);
            assert_int_equal(race.runs_done, race.runs_total);
            assert_false(race.interrupted);
            lab_race_free(&race);
        }
    lab_race_free(&straight);
    lab_instance_close(&digits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_contender_forgets_what_it_is_told_to_where_the_problem_changes),
        cmocka_unit_test(gradients_in_rows_step_the_rows_alone),
        cmocka_unit_test(parameters_of_every_dtype_have_a_digest_of_their_bytes),
        cmocka_unit_test(all_nans_have_one_digest),
        cmocka_unit_test(a_run_that_is_watched_is_the_same_run),
        cmocka_unit_test(seconds_are_those_of_steps_without_scores),
        cmocka_unit_test(a_race_that_recalls_runs_is_the_same_race),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
