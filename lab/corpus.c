/* Cuts files into texts and texts into words, sorts the words, and keeps those that are met often enough. */
#include "corpus.h"

#include "digest.h"
#include "whole_file.h"

#include <rmsprop_lab.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_MIN 100
#define WORD_MAX 64 /* letters of a word that count */
#define SPLIT_SEED 0

/* One occurrence of a word; letters lie in the files' memory, made small there. */
struct token {
    const char *letters;
    uint32_t length;
    uint32_t text;   /* in the order of the files */
    uint32_t number; /* in the vocabulary; UNKNOWN if it is none of it */
};
#define UNKNOWN UINT32_MAX

/* A text before it has its part. */
struct piece {
    size_t first_token, token_count;
    uint8_t source;
};

struct builder {
    struct lab_file files[LAB_CORPUS_SOURCES_MAX];
    struct token *tokens;
    size_t token_count, token_room;
    struct piece *pieces;
    size_t piece_count, piece_room;
    uint8_t *part_of; /* each text */
    struct token **sorted;
};

static rms_status refuse_memory(rms_error *error)
{
    snprintf(error->message, sizeof error->message, "not enough memory for the texts");
    return RMS_ERROR_MEMORY;
}

/* Makes room for one more in an array. */
static bool make_room(void **array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return true;
    const size_t wanted = *room == 0 ? 1024 : *room * 2;
    void *const grown = realloc(*array, wanted * size);
    if (!grown)
        return false;
    *array = grown;
    *room = wanted;
    return true;
}

/* ---------------------------------------------------------------------------------------------------
 * Texts and words
 * ------------------------------------------------------------------------------------------------- */

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Adds the words of one text; false when memory is short. */
static bool add_words(struct builder *builder, char *text, const char *end)
{
    while (text < end) {
        while (text < end && !is_letter(*text))
            ++text;
        char *const word = text;
        for (; text < end && is_letter(*text); ++text)
            *text = (char)(*text | 0x20); /* the small letter */
        const size_t length = (size_t)(text - word);
        if (length == 0)
            continue;
        void *tokens = builder->tokens;
        if (!make_room(&tokens, &builder->token_room, builder->token_count, sizeof *builder->tokens))
            return false;
        builder->tokens = tokens;
        builder->tokens[builder->token_count++] = (struct token){
            word, (uint32_t)(length < WORD_MAX ? length : WORD_MAX), (uint32_t)builder->piece_count, UNKNOWN};
    }
    return true;
}

static bool add_text(struct builder *builder, char *text, const char *end, size_t source)
{
    const size_t first = builder->token_count;
    void *pieces = builder->pieces;
    if (!add_words(builder, text, end) ||
        !make_room(&pieces, &builder->piece_room, builder->piece_count, sizeof *builder->pieces))
        return false;
    builder->pieces = pieces;
    if (builder->token_count > first)
        builder->pieces[builder->piece_count++] = (struct piece){first, builder->token_count - first, (uint8_t)source};
    return true;
}

/* The next line that is a % alone, or the end. */
static char *end_of_text(char *text, char *end)
{
    for (char *line = text; line < end;) {
        char *const feed = memchr(line, '\n', (size_t)(end - line));
        char *const line_end = feed ? feed : end;
        if (line_end - line == 1 && *line == '%')
            return line;
        line = feed ? feed + 1 : end;
    }
    return end;
}

static bool add_file(struct builder *builder, size_t source)
{
    const struct lab_file *const file = &builder->files[source];
    char *const end = file->bytes + file->count;
    char *text = file->bytes;
    while (text < end) {
        char *const text_end = end_of_text(text, end);
        if (!add_text(builder, text, text_end, source))
            return false;
        text = text_end < end ? text_end + 1 : end;
    }
    return true;
}

/* ---------------------------------------------------------------------------------------------------
 * The vocabulary
 * ------------------------------------------------------------------------------------------------- */

