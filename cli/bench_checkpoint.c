/* `bench --checkpoint`: how near saving and loading come to what the disk and the system allow. */
#include "bench_checkpoint.h"

#include "machine.h"
#include "output.h"
#include "text.h"
#include "verbs.h"

#include <bench/checkpoint.h>
#include <math.h>
#include <stdio.h>

enum { ROUNDS = 7, QUICK_ROUNDS = 3, COUNT = 125000000, QUICK_COUNT = 12500000, BYTES_PER_PARAMETER = 8 };

/* In the order of the table and the document. */
struct row {
    const char *name;
    const char *limit;
    const struct bench_speed *speed;
};

static void print_table(const struct row *rows, size_t count, const struct bench_checkpoint_result *result,
                        size_t rounds, bool quick)
{
    (void)printf("%sCheckpoints against this disk%s\n", bold(), plain());
    (void)printf("rmsprop %s, %s; medians of %zu rounds.\n", rms_version(), machine_compiler(), rounds);
    (void)printf("A file of %.3g GB in this folder, deleted again.\n", (double)result->bytes / 1e9);
    (void)printf("share: of the speed of the limit in the same round; 1 is as fast.\n");
    if (quick)
        (void)printf("Indicative only: --quick measures fewer rounds of a smaller file.\n");
    (void)printf("\n%s%-18s %7s  %7s  %5s  %s%s\n", faint(), "", "GB/s", "limit", "share", "limit is", plain());
    for (size_t i = 0; i < count; ++i) {
        char ours[NUMBER_TEXT_SIZE], limit[NUMBER_TEXT_SIZE], share[NUMBER_TEXT_SIZE];
        (void)printf("%-18s %7s  %7s  %5s  %s\n", rows[i].name, number_text(ours, rows[i].speed->gb_per_s, 2),
                     number_text(limit, rows[i].speed->limit_gb_per_s, 2),
                     number_text(share, rows[i].speed->ratio_to_limit, 2), rows[i].limit);
    }
}

static json_t *speed_json(const struct bench_speed *speed)
{
    return json_pack("{s:o, s:o, s:o}", "gb_per_s", json_number(speed->gb_per_s), "limit_gb_per_s",
                     json_number(speed->limit_gb_per_s), "ratio_to_limit", json_number(speed->ratio_to_limit));
}

int bench_checkpoint_verb(const struct arguments *arguments)
{
    const size_t rounds = arguments->quick ? QUICK_ROUNDS : ROUNDS;
    const size_t count = arguments->count > 0 ? arguments->count : arguments->quick ? QUICK_COUNT : COUNT;
    struct bench_checkpoint_result result;
    rms_error error;
    if (bench_checkpoint(".", (uint64_t)count * BYTES_PER_PARAMETER, arguments->threads, rounds, &result, &error) !=
        RMS_OK) {
        complain("bench: %s", error.message);
        return STATUS_FAILED;
    }
    if (arguments->json)
        return print_json(json_pack("{s:I, s:o, s:o, s:o}", "bytes", (json_int_t)result.bytes, "save",
                                    speed_json(&result.save), "load", speed_json(&result.load), "load_from_disk",
                                    speed_json(&result.cold)))
                   ? STATUS_OK
                   : STATUS_FAILED;
    const struct row rows[] = {{"save", "write in MiB, fsync", &result.save},
                               {"load, from cache", "read in MiB, 1 thread", &result.load},
                               {"load, from disk", "the same", &result.cold}};
    print_table(rows, sizeof rows / sizeof *rows, &result, rounds, arguments->quick);
    return STATUS_OK;
}
