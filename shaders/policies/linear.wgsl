// Linear policy; the float64 twin is src/policies/linear.ts. That file also describes the weights and generates the
// sums as `policy_expressions`. The weights stay in registers for the whole episode.

struct PolicyMemory {
  weights: array<f32, PARAM_COUNT>,
}

fn policy_load(offset: u32) -> PolicyMemory {
  var memory: PolicyMemory;
  for (var i = 0u; i < PARAM_COUNT; i++) {
    memory.weights[i] = candidates[offset + i];
  }
  return memory;
}

fn policy_act(memory: ptr<function, PolicyMemory>, obs: ptr<function, Obs>) -> Outputs {
  return policy_expressions(memory, obs);
}
