/** The progress of a run in one line. */
import { errorOf, roundedBy, significant } from '../base/plain-number.ts';
import type { RunTotals } from '../runs/journal/totals.ts';
import type { RunProgress } from '../runs/session/progress.ts';

const rewardDigits = 5;

/** `1 min 5 s`, `2 h 3 min` */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `950`, `12.3k`, `4.56M` */
export function shortCount(n: number): string {
  if (n < 1000) return String(n);
  return n < 1e6 ? `${significant(n / 1e3, 3)}k` : `${significant(n / 1e6, 3)}M`;
}

function reward(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : significant(value, rewardDigits);
}

/** Mean of the best policy ± half of its 95 % interval over episodes. */
function best({ best: policy }: RunTotals): string {
  if (!policy) return '-';
  const ci95 = policy.summary?.ci95;
  if (!ci95) return reward(policy.mean);
  const text = roundedBy(errorOf(ci95), rewardDigits);
  return `${text(policy.mean)} ± ${text((ci95[1] - ci95[0]) / 2)}`;
}

function tokensText({ tokens, answered }: RunTotals): string {
  const { cachedTokens, reasoningTokens } = answered;
  const parts = [
    ...(cachedTokens ? [`${shortCount(cachedTokens)} cached`] : []),
    ...(reasoningTokens ? [`${shortCount(reasoningTokens)} of reasoning`] : []),
  ];
  return `tokens ${shortCount(tokens)}${parts.length === 0 ? '' : ` (${parts.join(', ')})`}`;
}

function modelTexts(totals: RunTotals): string[] {
  const { accepted, rejected } = totals.revisions;
  return [`revisions ${accepted} kept, ${rejected} not`, `unusable replies ${totals.llm.unusable}`, tokensText(totals)];
}

export function progressLine({ totals, iterations, etaSeconds, event }: RunProgress): string {
  if (event?.type === 'warmup' && !totals.paused)
    return `warm-up policy ${event.index + 1}: return ${reward(event.return)}`;
  if (event?.type === 'rechecked') return `re-checked: mean ${reward(event.summary.mean)}`;
  return [
    ...(totals.paused ? ['paused'] : []),
    `iteration ${totals.rows.length}/${iterations}`,
    // Early, because a narrow terminal cuts the end of the line.
    ...(etaSeconds === null || totals.rows.length >= iterations ? [] : [`left ${duration(etaSeconds)}`]),
    `last ${reward(totals.rows.at(-1)?.mean)}`,
    `best ${best(totals)}`,
    ...(totals.modelKind === 'none' ? [`episodes ${shortCount(totals.episodes)}`] : modelTexts(totals)),
  ].join(' | ');
}
