// A method of one's own: two searches without advice, the better proposal is kept. As a command:
//   r2po run cartpole/./own-method.mjs iterations=5
import { defineMethod, formatSection, parameterSection, progressSection, trialHistory } from 'r2po-webgpu/method';

export default defineMethod({
  id: 'terse',
  title: 'Terse: two searches without advice',
  about: 'The prompt has the task, the parameters and the trials, and no rules.',
  stages: ['search', 'evaluate', 'search', 'evaluate'],
  candidates: ['first', 'second'],
  prompts: {
    search: (context) => ({
      constant: ['Maximise an unknown function.', parameterSection(context), formatSection(context)].join('\n\n'),
      history: trialHistory(context),
      fresh: progressSection(context, 'search'),
    }),
    critic: null,
  },
  shows: [],
  keep: 'best',
  representative: 'median',
});
