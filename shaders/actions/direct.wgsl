// The policy's only output already is the action's index.

fn select_action(outputs: ptr<function, Outputs>) -> Action {
  return u32((*outputs)[0]);
}
