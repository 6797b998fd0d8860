/* Short texts and where they are from: fortunes as bags of words. */
#ifndef LAB_CORPUS_H
#define LAB_CORPUS_H

#include <rmsprop.h>

#define LAB_CORPUS_SOURCES_MAX 16

enum lab_corpus_part { LAB_CORPUS_TRAIN = 0, LAB_CORPUS_VALIDATION, LAB_CORPUS_TEST };
#define LAB_CORPUS_PARTS 3

/* The words of one text that are in the vocabulary, each as often as it occurs, in its order. */
struct lab_text {
    size_t first; /* in lab_corpus.words */
    size_t count; /* may be 0 */
    uint8_t source;
};

struct lab_corpus {
    size_t vocabulary; /* different words: those of LAB_CORPUS_TEXTS_MIN or more texts of the training part */
    uint32_t *words;   /* their numbers, by falling number of texts and then in the order of the alphabet */
    size_t longest;    /* words in a text */
    struct lab_text *texts[LAB_CORPUS_PARTS];
    size_t counts[LAB_CORPUS_PARTS];
    uint64_t hash; /* of the files' bytes */
};

#define LAB_CORPUS_TEXTS_MIN 3

/* Reads a file of fortunes, texts between lines of a single %, from each path; path i is source i. 70 % of the texts are
 * to train on, 15 % to validate and 15 % to test. Words are runs of letters of ASCII, small and capital being one. On
 * failure *corpus is empty and *error a sentence: as lab_file_read, and RMS_ERROR_FORMAT for too few texts or words. */
rms_status lab_corpus_read(struct lab_corpus *corpus, const char *const *paths, size_t path_count, rms_error *error);

/* Releases what a corpus holds; an empty one is allowed. */
void lab_corpus_free(struct lab_corpus *corpus);

#endif
