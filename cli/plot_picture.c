/* A picture as files: SVG, PNG and PDF, light and dark. */
#include "plot_picture.h"

#include "file.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <fontconfig/fontconfig.h>
#include <stdio.h>

#define PNG_SCALE 2.0

#define COLOR(hex)                                                                                                     \
    {                                                                                                                  \
        ((hex) >> 16 & 0xFF) / 255.0, ((hex) >> 8 & 0xFF) / 255.0, ((hex)&0xFF) / 255.0                                \
    }

/* Okabe and Ito's colours, which colour-blind readers tell apart; made darker on white and lighter on black
 * until text in them can be read (contrast 4.5 and more). */
const struct theme picture_themes[PICTURE_THEMES] = {
    {
        .suffix = "",
        .background = COLOR(0xFFFFFF),
        .text = COLOR(0x1F2328),
        .muted = COLOR(0x59636E),
        .grid = COLOR(0xE4E8EC),
        .valley = COLOR(0xFFFFFF),
        .peak = COLOR(0xBCCBDC),
        .lines = {COLOR(0x6B6F76), COLOR(0x007F5F), COLOR(0xC24A00), COLOR(0x0068AB), COLOR(0xA8447F), COLOR(0x8A6100)},
        .band_opacity = 0.14,
    },
    {
        .suffix = "-dark",
        .background = COLOR(0x0D1117),
        .text = COLOR(0xE6EDF3),
        .muted = COLOR(0x9198A1),
        .grid = COLOR(0x22272E),
        .valley = COLOR(0x0D1117),
        .peak = COLOR(0x31445A),
        .lines = {COLOR(0xB4BAC2), COLOR(0x2CC79E), COLOR(0xFF8B3D), COLOR(0x5CB8F2), COLOR(0xE79CC6), COLOR(0xE6C229)},
        .band_opacity = 0.20,
    },
};

static cairo_status_t to_stream(void *stream, const unsigned char *data, unsigned length)
{
    return fwrite(data, 1, length, stream) == length ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static void put_escaped(FILE *stream, const char *text)
{
    for (; *text; ++text)
        if (*text == '<' || *text == '&')
            (void)fputs(*text == '<' ? "&lt;" : "&amp;", stream);
        else
            (void)fputc(*text, stream);
}

struct svg {
    FILE *stream;
    const struct picture *picture;
    int tags; /* that are written so far, up to 2: <?xml ...> and <svg ...> */
};

/* Says within and after <svg ...> what the picture shows, for those who cannot see it: cairo writes text as shapes. */
static void put_titles(const struct svg *svg)
{
    (void)fputs(" role=\"img\">\n<title>", svg->stream);
    put_escaped(svg->stream, svg->picture->title);
    (void)fputs("</title>\n<desc>", svg->stream);
    put_escaped(svg->stream, svg->picture->subtitle);
    (void)fputs("</desc>", svg->stream);
}

static cairo_status_t to_svg(void *context, const unsigned char *data, unsigned length)
{
    struct svg *svg = context;
    while (length > 0 && svg->tags < 2) {
        if (*data == '>' && ++svg->tags == 2)
            put_titles(svg);
        else
            (void)fputc(*data, svg->stream);
        ++data;
        --length;
    }
    const cairo_status_t status = to_stream(svg->stream, data, length);
    return ferror(svg->stream) ? CAIRO_STATUS_WRITE_ERROR : status;
}

static cairo_status_t draw(cairo_surface_t *surface, double scale, const struct picture *picture,
                           const struct theme *theme)
{
    struct canvas canvas = {.cairo = cairo_create(surface), .theme = theme};
    cairo_scale(canvas.cairo, scale, scale);
    set_color(&canvas, theme->background, 1);
    cairo_paint(canvas.cairo);

    cairo_font_options_t *font = cairo_font_options_create();
    cairo_font_options_set_hint_style(font, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(font, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(font, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(canvas.cairo, font);
    cairo_font_options_destroy(font);

    picture->draw(&canvas, picture->context);
    const cairo_status_t status = cairo_status(canvas.cairo);
    cairo_destroy(canvas.cairo);
    return status;
}

/* Draws, and whether that and all that was written went well. Takes the surface. */
static bool draw_and_finish(cairo_surface_t *surface, const struct picture *picture, const struct theme *theme)
{
    const cairo_status_t drawn = draw(surface, 1, picture, theme);
    cairo_surface_finish(surface);
    const cairo_status_t finished = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return drawn == CAIRO_STATUS_SUCCESS && finished == CAIRO_STATUS_SUCCESS;
}

static bool draw_svg(const struct picture *picture, const struct theme *theme, FILE *stream)
{
    struct svg svg = {.stream = stream, .picture = picture};
    cairo_surface_t *surface = cairo_svg_surface_create_for_stream(to_svg, &svg, picture->width, picture->height);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    return draw_and_finish(surface, picture, theme);
}

/* In points instead of pixels. Without a date: the same picture is the same bytes. */
static bool draw_pdf(const struct picture *picture, const struct theme *theme, FILE *stream)
{
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(to_stream, stream, picture->width, picture->height);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, picture->title);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, picture->subtitle);
    struct theme printed = *theme;
    printed.print = true;
    return draw_and_finish(surface, picture, &printed);
}

static bool draw_png(const struct picture *picture, const struct theme *theme, FILE *stream)
{
    cairo_surface_t *surface = picture_image(picture, theme, PNG_SCALE);
    const bool written =
        surface && cairo_surface_write_to_png_stream(surface, to_stream, stream) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(surface);
    return written;
}

cairo_surface_t *picture_image(const struct picture *picture, const struct theme *theme, double scale)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(scale * picture->width), (int)(scale * picture->height));
    if (draw(surface, scale, picture, theme) == CAIRO_STATUS_SUCCESS)
        return surface;
    cairo_surface_destroy(surface);
    return NULL;
}

