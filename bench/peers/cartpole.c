/*
 * CartPole and a linear policy as one loop in C, on one thread: what a compiler makes of the work without an interface
 * between policy, physics and loop. Doubles, observations rounded to float, as in src/envs/cartpole/dynamics.ts.
 *
 *   cc -O3 -march=native -o cartpole cartpole.c -lm && ./cartpole <episodes> <steps> <ten weights>
 *
 * Prints one JSON object: steps really played, seconds, mean return.
 */
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

static uint32_t state = 12345;

/* In [-0.05, 0.05). A cheap generator: seeding a real one is not in the price. */
static double start(void) {
  state = state * 1664525u + 1013904223u;
  return ((int32_t)state) * (0.05 / 2147483648.0);
}

int main(int argc, char **argv) {
  if (argc != 13) {
    fprintf(stderr, "expected episodes, steps and ten weights, got %d arguments\n", argc - 1);
    return 2;
  }
  const long episodes = atol(argv[1]), limit = atol(argv[2]);
  double w[10];
  for (int i = 0; i < 10; i++) w[i] = atof(argv[3 + i]);
  long played = 0;
  double total = 0;
  const double began = seconds();
  for (long episode = 0; episode < episodes; episode++) {
    double x = start(), x_dot = start(), theta = start(), theta_dot = start();
    long t = 0;
    int down = 0;
    while (!down && t < limit) {
      const double a = (float)x, b = (float)x_dot, c = (float)theta, d = (float)theta_dot;
      const double left = a * w[0] + b * w[2] + c * w[4] + d * w[6] + w[8];
      const double right = a * w[1] + b * w[3] + c * w[5] + d * w[7] + w[9];
      const double force = right > left ? 10 : -10;
      const double cosine = cos(theta), sine = sin(theta);
      const double push = (force + 0.05 * (theta_dot * theta_dot) * sine) / 1.1;
      const double turn = (9.8 * sine - cosine * push) / (0.5 * (4.0 / 3.0 - 0.1 * (cosine * cosine) / 1.1));
      const double drive = push - 0.05 * turn * cosine / 1.1;
      x += 0.02 * x_dot;
      x_dot += 0.02 * drive;
      theta += 0.02 * theta_dot;
      theta_dot += 0.02 * turn;
      down = fabs(x) > 2.4 || fabs(theta) > 0.20943951023931953;
      t++;
    }
    played += t;
    total += t;
  }
  const double took = seconds() - began;
  printf("{\"steps\": %ld, \"seconds\": %.6f, \"meanReturn\": %.4f}\n", played, took, total / episodes);
  return 0;
}
