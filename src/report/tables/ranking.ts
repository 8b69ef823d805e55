/** A ranking of policies as a document and as tables. */
import { errorOf, roundedBy, significant } from '../../base/plain-number.ts';
import type { AgainstBest, PolicyIndex, PolicyRanking, Ranked, Rechecked } from '../../evaluation/ranking.ts';
import type { PolicySet } from '../../runs/folder/policy-set.ts';
import { pText } from '../comparisons.ts';
import { type Cell, left, right, type Table, tableOf } from './table.ts';

/** Above this adjusted p, a policy does not differ significantly from the best. */
const level = 0.05;

export interface RankingReport {
  readonly set: Pick<PolicySet, 'groups' | 'duplicates' | 'leftOut'>;
  readonly ranking: PolicyRanking;
  readonly seed: number;
  readonly episodes: number;
}

const isIndistinguishable = (test: AgainstBest | null): boolean => test !== null && test.holmP > level;

function nameOf({ set }: RankingReport, { population, candidate }: PolicyIndex): string {
  return set.groups[population]!.members[candidate]!.name;
}

const kindOf = ({ set }: RankingReport, { population }: PolicyIndex): string => set.groups[population]!.policy.kind;

/** What was not ranked, or not re-checked, with the reason. */
export function notRanked(report: RankingReport): { readonly name: string; readonly reason: string }[] {
  return [
    ...report.set.leftOut.map(({ path, reason }) => ({ name: path, reason })),
    ...report.ranking.broken.map((one) => ({ name: nameOf(report, one), reason: one.reason })),
    ...(report.ranking.recheck?.broken ?? []).map((one) => ({
      name: nameOf(report, one),
      reason: `on the fresh seeds only: ${one.reason}`,
    })),
  ];
}

/** The numbers of one policy, under the names of `r2po eval --json`. */
function numbersOf({ summary, againstBest }: Pick<Ranked, 'summary' | 'againstBest'>) {
  const { mean, std, stderr, ci95, median, success } = summary;
  return {
    ...{ mean, std, stderr, ci95, median, success },
    against_best: againstBest && {
      difference: againstBest.difference,
      ci95: againstBest.ci95,
      p: againstBest.p,
      p_holm: againstBest.holmP,
    },
  };
}

/** The document of `--json`, without backend and speed. */
export function rankingDocument(report: RankingReport) {
  const { ranking, set, seed, episodes } = report;
  const { order, recheck } = ranking;
  const [best] = order;
  const { policy, members } = set.groups[best!.population]!;
  return {
    policies: order.length,
    episodes,
    seed,
    best: {
      name: nameOf(report, best!),
      policy: { kind: policy.kind, options: policy.options, params: Array.from(members[best!.candidate]!.params) },
    },
    not_told_from_best: order.filter(({ againstBest }) => isIndistinguishable(againstBest)).length,
    ranking: order.map((one) => ({
      rank: one.rank,
      name: nameOf(report, one),
      kind: kindOf(report, one),
      ...numbersOf(one),
    })),
    recheck: recheck && {
      seed: recheck.seed,
      episodes: recheck.episodes,
      policies: recheck.policies.map((one) => ({ name: nameOf(report, one), ...numbersOf(one) })),
    },
    left_out: notRanked(report),
    duplicates: set.duplicates,
  };
}

const digits = 5;
/** A number with its 95 % interval, rounded by its standard error. */
interface Measured {
  readonly mean: number;
  readonly ci95: readonly [number, number] | null;
}
const meanCell = ({ mean, ci95 }: Measured): Cell => roundedBy(errorOf(ci95), digits)(mean);
function intervalCell({ ci95 }: Measured): Cell {
  const text = roundedBy(errorOf(ci95), digits);
  return ci95 && `${text(ci95[0])} ... ${text(ci95[1])}`;
}
const differenceOf = ({ difference, ci95 }: AgainstBest): Measured => ({ mean: difference, ci95 });

