// Tabular policy; the float64 twin is src/policies/tabular.ts. The table stays in the buffer, because its index
// differs between lanes, and registers cannot be indexed like that.

struct PolicyMemory {
  offset: u32,
}

fn policy_load(offset: u32) -> PolicyMemory {
  return PolicyMemory(offset);
}

fn policy_act(memory: ptr<function, PolicyMemory>, obs: ptr<function, Obs>) -> Outputs {
  return Outputs(candidates[(*memory).offset + u32((*obs)[0])]);
}
