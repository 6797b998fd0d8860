/* The agents: their formulas by hand and by differences, what they do with the ends of episodes and with changes, and
 * the bits of short runs. */
#include "agents/a2c.h"
#include "agents/dqn.h"
#include "heap_calls.h"
#include "lab_learning.h"

#include <math.h>
#include <string.h>

static const char *const problems[] = {"cartpole", "acrobot", "catch", "breakout", "cartpole-dqn", "catch-dqn"};

/* ---------------------------------------------------------------------------------------------------
 * Formulas
 * ------------------------------------------------------------------------------------------------- */

/* Discount and lambda 1/2, all numbers dyadic, so that nothing is rounded. The second copy's time is up at its second
 * move, the third's world ends there, the first goes on. */
static void advantages_are_those_worked_out_by_hand(void **state)
{
    (void)state;
    enum { COPIES = 3, HORIZON = 3 };
    float rewards[] = {1, 1, 1, 2, 2, 2, 4, 4, 4};
    float values[] = {8, 8, 8, 4, 4, 4, 2, 2, 2, 16, 16, 16};
    float outcomes[] = {0, 0, 0, 0, 32, 32, 0, 0, 0}; /* the third copy's is not to be read */
    uint8_t ends[] = {LAB_GOES_ON,    LAB_GOES_ON, LAB_GOES_ON, LAB_GOES_ON, LAB_TRUNCATED,
                      LAB_TERMINATED, LAB_GOES_ON, LAB_GOES_ON, LAB_GOES_ON};
    float advantages[COPIES * HORIZON];
    lab_rollout_advantages(&(struct lab_rollout){COPIES, HORIZON, rewards, ends, values, outcomes, advantages}, 0.5,
                           0.5);
    /* The last move: 4 + 16 / 2 - 2 = 10 for all. The one before: 2 + 2 / 2 - 4 + 10 / 4 = 1.5 where it goes on,
     * 2 + 32 / 2 - 4 = 14 truncated, 2 - 4 = -2 terminated. The first: 1 + 4 / 2 - 8 = -5, and a
     * quarter of what follows. */
    static const float expected[] = {-4.625F, -1.5F, -5.5F, 1.5F, 14.0F, -2.0F, 10.0F, 10.0F, 10.0F};
    assert_same_floats(advantages, expected, COUNT_OF(expected), "advantages", NULL);
}

/* With lambda 1, an advantage and the value are the discounted rewards to the horizon, and what is there. */
static void with_lambda_1_targets_are_returns(void **state)
{
    (void)state;
    float rewards[] = {1, 2, 4}, values[] = {3, 5, 7, 8}, outcomes[3] = {0}, advantages[3];
    uint8_t ends[3] = {LAB_GOES_ON};
    lab_rollout_advantages(&(struct lab_rollout){1, 3, rewards, ends, values, outcomes, advantages}, 0.5, 1.0);
    assert_true(advantages[0] + values[0] == 1.0F + 1.0F + 1.0F + 1.0F);
    assert_true(advantages[1] + values[1] == 2.0F + 2.0F + 2.0F);
}

/* The loss as it is written, by the C library. */
static double plain_loss(const struct lab_a2c_sample *sample, const double *z)
{
    double sum = 0.0, entropy = 0.0;
    for (size_t j = 0; j < sample->actions; ++j)
        sum += exp(z[j]);
    for (size_t j = 0; j < sample->actions; ++j)
        entropy -= exp(z[j]) / sum * log(exp(z[j]) / sum);
    const double error = z[sample->actions] - sample->wanted;
    return -sample->advantage * log(exp(z[sample->action]) / sum) - sample->entropy_weight * entropy +
           sample->value_weight * error * error / 2.0;
}

/* Differences of step h are off by h^2 times a third derivative, which is below 8 here, and by some roundings of a loss
 * below 64 over h: 2^-20 * 8 / 6 + 2^-53 * 64 * 8 / 2^-10 is below 2e-6. */
