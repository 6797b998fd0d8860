/* Claims as one page that needs nothing else. */
#include "claims.h"

#include "machine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Colours are told by name, light and dark, those of lines as in plot_picture.c; what tells verdicts apart is a sign and
 * a word besides. */
static const char style[] =
    ":root{--bg:#f7f7f5;--card:#fff;--text:#1b1d21;--muted:#555b65;--edge:#dfe1e6;--grid:#e6e8ec;--link:#0b57a4;"
    "--c0:#6b6f76;--c1:#007f5f;--c2:#c24a00;--c3:#0068ab;--c4:#a8447f;--c5:#8a6100;"
    "--yes:#14602f;--yes-bg:#e2f3e7;--no:#96200f;--no-bg:#fbe5e2;--half:#714600;--half-bg:#fbeecd}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#13151a;--card:#1b1e25;--text:#e9eaed;--muted:#a7adb8;"
    "--edge:#2f343d;--grid:#2b3038;--link:#8cc4ff;"
    "--c0:#b4bac2;--c1:#2cc79e;--c2:#ff8b3d;--c3:#5cb8f2;--c4:#e79cc6;--c5:#e6c229;"
    "--yes:#94e2ad;--yes-bg:#14361f;--no:#ffb3a8;--no-bg:#451b18;--half:#f2cf80;--half-bg:#3b2e0b}}\n"
    "*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}\n"
    "body{margin:0;background:var(--bg);color:var(--text);"
    "font:1rem/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif}\n"
    "header,main,footer{max-width:64rem;margin:0 auto;padding:0 1rem}\n"
    "header{padding-top:2.2rem}h1{font-size:1.9rem;line-height:1.2;margin:0 0 .6rem;letter-spacing:-.01em}\n"
    "h2{font-size:1.3rem;line-height:1.3;margin:0}h3{font-size:1rem;margin:1.4rem 0 .4rem}p{margin:.5rem 0}\n"
    "a{color:var(--link)}.muted{color:var(--muted)}.small{font-size:.9rem}\n"
    ".card{background:var(--card);border:1px solid var(--edge);border-radius:12px;padding:1.3rem 1.4rem;margin:1.2rem "
    "0}\n"
    ".head{display:flex;flex-wrap:wrap;gap:.5rem .9rem;align-items:center;justify-content:space-between}\n"
    ".number{color:var(--muted);font-weight:500;margin-right:.45em}\n"
    ".chip{display:inline-block;white-space:nowrap;border-radius:99px;padding:.1rem .75rem;font-size:.92rem;"
    "font-weight:600}.yes{color:var(--yes);background:var(--yes-bg)}.no{color:var(--no);background:var(--no-bg)}"
    ".half{color:var(--half);background:var(--half-bg)}\n"
    "blockquote{margin:.7rem 0 .3rem;padding:0 0 0 .9rem;border-left:3px solid var(--edge);font-size:1.06rem}\n"
    ".found{font-size:1.02rem;max-width:60rem}\n"
    ".charts{display:grid;gap:1.2rem 1.8rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));"
    "margin-top:1.1rem}\n"
    "figure{margin:0;min-width:0}figcaption{font-weight:600;margin-bottom:.3rem}\n"
    ".chart{display:block;width:100%;height:auto;max-width:34rem;overflow:visible}\n"
    ".chart text{fill:var(--muted);font-size:12.5px;font-family:inherit}\n"
    ".grid{stroke:var(--grid);fill:none}.axis{stroke:var(--muted);fill:none}\n"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.band{fill-opacity:.14;stroke:none}\n"
    ".c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}.c4{stroke:var(--c4)}"
    ".c5{stroke:var(--c5)}.f0{fill:var(--c0)}.f1{fill:var(--c1)}.f2{fill:var(--c2)}.f3{fill:var(--c3)}"
    ".f4{fill:var(--c4)}.f5{fill:var(--c5)}.d1{stroke-dasharray:7 4}.d2{stroke-dasharray:2 4}"
    ".d3{stroke-dasharray:9 3 2 3}\n"
    ".legend{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;margin:.2rem 0 0;padding:0;font-size:.9rem}"
    ".legend svg{vertical-align:middle}\n"
    ".besides{padding-top:.9rem}.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:"
    "tabular-nums}\n"
    "th,td{text-align:left;padding:.38rem .9rem .38rem 0;border-bottom:1px solid "
    "var(--edge);vertical-align:baseline}\n"
    "th{font-size:.86rem;color:var(--muted);font-weight:600}td.n{white-space:nowrap}tr:last-child "
    "td{border-bottom:0}\n"
    "th[scope=row]{font-size:inherit;color:inherit;font-weight:400}tr:last-child th[scope=row]{border-bottom:0}\n"
    "details{margin-top:1rem}summary{cursor:pointer;font-weight:600}\n"
    "pre{overflow-x:auto;background:var(--bg);border:1px solid var(--edge);border-radius:8px;padding:.55rem .8rem;"
    "margin:.6rem 0 0;font-size:.88rem}code{font-family:ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,monospace}\n"
    "footer{padding:1rem 1rem 3rem}@media(max-width:40rem){.card{padding:1rem;border-radius:10px}\n"
    ".figures,.figures thead,.figures tbody{display:block}"
    ".figures tr{display:grid;grid-template-columns:minmax(0,1fr) auto auto;align-items:baseline;gap:0 "
    ".8rem;padding:.4rem 0;"
    "border-bottom:1px solid var(--edge)}.figures th,.figures td{border:0;padding:0}"
    ".figures th:first-child{grid-column:1/-1}.figures td.n:nth-child(2){white-space:normal}.chart "
    "text{font-size:14.5px}}\n"
    "@media print{.card{break-inside:avoid;border:0;padding:0}body{background:#fff}}\n";

