/** The result of a run as rows of a table. */
import { counted, errorOf, roundedBy, significant } from '../../base/plain-number.ts';
import type { ModelSummary, RunSummary } from '../../runs/folder/summary.ts';
import { duration } from '../progress.ts';

const digits = 6;

function value(x: number | null): string {
  return x === null ? '-' : significant(x, digits);
}

/** The label of a model; the offline one must not pass for a language model. */
export function modelLabel(model: string, kind: RunSummary['model_kind']): string {
  const notes = {
    model: '',
    offline: ' (a numeric optimiser, not a language model)',
    replay: ' (recorded replies)',
    none: '',
  };
  return `${model}${notes[kind]}`;
}

type Played = NonNullable<NonNullable<RunSummary['best']>['rechecked']>;

function playedText(played: Played | null | undefined, which: string): string {
  if (!played) return '-';
  const { episodes, mean, ci95 } = played;
  const text = roundedBy(errorOf(ci95), digits);
  const interval = ci95 ? ` (95 % interval ${text(ci95[0])} ... ${text(ci95[1])}` : ' (no interval';
  return `${text(mean)}${interval}, ${episodes} ${which} episodes)`;
}

function costText(usd: number | null): string {
  if (usd === null) return 'unknown: the configuration has no price';
  return usd === 0 ? '0 USD' : `${usd.toFixed(4)} USD`;
}

/** `1200 in (900 from a cache), 80 out (30 of reasoning)` */
function tokensText(llm: Pick<RunSummary['llm'], keyof ModelSummary>): string {
  const part = (tokens: number | null, what: string): string[] => (tokens ? [`${tokens} ${what}`] : []);
  const inside = (parts: readonly string[]): string => (parts.length === 0 ? '' : ` (${parts.join(', ')})`);
  const caches = [...part(llm.cached_tokens, 'from a cache'), ...part(llm.cache_write_tokens, 'written to one')];
  return `${llm.prompt_tokens} in${inside(caches)}, ${llm.completion_tokens} out${inside(part(llm.reasoning_tokens, 'of reasoning'))}`;
}

/** Calls and tokens by model, if several answered, or another one than was asked. */
function answeredRows({ llm, models: asked }: RunSummary): (readonly [string, string])[] {
  const models = Object.entries(llm.by_model);
  if (models.length < 2 && models.every(([name]) => name === asked.search || name === asked.critic)) return [];
  return models.map(
    ([name, counts]) => [`answered by ${name}`, `${counted(counts.calls, 'call')}, ${tokensText(counts)}`] as const,
  );
}

function modelRows({ model, models, model_kind: kind }: RunSummary): (readonly [string, string])[] {
  if (models.search === models.critic) return [['model', modelLabel(model, kind)]];
  return [
    ['model of the search', modelLabel(models.search, kind)],
    ['model of the critic', modelLabel(models.critic, kind)],
  ];
}

export function runRows(summary: RunSummary): readonly (readonly [string, string])[] {
  const { llm, best } = summary;
  const unusable = llm.unusable_replies === 0 ? '' : `, ${llm.unusable_replies} unusable replies`;
  return [
    ['status', summary.status],
    ['iterations', String(summary.iterations)],
    ['best policy, re-checked', playedText(best?.rechecked, 'fresh')],
    ...(best?.holdout ? [['best policy, held-out seeds', playedText(best.holdout, 'held-out')] as const] : []),
    ['highest reward of the search', best ? `${value(summary.best_reward)} (iteration ${best.iteration})` : '-'],
    ['mean reward of the kept policies', value(summary.mean_reward)],
    ['final reward', value(summary.final_reward)],
    ['model calls', `${llm.calls}${unusable}`],
    ['tokens', tokensText(llm)],
    ...answeredRows(summary),
    ['cost', costText(llm.cost_usd)],
    ['search episodes', `${summary.episodes} (${counted(summary.steps, 'step')})`],
    ['wall time', summary.wall_s < 10 ? `${significant(summary.wall_s, 3)} s` : duration(summary.wall_s)],
    ['backend', summary.adapter === null ? summary.backend : `${summary.backend} (${summary.adapter})`],
    ...modelRows(summary),
  ];
}
