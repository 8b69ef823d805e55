// CartPole-v1, the equations of shaders/envs/cartpole.wgsl.
#pragma once
#include "episode.h"

template <Trig trig> struct Environment {
  // While an episode lasts, the angle stays below the one that ends it.
  static constexpr bool near_zero = p::angleLimit <= 0.21f;
  // The policy gives the difference of its two scores.
  static constexpr int scores = 2;

  float x, x_dot, theta, theta_dot;

  DEVICE explicit Environment(uint64_t seed) {
    Rng rng(seed);
    x = rng.uniform(exact::resetLow, exact::resetHigh);
    x_dot = rng.uniform(exact::resetLow, exact::resetHigh);
    theta = rng.uniform(exact::resetLow, exact::resetHigh);
    theta_dot = rng.uniform(exact::resetLow, exact::resetHigh);
  }

  static DEVICE uint32_t total(uint32_t steps, bool) { return steps; }

  // Whether the episode is over.
  DEVICE bool step(const Policy &policy) {
    float sine, cosine;
    sine_cosine<trig>(theta, sine, cosine);
    const float force = policy(x, x_dot, theta, theta_dot) > 0 ? p::forcePerMass : -p::forcePerMass;
    const float push = force + p::poleLengthShare * (theta_dot * theta_dot) * sine;
    const float turn =
        divide(p::gravity * sine - cosine * push, p::rodInertiaLength - p::poleLengthShare * (cosine * cosine));
    const float drive = push - p::poleLengthShare * turn * cosine;
    x += p::timeStep * x_dot;
    x_dot += p::timeStep * drive;
    theta += p::timeStep * theta_dot;
    theta_dot += p::timeStep * turn;
    // `|`, because a branch would cost more than the second comparison.
    return (fabsf(x) > p::positionLimit) | (fabsf(theta) > p::angleLimit);
  }
};
