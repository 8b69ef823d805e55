// A network with one or two hidden layers; the float64 twin is src/policies/network.ts. Values per candidate, layer by
// layer: weights (inputs x units, row by row), then biases. With NETWORK_CLIPPED, the bounds of the inputs follow, lower
// ones first; with NETWORK_SQUASHED, the middles and then the half ranges of the outputs; with NETWORK_LIMITED, the bounds
// that the outputs are cut to before they are squashed.
// A small network stays in registers for the whole episode. A large one is read from the buffer; all invocations of a
// candidate then read the same word at the same time.

const NETWORK_FIRST_BIAS: u32 = OBS_DIM * NETWORK_HIDDEN_1;
const NETWORK_SECOND: u32 = NETWORK_FIRST_BIAS + NETWORK_HIDDEN_1;
const NETWORK_SECOND_BIAS: u32 = NETWORK_SECOND + NETWORK_HIDDEN_1 * NETWORK_HIDDEN_2;
// number of inputs of the last layer, and offset of its weights
const NETWORK_LAST_INPUTS: u32 = select(NETWORK_HIDDEN_2, NETWORK_HIDDEN_1, NETWORK_HIDDEN_2 == 0u);
const NETWORK_LAST: u32 = select(NETWORK_SECOND_BIAS + NETWORK_HIDDEN_2, NETWORK_SECOND, NETWORK_HIDDEN_2 == 0u);
const NETWORK_LAST_BIAS: u32 = NETWORK_LAST + NETWORK_LAST_INPUTS * OUTPUT_DIM;
const NETWORK_INPUT_LOW: u32 = NETWORK_LAST_BIAS + OUTPUT_DIM;
const NETWORK_INPUT_HIGH: u32 = NETWORK_INPUT_LOW + OBS_DIM;
const NETWORK_MIDDLE: u32 = select(NETWORK_INPUT_LOW, NETWORK_INPUT_HIGH + OBS_DIM, NETWORK_CLIPPED);
const NETWORK_HALF: u32 = NETWORK_MIDDLE + OUTPUT_DIM;
const NETWORK_LIMIT: u32 = NETWORK_HALF + OUTPUT_DIM;
const NETWORK_REGISTERS: u32 = 64u;
const NETWORK_RESIDENT: bool = PARAM_COUNT <= NETWORK_REGISTERS;

struct PolicyMemory {
  values: array<f32, select(1u, PARAM_COUNT, NETWORK_RESIDENT)>,
  offset: u32,
}

fn policy_load(offset: u32) -> PolicyMemory {
  var memory: PolicyMemory;
  memory.offset = offset;
  if (NETWORK_RESIDENT) {
    for (var i = 0u; i < PARAM_COUNT; i++) {
      memory.values[i] = candidates[offset + i];
    }
  }
  return memory;
}

fn network_value(memory: ptr<function, PolicyMemory>, i: u32) -> f32 {
  if (NETWORK_RESIDENT) {
    return (*memory).values[i];
  }
  return candidates[(*memory).offset + i];
}

fn network_activation(x: f32) -> f32 {
  if (NETWORK_RELU) {
    return max(x, 0.0);
  }
  return tanh_accurate(x);
}

// four values that stand one after the other
fn network_values(memory: ptr<function, PolicyMemory>, i: u32) -> vec4f {
  return vec4f(
    network_value(memory, i),
    network_value(memory, i + 1u),
    network_value(memory, i + 2u),
    network_value(memory, i + 3u),
  );
}

// unit k of the first hidden layer
fn network_first(memory: ptr<function, PolicyMemory>, inputs: ptr<function, Obs>, k: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < OBS_DIM; i++) {
    sum += (*inputs)[i] * network_value(memory, i * NETWORK_HIDDEN_1 + k);
  }
  return network_activation(sum + network_value(memory, NETWORK_FIRST_BIAS + k));
}

// adds the contribution of a unit of the last hidden layer to the outputs
fn network_send(memory: ptr<function, PolicyMemory>, outputs: ptr<function, Outputs>, k: u32, unit: f32) {
  for (var j = 0u; j < OUTPUT_DIM; j++) {
    (*outputs)[j] += unit * network_value(memory, NETWORK_LAST + k * OUTPUT_DIM + j);
  }
}

fn policy_act(memory: ptr<function, PolicyMemory>, obs: ptr<function, Obs>) -> Outputs {
  var inputs = *obs;
  if (NETWORK_CLIPPED) {
    for (var i = 0u; i < OBS_DIM; i++) {
      let low = network_value(memory, NETWORK_INPUT_LOW + i);
      let high = network_value(memory, NETWORK_INPUT_HIGH + i);
      inputs[i] = clamp(inputs[i], low, high);
    }
  }
  var outputs: Outputs;
  if (NETWORK_HIDDEN_2 == 0u) {
    // One hidden layer needs no memory: each unit is added to the outputs as soon as it is computed.
    for (var k = 0u; k < NETWORK_HIDDEN_1; k++) {
      network_send(memory, &outputs, k, network_first(memory, &inputs, k));
    }
  } else {
    var first: array<f32, NETWORK_HIDDEN_1>;
    for (var k = 0u; k < NETWORK_HIDDEN_1; k++) {
      first[k] = network_first(memory, &inputs, k);
    }
    var m = 0u;
    // Four units at a time: their sums do not wait for each other, and their weights are neighbours.
    for (; m + 4u <= NETWORK_HIDDEN_2; m += 4u) {
      var sums = vec4f();
      for (var k = 0u; k < NETWORK_HIDDEN_1; k++) {
        sums += first[k] * network_values(memory, NETWORK_SECOND + k * NETWORK_HIDDEN_2 + m);
      }
      sums += network_values(memory, NETWORK_SECOND_BIAS + m);
      network_send(memory, &outputs, m, network_activation(sums.x));
      network_send(memory, &outputs, m + 1u, network_activation(sums.y));
      network_send(memory, &outputs, m + 2u, network_activation(sums.z));
      network_send(memory, &outputs, m + 3u, network_activation(sums.w));
    }
    for (; m < NETWORK_HIDDEN_2; m++) {
      var sum = 0.0;
      for (var k = 0u; k < NETWORK_HIDDEN_1; k++) {
        sum += first[k] * network_value(memory, NETWORK_SECOND + k * NETWORK_HIDDEN_2 + m);
      }
      network_send(memory, &outputs, m, network_activation(sum + network_value(memory, NETWORK_SECOND_BIAS + m)));
    }
  }
  for (var j = 0u; j < OUTPUT_DIM; j++) {
    outputs[j] += network_value(memory, NETWORK_LAST_BIAS + j);
    if (NETWORK_SQUASHED) {
      if (NETWORK_LIMITED) {
        let limit = network_value(memory, NETWORK_LIMIT + j);
        outputs[j] = clamp(outputs[j], -limit, limit);
      }
      let half = network_value(memory, NETWORK_HALF + j);
      outputs[j] = network_value(memory, NETWORK_MIDDLE + j) + half * tanh_accurate(outputs[j]);
    }
  }
  return outputs;
}
