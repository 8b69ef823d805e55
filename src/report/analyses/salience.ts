/**
 * Salience bias: does a critic that is shown a bad episode rebuild a good policy for its sake? The reference counts, among
 * the regressions, those whose proposal had a worst episode below the others, and whose reply names it; here the same
 * criteria are also applied to the iterations that did not regress, because a share of regressions alone says nothing.
 */
import { fisherExact, mantelHaenszel, type OddsRatio, oddsRatio, type TwoByTwo } from '../../stats/contingency.ts';
import { type ColumnOf, left, right, type Table, tableOf } from '../tables/table.ts';
import { type AnalysedRun, type Analysis, type GroupKeys, groupAnalysed, needsCritic } from './analysis.ts';
import { groupColumns, intervalCell, numberCell, pCell, runCell, shareCell } from './format.ts';
import { beyondNoise, type NoiseShare, noiseShare } from './noise.ts';
import { directionOf, isUnchanged, type Pair, pairsOf, proposalReturns } from './record.ts';

/** Whether a pair meets a criterion; null if that is not recorded. */
type Test = (pair: Pair) => boolean | null;

interface Named<T> {
  readonly id: string;
  readonly title: string;
  readonly test: T;
}

const normal: Test = (pair) => {
  const { worst, median, best } = proposalReturns(pair);
  return worst <= median && worst < best;
};

const strict: Test = (pair) => {
  const { worst, median } = proposalReturns(pair);
  return worst < median;
};

/** Our prompts call a rollout an episode. */
const phrase = /\bworst\s+(?:rollout|trajectory|episode)\b/i;

const names: Test = ({ reply }) => (reply === null ? null : reply.toLowerCase().includes('worst'));
const namesEpisode: Test = ({ reply }) => (reply === null ? null : phrase.test(reply));

const both =
  (first: Test, second: Test): Test =>
  (pair) => {
    const answers = [first(pair), second(pair)];
    return answers.includes(null) ? null : answers.every((answer) => answer);
  };

/** `normal` and `strict` are the reference's proxies, `word` and `phrase` its detectors of a mention in the reply. */
export const criteria: readonly Named<Test>[] = [
  { id: 'normal', title: 'normal', test: normal },
  { id: 'strict', title: 'strict', test: strict },
  { id: 'normal_word', title: 'normal, "worst"', test: both(normal, names) },
  { id: 'strict_word', title: 'strict, "worst"', test: both(strict, names) },
  { id: 'normal_phrase', title: 'normal, "worst episode"', test: both(normal, namesEpisode) },
  { id: 'strict_phrase', title: 'strict, "worst episode"', test: both(strict, namesEpisode) },
];

const regressed: Test = ({ delta }) => directionOf(delta) === 'regression';

interface Comparison {
  readonly pairs: (pair: Pair) => boolean;
  /** null: unknown, excluded from the comparison */
  readonly isCase: Test;
}

/** The compared pairs, and the cases among them. */
const comparisons: readonly Named<Comparison>[] = [
  {
    id: 'regressions_and_others',
    title: 'Regressions against all other revisions',
    test: { pairs: () => true, isCase: regressed },
  },
  {
    id: 'regressions_and_other_edits',
    // An unchanged policy cannot regress on common seeds, and a perfect one is often left unchanged.
    title: 'Regressions against other revisions that changed a parameter',
    test: { pairs: (pair) => !isUnchanged(pair), isCase: regressed },
  },
  {
    id: 'regressions_beyond_noise',
    title: 'Regressions beyond noise (p <= 0.05) against all other revisions',
    test: {
      pairs: () => true,
      isCase: (pair) => {
        const beyond = beyondNoise(pair);
        return beyond === null ? null : beyond && pair.delta < 0;
      },
    },
  },
];

export interface CriterionResult {
  readonly criterion: string;
  readonly table: TwoByTwo;
  /** share of the cases, and of the controls, that meet the criterion */
  readonly share_of_cases: number | null;
  readonly share_of_controls: number | null;
  readonly odds_ratio: OddsRatio | null;
  /** two-sided, of Fisher's exact test */
  readonly p: number;
}

export interface SalienceResult {
  /** iterations with a comparable proposal and revision */
  readonly pairs: number;
  readonly regressions: number;
  readonly no_change: number;
  readonly improvements: number;
  /** pairs with a recorded reply */
  readonly with_reply: number;
  /** regressions that meet `normal` and not `strict`: worst = median < best */
  readonly excluded_by_strict: number;
  readonly noise: NoiseShare;
  readonly comparisons: readonly { readonly id: string; readonly criteria: readonly CriterionResult[] }[];
}

function countsOf(pairs: readonly Pair[], criterion: Test, { pairs: belongs, isCase }: Comparison): TwoByTwo {
  const cases = { met: 0, unmet: 0 };
  const controls = { met: 0, unmet: 0 };
  for (const pair of pairs.filter(belongs)) {
    const outcome = isCase(pair);
    const met = criterion(pair);
    if (outcome === null || met === null) continue;
    (outcome ? cases : controls)[met ? 'met' : 'unmet'] += 1;
  }
  return { cases, controls };
}

const shareMet = ({ met, unmet }: TwoByTwo['cases']): number | null => (met + unmet === 0 ? null : met / (met + unmet));