static void derivatives_are_those_of_the_loss(void **state)
{
    (void)state;
    const double h = 0x1p-10;
    uint64_t random = 3;
    for (size_t round = 0; round < 200; ++round) {
        const struct lab_a2c_sample sample = {
            .actions = 2 + round % 2,
            .action = random_below(&random, 2 + round % 2),
            .advantage = 2.0 * (double)random_float(&random),
            .wanted = 4.0 * (double)random_float(&random),
            .entropy_weight = (double)(round % 3),
            .value_weight = 0.5,
        };
        float outputs[LAB_ACTIONS_MAX + 1];
        double z[LAB_ACTIONS_MAX + 1], derivatives[LAB_ACTIONS_MAX + 1];
        for (size_t j = 0; j <= sample.actions; ++j) {
            outputs[j] = 3.0F * random_float(&random);
            z[j] = (double)outputs[j];
        }
        assert_true(fabs(lab_a2c_loss(&sample, outputs, derivatives) - plain_loss(&sample, z)) < 1e-12);
        for (size_t j = 0; j <= sample.actions; ++j) {
            double above[LAB_ACTIONS_MAX + 1], below[LAB_ACTIONS_MAX + 1];
            memcpy(above, z, sizeof z);
            memcpy(below, z, sizeof z);
            above[j] += h;
            below[j] -= h;
            const double slope = (plain_loss(&sample, above) - plain_loss(&sample, below)) / (2.0 * h);
            if (!(fabs(slope - derivatives[j]) < 2e-6))
                fail_msg("round %zu, output %zu: %g, not %g", round, j, derivatives[j], slope);
        }
    }
}

static void hubers_loss_is_a_parabola_between_lines(void **state)
{
    (void)state;
    static const double table[][3] = {{0, 0, 0},     {0.5, 0.125, 0.5}, {-0.5, 0.125, -0.5}, {1, 0.5, 1},
                                      {-1, 0.5, -1}, {3, 2.5, 1},       {-3, 2.5, -1}};
    for (size_t i = 0; i < COUNT_OF(table); ++i) {
        double derivative;
        assert_true(lab_huber(table[i][0], &derivative) == table[i][1]);
        assert_true(derivative == table[i][2]);
    }
    double derivative;
    assert_true(isnan(lab_huber((double)NAN, &derivative)));
}

/* ---------------------------------------------------------------------------------------------------
 * Runs
 * ------------------------------------------------------------------------------------------------- */

enum { STEPS = 12 };

static uint64_t digest_of_problem(const char *words, rms_isa isa)
{
    struct lab_instance instance = open_request(words, NULL, NULL);
    const uint64_t digest = digest_of_run(&instance, isa, 1, STEPS);
    lab_instance_close(&instance);
    return digest;
}

static const struct {
    const char *words;
    uint64_t digest;
} digests[] = {
    {"cartpole", 0x22119b7494072b3a},
    {"acrobot:copies=4,horizon=64", 0x3ac368a3535b837d},
    {"catch:lambda=0.9", 0xf12c13a8848fdec5},
    {"breakout:copies=4,units=20", 0xde33044521ac9119},
    {"cartpole-dqn:sync=5", 0x7a55ac06683bff4b},
    {"catch-dqn:copies=7,units=20", 0x80f92f63ec5afa25},
    {"cartpole:invert=2048,change=3000", 0x6955800332afb668},
};

static void runs_have_these_bits_on_every_machine(void **state)
{
    const rms_isa isa = isa_of_test(state);
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT_OF(digests); ++i) {
        const uint64_t digest = digest_of_problem(digests[i].words, isa);
        if (digest != digests[i].digest)
            print_error("%s: 0x%016llx\n", digests[i].words, (unsigned long long)digest);
        wrong += digest != digests[i].digest;
    }
    assert_int_equal(wrong, 0);
}

/* Two episodes of 500 moves, whose time is up, are remembered among 1,200 moves: drawn often enough to be met. */
static void moves_beyond_the_time_lead_to_where_they_led(void **state)
{
    (void)state;
    static const struct lab_dqn_definition definition = {
        .world = {.kind = &lab_environment_acrobot, .least_return = -500.0, .exam_episodes = 2},
        .reward_factor = 0.5,
        .memory = 1200,
        .first_moves = 1200,
    };
    struct lab_instance instance = open_request("cartpole-dqn:copies=2,batch=1024,units=4", NULL, NULL);
    struct lab_task *const task = lab_dqn_create(&instance, &definition, 1);
    assert_non_null(task);
    const rms_tensor *tensors;
    const size_t count = lab_dqn_tensors(task, &tensors);
    uint64_t digest = LAB_DIGEST_EMPTY;
    for (size_t step = 0; step < 8; ++step) {
        lab_dqn_gradient(task, step);
        for (size_t t = 0; t < count; ++t)
            digest = lab_digest_floats(digest, tensors[t].grad, tensors[t].count);
    }
    assert_digest(0xa5ff57d142bc9755, digest);
    lab_dqn_destroy(task);
    lab_instance_close(&instance);
}

struct crowd {
    struct lab_instance instance;
    uint64_t digests[4];
};

static void run_one(void *context, size_t task)
{
    struct crowd *const crowd = context;
    crowd->digests[task] = digest_of_run(&crowd->instance, RMS_ISA_AUTO, 1 + task % 2, STEPS);
}

