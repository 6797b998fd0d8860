/* Files that are whole or not there: written under another name, renamed when complete. */
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include "text.h"

#include <stdbool.h>
#include <stdio.h>

struct file {
    FILE *stream;
    char *path;
    char *temporary;
};

/* Appends folder/name, with one slash between them however many the folder ends in. */
void path_append(struct text *text, const char *folder, const char *name);

/* Makes the folder, with those above it, and tries whether files can be made in it; false after a sentence
 * if not. */
bool folder_prepare(const char *folder);

/* Opens folder/name for writing; false after a sentence. */
bool file_open(struct file *file, const char *folder, const char *name);

/* Puts the file in its place, after everything in it has reached the disk, if complete; else drops it.
 * False after a sentence, with nothing left behind, when it was dropped or this failed. */
bool file_close(struct file *file, bool complete);

#endif
