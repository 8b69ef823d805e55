/** Where our prompts differ from those of the reference, with `settings: published` too. docs/paper.md lists the same. */

interface Difference {
  readonly text: string;
  /** ids of the methods; left out: all */
  readonly methods?: readonly string[];
}

const critics = ['r2po', 'tau-c', 'reptraj', 'always-critic', 'three-traj'];
const informed = [...critics, 'props-plus', 'critic-only'];

const differences: readonly Difference[] = [
  { text: 'prompts have our own wording: the constant part first, then the history, then the new part' },
  {
    text: 'parameters in the history have all their digits (the reference prints three or five significant digits)',
  },
  { text: 'rewards without decimals have none (the reference prints 10.00)' },
  {
    text: 'unusable replies, and replies outside the range, are sent back with the reason (the reference restarts the iteration)',
  },
  { text: 'a prompt says when the previous iteration gave no usable reply, or measured a known point again' },
  {
    text: 'warm-ups are marked as single measurements (the reference shows them like means)',
    methods: ['props', 'props-plus', 'reptraj', 'always-critic', 'critic-only', 'pure-search', 'actor-second-pass'],
  },
  {
    text: 'the prompt gives the actual number of iterations (the reference says 400)',
    methods: [
      'props',
      'props-plus',
      'reptraj',
      'always-critic',
      'three-traj',
      'critic-only',
      'pure-search',
      'actor-second-pass',
    ],
  },
  {
    text: 'wrong numbers of the reference are corrected: parameters of CartPole and Swimmer, layouts of weights, the cost of a maze step, the cart limit of InvertedPendulum',
    methods: informed,
  },
  {
    text: 'episodes are tables of step, observation, action and reward, and say whether the environment or a step limit ended them',
    methods: informed,
  },
  {
    text: 'excerpts of the last trials come after the history, not inside it',
    methods: ['reptraj', 'always-critic', 'critic-only'],
  },
  { text: 'the history has no tags and no advice', methods: ['three-traj'] },
  { text: 'no announcement of episodes that are not shown, unless policies are tables', methods: ['props-plus'] },
  { text: 'random features are described by their form, without scale and clip', methods: ['props-plus'] },
  { text: 'the second search says that it is the second proposal', methods: ['pure-search', 'actor-second-pass'] },
  { text: 'the prompt of the critic uses the same words for every threshold', methods: ['tau-c'] },
];

/** The differences of a method's prompts from those of the reference, in a few words each. */
export function promptDifferences(method: string): string[] {
  return differences.flatMap(({ text, methods }) => (methods === undefined || methods.includes(method) ? [text] : []));
}
