// One score per action: selects the highest, and the first on a tie.

fn select_action(outputs: ptr<function, Outputs>) -> Action {
  return highest_output(outputs);
}
