/** Reads one iteration's folder: the candidates played, the one kept, the prompts and replies. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { listFolder } from '../../base/node/walk.ts';
import { type Summary, summarise } from '../../evaluation/summary.ts';
import type { CandidateLabel } from '../../methods/method.ts';
import { endCauses } from '../../rollout/job.ts';
import type { LoggedTotals } from '../../runs/journal/events.ts';
import type { RunUnits } from '../../runs/resolve-units.ts';
import { rolloutsFolder, rolloutsName, withCopy } from '../common/embedded-files.ts';
import type { ImportLog } from '../common/import-log.ts';
import { cannotRead, type FileProblem, type Rollouts, readRollouts, readText } from './files.ts';
import { type Layout, logName, parametersName, reasoningName } from './layout.ts';
import { takePlainLine } from './plain-line.ts';
import type { LoggedTexts } from './provenance.ts';
import type { ImportedRunSubject } from './subject.ts';
import {
  cutReasoning,
  type Exchange,
  readKeys,
  readNumber,
  readReasoning,
  readReplyParams,
  readTable,
} from './text.ts';

/** The state of a run's import. */
export interface RunImport {
  readonly importLog: ImportLog;
  readonly subject: ImportedRunSubject;
  readonly units: RunUnits;
  /** draft run folder */
  readonly draft: string;
  /** what an export of ours says of the texts, by iteration */
  readonly texts: Readonly<Record<string, LoggedTexts>>;
}

export interface ReadCandidate {
  readonly label: CandidateLabel;
  readonly rollouts: Rollouts | null;
  readonly params: readonly number[];
  readonly mean: number;
  readonly summary: Summary | null;
}

export interface ReadIteration {
  readonly kept: CandidateLabel | null;
  /** the log's word for the kept candidate */
  readonly winner: string | undefined;
  readonly exchanges: readonly Exchange[];
  readonly candidates: readonly ReadCandidate[];
}

export function summaryOf({ returns, lengths }: Rollouts, { env, settings }: RunUnits): Summary {
  const cap = settings.maxSteps ?? Number.POSITIVE_INFINITY;
  const limit = env.timeLimit ?? Number.POSITIVE_INFINITY;
  const cause = (length: number) => (length >= limit ? 'truncated' : length >= cap ? 'capped' : 'terminated');
  return summarise(
    Float64Array.from(returns),
    Uint32Array.from(lengths),
    Uint8Array.from(lengths, (length) => endCauses.indexOf(cause(length))),
    { firstSeed: 0, successThreshold: settings.successThreshold },
  );
}

/** Equal within the log's four decimals. */
function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 6e-5 + 1e-9 * Math.abs(b);
}

/** The texts of an iteration; null: missing or unreadable. */
interface Texts {
  /** `key=value` lines of the outcome */
  readonly outcome: ReadonlyMap<string, string> | null;
  readonly exchanges: readonly Exchange[] | null;
  /** of each exchange: the parameters of the plain line before its reply, which is no part of the reply; null: none */
  readonly plain: readonly (readonly number[] | null)[];
  /** the printed policy, for tabular policies only */
  readonly table: readonly number[] | null;
}

type IterationFolder = { readonly folder: string; readonly iteration: number };

async function readTexts(
  { importLog, subject: { layout }, units, texts }: RunImport,
  { folder, iteration }: IterationFolder,
  present: ReadonlySet<string>,
): Promise<Texts> {
  const path = (name: string): string => join(folder, name);
  const text = async (name: string): Promise<string | null> => {
    if (!present.has(name)) return null;
    importLog.begin(`${iteration}/${name}`);
    const read = await readText(path(name), importLog.digest);
    if ('text' in read) return read.text;
    importLog.skip(path(name), read);
    return null;
  };

  const outcomeText = layout.outcome === null ? null : await text(layout.outcome);
  const outcome = outcomeText === null ? null : readKeys(outcomeText);
  if (layout.outcome !== null && outcome !== null) {
    const readable =
      keptOf(layout, outcome) !== null &&
      layout.candidates.some(({ reward }) => readNumber(outcome.get(reward) ?? '') !== null);
    importLog.done(
      path(layout.outcome),
      readable ? null : { expected: 'a winner and the rewards', found: 'a text without them' },
    );
  }

  const reasoning = await text(reasoningName);
  const said = texts[iteration];
  const logged =
    reasoning === null
      ? null
      : said?.lengths
        ? cutReasoning(layout.id, reasoning, said.lengths)
        : readReasoning(layout.id, reasoning);
  if (reasoning !== null) {
    const problem = logged ? null : { expected: 'prompts and replies', found: 'a text without their marks' };
    importLog.done(path(reasoningName), problem);
  }

  const count = units.policy.paramCount;
  const isTable = units.policy.values.kind === 'choice';
  const printed = await text(parametersName);
  const table = isTable && printed !== null ? readTable(printed, count) : null;
  if (printed !== null) {
    const wrong = isTable && !table ? { expected: `a table of ${count} states`, found: 'another text' } : null;
    importLog.done(path(parametersName), wrong);
  }
  const taken = logged?.map(({ reply }, i) => (said?.plain[i] ? takePlainLine(reply, count) : null)) ?? [];
  const exchanges = logged?.map((exchange, i) => ({ ...exchange, reply: taken[i]?.reply ?? exchange.reply })) ?? null;
  return { outcome, exchanges, plain: taken.map((line) => line?.params ?? null), table };
}