static const struct format {
    const char *ending;
    bool light_only; /* what is printed is printed on white */
    bool (*draw)(const struct picture *picture, const struct theme *theme, FILE *stream);
} formats[] = {{"svg", false, draw_svg}, {"png", false, draw_png}, {"pdf", true, draw_pdf}};

static bool write_one(const struct picture *picture, const char *folder, const char *name, const char *ending,
                      const struct theme *theme, const struct format *format)
{
    struct text file_name = {0};
    struct file file;
    text_append(&file_name, "%s%s", name, ending);
    bool placed = false;
    if (!file_name.failed && file_open(&file, folder, file_name.text))
        placed = file_close(&file, format->draw(picture, theme, file.stream));
    text_free(&file_name);
    return placed;
}

bool picture_write(const struct picture *picture, const char *folder, const char *name, struct text *written)
{
    struct text endings = {0};
    bool placed = true;
    for (size_t i = 0; i < PICTURE_THEMES; ++i)
        for (size_t k = 0; placed && k < sizeof formats / sizeof formats[0]; ++k) {
            char ending[16];
            if (i != PICTURE_LIGHT && formats[k].light_only)
                continue;
            (void)snprintf(ending, sizeof ending, "%s.%s", picture_themes[i].suffix, formats[k].ending);
            placed = write_one(picture, folder, name, ending, &picture_themes[i], &formats[k]);
            if (placed)
                text_append(&endings, "%s%s", endings.length > 0 ? "," : "", ending);
        }
    if (endings.length > 0) {
        text_append(written, "%s", written->length > 0 ? " " : "");
        path_append(written, folder, name);
        text_append(written, "{%s}", endings.text);
    }
    text_free(&endings);
    return placed;
}

/* Cairo and its font finder keep fonts for the next drawing, which leak checkers take for lost. */
void plot_release(void)
{
    cairo_debug_reset_static_data();
    FcFini();
}
