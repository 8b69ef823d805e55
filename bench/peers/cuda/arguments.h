// Command line and result of both programs.
#pragma once
#include "episode.h"
#include <cstdio>
#include <cstdlib>

struct Arguments {
  Job job;
  int repeats;
  Policy policy;

  // Episodes, step limit, seed, repeats, then the policy: a row per observation and one of biases, each `scores` wide.
  Arguments(int count, char **values, int scores) {
    if (count != 5 + 5 * scores) {
      fprintf(stderr, "expected %d arguments, got %d\n", 4 + 5 * scores, count - 1);
      exit(2);
    }
    job.episodes = uint32_t(strtoul(values[1], nullptr, 10));
    job.max_steps = uint32_t(strtoul(values[2], nullptr, 10));
    job.seed = strtoull(values[3], nullptr, 10);
    repeats = atoi(values[4]);
    for (int i = 0; i < 5; i++) {
      const char *const *row = values + 5 + i * scores;
      // Of two scores only the difference counts; the first action wins a tie.
      const float number = float(scores == 2 ? atof(row[1]) - atof(row[0]) : atof(row[0]));
      (i < 4 ? policy.weights[i] : policy.bias) = number;
    }
  }
};

// The result up to its list of variants, whose value is still to come.
inline void print_result(const Sums &sums, const Job &job, double seconds, double kernel_seconds, const char *device,
                         const char *variant) {
  char kernel[32] = "null";
  if (kernel_seconds >= 0) snprintf(kernel, sizeof kernel, "%.9f", kernel_seconds);
  printf("{\"steps\": %llu, \"seconds\": %.9f, \"kernelSeconds\": %s, \"meanReturn\": %.6f, \"device\": \"%s\", "
         "\"variant\": \"%s\", \"variants\": ",
         sums.lengths, seconds, kernel, double(sums.returns) / job.episodes, device, variant);
}
