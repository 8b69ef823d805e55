// Linear policy; the float64 twin is src/policies/linear.ts. The parameters stay in registers for the whole episode.

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
  var outputs: Outputs;
  for (var j = 0u; j < OUTPUT_DIM; j++) {
    var sum = 0.0;
    for (var i = 0u; i < OBS_DIM; i++) {
      sum += (*obs)[i] * (*memory).weights[i * OUTPUT_DIM + j];
    }
    if (LINEAR_BIAS) {
      sum += (*memory).weights[OBS_DIM * OUTPUT_DIM + j];
    }
    outputs[j] = sum;
  }
  return outputs;
}