static int compare_words(const struct token *a, const struct token *b)
{
    const size_t shorter = a->length < b->length ? a->length : b->length;
    const int order = memcmp(a->letters, b->letters, shorter);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static int by_word_and_text(const void *a, const void *b)
{
    const struct token *const left = *(struct token *const *)a, *const right = *(struct token *const *)b;
    const int order = compare_words(left, right);
    return order != 0 ? order : (left->text > right->text) - (left->text < right->text);
}

/* A word of the vocabulary: its tokens are sorted[first .. first + count). */
struct entry {
    size_t first, count, texts;
};

static int by_texts(const void *a, const void *b)
{
    const struct entry *const left = a, *const right = b;
    if (left->texts != right->texts)
        return left->texts < right->texts ? 1 : -1;
    return (left->first > right->first) - (left->first < right->first);
}

/* The word whose tokens begin at sorted[first]. */
static struct entry entry_at(const struct builder *builder, size_t first)
{
    struct entry entry = {first, 0, 0};
    uint32_t last = UNKNOWN;
    size_t i = first;
    for (; i < builder->token_count && compare_words(builder->sorted[i], builder->sorted[first]) == 0; ++i) {
        const uint32_t text = builder->sorted[i]->text;
        entry.texts += text != last && builder->part_of[text] == LAB_CORPUS_TRAIN;
        last = text;
    }
    entry.count = i - first;
    return entry;
}

/* Numbers the words that are in texts enough. */
static bool number_words(struct builder *builder, struct lab_corpus *corpus)
{
    struct entry *const entries = calloc(builder->token_count + 1, sizeof *entries);
    if (!entries)
        return false;
    qsort(builder->sorted, builder->token_count, sizeof(struct token *), by_word_and_text);
    for (size_t i = 0; i < builder->token_count;) {
        const struct entry entry = entry_at(builder, i);
        if (entry.texts >= LAB_CORPUS_TEXTS_MIN)
            entries[corpus->vocabulary++] = entry;
        i += entry.count;
    }
    qsort(entries, corpus->vocabulary, sizeof *entries, by_texts);
    for (size_t number = 0; number < corpus->vocabulary; ++number)
        for (size_t i = 0; i < entries[number].count; ++i)
            builder->sorted[entries[number].first + i]->number = (uint32_t)number;
    free(entries);
    return true;
}

/* ---------------------------------------------------------------------------------------------------
 * The corpus
 * ------------------------------------------------------------------------------------------------- */

/* Which part each text belongs to, of as many as there are. */
static bool split_texts(struct builder *builder, struct lab_corpus *corpus)
{
    const size_t count = builder->piece_count, held_out = count * 15 / 100;
    uint32_t *const order = calloc(count, sizeof *order);
    builder->part_of = calloc(count, 1);
    if (order && builder->part_of) {
        lab_random_permutation(SPLIT_SEED, 0, order, count);
        for (size_t i = 0; i < 2 * held_out; ++i)
            builder->part_of[order[i]] = i < held_out ? LAB_CORPUS_VALIDATION : LAB_CORPUS_TEST;
    }
    for (size_t part = 0; part < LAB_CORPUS_PARTS; ++part)
        corpus->texts[part] = calloc(count, sizeof *corpus->texts[part]);
    free(order);
    return order && builder->part_of && corpus->texts[0] && corpus->texts[1] && corpus->texts[2];
}

static void fill_corpus(const struct builder *builder, struct lab_corpus *corpus)
{
    size_t words = 0;
    for (size_t i = 0; i < builder->piece_count; ++i) {
        const struct piece *const piece = &builder->pieces[i];
        const size_t part = builder->part_of[i], first = words;
        for (size_t t = 0; t < piece->token_count; ++t)
            if (builder->tokens[piece->first_token + t].number != UNKNOWN)
                corpus->words[words++] = builder->tokens[piece->first_token + t].number;
        corpus->texts[part][corpus->counts[part]++] = (struct lab_text){first, words - first, piece->source};
        corpus->longest = words - first > corpus->longest ? words - first : corpus->longest;
    }
}

static rms_status build(struct builder *builder, struct lab_corpus *corpus, const char *path, rms_error *error)
{
    if (builder->piece_count < TEXTS_MIN) {
        snprintf(error->message, sizeof error->message,
                 "%.200s and its neighbours hold %zu texts (expected %d or more, between lines of a single %%)", path,
                 builder->piece_count, TEXTS_MIN);
        return RMS_ERROR_FORMAT;
    }
    builder->sorted = calloc(builder->token_count, sizeof(struct token *));
    corpus->words = calloc(builder->token_count, sizeof *corpus->words);
    if (!builder->sorted || !corpus->words || !split_texts(builder, corpus))
        return refuse_memory(error);
    for (size_t i = 0; i < builder->token_count; ++i)
        builder->sorted[i] = &builder->tokens[i];
    if (!number_words(builder, corpus))
        return refuse_memory(error);
    if (corpus->vocabulary == 0) {
        snprintf(error->message, sizeof error->message, "%.200s and its neighbours share no word that %d texts have",
                 path, LAB_CORPUS_TEXTS_MIN);
        return RMS_ERROR_FORMAT;
    }
    fill_corpus(builder, corpus);
    return RMS_OK;
}

rms_status lab_corpus_read(struct lab_corpus *corpus, const char *const *paths, size_t path_count, rms_error *error)
{
    struct builder builder = {0};
    *corpus = (struct lab_corpus){.hash = LAB_DIGEST_EMPTY};
    rms_status status = RMS_OK;
    for (size_t i = 0; status == RMS_OK && i < path_count; ++i) {
        status = lab_file_read(&builder.files[i], paths[i], error);
        if (status != RMS_OK)
            break;
        corpus->hash = lab_digest_bytes(corpus->hash, builder.files[i].bytes, builder.files[i].count);
        if (!add_file(&builder, i))
            status = refuse_memory(error);
    }
    if (status == RMS_OK)
        status = build(&builder, corpus, paths[0], error);
    for (size_t i = 0; i < path_count; ++i)
        lab_file_free(&builder.files[i]);
    free(builder.tokens);
    free(builder.pieces);
    free(builder.part_of);
    free(builder.sorted);
    if (status != RMS_OK)
        lab_corpus_free(corpus);
    return status;
}

void lab_corpus_free(struct lab_corpus *corpus)
{
    free(corpus->words);
    for (size_t part = 0; part < LAB_CORPUS_PARTS; ++part)
        free(corpus->texts[part]);
    *corpus = (struct lab_corpus){0};
}
