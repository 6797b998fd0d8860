// The same from C++: the header is valid there, and the names have C linkage.
#include <cstdio>
#include <rmsprop.h>
#include <vector>

int main()
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.lr = 0.01;
    options.rho = 0.75;
    options.eps = 0.0;
    options.eps_inside = 1e-30;

    std::vector<float> param(1 << 20, 1.0F), grad(1 << 20, 2.0F);
    rms_tensor tensor = {};
    tensor.name = "p";
    tensor.count = param.size();
    tensor.param = param.data();
    tensor.grad = grad.data();

    rms_optimizer *optimizer = nullptr;
    if (rms_create(&optimizer, &options, nullptr) != RMS_OK)
        return 1;
    if (rms_add(optimizer, &tensor) != RMS_OK || rms_step(optimizer, nullptr) != RMS_OK)
        return 1;
    rms_free(optimizer);
    std::printf("%s %.4f %.4f\n", rms_version(), param.front(), param.back());
    return 0;
}