const testColumns = [
  right('minus the best', ({ againstBest: test }: Ranked | Rechecked) =>
    test === null ? 'best' : meanCell(differenceOf(test)),
  ),
  right('95 % interval', ({ againstBest: test }: Ranked | Rechecked) => test && intervalCell(differenceOf(test))),
  right('Holm p', ({ againstBest: test }: Ranked | Rechecked) => test && pText(test.holmP)),
];

/** The first `top` lines for a reader. */
export function rankingTable(report: RankingReport, top: number): Table {
  const { ranking, set, episodes, seed } = report;
  const { order } = ranking;
  const equals = order.filter(({ againstBest }) => isIndistinguishable(againstBest)).length;
  const rows = order.slice(0, top);
  const test =
    order.length === 1
      ? ''
      : `; ${equals} of the other ${order.length - 1} do not differ significantly from the best (paired t test on common seeds, Holm over all of them, p > ${level})`;
  return tableOf(rows, {
    title: `${order.length} policies, ${episodes} episodes each, seeds ${seed} ... ${seed + episodes - 1}`,
    note:
      `By mean return${test}. ` +
      'Selecting the best on these seeds biases its mean and its lead upwards' +
      `${ranking.recheck ? ': see the fresh seeds below.' : ': check them on fresh seeds (--recheck).'}` +
      `${rows.length < order.length ? ` The first ${rows.length} are shown.` : ''}`,
    columns: [
      right('rank', ({ rank }) => rank),
      left('policy', (one) => nameOf(report, one)),
      ...(set.groups.length > 1 ? [left('kind', (one: Ranked) => kindOf(report, one))] : []),
      right('mean', ({ summary }) => meanCell(summary)),
      right('95 % interval', ({ summary }) => intervalCell(summary)),
      right('median', ({ summary }) => significant(summary.median, digits)),
      right('success', ({ summary }) => significant(summary.success.rate, 3)),
      ...testColumns,
    ],
  });
}

/** Null without a re-check. */
export function recheckTable(report: RankingReport): Table | null {
  const { recheck, order } = report.ranking;
  if (recheck === null) return null;
  const { seed, episodes, policies } = recheck;
  return tableOf(policies, {
    title: `The first ${policies.length} again on ${episodes} fresh seeds, ${seed} ... ${seed + episodes - 1}`,
    note:
      'The order does not depend on these seeds, so means and differences are not biased by the selection. Compared ' +
      'with the same best policy; Holm over these comparisons.',
    columns: [
      right('rank', ({ position }) => order[position]!.rank),
      left('policy', (one) => nameOf(report, one)),
      right('mean before', ({ position }) => meanCell(order[position]!.summary)),
      right('mean', ({ summary }) => meanCell(summary)),
      right('95 % interval', ({ summary }) => intervalCell(summary)),
      ...testColumns,
    ],
  });
}

/** Every policy with all digits, for a program. */
export function rankingRows(report: RankingReport): Table {
  const { order, recheck } = report.ranking;
  const fresh = new Map(recheck?.policies.map(({ position, summary }) => [order[position], summary.mean]));
  return tableOf(order, {
    columns: [
      left('rank', ({ rank }) => rank),
      left('name', (one) => nameOf(report, one)),
      left('kind', (one) => kindOf(report, one)),
      left('mean', ({ summary }) => summary.mean),
      left('stderr', ({ summary }) => summary.stderr),
      left('ci95_low', ({ summary: { ci95 } }) => ci95?.[0] ?? null),
      left('ci95_high', ({ summary: { ci95 } }) => ci95?.[1] ?? null),
      left('median', ({ summary }) => summary.median),
      left('success_rate', ({ summary }) => summary.success.rate),
      left('difference', ({ againstBest: test }) => test?.difference ?? null),
      left('difference_ci95_low', ({ againstBest: test }) => test?.ci95?.[0] ?? null),
      left('difference_ci95_high', ({ againstBest: test }) => test?.ci95?.[1] ?? null),
      left('p', ({ againstBest: test }) => test?.p ?? null),
      left('p_holm', ({ againstBest: test }) => test?.holmP ?? null),
      left('fresh_mean', (one) => fresh.get(one) ?? null),
    ],
  });
}
