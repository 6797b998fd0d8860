/* The updates as expressions on whole arrays, with Armadillo, the way ensmallen's RMSProp, AdaGrad, Adam and momentum
 * updates are written: a few passes over memory, each an expression that the library fuses. One thread. */
#include "requests.h"

#include <armadillo>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace
{

struct tensor {
    arma::fvec param; /* the caller's memory, as is grad */
    arma::fvec grad;
    arma::fvec first; /* state */
    arma::fvec second;
};

struct rates {
    float lr, rho, beta1, beta2, momentum, eps;
    long steps;
};

using update = void (*)(tensor &, const rates &);

void sgd(tensor &it, const rates &rate)
{
    it.first = rate.momentum * it.first - rate.lr * it.grad;
    it.param += it.first;
}

void adagrad(tensor &it, const rates &rate)
{
    it.first += it.grad % it.grad;
    it.param -= rate.lr * it.grad / (arma::sqrt(it.first) + rate.eps);
}

void rmsprop(tensor &it, const rates &rate)
{
    it.first *= rate.rho;
    it.first += (1 - rate.rho) * (it.grad % it.grad);
    it.param -= rate.lr * it.grad / (arma::sqrt(it.first) + rate.eps);
}

void adam(tensor &it, const rates &rate)
{
    it.first *= rate.beta1;
    it.first += (1 - rate.beta1) * it.grad;
    it.second *= rate.beta2;
    it.second += (1 - rate.beta2) * (it.grad % it.grad);
    const float correction1 = 1 - std::pow(rate.beta1, static_cast<float>(rate.steps));
    const float correction2 = 1 - std::pow(rate.beta2, static_cast<float>(rate.steps));
    it.param -= (rate.lr * std::sqrt(correction2) / correction1) * it.first / (arma::sqrt(it.second) + rate.eps);
}

struct optimizer {
    rates rate;
    update step;
    std::vector<tensor> tensors;
};

void *prepare(const request *request, const arrays *arrays, char reason[REASON_SIZE])
{
    const std::map<std::string, update> rules = {
        {"sgd", sgd}, {"adagrad", adagrad}, {"rmsprop", rmsprop}, {"adam", adam}};
    const auto rule = rules.find(request->rule);
    if (rule == rules.end() || request->threads != 1) {
        std::snprintf(reason, REASON_SIZE, "%s", request->threads != 1 ? "it has one thread" : "it has no such rule");
        return nullptr;
    }
    const auto narrow = [](double value) { return static_cast<float>(value); };
    auto *made = new optimizer{{narrow(request->lr), narrow(request->rho), narrow(request->beta1),
                                narrow(request->beta2), narrow(request->momentum), narrow(request->eps), 0},
                               rule->second,
                               {}};
    const arma::uword count = arrays->count;
    const arma::uword second = rule->first == "adam" ? count : 0;
    made->tensors.reserve(arrays->tensors);
    for (size_t i = 0; i < arrays->tensors; ++i)
        made->tensors.push_back({arma::fvec(arrays->param + i * arrays->stride, count, false, true),
                                 arma::fvec(arrays->grad + i * arrays->stride, count, false, true),
                                 arma::fvec(count, arma::fill::zeros), arma::fvec(second, arma::fill::zeros)});
    return made;
}

void step(void *prepared)
{
    auto *made = static_cast<optimizer *>(prepared);
    ++made->rate.steps;
    for (tensor &it : made->tensors)
        made->step(it, made->rate);
}

void release(void *prepared)
{
    delete static_cast<optimizer *>(prepared);
}

} // namespace

int main()
{
    const contestant armadillo = {prepare, step, release};
    return serve(&armadillo);
}
