/* Worlds that an agent acts in, many copies of one at a time: a kind says what its world is, a batch holds the copies.
 *
 * A step moves all copies. Where it ends an episode, the copy begins the next at once: observations then show the new
 * episode's first moment, final_observations what the step led to. As in Gymnasium, terminated means that the world
 * has come to an end, behind which nothing is worth anything, and truncated that the time is up, so that the value of
 * what would have followed still counts; both may be true.
 *
 * What a copy goes through depends on kind, settings, seed, the copy's number and its own actions alone, not on how
 * many others there are. Its random numbers are those of lab_random_* with this seed and streams from 2^62 on. */
#ifndef LAB_ENVIRONMENTS_ENVIRONMENT_H
#define LAB_ENVIRONMENTS_ENVIRONMENT_H

#include <rmsprop_lab.h>

enum { LAB_ACTIONS_MAX = 3 };

/* What may change while an agent learns. */
struct lab_physics {
    double force;  /* factor of the kind's force or torque; 1 */
    double length; /* factor of its pole or links; 1 */
    double sticky; /* chance that a copy repeats its last action instead of the one given, in [0, 1] */
    bool inverted; /* left does what right did, and the other way round */
};

struct lab_environments;

struct lab_environment {
    const char *name;
    size_t observation_count;
    size_t action_count;
    size_t steps_max;                  /* of an episode, behind which it is truncated; 0: no limit */
    double least_return;               /* that an episode can have */
    size_t state_size;                 /* bytes of a copy */
    size_t scratch_size;               /* and of what advance works in */
    struct lab_physics physics;        /* unless others are chosen */
    uint8_t opposite[LAB_ACTIONS_MAX]; /* the action that stands in for each one where controls are inverted */
    uint8_t idle;                      /* the last action of an episode that has had none */

    /* Puts one copy's state to the beginning of the episode whose number `episodes` tells. */
    void (*begin)(struct lab_environments *batch, size_t copy);
    /* Moves all copies' states by the actions that are carried out, and fills rewards and terminated. */
    void (*advance)(struct lab_environments *batch, const uint8_t *actions);
    /* Writes what `count` copies from `first` on see: observation_count numbers each, one copy behind the other. */
    void (*observe)(const struct lab_environments *batch, size_t first, size_t count, float *observations);
};

/* All arrays have one element, or row, for each copy; they are the batch's and stay where they are. */
struct lab_environments {
    const struct lab_environment *kind;
    size_t copies;
    uint64_t seed;
    size_t steps_max;           /* begins as the kind's; may be changed between steps */
    struct lab_physics physics; /* changed by lab_environments_set_physics */

    /* What there is to see now; all zero but for observations after a reset. */
    float *observations;
    float *final_observations; /* rows of copies whose episode the last step ended */
    float *rewards;
    uint8_t *terminated;
    uint8_t *truncated;
    double *episode_returns;   /* undiscounted, of copies whose episode the last step ended */
    uint32_t *episode_lengths; /* and its steps */

    /* Inner life. */
    void *block; /* what all arrays lie in */
    void *state; /* state_size x copies; states.h says how each kind lays it out */
    void *scratch;
    uint64_t *episodes;    /* finished so far */
    uint32_t *steps;       /* in the running episode */
    double *returns;       /* of the running episode */
    uint8_t *last_actions; /* that were carried out; idle at the beginning of an episode */
    uint64_t moves;        /* steps since the reset */
};

extern const struct lab_environment lab_environment_catch;    /* 50 observations, 3 actions: left, stay, right */
extern const struct lab_environment lab_environment_cartpole; /* 4, 2: left, right */
extern const struct lab_environment lab_environment_acrobot;  /* 6, 3: torque -1, 0, 1 */
extern const struct lab_environment lab_environment_breakout; /* 400, 3: stay, left, right */

/* All four, and how many. */
extern const struct lab_environment *const lab_environment_kinds[];
extern const size_t lab_environment_kind_count;

/* The kind of that name; NULL if there is none. */
const struct lab_environment *lab_environment_find(const char *name);

/* Copies > 0 at the beginning of their first episodes; NULL when memory is short. physics may be NULL: the kind's. */
struct lab_environments *lab_environments_create(const struct lab_environment *kind, size_t copies, uint64_t seed,
                                                 const struct lab_physics *physics);
void lab_environments_destroy(struct lab_environments *batch); /* takes NULL */

/* All copies begin their first episodes of this seed: the same seed and actions give the same bits again. Physics and
 * steps_max stay. */
void lab_environments_reset(struct lab_environments *batch, uint64_t seed);

/* One step of every copy; actions[i] < kind->action_count. Allocates nothing. */
void lab_environments_step(struct lab_environments *batch, const uint8_t *actions);

/* From the next step on. Factors are above 0. */
void lab_environments_set_physics(struct lab_environments *batch, const struct lab_physics *physics);

/* Whether the last step ended this copy's episode, in one way or the other. */
static inline bool lab_environments_ended(const struct lab_environments *batch, size_t copy)
{
    return batch->terminated[copy] || batch->truncated[copy];
}

/* What the last step led this copy to, before a new episode began: the observation to learn from. */
static inline const float *lab_environments_outcome(const struct lab_environments *batch, size_t copy)
{
    const float *const rows = lab_environments_ended(batch, copy) ? batch->final_observations : batch->observations;
    return rows + copy * batch->kind->observation_count;
}

/* A random policy's actions for one step: a function of seed, step and copy. Each action is met with 1 / action_count
 * up to 2^-16. */
void lab_environments_random_actions(const struct lab_environments *batch, uint64_t seed, uint64_t step,
                                     uint8_t *actions);

#endif
