/** The main results in sentences, at the top of a report. */
import { counted, significant } from '../base/plain-number.ts';
import { type Comparison, intervalText, pText } from './comparisons.ts';
import { hasNoModel, type RewardKind, type RunGroup, rewardNames, type Spread, sameSetting } from './groups.ts';

export interface Finding {
  /** the grouping keys except the method */
  readonly setting: string;
  readonly text: string;
}

export interface FindingOptions {
  readonly by: readonly string[];
  readonly reward: RewardKind;
  /** null: no comparison */
  readonly comparison: { readonly method: string; readonly lines: readonly Comparison[] } | null;
}

/** Significance level after Holm's correction. */
const alpha = 0.05;

const digits = 4;
const number = (value: number): string => significant(value, digits);
const count = (runs: number): string => (runs === 1 ? 'one run, which has no interval' : counted(runs, 'run'));

/** One for each setting, in the order of the groups. */
export function findingsOf(groups: readonly RunGroup[], { by, reward, comparison }: FindingOptions): Finding[] {
  const methodAt = by.indexOf('method');
  const settingOf = ({ values }: RunGroup): string[] => values.filter((_, i) => i !== methodAt);
  const settings = new Map<string, RunGroup[]>();
  for (const group of groups) {
    const besideSearches = hasNoModel(group) && groups.some((one) => !hasNoModel(one) && sameSetting(one, group, by));
    if (besideSearches) continue;
    const key = JSON.stringify(settingOf(group));
    const trainings = groups.filter((one) => hasNoModel(one) && sameSetting(one, group, by));
    const members = hasNoModel(group) ? [group] : [group, ...trainings];
    settings.set(key, [...new Set([...(settings.get(key) ?? []), ...members])]);
  }
  return [...settings.values()].map((members) => {
    const setting = settingOf(members[0]!);
    const lines = comparison?.lines.filter((line) => `${line.setting}` === `${setting}`) ?? [];
    const verdicts = lines.map((line) => verdict(comparison?.method ?? '', line));
    const rewards = members.flatMap((group) => {
      const spread = group.rewards[reward];
      return spread === null ? [] : [{ name: group.values[methodAt] ?? 'all methods', spread }];
    });
    return { setting: setting.join(', ') || 'all runs', text: [highest(rewards, reward), ...verdicts].join('; ') };
  });
}

function highest(rewards: readonly { readonly name: string; readonly spread: Spread }[], reward: RewardKind): string {
  const title = rewardNames[reward];
  if (rewards.length === 0) return `no run has a ${title}`;
  const top = rewards.reduce((a, b) => (b.spread.mean > a.spread.mean ? b : a));
  const { mean, ci95, runs } = top.spread;
  const value = `${number(mean)}${intervalText(ci95, digits)} over ${count(runs)}`;
  if (rewards.length === 1) return `${title} ${value}`;
  const names = rewards.filter(({ spread }) => spread.mean === mean).map(({ name }) => name);
  return `highest ${title} by ${names.join(' and ')}, ${value}`;
}

function verdict(method: string, { other, difference, ci95, holmP }: Comparison): string {
  const p = `Holm p ${pText(holmP)}`;
  if (!(holmP < alpha)) return `no significant difference between ${method} and ${other} (${p})`;
  const side = difference > 0 ? 'above' : 'below';
  const [low, high] = difference > 0 ? ci95 : [-ci95[1], -ci95[0]];
  return `${method} is ${side} ${other} by ${number(Math.abs(difference))}${intervalText([low, high], digits)} (${p})`;
}