void html_append(struct text *text, const char *words)
{
    while (*words) {
        const size_t plain = strcspn(words, "&<>\"'");
        text_append(text, "%.*s", (int)plain, words);
        words += plain;
        switch (*words) {
        case '&':
            text_append(text, "&amp;");
            break;
        case '<':
            text_append(text, "&lt;");
            break;
        case '>':
            text_append(text, "&gt;");
            break;
        case '"':
            text_append(text, "&quot;");
            break;
        case '\'':
            text_append(text, "&#39;");
            break;
        default:
            return;
        }
        ++words;
    }
}

/* The end of "e+07" within words; NULL where there is no such exponent. */
static const char *end_of_exponent(const char *words)
{
    if (words[0] != 'e' || (words[1] != '+' && words[1] != '-') || words[2] < '0' || words[2] > '9')
        return NULL;
    return words + 2 + strspn(words + 2, "0123456789");
}

/* The same with powers of ten and signs as they are printed: 1.02e+07, <= 1.5. */
static void append_prose(struct text *text, const char *words)
{
    char plain[2] = {0};
    for (const char *next = words; *next;) {
        const char *const end = next > words && next[-1] >= '0' && next[-1] <= '9' ? end_of_exponent(next) : NULL;
        if (end) {
            text_append(text, "&thinsp;&times;&thinsp;10<sup>%s%ld</sup>", next[1] == '-' ? "−" : "",
                        strtol(next + 2, NULL, 10));
            next = end;
        } else if ((next[0] == '<' || next[0] == '>') && next[1] == '=') {
            text_append(text, next[0] == '<' ? "≤" : "≥");
            next += 2;
        } else {
            plain[0] = *next++;
            html_append(text, plain);
        }
    }
}

static void append_element(struct text *text, const char *opening, const char *words, const char *closing)
{
    text_append(text, "%s", opening);
    append_prose(text, words);
    text_append(text, "%s", closing);
}

static void append_chip(struct text *text, bool yes, bool no, const char *words)
{
    text_append(text, "<span class=\"chip %s\">%s ", yes ? "yes" : no ? "no" : "half", yes ? "✓" : no ? "✗" : "±");
    append_element(text, "", words, "</span>");
}

static void append_verdict(struct text *text, enum lab_verdict verdict)
{
    append_chip(text, verdict == LAB_VERDICT_HOLDS, verdict == LAB_VERDICT_FAILS, lab_verdict_name(verdict));
}