static void runs_at_a_time_do_not_touch_each_other(void **state)
{
    (void)state;
    for (size_t p = 0; p < COUNT_OF(problems); ++p) {
        struct crowd crowd = {.instance = open_request(problems[p], NULL, NULL)};
        run_on_threads(NULL, COUNT_OF(crowd.digests), run_one, &crowd);
        for (size_t i = 0; i < 2; ++i) {
            assert_true(crowd.digests[i] == crowd.digests[i + 2]);
            assert_true(crowd.digests[i] == digest_of_run(&crowd.instance, RMS_ISA_AUTO, 1 + i, STEPS));
        }
        assert_true(crowd.digests[0] != crowd.digests[1]);
        lab_instance_close(&crowd.instance);
    }
}

/* Before an episode is over, each of the recent ones counts with the least that there can be. Looking changes nothing,
 * neither scores nor what is learnt. */
static void scores_begin_at_the_least_and_may_be_taken_twice(void **state)
{
    (void)state;
    static const double least[] = {0.0, -500.0, -1.0, 0.0};
    for (size_t p = 0; p < COUNT_OF(problems); ++p) {
        struct lab_instance instance = open_request(problems[p], NULL, NULL);
        struct lab_task *const looked = create_task(&instance, 5), *const not_looked = create_task(&instance, 5);
        const struct lab_score first = instance.problem->score(looked);
        const struct lab_score second = instance.problem->score(looked);
        assert_true(first.test == second.test && isfinite(first.test));
        assert_true(first.training == first.validation && isfinite(first.training));
        assert_true(p >= COUNT_OF(least) || first.training == least[p]);
        for (size_t step = 0; step < 3; ++step) {
            assert_true(instance.problem->gradient(looked, step) == instance.problem->gradient(not_looked, step));
            instance.problem->score(looked);
        }
        instance.problem->destroy(looked);
        instance.problem->destroy(not_looked);
        lab_instance_close(&instance);
    }
}

static void nothing_is_allocated_on_the_way(void **state)
{
    (void)state;
    skip_unless_counting();
    for (size_t p = 0; p < COUNT_OF(problems); ++p) {
        struct lab_instance instance = open_request(problems[p], NULL, NULL);
        struct lab_task *const task = create_task(&instance, 1);
        const size_t before = heap_calls;
        for (size_t step = 0; step < 20; ++step)
            instance.problem->gradient(task, step);
        instance.problem->score(task);
        assert_int_equal(heap_calls, before);
        instance.problem->destroy(task);
        lab_instance_close(&instance);
    }
}

/* Catch: random actions earn about -0.6; what was learnt in 150 updates is worth more than 0. */
static void agents_learn(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        double rate;
        size_t steps;
    } runs[] = {{"catch", 0.01, 150}, {"catch-dqn:copies=32,explore=5000,units=32", 0.005, 1000}};
    for (size_t r = 0; r < COUNT_OF(runs); ++r) {
        struct lab_instance instance = open_request(runs[r].words, NULL, NULL);
        instance.score_every = runs[r].steps;
        double curve[2];
        const struct lab_contender contender = {.name = "rmsprop", .options = rms_options_for(RMS_RMSPROP)};
        struct lab_run run = {.seed = 1, .learning_rate = runs[r].rate, .trial = lab_trial_none(), .curve = curve};
        rms_error error = {""};
        assert_ok(lab_run_train(&run, &instance, &contender, runs[r].steps, NULL, NULL, &error), error.message);
        if (!(run.final.training > 0.0 && run.final.test > 0.5))
            fail_msg("%s: %g in training, %g in the test", runs[r].words, run.final.training, run.final.test);
        lab_instance_close(&instance);
    }
}

/* A net that is no number any more acts, is scored, and says so by its loss. */
static void a_lost_net_is_told_by_the_loss(void **state)
{
    (void)state;
    for (size_t p = 0; p < COUNT_OF(problems); ++p) {
        struct lab_instance instance = open_request(problems[p], NULL, NULL);
        struct lab_task *const task = create_task(&instance, 1);
        const rms_tensor *tensors;
        const size_t count = instance.problem->tensors(task, &tensors);
        float *const bias = tensors[count - 1].param;
        for (size_t i = 0; i < tensors[count - 1].count; ++i)
            bias[i] = NAN;
        assert_true(!isfinite(instance.problem->gradient(task, 0)));
        assert_true(isfinite(instance.problem->score(task).test));
        instance.problem->destroy(task);
        lab_instance_close(&instance);
    }
}

/* ---------------------------------------------------------------------------------------------------
 * Changes
 * ------------------------------------------------------------------------------------------------- */

