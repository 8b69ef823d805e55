// One score per action: the highest wins, the first one on a tie.

fn select_action(outputs: ptr<function, Outputs>) -> Action {
  var best = 0u;
  var best_score = (*outputs)[0];
  for (var i = 1u; i < OUTPUT_DIM; i++) {
    if ((*outputs)[i] > best_score) {
      best = i;
      best_score = (*outputs)[i];
    }
  }
  return best;
}
