// One score per action: the highest wins, the first one on a tie.

fn select_action(outputs: ptr<function, Outputs>) -> Action {
  return highest_output(outputs);
}
