// The only output of the policy is the index of the action.

fn select_action(outputs: ptr<function, Outputs>) -> Action {
  return u32((*outputs)[0]);
}
