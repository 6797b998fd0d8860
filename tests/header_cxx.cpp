/* The header from C++11 and C++17: it compiles under the strictest warnings, links, and runs. cmocka is C's;
 * the exit status tells. */
#include <rmsprop.h>
#include <rmsprop_lab.h>

int main()
{
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 0.5;
    rms_error error;
    rms_optimizer *optimizer = nullptr;
    if (rms_create(&optimizer, &options, &error) != RMS_OK)
        return 1;
    float param = 8;
    float gradient = 2;
    rms_tensor tensor = rms_tensor();
    tensor.name = "p";
    tensor.count = 1;
    tensor.param = &param;
    tensor.grad = &gradient;
    const bool stepped = rms_add(optimizer, &tensor) == RMS_OK && rms_step(optimizer, nullptr) == RMS_OK;
    rms_free(optimizer);
    return stepped && param == 7 ? 0 : 1;
}
