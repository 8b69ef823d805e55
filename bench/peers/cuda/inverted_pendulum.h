// InvertedPendulum-v5, the equations of shaders/envs/inverted-pendulum.wgsl and shaders/lib/joint-limit.wgsl.
#pragma once
#include "episode.h"

// One joint at its limit: what it demands of side * acceleration + softness * force >= reference; side 0 away from it.
struct Stop {
  float side = 0, reference = 0, softness = 0;

  DEVICE Stop(float position, float velocity, float limit, float inverse_weight) {
    const bool low = position + limit < p::limitMargin;
    if (!low && !(limit - position < p::limitMargin)) return;
    side = low ? 1 : -1;
    const float gap = (low ? position + limit : limit - position) - p::limitMargin;
    const float share = fminf(-gap / p::impedanceWidth, 1), rest = 1 - share;
    const float rise = share <= p::impedanceMidpoint ? share * share / p::impedanceMidpoint
                                                     : 1 - rest * rest / (1 - p::impedanceMidpoint);
    const float impedance = p::impedanceLow + (p::impedanceHigh - p::impedanceLow) * rise;
    reference = -p::limitDamping * side * velocity - p::limitStiffness * impedance * gap;
    softness = (1 - impedance) / impedance * inverse_weight;
  }
};

template <Trig trig> struct Environment {
  // Within a step the pole may fall far beyond the angle that ends an episode.
  static constexpr bool near_zero = false;
  static constexpr int scores = 1;

  float x, theta, x_dot, theta_dot;

  DEVICE explicit Environment(uint64_t seed) {
    Rng rng(seed);
    x = rng.uniform(exact::resetLow, exact::resetHigh);
    theta = rng.uniform(exact::resetLow, exact::resetHigh);
    x_dot = rng.uniform(exact::resetLow, exact::resetHigh);
    theta_dot = rng.uniform(exact::resetLow, exact::resetHigh);
  }

  static DEVICE uint32_t total(uint32_t steps, bool terminated) { return steps - terminated; }

  // What the stops add to the accelerations (cart, pole), whose inverse mass matrix is [[a, b], [b, c]].
  static DEVICE void stop(float x, float theta, float v, float w, float a, float b, float c, float &cart, float &pole) {
    const Stop rail(x, v, p::railLimit, p::railInverseWeight);
    const Stop hinge(theta, w, p::hingeLimit, p::hingeInverseWeight);
    const float missing1 = rail.reference - rail.side * cart, missing2 = hinge.reference - hinge.side * pole;
    const float yields1 = a + rail.softness, yields2 = c + hinge.softness, crossed = rail.side * hinge.side * b;
    // An inactive stop misses nothing, so its force stays zero.
    float force1 = fmaxf(0, missing1 / yields1), force2 = 0;
    if (missing2 - crossed * force1 > 0) {
      force1 = 0;
      force2 = missing2 / yields2;
      if (missing1 - crossed * force2 > 0) {
        const float both = yields1 * yields2 - crossed * crossed;
        force1 = (missing1 * yields2 - crossed * missing2) / both;
        force2 = (missing2 * yields1 - crossed * missing1) / both;
      }
    }
    cart += a * rail.side * force1 + b * hinge.side * force2;
    pole += b * rail.side * force1 + c * hinge.side * force2;
  }

  // Accelerations of the cart and of the pole.
  static DEVICE void rate(float x, float theta, float v, float w, float push, float &cart, float &pole) {
    float sine, cosine;
    sine_cosine<trig>(theta, sine, cosine);
    const float moment_x = p::poleMomentX * cosine + p::poleMomentZ * sine;
    const float moment_z = p::poleMomentZ * cosine - p::poleMomentX * sine;
    const float drive1 = push + moment_x * w * w - p::damping * v;
    const float drive2 = p::gravity * moment_x - p::damping * w;
    const float scale = divide(1, p::totalMass * p::hingeInertia - moment_z * moment_z);
    const float a = p::hingeInertia * scale, b = -moment_z * scale, c = p::totalMass * scale;
    cart = a * drive1 + b * drive2;
    pole = b * drive1 + c * drive2;
    if ((fabsf(x) > p::railLimit - p::limitMargin) | (fabsf(theta) > p::hingeLimit - p::limitMargin)) {
      stop(x, theta, v, w, a, b, c, cart, pole);
    }
  }

  // Whether the episode is over.
  DEVICE bool step(const Policy &policy) {
    constexpr float h = p::timeStep, half = p::timeStep / 2, sixth = p::timeStep / 6;
    const float push = p::gear * fminf(fmaxf(policy(x, theta, x_dot, theta_dot), -p::controlLimit), p::controlLimit);
    for (int i = 0; i < int(p::substeps); i++) {
      float a1, b1, a2, b2, a3, b3, a4, b4;
      rate(x, theta, x_dot, theta_dot, push, a1, b1);
      const float v2 = x_dot + half * a1, w2 = theta_dot + half * b1;
      rate(x + half * x_dot, theta + half * theta_dot, v2, w2, push, a2, b2);
      const float v3 = x_dot + half * a2, w3 = theta_dot + half * b2;
      rate(x + half * v2, theta + half * w2, v3, w3, push, a3, b3);
      const float v4 = x_dot + h * a3, w4 = theta_dot + h * b3;
      rate(x + h * v3, theta + h * w3, v4, w4, push, a4, b4);
      x += sixth * (x_dot + 2 * (v2 + v3) + v4);
      theta += sixth * (theta_dot + 2 * (w2 + w3) + w4);
      x_dot += sixth * (a1 + 2 * (a2 + a3) + a4);
      theta_dot += sixth * (b1 + 2 * (b2 + b3) + b4);
    }
    // Written so that NaN ends the episode too.
    return !(fabsf(theta) <= p::angleLimit);
  }
};