static void append_head(struct text *text, const struct claims_report *report)
{
    text_append(text, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=\"color-scheme\" content=\"light dark\">\n"
                      "<title>Claims about RMSProp, tested</title>\n<style>\n");
    text_append(text, "%s", style);
    text_append(
        text,
        "</style>\n</head>\n<body>\n<header>\n<h1>Claims about RMSProp, tested</h1>\n"
        "<p>Each claim is an experiment. Its verdict is computed from checks that were fixed before the "
        "run: it <em>holds</em> when all of them do, <em>does not hold</em> when none does, and is "
        "<em>mixed</em> otherwise. Brackets are 95&nbsp;%% bootstrap intervals over seeds; a check is "
        "<em>open</em> when its interval lies on both sides of the bound.</p>\n"
        "<p class=\"muted small\">rmsprop %s, seed %" PRIu64 "%s%s; the figures are the same on every machine and "
        "thread count.</p>\n</header>\n<main>\n",
        rms_version(), report->seed,
        report->finished < report->count ? ", <strong>not all claims are finished</strong>" : "",
        report->quick ? ", <strong>quick: indicative only</strong>, with fewer seeds and shorter experiments" : "");
}

static void append_summary(struct text *text, const struct claims_report *report)
{
    text_append(text, "<section class=\"card\" aria-labelledby=\"summary\">\n<h2 id=\"summary\">Summary</h2>\n"
                      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"summary\"><table "
                      "class=\"figures\" role=\"table\">\n"
                      "<thead role=\"rowgroup\"><tr role=\"row\"><th scope=\"col\" role=\"columnheader\">Claim</th><th "
                      "scope=\"col\" role=\"columnheader\">Verdict</th>"
                      "<th scope=\"col\" role=\"columnheader\">Checks</th></tr></thead>\n<tbody role=\"rowgroup\">\n");
    for (size_t i = 0; i < report->count; ++i) {
        const struct claims_result *const result = &report->results[i];
        text_append(text, "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\"><span class=\"number\">%zu</span>",
                    result->number);
        if (result->finished)
            text_append(text, "<a href=\"#claim-%s\">", result->claim->name);
        append_element(text, "", result->claim->title,
                       result->finished ? "</a></th><td class=\"n\" role=\"cell\">" : "</th><td role=\"cell\">");
        if (result->finished) {
            append_verdict(text, result->finding.verdict);
            text_append(text, "</td><td class=\"n\" role=\"cell\">%zu of %zu</td></tr>\n", result->finding.held,
                        result->finding.judged);
        } else {
            text_append(text, "<span class=\"muted\">not run</span></td><td role=\"cell\"></td></tr>\n");
        }
    }
    text_append(text, "</tbody></table></div>\n</section>\n");
}

