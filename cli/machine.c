/* What the command runs on and was made with. */
#include "machine.h"

#include "output.h"

bool machine_isa(rms_isa *isa)
{
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = NULL;
    rms_error error;
    if (rms_create(&optimizer, &options, &error) != RMS_OK) {
        complain("%s", error.message);
        return false;
    }
    *isa = rms_chosen_isa(optimizer);
    rms_free(optimizer);
    return true;
}

const char *machine_compiler(void)
{
#if defined(__clang__)
    return "clang " __clang_version__;
#elif defined(__GNUC__)
    return "gcc " __VERSION__;
#else
    return "unknown";
#endif
}
