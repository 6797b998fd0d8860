/* Writes the first seeds of checkpoint_fuzzer: a checkpoint of each object in each layout that can hold it.
 *
 *     fuzz_seeds FOLDER */
#include "objects.h"

#include <stdio.h>

int main(int count, char **arguments)
{
    if (count != 2)
        return fprintf(stderr, "usage: fuzz_seeds FOLDER\n"), 2;
    int written = 0;
    for (size_t number = 0; number < OBJECTS; ++number)
        for (int layout = RMS_LAYOUT_FULL; layout <= RMS_LAYOUT_PYTORCH; ++layout) {
            struct fuzz_object object;
            char path[4096];
            fuzz_create(&object, number);
            (void)snprintf(path, sizeof path, "%s/object%zu-%s", arguments[1], number,
                           rms_layout_name((rms_layout)layout));
            memset(object.grad, 0x3c, sizeof object.grad); /* something that is a number in every dtype */
            for (int step = 0; step < 2; ++step)
                fuzz_require(rms_step(object.optimizer, NULL) == RMS_OK);
            const rms_status status = rms_save_as(object.optimizer, path, (rms_layout)layout);
            if (status == RMS_OK)
                ++written;
            else if (status != RMS_ERROR_UNSUPPORTED)
                (void)fprintf(stderr, "%s\n", rms_message(object.optimizer));
            rms_free(object.optimizer);
        }
    return printf("%d seeds\n", written) < 0 || written == 0;
}