function keptOf({ candidates, winners }: Layout, outcome: Texts['outcome']): CandidateLabel | null {
  if (candidates.length === 1) return 'proposal';
  const winner = outcome?.get('winner');
  return winner !== undefined && Object.hasOwn(winners, winner) ? winners[winner]! : null;
}

/** Reads an iteration. Null when it was not finished, which is logged. */
export async function readIteration(
  runImport: RunImport,
  iterationFolder: IterationFolder,
  logged: LoggedTotals | undefined,
): Promise<ReadIteration | null> {
  const { importLog, subject, units, draft } = runImport;
  const { layout, method } = subject;
  const { folder, iteration } = iterationFolder;
  const path = (name: string): string => join(folder, name);
  let present = new Set<string>();
  try {
    present = new Set(listFolder(folder).all);
  } catch (error) {
    // A row without its folder still names the kept candidate.
    importLog.skip(folder, { expected: 'the folder of an iteration', found: cannotRead(error) });
  }
  const known = new Set([parametersName, reasoningName, layout.outcome, ...layout.candidates.map((c) => c.rollouts)]);
  for (const name of present) {
    if (!known.has(name))
      importLog.skip(path(name), { expected: `a file of the ${layout.id} layout`, found: 'another' });
  }
  const { outcome, exchanges, plain, table } = await readTexts(runImport, iterationFolder, present);
  let kept = keptOf(layout, outcome);
  const count = units.policy.paramCount;
  const isTable = units.policy.values.kind === 'choice';

  const candidates: ReadCandidate[] = [];
  for (const [position, { label, rollouts: name, reward }] of layout.candidates.entries()) {
    const isLogged = readNumber(outcome?.get(reward) ?? '');
    let rollouts: Rollouts | null = null;
    let seen: readonly number[] | null = null;
    if (present.has(name)) {
      importLog.begin(`${iteration}/${name}`);
      const copy = join(draft, rolloutsFolder, rolloutsName(iteration, label));
      const read = await withCopy(copy, (tee) => readRollouts(path(name), { digest: importLog.digest, ...tee }));
      let { problem } = read;
      seen = read.rollouts.params;
      if (problem === null) {
        const mean = summaryOf(read.rollouts, units).mean;
        const others = candidates[0]?.rollouts?.returns.length;
        const here = read.rollouts.returns.length;
        const expected = isLogged ?? (kept === label && logged ? logged.reward : null);
        if (expected !== null && !near(mean, expected)) {
          problem = { expected: `rollouts with the logged mean ${expected}`, found: `the mean ${mean}` };
        } else if (others !== undefined && here !== others) {
          problem = { expected: `${others} rollouts, as of the proposal`, found: `${here}` };
        }
      }
      // The policy is not that of these settings, but its returns are valid.
      let misfit: FileProblem | null = null;
      if (seen !== null && seen.length !== count) {
        misfit = { expected: `${count} parameters, as the policy has`, found: String(seen.length) };
        seen = null;
      }
      importLog.done(path(name), problem ?? misfit);
      if (problem === null) rollouts = read.rollouts;
      else rmSync(copy, { force: true });
    }
    const summary = rollouts && summaryOf(rollouts, units);
    const mean = summary?.mean ?? (kept === label && logged ? logged.reward : isLogged);
    // The critic's reply was never played, or its files are lost.
    if (mean === null) continue;
    const reply = exchanges?.[position]?.reply;
    const printedHere =
      table && (method.printed === 'kept' ? kept === label : position === layout.candidates.length - 1);
    const replied = reply === undefined ? null : readReplyParams(reply, count, isTable ? method.tabular : 'first');
    const params = seen ?? (printedHere ? table : null) ?? plain[position] ?? replied ?? [];
    candidates.push({ label, rollouts, params, mean, summary });
  }

  if (kept === null && logged && candidates.length > 0) {
    // The outcome file is lost: the row identifies the kept candidate.
    kept = candidates.findLast(({ mean }) => near(mean, logged.reward))?.label ?? null;
  }
  if (kept !== null && !candidates.some(({ label }) => label === kept)) kept = null;
  const finished = logged !== undefined || (kept !== null && (layout.outcome === null || outcome !== null));
  if (!finished || candidates.length === 0) {
    const found = candidates.length === 0 ? 'no evaluation' : 'an incomplete iteration';
    importLog.skip(folder, { expected: `a row in ${logName} and a finished iteration`, found });
    return null;
  }
  return { kept, winner: outcome?.get('winner'), exchanges: exchanges ?? [], candidates };
}
