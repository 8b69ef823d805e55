/** What a run found, as rows of a table. */
import { significant } from '../base/plain-number.ts';
import type { RunSummary } from '../experiment/summary.ts';
import { duration } from './progress.ts';

const digits = 6;

function value(x: number | null): string {
  return x === null ? '-' : significant(x, digits);
}

/** How tables and notes call a model: the offline one must never pass for a language model. */
export function modelLabel(model: string, kind: RunSummary['model_kind']): string {
  const notes = {
    model: '',
    offline: ' (a numeric optimiser, not a language model)',
    replay: ' (recorded replies)',
    none: '',
  };
  return `${model}${notes[kind]}`;
}

function recheckedText({ best }: RunSummary): string {
  if (!best?.rechecked) return '-';
  const { episodes, mean, ci95 } = best.rechecked;
  const interval = ci95 ? ` (95 % interval ${value(ci95[0])} ... ${value(ci95[1])}` : ' (no interval';
  return `${value(mean)}${interval}, ${episodes} fresh episodes)`;
}

function costText(usd: number | null): string {
  return usd === null ? 'unknown: the configuration has no price' : `${usd.toFixed(4)} USD`;
}

/** Name and value, in reading order. */
export function runRows(summary: RunSummary): readonly (readonly [string, string])[] {
  const { llm, best } = summary;
  const unusable = llm.unusable_replies === 0 ? '' : `, ${llm.unusable_replies} unusable replies`;
  return [
    ['status', summary.status],
    ['iterations', String(summary.iterations)],
    ['mean reward of the kept policies', value(summary.mean_reward)],
    ['best reward', best ? `${value(summary.best_reward)} (iteration ${best.iteration})` : '-'],
    ['final reward', value(summary.final_reward)],
    ['best policy, re-checked', recheckedText(summary)],
    ['model calls', `${llm.calls}${unusable}`],
    ['tokens', `${llm.prompt_tokens} in, ${llm.completion_tokens} out`],
    ...(summary.model_kind === 'model' ? [['cost', costText(llm.cost_usd)] as const] : []),
    ['search episodes', `${summary.episodes} (${summary.steps} steps)`],
    ['wall time', summary.wall_s < 10 ? `${significant(summary.wall_s, 3)} s` : duration(summary.wall_s)],
    ['backend', summary.adapter === null ? summary.backend : `${summary.backend} (${summary.adapter})`],
    ['model', modelLabel(summary.model, summary.model_kind)],
  ];
}
