/** The main results in sentences, at the top of a report. */
import { counted, estimateText, mirrored } from '../base/plain-number.ts';
import { type Comparison, isSignificant, pText } from './comparisons.ts';
import {
  hasNoModel,
  type RewardKind,
  type RunGroup,
  rewardNames,
  type Spread,
  sameSetting,
  sharedSetting,
  standardError,
} from './groups.ts';
import { unset } from './settings.ts';

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

const digits = 4;
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
    const methodOf = ({ values }: RunGroup): string => values[methodAt] ?? 'all methods';
    const nameOf = (group: RunGroup): string => {
      const alike = members.filter((one) => methodOf(one) === methodOf(group));
      const apart = by.filter((_, i) => alike.some(({ values }) => values[i] !== group.values[i]));
      return `${methodOf(group)}${apart.length > 0 ? ` (${settingText(group, apart, by) || 'default'})` : ''}`;
    };
    const own = members.filter((group) => methodOf(group) === comparison?.method);
    const lines = members.flatMap((group) => {
      const shared = own.filter((one) => sameSetting(one, group, by)).map((one) => `${sharedSetting(one, group, by)}`);
      const found = comparison?.lines.filter(
        ({ other, setting }) => other === methodOf(group) && shared.includes(`${setting}`),
      );
      return (found ?? []).map((line) => ({ ...line, other: nameOf(group) }));
    });
    const verdicts = verdictsOf(comparison?.method ?? '', lines);
    const rewards = members.flatMap((group) => {
      const spread = group.rewards[reward];
      return spread === null ? [] : [{ name: nameOf(group), spread }];
    });
    const keys = by.filter((key) => key !== 'method');
    return {
      setting: settingText(members[0]!, keys, by) || 'all runs',
      text: [highest(rewards, reward), ...verdicts].join('; '),
    };
  });
}

/** `CartPole-v1, offline, optimiser.sigma=2`: the values of these keys, without those that a group does not have. */
function settingText({ values }: RunGroup, keys: readonly string[], by: readonly string[]): string {
  const parts = keys.flatMap((key) => {
    const value = values[by.indexOf(key)]!;
    if (value === unset) return [];
    return [key === 'env' || key === 'model' ? value : `${key}=${value}`];
  });
  return parts.join(', ');
}

function highest(rewards: readonly { readonly name: string; readonly spread: Spread }[], reward: RewardKind): string {
  const title = rewardNames[reward];
  if (rewards.length === 0) return `no run has a ${title}`;
  const top = rewards.reduce((a, b) => (b.spread.mean > a.spread.mean ? b : a));
  const { mean, ci95 } = top.spread;
  const best = rewards.filter(({ spread }) => spread.mean === mean);
  const counts = [...new Set(best.map(({ spread }) => count(spread.runs)))];
  const value = `${estimateText(mean, ci95, digits, standardError(top.spread))} over ${counts.join(' and ')}`;
  if (rewards.length === 1) return `${title} ${value}`;
  return `highest ${title} by ${best.map(({ name }) => name).join(' and ')}, ${value}`;
}

/** The significant differences one by one, then the others together, then those without a test. */
function verdictsOf(method: string, lines: readonly Comparison[]): string[] {
  const differing = lines.filter(isSignificant);
  const untested = lines.filter(({ holmP }) => holmP === null);
  const others = lines.filter((line) => !differing.includes(line) && !untested.includes(line));
  return [
    ...differing.map((line) => difference(method, line)),
    ...noDifference(method, others, lines.length - others.length),
    ...(untested.length === 0
      ? []
      : [`no test between ${method} and ${untested.map(({ other }) => other).join(', ')}, whose runs do not vary`]),
  ];
}

/** Methods that are named where they are not all. */
const maxNamed = 3;

function noDifference(method: string, lines: readonly Comparison[], besides: number): string[] {
  const [first] = lines;
  if (!first) return [];
  const least = Math.min(...lines.flatMap(({ holmP }) => holmP ?? []));
  if (lines.length === 1) {
    return [`no significant difference between ${method} and ${first.other} (Holm p ${pText(least)})`];
  }
  const names = lines.map(({ other }) => other).join(', ');
  const others =
    besides === 0
      ? `any of ${lines.length}`
      : `any of the other ${lines.length}${lines.length <= maxNamed ? `, ${names}` : ''}`;
  return [`${method}: no significant difference to ${others} (least Holm p ${pText(least)})`];
}

function difference(method: string, { other, difference: by, stderr, ci95, holmP }: Comparison): string {
  const side = by > 0 ? 'above' : 'below';
  const size = estimateText(Math.abs(by), by > 0 ? ci95 : mirrored(ci95), digits, stderr);
  return `${method} is ${side} ${other} by ${size} (Holm p ${pText(holmP)})`;
}
