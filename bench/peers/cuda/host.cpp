// The same source on the host, on one thread, to check it without a GPU:
//   host EPISODES MAX_STEPS SEED REPEATS WEIGHTS... | host starts COUNT SEED
#include ENVIRONMENT
#include "arguments.h"
#include <chrono>

constexpr Trig trig = Environment<Trig::library>::near_zero ? Trig::near_zero : Trig::polynomial;
using Env = Environment<trig>;

// The start states, as the bits of their four numbers.
static void print_starts(uint32_t count, uint64_t seed) {
  for (uint32_t i = 0; i < count; i++) {
    const Env env(seed + i);
    uint32_t bits[4];
    static_assert(sizeof env == sizeof bits, "a state is four numbers");
    memcpy(bits, &env, sizeof bits);
    printf("%08x %08x %08x %08x\n", bits[0], bits[1], bits[2], bits[3]);
  }
}

int main(int count, char **values) {
  if (count == 4 && !strcmp(values[1], "starts")) {
    print_starts(atoi(values[2]), strtoull(values[3], nullptr, 10));
    return 0;
  }
  const Arguments given(count, values, Env::scores);
  const auto began = std::chrono::steady_clock::now();
  Sums apart, on;
  for (uint32_t i = 0; i < given.job.episodes; i++) play<Env, 4>(given.policy, given.job, i, apart);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  play_on<Env>(given.policy, given.job, 0, 1, on);
  if (apart.returns != on.returns || apart.lengths != on.lengths) {
    fprintf(stderr, "the two loops disagree: %llu and %llu steps\n", apart.lengths, on.lengths);
    return 1;
  }
  print_result(apart, given.job, took.count(), -1, "host, one thread", "polynomials");
  printf("[]}\n");
}
