/*
 * Episodes of one of Gymnasium's MuJoCo v5 environments with a linear policy, in C against the MuJoCo library. The
 * model is shared, each thread has its own mjData. Observation, reward and end are those of
 * gymnasium/envs/mujoco/<name>_v5.py; what it computes only for others (mj_rnePostConstraint) is left out.
 */
#include <mujoco/mujoco.h>

#include "peer.h"

static double between(uint64_t *rng, double low, double high) { return low + (high - low) * uniform(rng); }

static double clip(double value, double limit) { return fmin(fmax(value, -limit), limit); }

/*
 * Each environment: `start` draws a speed, `observe` fills the policy's inputs, `finish` gives the reward of a step
 * that began with x at `before`, and says whether it ended the episode.
 */
#if defined InvertedPendulum
enum { INPUTS = 4, OUTPUTS = 1 };

static double start(uint64_t *rng) { return between(rng, P_resetLow, P_resetHigh); }

static void observe(const mjData *d, double *seen) {
  for (int i = 0; i < 2; i++) seen[i] = d->qpos[i], seen[2 + i] = d->qvel[i];
}

static double finish(const mjData *d, double before, const double *action, bool *over) {
  (void)before, (void)action;
  *over = !isfinite(d->qpos[0] + d->qvel[0] + d->qvel[1]) || !(fabs(d->qpos[1]) <= P_angleLimit);
  return *over ? 0 : 1;
}

#elif defined InvertedDoublePendulum
enum { INPUTS = 9, OUTPUTS = 1 };

static double start(uint64_t *rng) {
  const double far = sqrt(-2 * log(1 - uniform(rng)));
  return P_resetSpread * far * cos(2 * mjPI * uniform(rng));
}

static void observe(const mjData *d, double *seen) {
  seen[0] = d->qpos[0];
  for (int i = 0; i < 2; i++) seen[1 + i] = sin(d->qpos[1 + i]), seen[3 + i] = cos(d->qpos[1 + i]);
  for (int i = 0; i < 3; i++) seen[5 + i] = clip(d->qvel[i], P_observedLimit);
  seen[8] = clip(d->qfrc_constraint[0], P_observedLimit);
}

static double finish(const mjData *d, double before, const double *action, bool *over) {
  (void)before, (void)action;
  const double x = d->site_xpos[0], low = d->site_xpos[2] - P_tipTarget, v1 = d->qvel[1], v2 = d->qvel[2];
  *over = d->site_xpos[2] <= P_lowestTip;
  return (*over ? 0 : P_aliveReward) - P_tipXCost * x * x - low * low - P_rate1Cost * v1 * v1 - P_rate2Cost * v2 * v2;
}

#elif defined Swimmer
enum { INPUTS = 8, OUTPUTS = 2 };

static double start(uint64_t *rng) { return between(rng, P_resetLow, P_resetHigh); }

static void observe(const mjData *d, double *seen) {
  for (int i = 0; i < 3; i++) seen[i] = d->qpos[2 + i];
  for (int i = 0; i < 5; i++) seen[3 + i] = d->qvel[i];
}

static double finish(const mjData *d, double before, const double *action, bool *over) {
  *over = false;
  return (d->qpos[0] - before) / P_stepTime - P_controlCost * (action[0] * action[0] + action[1] * action[1]);
}

#else
#error "no environment is named"
#endif

static mjModel *model;
static mjData *datas[MOST_THREADS];

static void open_thread(int thread) {
  char error[1000];
  if (!model) model = mj_loadXML(MODEL, NULL, error, sizeof error);
  if (!model) {
    fprintf(stderr, "%s\n", error);
    exit(1);
  }
  datas[thread] = mj_makeData(model);
}

static tally play(int thread, int64_t from, int64_t to, uint64_t rng) {
  mjData *const d = datas[thread];
  tally all = {0, 0};
  for (; from < to; from++) {
    mj_resetData(model, d);
    for (int i = 0; i < model->nq; i++) d->qpos[i] += between(&rng, P_resetLow, P_resetHigh);
    for (int i = 0; i < model->nv; i++) d->qvel[i] += start(&rng);
    mj_forward(model, d);
    bool over = false;
    for (int t = 0; !over && t < job.max_steps; t++) {
      double seen[INPUTS];
      observe(d, seen);
      for (int j = 0; j < OUTPUTS; j++) {
        double sum = 0;
        for (int i = 0; i < INPUTS; i++) sum += seen[i] * job.policy[i * OUTPUTS + j];
        d->ctrl[j] = clip(sum + job.policy[INPUTS * OUTPUTS + j], P_controlLimit);
      }
      const double before = d->qpos[0];
      for (int s = 0; s < P_substeps; s++) mj_step(model, d);
      all.returns += finish(d, before, d->ctrl, &over);
      all.steps++;
    }
  }
  return all;
}
