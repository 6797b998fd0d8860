/* Problems of the user's own, in shared objects. */
#ifndef LAB_PLUGIN_H
#define LAB_PLUGIN_H

#include <rmsprop_lab.h>

/* Loads the shared object at path and copies its problem to *problem: members that an older header lacked are zero. The
 * object stays loaded, since the copy points into it. RMS_ERROR_FILE when it cannot be loaded, RMS_ERROR_FORMAT when it
 * holds no problem that could be raced on; then *error tells what is wrong with it. */
rms_status lab_plugin_load(struct lab_problem *problem, const char *path, rms_error *error);

#endif
