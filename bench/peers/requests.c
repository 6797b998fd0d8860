/* Reads requests, prepares the arrays of a case, times bursts of steps, writes answers. */
#include "requests.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CACHE_LINE = 64, FIRST_STEPS = 3, BATCH_MAX = 1024, KEY_SIZE = 128 };

/* The case that is prepared; a request for another takes its place. */
struct session {
    const struct contestant *contestant;
    char key[KEY_SIZE];
    struct arrays arrays;
    void *prepared;
    double first; /* the first and the last parameter after FIRST_STEPS */
    double last;
};

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void release(struct session *session)
{
    if (session->prepared != NULL)
        session->contestant->release(session->prepared);
    free(session->arrays.param);
    free(session->arrays.grad);
    *session = (struct session){.contestant = session->contestant};
}

/* Parameters start at 0, so that what three steps have moved is seen with all its digits; gradients are far from
 * anything special. */
static bool fill(struct arrays *arrays, const struct request *request)
{
    const size_t line = CACHE_LINE / sizeof(float);
    const size_t stride = (request->count + line - 1) / line * line;
    const size_t bytes = request->tensors * stride * sizeof(float);
    *arrays = (struct arrays){.tensors = request->tensors, .count = request->count, .stride = stride};
    arrays->param = aligned_alloc(CACHE_LINE, bytes);
    arrays->grad = aligned_alloc(CACHE_LINE, bytes);
    if (arrays->param == NULL || arrays->grad == NULL)
        return false;
    memset(arrays->param, 0, bytes);
    for (size_t i = 0; i < request->tensors * stride; ++i) {
        const float size = 0.01F + 0.00125F * (float)(i % stride % 8);
        arrays->grad[i] = i % stride % 2 == 0 ? size : -size;
    }
    return true;
}

static bool prepare(struct session *session, const struct request *request, char reason[REASON_SIZE])
{
    char key[KEY_SIZE];
    snprintf(key, sizeof key, "%s %s %zu %zu %d", request->rule, request->mode, request->tensors, request->count,
             request->threads);
    if (strcmp(key, session->key) == 0)
        return true;
    release(session);
    if (!fill(&session->arrays, request)) {
        snprintf(reason, REASON_SIZE, "memory is short");
        return false;
    }
    session->prepared = session->contestant->prepare(request, &session->arrays, reason);
    if (session->prepared == NULL)
        return false;
    for (int i = 0; i < FIRST_STEPS; ++i)
        session->contestant->step(session->prepared);
    const struct arrays *arrays = &session->arrays;
    session->first = (double)arrays->param[0];
    session->last = (double)arrays->param[(arrays->tensors - 1) * arrays->stride + arrays->count - 1];
    memcpy(session->key, key, sizeof key);
    return true;
}

/* The first step, untimed, brings caches and threads back from what others have done meanwhile. */
static json_t *time_steps(const struct session *session, double seconds)
{
    const struct contestant *contestant = session->contestant;
    contestant->step(session->prepared);

    size_t steps = 0;
    size_t batch = 1;
    double elapsed;
    const double cpu_start = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    const double start = seconds_of(CLOCK_MONOTONIC);
    do {
        for (size_t i = 0; i < batch; ++i)
            contestant->step(session->prepared);
        steps += batch;
        batch = batch < BATCH_MAX ? 2 * batch : batch;
        elapsed = seconds_of(CLOCK_MONOTONIC) - start;
    } while (elapsed < seconds);
    const double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
    return json_pack("{s:f, s:I, s:f, s:f, s:f}", "seconds", elapsed / (double)steps, "steps", (json_int_t)steps,
                     "processors", cpu / elapsed, "first", session->first, "last", session->last);
}

static bool parse(json_t *object, struct request *request)
{
    json_int_t tensors;
    json_int_t count;
    if (json_unpack(object, "{s:s, s:s, s:I, s:I, s:i, s:F, s:F, s:F, s:F, s:F, s:F, s:F}", "rule", &request->rule,
                    "mode", &request->mode, "tensors", &tensors, "count", &count, "threads", &request->threads,
                    "seconds", &request->seconds, "lr", &request->lr, "rho", &request->rho, "beta1", &request->beta1,
                    "beta2", &request->beta2, "momentum", &request->momentum, "eps", &request->eps) != 0 ||
        tensors < 1 || count < 1)
        return false;
    request->tensors = (size_t)tensors;
    request->count = (size_t)count;
    return true;
}

static json_t *answer(struct session *session, const char *line)
{
    char reason[REASON_SIZE] = "this is no request";
    struct request request;
    json_t *object = json_loads(line, 0, NULL);
    json_t *result = object != NULL && parse(object, &request) && prepare(session, &request, reason)
                         ? time_steps(session, request.seconds)
                         : NULL;
    json_decref(object);
    return result != NULL ? result : json_pack("{s:s}", "reason", reason);
}

int serve(const struct contestant *contestant)
{
    struct session session = {.contestant = contestant};
    char line[1024];
    while (fgets(line, sizeof line, stdin) != NULL) {
        json_t *object = answer(&session, line);
        json_dumpf(object, stdout, JSON_COMPACT);
        json_decref(object);
        puts("");
        fflush(stdout);
    }
    release(&session);
    return ferror(stdin) || ferror(stdout) ? 1 : 0;
}
