/*
 * CartPole and a linear policy as one loop in C: what a compiler makes of the work without an interface between policy,
 * physics and loop. LANES episodes go side by side, and a lane whose episode is over starts the next one, so that the
 * compiler can give each a lane of a vector register. With one lane and doubles it is the arithmetic of
 * src/envs/cartpole/dynamics.ts, observations rounded to float included.
 */
/* A helping smaller than this would leave lanes empty. */
#define LEAST_CHUNK (4 * LANES)
#include "peer.h"

static void open_thread(int thread) { (void)thread; }

static tally play(int thread, int64_t from, int64_t to, uint64_t rng) {
  (void)thread;
  REAL x[LANES], x_dot[LANES], theta[LANES], theta_dot[LANES], sine[LANES], cosine[LANES], w[10];
  REAL *const rows[] = {x, x_dot, theta, theta_dot};
  int steps[LANES] = {0}, over[LANES], busy[LANES], any = 1, playing = LANES;
  for (int i = 0; i < 10; i++) w[i] = job.policy[i];
  for (int l = 0; l < LANES; l++) over[l] = busy[l] = 1;
  const int limit = job.max_steps;
  int64_t played = 0;
  for (;;) {
    for (int l = 0; any && l < LANES; l++) {
      if (!over[l]) continue;
      if (busy[l]) {
        played += steps[l];
        if (from++ >= to) busy[l] = 0, playing--;
      }
      for (int i = 0; i < 4; i++) rows[i][l] = P_resetLow + (P_resetHigh - P_resetLow) * uniform(&rng);
      steps[l] = 0;
    }
    if (playing == 0) break;
    /* A loop each: sine and cosine of one angle would become one call of sincos, which has no vector twin. */
#pragma omp simd
    for (int l = 0; l < LANES; l++) sine[l] = SIN(theta[l]);
#pragma omp simd
    for (int l = 0; l < LANES; l++) cosine[l] = COS(theta[l]);
    any = 0;
#pragma omp simd reduction(| : any)
    for (int l = 0; l < LANES; l++) {
      const REAL a = (float)x[l], b = (float)x_dot[l], c = (float)theta[l], d = (float)theta_dot[l];
      const REAL left = a * w[0] + b * w[2] + c * w[4] + d * w[6] + w[8];
      const REAL right = a * w[1] + b * w[3] + c * w[5] + d * w[7] + w[9];
      const REAL force = right > left ? (REAL)P_force : -(REAL)P_force;
      const REAL push = (force + (REAL)P_poleMassLength * (theta_dot[l] * theta_dot[l]) * sine[l]) / (REAL)P_totalMass;
      const REAL lever = (REAL)P_halfLength *
                         ((REAL)4 / 3 - (REAL)P_poleMass * (cosine[l] * cosine[l]) / (REAL)P_totalMass);
      const REAL turn = ((REAL)P_gravity * sine[l] - cosine[l] * push) / lever;
      const REAL drive = push - (REAL)P_poleMassLength * turn * cosine[l] / (REAL)P_totalMass;
      x[l] += (REAL)P_timeStep * x_dot[l];
      x_dot[l] += (REAL)P_timeStep * drive;
      theta[l] += (REAL)P_timeStep * theta_dot[l];
      theta_dot[l] += (REAL)P_timeStep * turn;
      steps[l]++;
      over[l] = (ABS(x[l]) > (REAL)P_positionLimit) | (ABS(theta[l]) > (REAL)P_angleLimit) | (steps[l] >= limit);
      any |= over[l];
    }
  }
  /* Every step is worth 1. */
  return (tally){played, played};
}
