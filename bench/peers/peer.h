/*
 * What the C peers share: the job from the command line, cheap random numbers, episodes over threads, and the result.
 * A peer defines `open_thread` and `play`. The environment's numbers are macros, P_<name>: see native.py.
 *
 *   <program> <episodes> <most steps> <repeats> <threads> <policy parameters ...>
 */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifndef LEAST_CHUNK
#define LEAST_CHUNK 1
#endif

enum { MOST_THREADS = 1024, MOST_NUMBERS = 64 };

typedef struct {
  double returns;
  int64_t steps;
} tally;

static struct {
  int64_t episodes, chunk;
  int max_steps, repeats, threads;
  double policy[MOST_NUMBERS];
} job;

/* Makes what thread `thread` plays with; its price is not measured. */
static void open_thread(int thread);
/* Plays the episodes `from ... to - 1`. `rng` is seeded for them, so that the threads' number changes no result. */
static tally play(int thread, int64_t from, int64_t to, uint64_t rng);

/* SplitMix64, in [0, 1). */
static inline double uniform(uint64_t *rng) {
  uint64_t z = *rng += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return ((z ^ z >> 31) >> 11) * 0x1p-53;
}

static atomic_llong next_episode;

static void *work(void *slot) {
  tally *own = slot;
  const int thread = (int)own->steps;
  *own = (tally){0, 0};
  for (;;) {
    const int64_t from = atomic_fetch_add(&next_episode, job.chunk);
    if (from >= job.episodes) return NULL;
    const int64_t to = from + job.chunk < job.episodes ? from + job.chunk : job.episodes;
    const tally more = play(thread, from, to, (uint64_t)from << 20);
    own->returns += more.returns;
    own->steps += more.steps;
  }
}

/* Plays all episodes; the calling thread is one of the threads. */
static tally play_all(void) {
  pthread_t threads[job.threads];
  struct {
    tally tally;
    char apart[64];
  } slots[job.threads];
  atomic_store(&next_episode, 0);
  for (int i = job.threads - 1; i >= 0; i--) {
    slots[i].tally.steps = i;
    if (i == 0) {
      work(&slots[i].tally);
    } else if (pthread_create(&threads[i], NULL, work, &slots[i].tally) != 0) {
      fprintf(stderr, "cannot start thread %d of %d\n", i + 1, job.threads);
      exit(1);
    }
  }
  tally all = slots[0].tally;
  for (int i = 1; i < job.threads; i++) {
    pthread_join(threads[i], NULL);
    all.returns += slots[i].tally.returns;
    all.steps += slots[i].tally.steps;
  }
  return all;
}

/* On one thread the time of the processor, which other programs on the machine change less than that of the wall. */
static double now(void) {
  struct timespec time;
  clock_gettime(job.threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc < 6 || argc - 5 > MOST_NUMBERS) {
    fprintf(stderr, "expected episodes, steps, repeats, threads and a policy, got %d arguments\n", argc - 1);
    return 2;
  }
  job.episodes = atoll(argv[1]);
  job.max_steps = atoi(argv[2]);
  job.repeats = atoi(argv[3]);
  job.threads = atoi(argv[4]);
  if (job.episodes < 1 || job.repeats < 1 || job.threads < 1 || job.threads > MOST_THREADS) {
    fprintf(stderr, "expected at least one episode and repeat, and 1 to %d threads\n", MOST_THREADS);
    return 2;
  }
  for (int i = 5; i < argc; i++) job.policy[i - 5] = atof(argv[i]);
  /* Sixteen helpings per thread even out what they find in them. */
  job.chunk = job.episodes / (16 * job.threads);
  if (job.chunk < LEAST_CHUNK) job.chunk = LEAST_CHUNK;
  if (job.chunk > 1024) job.chunk = 1024;
  for (int i = 0; i < job.threads; i++) open_thread(i);
  tally all = play_all();
  double took[job.repeats];
  for (int r = 0; r < job.repeats; r++) {
    const double began = now();
    all = play_all();
    took[r] = now() - began;
  }
  qsort(took, job.repeats, sizeof *took, by_size);
  printf("{\"steps\": %lld, \"seconds\": %.9f, \"meanReturn\": %.17g}\n", (long long)all.steps, took[job.repeats / 2],
         all.returns / job.episodes);
  return 0;
}
