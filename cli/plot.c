/* Charts as files: SVG and PNG, light and dark. */
#include "plot.h"

#include "file.h"
#include "plot_canvas.h"

#include <fontconfig/fontconfig.h>

#define PNG_SCALE 2.0

#define COLOR(hex)                                                                                                     \
    {                                                                                                                  \
        ((hex) >> 16 & 0xFF) / 255.0, ((hex) >> 8 & 0xFF) / 255.0, ((hex)&0xFF) / 255.0                                \
    }

/* Okabe and Ito's colours, which colour-blind readers tell apart; made darker on white and lighter on black
 * until text in them can be read (contrast 4.5 and more). */
static const struct theme themes[] = {
    {
        .suffix = "",
        .background = COLOR(0xFFFFFF),
        .text = COLOR(0x1F2328),
        .muted = COLOR(0x59636E),
        .grid = COLOR(0xE4E8EC),
        .lines = {COLOR(0x6B6F76), COLOR(0x007F5F), COLOR(0xC24A00), COLOR(0x0068AB), COLOR(0xA8447F), COLOR(0x8A6100)},
        .band_opacity = 0.14,
    },
    {
        .suffix = "-dark",
        .background = COLOR(0x0D1117),
        .text = COLOR(0xE6EDF3),
        .muted = COLOR(0x9198A1),
        .grid = COLOR(0x22272E),
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
    const struct plot *plot;
    int tags; /* that are written so far, up to 2: <?xml ...> and <svg ...> */
};

/* Says within and after <svg ...> what the picture shows, for those who cannot see it: cairo writes text as shapes. */
static void put_titles(const struct svg *svg)
{
    (void)fputs(" role=\"img\">\n<title>", svg->stream);
    put_escaped(svg->stream, svg->plot->title);
    (void)fputs("</title>\n<desc>", svg->stream);
    put_escaped(svg->stream, svg->plot->subtitle);
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

static bool draw_svg(const struct plot *plot, const struct theme *theme, FILE *stream)
{
    struct svg svg = {.stream = stream, .plot = plot};
    cairo_surface_t *surface = cairo_svg_surface_create_for_stream(to_svg, &svg, WIDTH, HEIGHT);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    const cairo_status_t drawn = plot_draw(surface, 1, plot, theme);
    cairo_surface_finish(surface);
    const cairo_status_t finished = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return drawn == CAIRO_STATUS_SUCCESS && finished == CAIRO_STATUS_SUCCESS;
}

static bool draw_png(const struct plot *plot, const struct theme *theme, FILE *stream)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(PNG_SCALE * WIDTH), (int)(PNG_SCALE * HEIGHT));
    const cairo_status_t drawn = plot_draw(surface, PNG_SCALE, plot, theme);
    const cairo_status_t written = cairo_surface_write_to_png_stream(surface, to_stream, stream);
    cairo_surface_destroy(surface);
    return drawn == CAIRO_STATUS_SUCCESS && written == CAIRO_STATUS_SUCCESS;
}

static const struct format {
    const char *ending;
    bool (*draw)(const struct plot *plot, const struct theme *theme, FILE *stream);
} formats[] = {{"svg", draw_svg}, {"png", draw_png}};

static bool write_one(const struct plot *plot, const char *folder, const char *name, const struct theme *theme,
                      const struct format *format, struct text *written)
{
    struct text file_name = {0};
    struct file file;
    text_append(&file_name, "%s%s.%s", name, theme->suffix, format->ending);
    bool placed = false;
    if (!file_name.failed && file_open(&file, folder, file_name.text))
        placed = file_close(&file, format->draw(plot, theme, file.stream));
    if (placed) {
        text_append(written, "%s", written->length > 0 ? " " : "");
        path_append(written, folder, file_name.text);
    }
    text_free(&file_name);
    return placed;
}

bool plot_write(const struct plot *plot, const char *folder, const char *name, struct text *written)
{
    for (size_t i = 0; i < sizeof themes / sizeof themes[0]; ++i)
        for (size_t k = 0; k < sizeof formats / sizeof formats[0]; ++k)
            if (!write_one(plot, folder, name, &themes[i], &formats[k], written))
                return false;
    return true;
}

/* Cairo and its font finder keep fonts for the next drawing, which leak checkers take for lost. */
void plot_release(void)
{
    cairo_debug_reset_static_data();
    FcFini();
}
