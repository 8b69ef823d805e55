/** Logs of the Python reference as it writes them, made by hand: its folders, its files, its number formats. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface WrittenCandidate {
  readonly params: readonly number[];
  readonly returns: readonly number[];
  /** steps of each rollout */
  readonly lengths: readonly number[];
  /** what the reply says after the parameters */
  readonly reason?: string;
}

const python = (x: number): string => (Number.isInteger(x) ? `${x}.0` : String(x));

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function rollouts({ params, returns, lengths }: WrittenCandidate, table: boolean): string {
  return returns
    .map((total, k) => {
      const head = table ? '' : `${params.map(python).join(', ')}\nparameter ends\n\n`;
      const steps = Array.from({ length: lengths[k]! }, (_, t) =>
        table ? `${t % 4} | ${t % 3} | 0.0\n` : `[${(0.01 * t).toFixed(2)}] | ${t % 2} | 1.0\n`,
      );
      return `${head}state | action | reward\n${steps.join('')}Total reward: ${python(total)}\n`;
    })
    .join('');
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const reply = ({ params, reason = 'Because the worst rollout fell to the left.' }: WrittenCandidate): string =>
  `${params.map((value, i) => `params[${i}]: ${value}`).join(', ')}\n${reason}`;
const exchange = (candidate: WrittenCandidate): string =>
  `system:\nMaximise f.\n\nHistory: none\n\n\nLLM:\n${reply(candidate)}`;

export type HandLayout = 'two-call' | 'two-search' | 'critic-only' | 'single-call';

export interface HandLog {
  readonly folder: string;
  readonly layout: HandLayout;
  readonly table?: boolean;
  /** `parameters.txt` shows the last candidate, as agents write it that do not put the kept one back */
  readonly printsLatest?: boolean;
  readonly iterations: readonly (readonly WrittenCandidate[])[];
  readonly warmups?: readonly WrittenCandidate[];
  /** what the critic is asked, in the two-call layout */
  readonly criticPrompt?: string;
}

/** Writes the log of one run. Every iteration keeps the better of its candidates, a tie going to the second. */
export function writeReferenceLog(log: HandLog): void {
  const {
    folder,
    layout,
    table = false,
    printsLatest = false,
    iterations,
    warmups = [],
    criticPrompt = 'Review it.',
  } = log;
  let episodes = 0;
  let steps = 0;
  const count = ({ lengths }: WrittenCandidate): void => {
    episodes += lengths.length;
    steps += lengths.reduce((a, b) => a + b, 0);
  };
  for (const [i, warmup] of warmups.entries()) {
    count(warmup);
    put(join(folder, 'warmup', `warmup_rollout_${i}.txt`), rollouts(warmup, table));
  }
  let rows = 'Iteration, CPU Time, API Time, Total Episodes, Total Steps, Total Reward\n';
  for (const [k, candidates] of iterations.entries()) {
    const at = (name: string): string => join(folder, `episode_${k}`, name);
    for (const candidate of candidates) count(candidate);
    const means = candidates.map(({ returns }) => mean(returns));
    const second = candidates.length > 1 && means[1]! >= means[0]!;
    const kept = second ? 1 : 0;
    const printed = candidates[printsLatest ? candidates.length - 1 : kept]!.params;
    put(
      at('parameters.txt'),
      table
        ? `{${printed.map((a, s) => `${s}: np.float64(${python(a)})`).join(', ')}}`
        : 'Weights:\n[[0.1]]\nBias:\n[[0.]]\n',
    );
    if (layout === 'two-call') {
      const winner = second ? 'revision_won' : 'original_won';
      put(at('initial_proposal_rollout.txt'), rollouts(candidates[0]!, table));
      put(at('revised_proposal_rollout.txt'), rollouts(candidates[1]!, table));
      put(
        at('reflection_outcome.txt'),
        `initial_reward=${means[0]!.toFixed(4)}\nrevised_reward=${means[1]!.toFixed(4)}\nwinner=${winner}\n` +
          'median_traj_rollout_idx=0\nmedian_traj_individual_reward=1.0000\nrevised_median_traj_rollout_idx=0\n',
      );
      put(
        at('parameters_reasoning.txt'),
        `Winner: ${winner}\nInitial reward: ${means[0]!.toFixed(4)}\nRevised reward: ${means[1]!.toFixed(4)}\n\n` +
          `--- Search-LLM (Proposal) ---\n${exchange(candidates[0]!)}\n\n--- Critic-LLM (Reflection) ---\n` +
          `Critic-LLM (Reflection) prompt:\n${criticPrompt}\n\nCritic-LLM response:\n${reply(candidates[1]!)}`,
      );
    } else if (layout === 'two-search') {
      const winner = second ? 'proposal_b' : 'proposal_a';
      put(at('proposal_a_rollout.txt'), rollouts(candidates[0]!, table));
      put(at('proposal_b_rollout.txt'), rollouts(candidates[1]!, table));
      put(
        at('selection_outcome.txt'),
        `proposal_a_reward=${means[0]!.toFixed(4)}\nproposal_b_reward=${means[1]!.toFixed(4)}\nwinner=${winner}\n` +
          'proposal_a_repr_idx=0\nproposal_b_repr_idx=0\n',
      );
      put(
        at('parameters_reasoning.txt'),
        `Winner: ${winner}\nProposal A reward: ${means[0]!.toFixed(4)}\nProposal B reward: ${means[1]!.toFixed(4)}\n\n` +
          `--- Proposal A ---\n${exchange(candidates[0]!)}\n\n--- Proposal B ---\n${exchange(candidates[1]!)}`,
      );
    } else {
      put(at('training_rollout.txt'), rollouts(candidates[0]!, table));
      const reviewed = `Critic-LLM-only prompt:\nMaximise f.\n\nCritic-LLM-only response:\n${reply(candidates[0]!)}`;
      put(at('parameters_reasoning.txt'), layout === 'critic-only' ? reviewed : exchange(candidates[0]!));
      if (layout === 'critic-only') {
        put(at('critic_only_outcome.txt'), `reward=${means[0]!.toFixed(4)}\nrepr_traj_rollout_idx=0\n`);
      }
    }
    rows += `${k + 1}, ${python(0.5 * (k + 1))}, ${python(3.25 * (k + 1))}, ${episodes}, ${steps}, ${python(means[kept]!)}\n`;
  }
  put(join(folder, 'overall_log.txt'), rows);
}
