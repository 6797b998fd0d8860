/* Checkpoints in a build without jansson or xxHash: every function says so. */
#include "message.h"
#include "optimizer.h"

#include <rmsprop_checkpoint.h>

static const char sentence[] = "this build has no checkpoints: jansson or xxHash was not there";

rms_status rms_save(rms_optimizer *optimizer, const char *path)
{
    return rms_save_as(optimizer, path, RMS_LAYOUT_FULL);
}

rms_status rms_save_as(rms_optimizer *optimizer, const char *path, rms_layout layout)
{
    (void)path;
    (void)layout;
    return optimizer ? fail(optimizer_error(optimizer), RMS_ERROR_UNSUPPORTED, sentence) : RMS_ERROR_ARGUMENT;
}

rms_status rms_load(rms_optimizer *optimizer, const char *path)
{
    return rms_save_as(optimizer, path, RMS_LAYOUT_FULL);
}

rms_status rms_checkpoint_open(rms_checkpoint **checkpoint, const char *path, rms_error *error)
{
    (void)path;
    if (checkpoint)
        *checkpoint = NULL;
    return fail(error, RMS_ERROR_UNSUPPORTED, sentence);
}

void rms_checkpoint_close(rms_checkpoint *checkpoint)
{
    (void)checkpoint;
}

rms_status rms_checkpoint_info_of(const rms_checkpoint *checkpoint, rms_checkpoint_info *info)
{
    (void)checkpoint;
    (void)info;
    return RMS_ERROR_UNSUPPORTED;
}

rms_status rms_checkpoint_tensor_at(const rms_checkpoint *checkpoint, size_t tensor, rms_checkpoint_tensor *out)
{
    (void)checkpoint;
    (void)tensor;
    (void)out;
    return RMS_ERROR_UNSUPPORTED;
}

rms_status rms_checkpoint_options(const rms_checkpoint *checkpoint, size_t group, rms_options *options,
                                  size_t struct_size)
{
    (void)checkpoint;
    (void)group;
    (void)options;
    (void)struct_size;
    return RMS_ERROR_UNSUPPORTED;
}

rms_status rms_checkpoint_read(rms_checkpoint *checkpoint, size_t tensor, const char *slot, void *out, size_t bytes,
                               rms_error *error)
{
    (void)checkpoint;
    (void)tensor;
    (void)slot;
    (void)out;
    (void)bytes;
    return fail(error, RMS_ERROR_UNSUPPORTED, sentence);
}
