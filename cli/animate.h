/* Moving pictures: raw frames piped to ffmpeg, which makes a GIF of them. */
#ifndef CLI_ANIMATE_H
#define CLI_ANIMATE_H

#include "text.h"

#include <cairo.h>
#include <stdbool.h>
#include <stddef.h>

struct animation {
    size_t frame_count;
    int width, height;
    double frames_per_second;

    /* An image surface of that size, RGB24, which is the caller's to destroy; NULL when memory is short. The last frame
     * has all colours that there are. */
    cairo_surface_t *(*frame)(void *context, size_t index);
    void *context;
};

/* Writes folder/NAME.gif, whole or not at all, and appends its path to *written. False after a sentence: without ffmpeg,
 * when it fails or ends early, when the disk is full, and after a signal. */
bool animate_write(const struct animation *animation, const char *folder, const char *name, struct text *written);

#endif