/* 1,000 steps are 125 updates of 8 copies. */
static void controls_are_inverted_in_time(void **state)
{
    (void)state;
    static const struct lab_world_definition definition = {.kind = &lab_environment_catch, .exam_episodes = 2};
    struct lab_instance instance = open_request("catch:copies=8,invert=1000", NULL, NULL);
    struct lab_world world;
    assert_true(lab_world_create(&world, &instance, &definition, 1, 1));
    for (size_t update = 0; update < 600; ++update) {
        assert_int_equal(lab_world_changes(&world, update), update > 0 && update % 125 == 0);
        lab_world_begin_update(&world, update);
        assert_true(world.batch->physics.inverted == (update / 125 % 2 == 1));
        assert_true(world.exam->physics.inverted == (update / 125 % 2 == 1));
    }
    lab_world_free(&world);
    lab_world_free(&world);
    lab_instance_close(&instance);
}

/* From 1 on to factors within their bounds, different each time, the same for the same seed. */
static void physics_change_in_time(void **state)
{
    (void)state;
    static const struct lab_world_definition definition = {.kind = &lab_environment_cartpole, .exam_episodes = 2};
    struct lab_instance instance = open_request("cartpole:copies=10,change=100", NULL, NULL);
    struct lab_world world, again;
    assert_true(lab_world_create(&world, &instance, &definition, 2, 1));
    assert_true(lab_world_create(&again, &instance, &definition, 2, 1));
    struct lab_physics last = world.batch->physics;
    assert_true(last.force == 1.0 && last.length == 1.0);
    for (size_t update = 0; update < 50; ++update) {
        lab_world_begin_update(&world, update);
        lab_world_begin_update(&again, update);
        const struct lab_physics physics = world.batch->physics;
        const bool new = update > 0 && update % 5 == 0;
        assert_int_equal(lab_world_changes(&world, update), new);
        assert_int_equal(physics.force != last.force && physics.length != last.length, new);
        assert_true(physics.force >= 0.5 && physics.force <= 2.0 && physics.length >= 0.25 && physics.length <= 4.0);
        assert_true(physics.force == again.batch->physics.force && physics.length == again.exam->physics.length);
        last = physics;
    }
    lab_world_free(&world);
    lab_world_free(&again);
    lab_instance_close(&instance);
}

static bool same_nets(const struct lab_mlp *a, const struct lab_mlp *b)
{
    bool same = true;
    for (size_t l = 0; l < a->layer_count; ++l) {
        const struct lab_mlp_layer *const layer = &a->layers[l];
        same = same &&
               memcmp(layer->weights, b->layers[l].weights, layer->inputs * layer->outputs * sizeof(float)) == 0 &&
               memcmp(layer->bias, b->layers[l].bias, layer->outputs * sizeof(float)) == 0;
    }
    return same;
}

/* Every five updates, before their gradient, and then it stays while the net moves on. */
static void the_target_is_renewed_in_time(void **state)
{
    (void)state;
    struct lab_instance instance = open_request("catch-dqn:sync=5,units=8", NULL, NULL);
    struct lab_task *const task = create_task(&instance, 1);
    assert_true(same_nets(lab_dqn_net(task), lab_dqn_target(task)));
    for (size_t step = 0; step < 17; ++step) {
        instance.problem->gradient(task, step);
        assert_int_equal(same_nets(lab_dqn_net(task), lab_dqn_target(task)), step % 5 == 0);
        assert_int_equal(instance.problem->changes(task, step), step > 0 && step % 5 == 0);
        for (size_t l = 0; l < 3; ++l)
            lab_dqn_net(task)->layers[l].weights[0] += 0.5F;
    }
    instance.problem->destroy(task);
    lab_instance_close(&instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(advantages_are_those_worked_out_by_hand),
        cmocka_unit_test(with_lambda_1_targets_are_returns),
        cmocka_unit_test(derivatives_are_those_of_the_loss),
        cmocka_unit_test(hubers_loss_is_a_parabola_between_lines),
        PER_ISA(runs_have_these_bits_on_every_machine),
        cmocka_unit_test(moves_beyond_the_time_lead_to_where_they_led),
        cmocka_unit_test(runs_at_a_time_do_not_touch_each_other),
        cmocka_unit_test(scores_begin_at_the_least_and_may_be_taken_twice),
        cmocka_unit_test(nothing_is_allocated_on_the_way),
        cmocka_unit_test(agents_learn),
        cmocka_unit_test(a_lost_net_is_told_by_the_loss),
        cmocka_unit_test(controls_are_inverted_in_time),
        cmocka_unit_test(physics_change_in_time),
        cmocka_unit_test(the_target_is_renewed_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
