// The only episode loop on the GPU: one invocation plays one whole episode in registers and then stops.
//
// Recording runs the same program. With job.record set, invocation t plays the first t steps of one episode and writes
// its state. The recorded episode therefore equals the evaluated one bit for bit on every adapter, and the loop itself
// has no overhead. Where the same operations always give the same bits, another program records: with RECORDS_STEPS one
// invocation writes each of its steps, and without RECORDS nothing but the episodes is in the program.

struct Job {
  // 0: all candidates start with seeds[0]; 1: each has its own
  own_seeds: u32,
  // E: flat index = candidate * episodes + episode, of the candidates in the buffer
  episodes: u32,
  // flat index of this dispatch's first invocation
  first: u32,
  // number of active invocations in this dispatch
  count: u32,
  max_steps: u32,
  // end cause of an episode that reaches max_steps, in the order of END_*
  limit_cause: u32,
  // offset of the outcome of invocation 0
  outcome_at: u32,
  // 0: play; n > 0: record the episode with flat index `first`, invocation t stopping after n - 1 + t steps
  record: u32,
}

struct Outcome {
  total: f32,
  // steps in the low 30 bits, end cause in the high 2
  steps_and_cause: u32,
}

const RECORD_SIZE: u32 = STATE_DIM + OBS_DIM + ACTION_DIM + 1u;

override WORKGROUP_SIZE: u32 = 64u;

@group(0) @binding(0) var<storage, read> job: Job;
@group(0) @binding(1) var<storage, read> env_params: EnvParams;
@group(0) @binding(2) var<storage, read> candidates: array<f32>;
// episode seed of episode 0, low word first
@group(0) @binding(3) var<storage, read> seeds: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> outcomes: array<Outcome>;
// per recorded step: state, observation of that state, action and reward of the preceding step
@group(0) @binding(5) var<storage, read_write> records: array<f32>;

fn record_step(at: u32, state: EnvState, obs: Obs, action: Action, reward: f32) {
  let entry = at * RECORD_SIZE;
  var at_end = state_to_array(state);
  for (var i = 0u; i < STATE_DIM; i++) {
    records[entry + i] = at_end[i];
  }
  var seen = obs;
  for (var i = 0u; i < OBS_DIM; i++) {
    records[entry + STATE_DIM + i] = seen[i];
  }
  var taken = action_to_array(action);
  for (var i = 0u; i < ACTION_DIM; i++) {
    records[entry + STATE_DIM + OBS_DIM + i] = taken[i];
  }
  records[entry + RECORD_SIZE - 1u] = reward;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn play(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lane = id.x + id.y * groups.x * WORKGROUP_SIZE;
  if (lane >= job.count) {
    return;
  }
  let recording = RECORDS && job.record != 0u;
  let flat = job.first + select(lane, 0u, recording);
  let candidate = flat / job.episodes;
  let episode = flat % job.episodes;
  let limit = select(job.max_steps, min(job.record - 1u + lane, job.max_steps), recording);

  let first_seed = seeds[candidate * job.own_seeds];
  let seed_lo = first_seed.x + episode;
  let carry = select(0u, 1u, seed_lo < episode);
  var rng = rng_seed(seed_lo, first_seed.y + carry);
  let params = env_params;
  var policy = policy_load(candidate * PARAM_COUNT);
  var state = env_reset(params, &rng);
  var obs = env_observe(params, state);
  var action: Action;
  var reward = 0.0;
  var total = 0.0;
  var steps = 0u;
  var terminated = false;
  while (steps < limit && !terminated) {
    if (RECORDS_STEPS && recording) {
      record_step(steps, state, obs, action, reward);
    }
    var outputs = policy_act(&policy, &obs);
    action = select_action(&outputs);
    let step = env_step(params, state, action, &rng);
    state = step.state;
    reward = step.reward;
    terminated = step.terminated;
    obs = env_observe(params, state);
    total += reward;
    steps += 1u;
  }

  let cause = select(job.limit_cause, END_TERMINATED, terminated);
  outcomes[job.outcome_at + lane] = Outcome(total, steps | (cause << CAUSE_SHIFT));
  if (recording) {
    record_step(select(lane, steps, RECORDS_STEPS), state, obs, action, reward);
  }
}
