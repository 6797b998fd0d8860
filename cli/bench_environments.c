/* The section of the environments that agents learn in: steps in a second under a random policy, one thread. */
#include "bench_report.h"
#include "output.h"

#include <bench/contest.h>
#include <lab/environments/environment.h>
#include <stdio.h>
#include <stdlib.h>

enum { COPIES = 1024, KINDS_MAX = 8, POLICY_SEED = 1, WORLD_SEED = 2 };

struct walk {
    struct lab_environments *batch;
    uint64_t step;
    uint8_t actions[COPIES];
};

/* One step of all copies: actions are drawn, episodes that end begin anew. */
static void step_all(void *context)
{
    struct walk *const walk = context;
    lab_environments_random_actions(walk->batch, POLICY_SEED, walk->step++, walk->actions);
    lab_environments_step(walk->batch, walk->actions);
}

static json_t *walk_json(const struct lab_environment *kind, double nanoseconds)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:o, s:o}", "environment", kind->name, "observations",
                     (json_int_t)kind->observation_count, "actions", (json_int_t)kind->action_count, "copies",
                     (json_int_t)COPIES, "ns_per_step", json_number(nanoseconds), "steps_per_second",
                     json_number(1e9 / nanoseconds));
}

static void tell(const struct bench_report *report, const struct contestant *contestants, json_t **rows)
{
    for (size_t i = 0; i < lab_environment_kind_count; ++i) {
        const struct lab_environment *const kind = lab_environment_kinds[i];
        const double nanoseconds = contest_median(&contestants[i], report->plan->rounds) * 1e9 / COPIES;
        char rate[NUMBER_TEXT_SIZE];
        if (!report->silent)
            (void)printf("%-12s %8zu %8zu %10.1f %16s\n", kind->name, kind->observation_count, kind->action_count,
                         nanoseconds, number_text(rate, 1e3 / nanoseconds, 3));
        *rows = json_append(*rows, walk_json(kind, nanoseconds));
    }
    (void)fflush(stdout);
}

void bench_head_environments(const struct bench_plan *plan)
{
    (void)plan;
    (void)printf("%-12s %8s %8s %10s %16s", "environment", "numbers", "actions", "ns/step", "M steps/s");
}

bool bench_environments(struct bench_report *report, json_t **rows)
{
    struct walk *const walks = calloc(KINDS_MAX, sizeof *walks);
    struct contestant *const contestants = calloc(KINDS_MAX, sizeof *contestants);
    bool ready = walks && contestants && lab_environment_kind_count <= KINDS_MAX;
    for (size_t i = 0; ready && i < lab_environment_kind_count; ++i) {
        walks[i].batch = lab_environments_create(lab_environment_kinds[i], COPIES, WORLD_SEED, NULL);
        contestants[i] = (struct contestant){.run = step_all, .context = &walks[i]};
        ready = walks[i].batch != NULL;
    }
    if (ready) {
        contest_run(contestants, lab_environment_kind_count, report->plan->rounds);
        tell(report, contestants, rows);
    } else {
        complain("bench: out of memory for the environments");
    }
    for (size_t i = 0; walks && i < KINDS_MAX; ++i)
        lab_environments_destroy(walks[i].batch);
    free(walks);
    free(contestants);
    return ready;
}
