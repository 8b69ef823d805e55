// Single transitions from given states with given random numbers, for comparing backends one step at a time.

struct ProbeJob {
  count: u32,
}

const INPUT_SIZE: u32 = STATE_DIM + ACTION_DIM;
const OUTPUT_SIZE: u32 = STATE_DIM + OBS_DIM + 2u;

override WORKGROUP_SIZE: u32 = 64u;

@group(0) @binding(0) var<storage, read> job: ProbeJob;
@group(0) @binding(1) var<storage, read> env_params: EnvParams;
// per invocation: a state and an action
@group(0) @binding(2) var<storage, read> inputs: array<f32>;
// binding 3: the random numbers, in lib/recorded-draws.wgsl
// per invocation: the state, the observation, the reward, terminated (0 or 1)
@group(0) @binding(4) var<storage, read_write> results: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn transitions(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lane = id.x + id.y * groups.x * WORKGROUP_SIZE;
  if (lane >= job.count) {
    return;
  }
  var before: array<f32, STATE_DIM>;
  for (var i = 0u; i < STATE_DIM; i++) {
    before[i] = inputs[lane * INPUT_SIZE + i];
  }
  var given: array<f32, ACTION_DIM>;
  for (var i = 0u; i < ACTION_DIM; i++) {
    given[i] = inputs[lane * INPUT_SIZE + STATE_DIM + i];
  }
  let params = env_params;
  var rng = rng_seed(lane, 0u);
  let step = env_step(params, state_from_array(before), action_from_array(given), &rng);
  var after = state_to_array(step.state);
  var obs = env_observe(params, step.state);
  let entry = lane * OUTPUT_SIZE;
  for (var i = 0u; i < STATE_DIM; i++) {
    results[entry + i] = after[i];
  }
  for (var i = 0u; i < OBS_DIM; i++) {
    results[entry + STATE_DIM + i] = obs[i];
  }
  results[entry + STATE_DIM + OBS_DIM] = step.reward;
  results[entry + STATE_DIM + OBS_DIM + 1u] = select(0.0, 1.0, step.terminated);
}
