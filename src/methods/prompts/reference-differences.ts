/** Where our prompts differ from those of the reference, with `settings: published` too. docs/methods.md lists the same. */

interface Difference {
  readonly text: string;
  /** ids of the methods; left out: all */
  readonly methods?: readonly string[];
}

const critics = ['r2po', 'tau-c', 'reptraj', 'always-critic', 'three-traj'];
const informed = [...critics, 'props-plus', 'critic-only'];

const differences: readonly Difference[] = [
  { text: 'our own wording, with what never changes first, then the history, then what is new' },
  {
    text: 'parameters of the history with all their digits, where the reference prints three or five significant ones',
  },
  {
    text: 'replies that cannot be used, or lie outside the range, are sent back with the reason; the reference starts the iteration anew',
  },
  { text: 'a prompt says when the iteration before gave no usable reply, or measured a known point again' },
  {
    text: 'warm-ups are marked as single measurements, where the reference shows them like means',
    methods: ['props', 'props-plus', 'reptraj', 'always-critic', 'critic-only', 'pure-search', 'actor-second-pass'],
  },
  {
    text: 'the number of iterations is the one that is run, where the reference says 400',
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
    text: 'numbers that the reference has wrong are right: parameters of CartPole and Swimmer, layouts of weights, the cost of a maze step, the limit of the cart of InvertedPendulum',
    methods: informed,
  },
  {
    text: 'episodes are tables of step, observation, action and reward, and say whether the environment or a limit of steps ended them',
    methods: informed,
  },
  {
    text: 'excerpts of the last trials stand behind the history and not in it',
    methods: ['reptraj', 'always-critic', 'critic-only'],
  },
  { text: 'the history has neither tags nor advice of its own', methods: ['three-traj'] },
  { text: 'policies that are no table get no announcement of episodes that are not shown', methods: ['props-plus'] },
  { text: 'random features are described by their form, without scale and clip', methods: ['props-plus'] },
  { text: 'the second search says that it is the second proposal', methods: ['pure-search', 'actor-second-pass'] },
  { text: 'the critic is told the threshold in the same words at every threshold', methods: ['tau-c'] },
];

/** What in the prompts of a method is not as in the reference, each in a few words. */
export function promptDifferences(method: string): string[] {
  return differences.flatMap(({ text, methods }) => (methods === undefined || methods.includes(method) ? [text] : []));
}