export function salienceOf(pairs: readonly Pair[]): SalienceResult {
  const regressions = pairs.filter(({ delta }) => directionOf(delta) === 'regression');
  return {
    pairs: pairs.length,
    regressions: regressions.length,
    no_change: pairs.filter(({ delta }) => directionOf(delta) === 'no_change').length,
    improvements: pairs.filter(({ delta }) => directionOf(delta) === 'improvement').length,
    with_reply: pairs.filter(({ reply }) => reply !== null).length,
    excluded_by_strict: regressions.filter((pair) => normal(pair) && !strict(pair)).length,
    noise: noiseShare(pairs),
    comparisons: comparisons.map(({ id, test: comparison }) => ({
      id,
      criteria: criteria.map(({ id: criterion, test }) => {
        const table = countsOf(pairs, test, comparison);
        return {
          criterion,
          table,
          share_of_cases: shareMet(table.cases),
          share_of_controls: shareMet(table.controls),
          odds_ratio: oddsRatio(table),
          p: fisherExact(table),
        };
      }),
    })),
  };
}

interface SalienceGroup extends SalienceResult, GroupKeys {}

interface StratifiedOdds {
  readonly comparison: string;
  readonly criterion: string;
  readonly odds_ratio: ReturnType<typeof mantelHaenszel>;
}

/** One odds ratio over all groups, each a stratum: their base rates differ. */
export function stratified(groups: readonly SalienceResult[]): StratifiedOdds[] {
  return comparisons.flatMap(({ id: comparison }, i) =>
    criteria.map(({ id: criterion }, k) => ({
      comparison,
      criterion,
      odds_ratio: mantelHaenszel(groups.map((group) => group.comparisons[i]!.criteria[k]!.table)),
    })),
  );
}

const allPairs = (runs: readonly AnalysedRun[]): Pair[] => runs.flatMap(({ iterations }) => pairsOf(iterations));

function overview(groups: readonly SalienceGroup[]): Table {
  return tableOf(groups, {
    title: 'Revisions and noise',
    note:
      'Within noise: p > 0.05 in the recorded paired test, else in an approximate test from the standard deviations that ' +
      'assumes independent episodes (column approximated). Wrong sign: the expected share of regressions that are not ' +
      'regressions.',
    columns: [
      ...groupColumns,
      right('revisions', ({ pairs }) => pairs),
      right('regressions', ({ regressions, pairs }) => shareCell(regressions, pairs)),
      right('unchanged mean', ({ no_change, pairs }) => shareCell(no_change, pairs)),
      right('within noise', ({ noise }) => shareCell(noise.within_noise, judgedOf(noise))),
      right('wrong sign', ({ noise }) => numberCell(noise.expected_wrong_sign)),
      right('approximated', ({ noise }) => shareCell(noise.judged.approximate, judgedOf(noise))),
    ],
  });
}

const judgedOf = ({ judged }: SalienceGroup['noise']): number => judged.paired + judged.approximate + judged.identical;

const metCell = ({ met, unmet }: TwoByTwo['cases']): string => `${shareCell(met, met + unmet)} of ${met + unmet}`;

const comparisonColumns: readonly ColumnOf<CriterionResult>[] = [
  left('criterion', ({ criterion }) => criteria.find(({ id }) => id === criterion)?.title ?? criterion),
  right('regressions', ({ table }) => metCell(table.cases)),
  right('control group', ({ table }) => metCell(table.controls)),
  right('odds ratio (95 %)', ({ odds_ratio: odds }) => `${intervalCell(odds) ?? '-'}${odds?.corrected ? ' *' : ''}`),
  right('Fisher p', ({ odds_ratio, p }) => pCell(odds_ratio && p)),
];

function comparisonTables({ env, method, comparisons: found }: SalienceGroup): Table[] {
  return found.map(({ criteria: rows }, i) =>
    tableOf(rows, {
      title: `${env}, ${method}: ${comparisons[i]!.title}`,
      note:
        i === 0
          ? 'Normal: worst <= median and worst < best. Strict: worst < median. In quotes: words in the reply.'
          : '',
      columns: comparisonColumns,
    }),
  );
}

function stratifiedTable(all: readonly StratifiedOdds[]): Table {
  const titleOf = (list: readonly { id: string; title: string }[], wanted: string) =>
    list.find(({ id }) => id === wanted)?.title ?? wanted;
  return tableOf(all, {
    title: 'All groups together',
    note: 'Mantel-Haenszel odds ratios, one stratum per environment and method.',
    columns: [
      left('comparison', ({ comparison }) => titleOf(comparisons, comparison)),
      left('criterion', ({ criterion }) => titleOf(criteria, criterion)),
      right('odds ratio (95 %)', ({ odds_ratio }) => intervalCell(odds_ratio)),
    ],
  });
}

export const salience: Analysis = {
  id: 'salience',
  title:
    'whether a focus of critics on the worst episode causes regressions; with a control group and the share of noise',
  reads: 'pairs',
  refuses: needsCritic,
  analyse(runs) {
    const groups = groupAnalysed(runs).map(({ env, method, runs: members }): SalienceGroup => {
      return { env, method, runs: members.length, ...salienceOf(allPairs(members)) };
    });
    const pooled = groups.length > 1 ? stratified(groups) : null;
    return {
      document: { groups, pooled },
      tables: [
        overview(groups),
        ...groups.flatMap(comparisonTables),
        ...(pooled ? [stratifiedTable(pooled)] : []),
        tableOf(
          runs.map((run) => ({ run, ...salienceOf(pairsOf(run.iterations)) })),
          {
            title: 'Runs',
            columns: [
              left('run', ({ run }) => runCell(run)),
              right('revisions', ({ pairs }) => pairs),
              right('regressions', ({ regressions, pairs }) => shareCell(regressions, pairs)),
              right('strict, "worst"', ({ comparisons }) => {
                const { met, unmet } = comparisons[0]!.criteria[3]!.table.cases;
                return shareCell(met, met + unmet);
              }),
            ],
          },
        ),
      ],
    };
  },
};
