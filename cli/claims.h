/* The parts of the claims verb: what came out, and the ways in which it is told. */
#ifndef CLI_CLAIMS_H
#define CLI_CLAIMS_H

#include <lab/claims.h>

#include "plot.h"
#include "text.h"

#include <jansson.h>

#define CLAIMS_MAX 32

/* One claim and what was found; finding is empty unless it was finished. */
struct claims_result {
    const struct lab_claim *claim;
    struct lab_finding finding;
    size_t number; /* as listed, from 1 */
    bool finished;
    double seconds;
};

/* What there is to tell, and the circumstances. */
struct claims_report {
    struct claims_result results[CLAIMS_MAX];
    size_t count; /* asked for */
    size_t finished;
    rms_isa isa;
    uint64_t seed;
    int threads;
    bool quick;
    const char *out;
    const char *rerun; /* the command that does it all again */
};

/* The command that runs one claim again. */
void claims_append_rerun(struct text *text, const struct claims_report *report, const struct lab_claim *claim);

/* "1.04 [1.03, 1.05] %", "603 steps", or "not measured". */
#define FIGURE_TEXT_SIZE 160
const char *figure_text(char text[FIGURE_TEXT_SIZE], const struct lab_measure *measure,
                        const struct lab_figure *figure);

/* Whether a figure is left out because the run was quick, and how many are. */
bool is_left_out(const struct lab_measure *measure, const struct lab_figure *figure);
size_t count_left_out(const struct claims_result *result);

/* What is expected of a figure: "<= 1.5", "68 to 70"; empty where nothing is. at_most and so on stand for the signs. */
const char *expectation_text(char text[FIGURE_TEXT_SIZE], const struct lab_measure *measure);

/* Calls draw with a chart as a plot. False after a sentence when memory is short, or where draw says so. */
typedef bool claims_drawer(void *context, const struct plot *plot, const char *name);
bool claims_draw(const struct claims_report *report, const struct lab_chart *chart, claims_drawer *draw, void *context);

/* Pictures of the finished claims, in files; appends their names to *written. False after a sentence. */
bool claims_plots_write(const struct claims_report *report, struct text *written);

/* Everything on stdout. */
void claims_print(const struct claims_report *report, const struct text *written);

/* The document; NULL when memory is short. */
json_t *claims_json(const struct claims_report *report);

/* Appends the page. */
void claims_append_page(struct text *text, const struct claims_report *report);

/* Appends a plot as SVG for the page, in its colours, with a legend in HTML: text that can be read aloud, and sizes that
 * suit a telephone, where the files of plot_write suit a sheet of paper. words say what is to be seen. */
void claims_append_picture(struct text *text, const struct plot *plot, const char *name, const char *words);

/* Appends words as HTML takes them. */
void html_append(struct text *text, const char *words);

#endif
