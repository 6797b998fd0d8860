/* Where an agent learns, whatever its method: the copies it acts in, what became of their last episodes, changes of
 * physics on the way, and episodes apart that examine what it has learnt. */
#ifndef LAB_AGENTS_WORLD_H
#define LAB_AGENTS_WORLD_H

#include "environments/environment.h"
#include "mlp.h"

/* Episodes that the score is the mean return of. */
enum { LAB_RECENT = 100 };

/* Settings of their problems. */
#define LAB_INVERT_SETTING                                                                                             \
    {                                                                                                                  \
        "invert", "controls are inverted every so many steps of all copies; 0: never", 0, 0, 1e12, true                \
    }
#define LAB_CHANGE_SETTING                                                                                             \
    {                                                                                                                  \
        "change", "force and length are drawn anew every so many steps of all copies; 0: never", 0, 0, 1e12, true      \
    }

/* What their scores are. */
#define LAB_RECENT_RETURN                                                                                              \
    {                                                                                                                  \
        .name = "mean return", .unit = "", .factor = 1.0, .rising = true                                               \
    }
#define LAB_EXAM_RETURN                                                                                                \
    {                                                                                                                  \
        .name = "test return", .unit = "", .factor = 1.0, .rising = true                                               \
    }

/* What a problem says of its world. */
struct lab_world_definition {
    const struct lab_environment *kind;
    double least_return; /* of an episode: what counts for each of the recent ones that there has not been yet */
    size_t exam_episodes;
    size_t exam_steps; /* an examined episode is truncated behind so many; 0: the kind's own limit */
};

struct lab_world {
    struct lab_environments *batch;
    struct lab_environments *exam;
    uint64_t seed;
    uint8_t *actions; /* one for each copy of the batch: what it does next */
    double recent[LAB_RECENT];
    uint64_t finished; /* episodes */

    size_t steps_per_update; /* of all copies together */
    double inverted_every;   /* environment steps from one inversion of the controls to the next; 0: never */
    double changed_every;    /* and between new physics */

    uint8_t *exam_actions;
    uint8_t *examined; /* copies whose first episode is over */
};

/* False, with *world empty, when memory is short. Reads the settings "copies", "invert" and "change", which may be
 * missing. */
bool lab_world_create(struct lab_world *world, const struct lab_instance *instance,
                      const struct lab_world_definition *definition, size_t moves_per_update, uint64_t seed);
void lab_world_free(struct lab_world *world);

/* Whether controls or physics are others from this update on. */
bool lab_world_changes(const struct lab_world *world, size_t update);

/* Brings controls and physics to what they are in this update, for the exam as well. */
void lab_world_begin_update(struct lab_world *world, size_t update);

/* All copies do what actions says; episodes that end are counted. */
void lab_world_move(struct lab_world *world);

/* The mean return of the last LAB_RECENT episodes. */
double lab_world_recent_return(const struct lab_world *world);

/* The mean return of episodes in which the action with the largest of the net's outputs is taken, the first on a tie.
 * They begin alike every time, unlike any that is learnt from. The net must hold a batch of exam_episodes. */
double lab_world_examine(struct lab_world *world, struct lab_mlp *net);

#endif
