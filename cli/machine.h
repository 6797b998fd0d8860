/* What the command runs on and was made with. */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include <rmsprop.h>

/* The instruction set that the library chooses here. False, after its sentence on stderr, when RMSPROP_ISA
 * names one that cannot be. */
bool machine_isa(rms_isa *isa);

/* "gcc 12.2.0". */
const char *machine_compiler(void);

#endif
