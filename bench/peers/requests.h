/* What contestants that are programs of their own share: they read requests from stdin and write answers to stdout,
 * one JSON object a line, until stdin ends. */
#ifndef BENCH_PEERS_REQUESTS_H
#define BENCH_PEERS_REQUESTS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define REASON_SIZE 512

/* A case, and the burst of steps to be timed. Its strings live until prepare returns. */
struct request {
    const char *rule;
    const char *mode; /* which form of the contestant */
    size_t tensors;
    size_t count; /* numbers in each tensor */
    int threads;
    double seconds; /* how long to step, about */
    double lr;
    double rho;
    double beta1;
    double beta2;
    double momentum;
    double eps;
};

/* The arrays to step on. Tensor i begins at param + i * stride and grad + i * stride, on a cache line. */
struct arrays {
    size_t tensors;
    size_t count;
    size_t stride;
    float *param;
    float *grad;
};

/* A contestant. prepare returns NULL, and writes a sentence, for what it cannot do; its arrays live until release. */
struct contestant {
    void *(*prepare)(const struct request *request, const struct arrays *arrays, char reason[REASON_SIZE]);
    void (*step)(void *prepared);
    void (*release)(void *prepared);
};

/* Answers requests until there are no more; the program's exit status. */
int serve(const struct contestant *contestant);

#ifdef __cplusplus
}
#endif

#endif
