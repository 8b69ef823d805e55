// What both environments share: NumPy's random numbers, sine and cosine, the episode loop. Float32, everything of an
// episode in registers. It compiles for the GPU and, to check it without one, for the host.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define DEVICE __device__ __forceinline__
#else
#define DEVICE inline
#endif

// Rounded twice, as NumPy does it: a fused operation could move a start state by one bit.
DEVICE double affine(double low, double width, double unit) {
#ifdef __CUDA_ARCH__
  return __dadd_rn(low, __dmul_rn(width, unit));
#else
  return low + width * unit;
#endif
}

// Within two units in the last place, which is what WGSL asks of its division; the exact `/` takes many instructions.
DEVICE float divide(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fdividef(a, b);
#else
  return a / b;
#endif
}

// NumPy's PCG64, seeded by its SeedSequence with one integer.
class Rng {
  using Word = unsigned __int128;
  Word state, increment;

  static DEVICE uint32_t hash(uint32_t value, uint32_t &constant, uint32_t step) {
    value ^= constant;
    constant *= step;
    value *= constant;
    return value ^ (value >> 16);
  }

  DEVICE void advance() {
    state = state * (Word(0x2360ed051fc65da4u) << 64 | 0x4385df649fccf645u) + increment;
  }

public:
  DEVICE explicit Rng(uint64_t seed) {
    uint32_t pool[4] = {uint32_t(seed), uint32_t(seed >> 32), 0, 0};
    uint32_t constant = 0x43b0d7e5u;
    for (int i = 0; i < 4; i++) pool[i] = hash(pool[i], constant, 0x931e8875u);
    for (int from = 0; from < 4; from++) {
      for (int to = 0; to < 4; to++) {
        if (from == to) continue;
        const uint32_t mixed = 0xca01f9ddu * pool[to] - 0x4973f715u * hash(pool[from], constant, 0x931e8875u);
        pool[to] = mixed ^ (mixed >> 16);
      }
    }
    uint64_t words[4];
    constant = 0x8b51f9ddu;
    for (int i = 0; i < 4; i++) {
      const uint64_t low = hash(pool[(2 * i) & 3], constant, 0x58f38dedu);
      words[i] = low | uint64_t(hash(pool[(2 * i + 1) & 3], constant, 0x58f38dedu)) << 32;
    }
    increment = (Word(words[2]) << 64 | words[3]) << 1 | 1;
    state = increment + (Word(words[0]) << 64 | words[1]);
    advance();
  }

  // In [low, high), rounded from float64.
  DEVICE float uniform(double low, double high) {
    advance();
    const uint64_t folded = uint64_t(state >> 64) ^ uint64_t(state);
    const int turn = int(state >> 122);
    const uint64_t bits = folded >> turn | folded << (-turn & 63);
    return float(affine(low, high - low, (bits >> 11) * 0x1p-53));
  }
};

enum class Trig {
  near_zero,  // shorter polynomials, no reduction of the argument: below 0.6 units in the last place for |x| <= 0.21
  polynomial, // as shaders/lib/trig.wgsl
  library,    // sincosf
  fast,       // __sincosf: too coarse for dynamics
};

template <Trig trig> DEVICE void sine_cosine(float x, float &sine, float &cosine) {
  if constexpr (trig == Trig::near_zero) {
    const float z = x * x;
    sine = x + x * z * (-0.16666651f + z * 0.0083211595f);
    cosine = 1 + z * (-0.5f + z * (0.041666638f + z * -0.0013871852f));
  } else if constexpr (trig == Trig::polynomial) {
    // Adding 1.5 2^23 rounds to a whole number and leaves it in the low bits, without the slow conversions.
    const float shifted = x * 0.6366197723675814f + 12582912.0f, q = shifted - 12582912.0f;
    int quarter;
    memcpy(&quarter, &shifted, sizeof quarter);
    // pi/2 in three parts, of which the first two make exact products.
    const float near = (x - q * 1.57080078125f) - q * -4.454515874385834e-06f;
    const float rest = q * 6.07710062827671e-11f;
    const float r = near - rest, z = r * r;
    const float s = near + (r * z * (-0.16666655f + z * (0.008332176f + z * -0.00019516978f)) - rest);
    const float c = 1 + z * (-0.5f + z * (0.041666646f + z * (-0.0013887313f + z * 2.4432786e-05f)));
    // Each quarter turn swaps the two and flips a sign.
    const bool swap = quarter & 1;
    sine = swap ? c : s;
    cosine = swap ? s : c;
    if (quarter & 2) sine = -sine;
    if ((quarter + 1) & 2) cosine = -cosine;
  } else {
#ifdef __CUDA_ARCH__
    if constexpr (trig == Trig::fast) return __sincosf(x, &sine, &cosine);
#endif
    sincosf(x, &sine, &cosine);
  }
}

struct Policy {
  float weights[4], bias;

  DEVICE float operator()(float a, float b, float c, float d) const {
    return bias + a * weights[0] + b * weights[1] + c * weights[2] + d * weights[3];
  }
};

// The returns of both environments are whole numbers.
struct Sums {
  unsigned long long returns = 0, lengths = 0;

  template <class Env> DEVICE void add(uint32_t steps, bool terminated) {
    lengths += steps;
    returns += Env::total(steps, terminated);
  }
};

struct Job {
  uint64_t seed;
  uint32_t episodes, max_steps;
};

// Episode `i`. The step limit is looked at once in `unroll` steps.
template <class Env, int unroll> DEVICE void play(const Policy &policy, const Job &job, uint32_t i, Sums &sums) {
  Env env(job.seed + i);
  uint32_t steps = 0;
  bool terminated = false;
  while (!terminated && steps + unroll <= job.max_steps) {
#pragma unroll
    for (int u = 0; u < unroll && !terminated; u++, steps++) terminated = env.step(policy);
  }
  if constexpr (unroll > 1) {
    for (; !terminated && steps < job.max_steps; steps++) terminated = env.step(policy);
  }
  sums.add<Env>(steps, terminated);
}

// Episodes first, first + stride, ... in one loop: a thread whose episode is over starts the next one and does not wait
// for its neighbours.
template <class Env>
DEVICE void play_on(const Policy &policy, const Job &job, uint32_t first, uint32_t stride, Sums &sums) {
  uint64_t i = first;
  Env env(job.seed + i);
  uint32_t steps = 0;
  while (i < job.episodes) {
    const bool terminated = env.step(policy);
    steps++;
    if (terminated || steps == job.max_steps) {
      sums.add<Env>(steps, terminated);
      steps = 0;
      i += stride;
      env = Env(job.seed + i);
    }
  }
}
