/* The header as its users compile it: alone, twice, under the strictest warnings (CMakeLists.txt adds them),
 * and its quickstart as it stands. */
#include <rmsprop.h>
#include <rmsprop_lab.h>

#include "support.h"

static float w[3], dw[3];

static void backward(void)
{
    for (int i = 0; i < 3; ++i)
        dw[i] = 2 * (w[i] - (float)i); /* of the loss sum (w[i] - i)^2 */
}

static void the_quickstart_of_the_header_trains(void **state)
{
    (void)state;
    const size_t n = 3;
    const int steps = 3000;

    rms_options options = rms_options_for(RMS_RMSPROP);
    options.lr = 1e-3;

    rms_optimizer *optimizer;
    rms_error error;
    if (rms_create(&optimizer, &options, &error) != RMS_OK)
        fail_msg("%s", error.message);
    rms_add(optimizer, &(rms_tensor){.name = "fc1.weight", .count = n, .param = w, .grad = dw});
    for (int i = 0; i < steps; ++i) {
        backward();                // your code fills dw
        rms_step(optimizer, NULL); // updates w
    }
    rms_free(optimizer);

    for (int i = 0; i < 3; ++i)
        assert_true(w[i] > (float)i - 0.01F && w[i] < (float)i + 0.01F);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_quickstart_of_the_header_trains)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
