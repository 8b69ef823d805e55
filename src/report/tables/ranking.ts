/** A ranking of policies as a document and as tables. */
import { significant } from '../../base/plain-number.ts';
import type { AgainstBest, PolicyIndex, PolicyRanking, Ranked } from '../../evaluation/ranking.ts';
import type { PolicySet } from '../../runs/folder/policy-set.ts';
import { pText } from '../comparisons.ts';
import { type Cell, right, type Table } from './table.ts';

/** Above this adjusted p, a policy is said not to be told from the best. */
const level = 0.05;

export interface RankingReport {
  readonly set: Pick<PolicySet, 'groups' | 'duplicates' | 'leftOut'>;
  readonly ranking: PolicyRanking;
  readonly seed: number;
  readonly episodes: number;
}

const cannotBeTold = (test: AgainstBest | null): boolean => test !== null && test.holmP > level;

function nameOf({ set }: RankingReport, { population, candidate }: PolicyIndex): string {
  return set.groups[population].members[candidate].name;
}

/** What was not ranked, or not again, with the reason. */
export function notRanked(report: RankingReport): { readonly name: string; readonly reason: string }[] {
  return [
    ...report.set.leftOut.map(({ path, reason }) => ({ name: path, reason })),
    ...report.ranking.broken.map((one) => ({ name: nameOf(report, one), reason: one.reason })),
    ...(report.ranking.recheck?.broken ?? []).map((one) => ({
      name: nameOf(report, one),
      reason: `of the fresh seeds only: ${one.reason}`,
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

/** The document of `--json`, but for what the command knows about itself. */
export function rankingDocument(report: RankingReport) {
  const { ranking, set, seed, episodes } = report;
  const { order, recheck } = ranking;
  const [best] = order;
  const { policy, members } = set.groups[best.population];
  const kindOf = ({ population }: PolicyIndex) => set.groups[population].policy.kind;
  return {
    policies: order.length,
    episodes,
    seed,
    best: {
      name: nameOf(report, best),
      policy: { kind: policy.kind, options: policy.options, params: Array.from(members[best.candidate].params) },
    },
    not_told_from_best: order.filter(({ againstBest }) => cannotBeTold(againstBest)).length,
    ranking: order.map((one) => ({
      rank: one.rank,
      name: nameOf(report, one),
      kind: kindOf(one),
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
const intervalText = (ci95: readonly [number, number] | null): Cell =>
  ci95 && `${significant(ci95[0], digits)} ... ${significant(ci95[1], digits)}`;

const testColumns = [right('less the best'), right('95 % interval'), right('Holm p')];
const testCells = (test: AgainstBest | null): Cell[] =>
  test === null
    ? ['best', null, null]
    : [significant(test.difference, digits), intervalText(test.ci95), pText(test.holmP)];

/** The first `top` lines for a reader. */
export function rankingTable(report: RankingReport, top: number): Table {
  const { ranking, set, episodes, seed } = report;
  const { order } = ranking;
  const kinds = set.groups.length > 1;
  const equals = order.filter(({ againstBest }) => cannotBeTold(againstBest)).length;
  const rows = order.slice(0, top);
  const told =
    order.length === 1
      ? ''
      : `; ${equals} of the other ${order.length - 1} cannot be told from the best (paired t test on common seeds, Holm over all of them, p > ${level})`;
  return {
    title: `${order.length} policies, ${episodes} episodes each, seeds ${seed} ... ${seed + episodes - 1}`,
    note:
      `By mean return${told}. ` +
      'The first of many looks better than it is on the seeds that put it first' +
      `${ranking.recheck ? ': see the fresh seeds below.' : ', and so its lead: check it on fresh seeds (--recheck).'}` +
      `${rows.length < order.length ? ` The first ${rows.length} are shown.` : ''}`,
    columns: [
      right('rank'),
      { title: 'policy' },
      ...(kinds ? [{ title: 'kind' }] : []),
      right('mean'),
      right('95 % interval'),
      right('median'),
      right('success'),
      ...testColumns,
    ],
    rows: rows.map((one) => [
      one.rank,
      nameOf(report, one),
      ...(kinds ? [set.groups[one.population].policy.kind] : []),
      significant(one.summary.mean, digits),
      intervalText(one.summary.ci95),
      significant(one.summary.median, digits),
      significant(one.summary.success.rate, 3),
      ...testCells(one.againstBest),
    ]),
  };
}

/** Null where none was played again. */
export function recheckTable(report: RankingReport): Table | null {
  const { recheck, order } = report.ranking;
  if (recheck === null) return null;
  const { seed, episodes, policies } = recheck;
  return {
    title: `The first ${policies.length} again on ${episodes} fresh seeds, ${seed} ... ${seed + episodes - 1}`,
    note:
      'These seeds had no part in the order, so means and differences are not flattered by it. Compared with the same ' +
      'best policy; Holm over these comparisons.',
    columns: [
      right('rank'),
      { title: 'policy' },
      right('mean before'),
      right('mean'),
      right('95 % interval'),
      ...testColumns,
    ],
    rows: policies.map((one) => [
      order[one.place].rank,
      nameOf(report, one),
      significant(order[one.place].summary.mean, digits),
      significant(one.summary.mean, digits),
      intervalText(one.summary.ci95),
      ...testCells(one.againstBest),
    ]),
  };
}

/** Every policy with all digits, for a program. */
export function rankingRows(report: RankingReport): Pick<Table, 'columns' | 'rows'> {
  const { ranking, set } = report;
  const fresh = new Map(ranking.recheck?.policies.map(({ place, summary }) => [place, summary.mean]));
  const titles = [
    ...['rank', 'name', 'kind', 'mean', 'stderr', 'ci95_low', 'ci95_high', 'median', 'success_rate'],
    ...['difference', 'difference_ci95_low', 'difference_ci95_high', 'p', 'p_holm', 'fresh_mean'],
  ];
  return {
    columns: titles.map((title) => ({ title })),
    rows: ranking.order.map((one, i) => {
      const { summary, againstBest: test } = one;
      return [
        ...[one.rank, nameOf(report, one), set.groups[one.population].policy.kind, summary.mean, summary.stderr],
        ...[summary.ci95?.[0] ?? null, summary.ci95?.[1] ?? null, summary.median, summary.success.rate],
        ...[test?.difference ?? null, test?.ci95?.[0] ?? null, test?.ci95?.[1] ?? null, test?.p ?? null],
        ...[test?.holmP ?? null, fresh.get(i) ?? null],
      ];
    }),
  };
}