static void append_figure_row(struct text *text, const struct lab_measure *measure, const struct lab_figure *figure,
                              enum lab_outcome outcome)
{
    char words[FIGURE_TEXT_SIZE];
    append_element(text, "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">", measure->label, "</th>");
    append_element(text, "<td class=\"n\" role=\"cell\">", figure_text(words, measure, figure), "</td>");
    append_element(text, "<td class=\"n\" role=\"cell\">", expectation_text(words, measure),
                   "</td><td class=\"n\" role=\"cell\">");
    if (outcome != LAB_OUTCOME_NONE)
        append_chip(text, outcome == LAB_OUTCOME_HOLDS, outcome == LAB_OUTCOME_FAILS, lab_outcome_name(outcome));
    text_append(text, "</td></tr>\n");
}

/* What was judged first. */
static void append_figures(struct text *text, const struct claims_result *result)
{
    const struct lab_claim *const claim = result->claim;
    text_append(text,
                "<h3 id=\"figures-%s\">Figures and checks</h3>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                "aria-labelledby=\"figures-%s\"><table class=\"figures\" role=\"table\">\n<thead role=\"rowgroup\">"
                "<tr role=\"row\"><th scope=\"col\" role=\"columnheader\">Figure</th>"
                "<th scope=\"col\" role=\"columnheader\">Value [95&nbsp;%%]</th>"
                "<th scope=\"col\" role=\"columnheader\">Expected</th>"
                "<th scope=\"col\" role=\"columnheader\">Check</th></tr></thead>\n<tbody role=\"rowgroup\">\n",
                claim->name, claim->name);
    bool others = false;
    for (int judged = 1; judged >= 0; --judged)
        for (size_t i = 0; i < claim->measure_count; ++i) {
            if ((claim->measures[i].expects != LAB_EXPECT_NOTHING) != (judged != 0) ||
                is_left_out(&claim->measures[i], &result->finding.figures[i]))
                continue;
            if (!judged && !others)
                text_append(text, "<tr role=\"row\"><th role=\"rowheader\" class=\"besides\" colspan=\"4\">Besides, "
                                  "not judged</th></tr>\n");
            others = others || !judged;
            append_figure_row(text, &claim->measures[i], &result->finding.figures[i], result->finding.outcomes[i]);
        }
    text_append(text, "</tbody></table></div>\n");
    if (count_left_out(result) > 0)
        text_append(text, "<p class=\"muted small\">A full run has %zu more.</p>\n", count_left_out(result));
}

static void append_run(struct text *text, const struct claims_report *report, const struct claims_result *result)
{
    struct text rerun = {0};
    claims_append_rerun(&rerun, report, result->claim);
    text_append(text, "<div><h3>What was run</h3>\n");
    append_element(text, "<p>", result->claim->experiment, "</p>\n");
    append_element(text, "<pre><code>", rerun.failed ? "" : rerun.text, "</code></pre></div>\n");
    text_free(&rerun);
}

struct pictured {
    struct text *text;
    const char *words;
};

static bool append_plot(void *context, const struct plot *plot, const char *name)
{
    const struct pictured *const pictured = context;
    claims_append_picture(pictured->text, plot, name, pictured->words);
    return true;
}

static void append_claim(struct text *text, const struct claims_report *report, const struct claims_result *result)
{
    const struct lab_claim *const claim = result->claim;
    text_append(text,
                "<section class=\"card\" id=\"claim-%s\" aria-labelledby=\"title-%s\">\n<div class=\"head\">"
                "<h2 id=\"title-%s\"><span class=\"number\">%zu</span>",
                claim->name, claim->name, claim->name, result->number);
    append_element(text, "", claim->title, "</h2>");
    append_verdict(text, result->finding.verdict);
    append_element(text, "</div>\n<blockquote>", claim->statement, "</blockquote>\n");
    append_element(text, "<p class=\"muted small\">", claim->source,
                   claim->question ? " (an open question)</p>\n" : "</p>\n");
    append_element(text, "<p class=\"found\">", result->finding.conclusion, "</p>\n<div class=\"charts\">\n");
    for (size_t i = 0; i < result->finding.chart_count; ++i) {
        struct pictured pictured = {.text = text, .words = result->finding.charts[i].words};
        (void)claims_draw(report, &result->finding.charts[i], append_plot, &pictured);
    }
    const bool beside = result->finding.chart_count % 2 == 1;
    if (beside)
        append_run(text, report, result);
    text_append(text, "</div>\n");
    append_figures(text, result);
    if (!beside)
        append_run(text, report, result);
    text_append(text, "</section>\n");
}

void claims_append_page(struct text *text, const struct claims_report *report)
{
    append_head(text, report);
    append_summary(text, report);
    for (size_t i = 0; i < report->count; ++i)
        if (report->results[i].finished)
            append_claim(text, report, &report->results[i]);
    text_append(text, "</main>\n<footer class=\"muted small\">\n<p>All of it again:</p>\n");
    append_element(text, "<pre><code>", report->rerun, "</code></pre>\n");
    text_append(text, "<p>Made by rmsprop %s (", rms_version());
    append_element(text, "", machine_compiler(), "");
    text_append(text, ", %s kernels).</p>\n</footer>\n</body>\n</html>\n", rms_isa_name(report->isa));
}
