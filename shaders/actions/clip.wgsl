// One output per action entry, clipped to the box of the action space.

fn select_action(outputs: ptr<function, Outputs>) -> Action {
  var action: Action;
  var low = ACTION_LOW;
  var high = ACTION_HIGH;
  for (var i = 0u; i < ACTION_DIM; i++) {
    action[i] = clamp((*outputs)[i], low[i], high[i]);
  }
  return action;
}
