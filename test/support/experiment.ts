/** Small runs inside the test process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openConfig } from '../../src/config/resolve.ts';
import {
  type ChatModel,
  type ChatReply,
  type ChatRequest,
  type Message,
  plainReply,
  type Usage,
} from '../../src/llm/chat.ts';
import { offline } from '../../src/llm/offline/index.ts';
import { bytesDigest } from '../../src/llm/text-digest.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { createRunFolder } from '../../src/runs/folder/folder.ts';
import type { RunSummary } from '../../src/runs/folder/summary.ts';
import type { EventOf, RunEvent } from '../../src/runs/journal/events.ts';
import { walkEvents } from '../../src/runs/journal/journal.ts';
import { oneModel, type RunModels } from '../../src/runs/models/models.ts';
import { UnusableError } from '../../src/runs/models/unusable.ts';
import { type OpenUnits, resolveUnits } from '../../src/runs/resolve-units.ts';
import { executeRun, type RunOptions } from '../../src/runs/run.ts';

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'r2po-test-'));
}

/** Few and short iterations; every number differs from the others. */
export const smallSettings = [
  'iterations=6',
  'warmup.policies=4',
  'evaluation.episodes=5',
  'recheck.episodes=50',
  'evaluation.backend=cpu',
] as const;

/** A model whose replies are made by a function of the request and the number of the call, from 0. */
export function scriptedModel(
  answer: (request: ChatRequest, call: number) => string,
  reply: Partial<Omit<ChatReply, 'usage'>> & { readonly usage?: Partial<Usage> } = {},
): ChatModel & { readonly requests: ChatRequest[] } {
  const requests: ChatRequest[] = [];
  return {
    id: 'openai/scripted',
    kind: 'model',
    replyForms: ['lines'],
    requests,
    async complete(request) {
      requests.push(request);
      const text = answer(request, requests.length - 1);
      const usage = { promptTokens: 100, completionTokens: 7, estimated: false };
      return plainReply({
        text,
        usage,
        latencySeconds: 0.25,
        requests: 1,
        model: 'scripted-1',
        answeredBy: 'openai/scripted',
        ...reply,
      });
    },
  };
}

/** `params[0]: ...` for the ten parameters of the CartPole policy */
export function answerOf(params: readonly number[]): string {
  return `${params.map((value, i) => `params[${i}]: ${value}`).join(', ')}\nBecause of the test.`;
}

export interface SmallRun {
  /** cartpole/r2po when left out */
  readonly config?: string;
  readonly overrides?: readonly string[];
  /** in place of `smallSettings` */
  readonly settings?: readonly string[];
  readonly seed?: number;
  readonly model?: ChatModel;
  /** in place of `model`, where search and critic differ */
  readonly models?: RunModels;
  /** an earlier run's folder to go on with */
  readonly folder?: string;
  readonly runsDir?: string;
  readonly options?: Partial<PreparedRun>;
}

export type PreparedRun = OpenUnits & RunOptions;

const shippedFiles = new Map<string, ReturnType<typeof openConfig>>();

/** `openConfig`, which parses the files of a shipped configuration once for all runs of a test file. */
function openOnce(name: string): ReturnType<typeof openConfig> {
  if (!/^[\w-]+\/[\w-]+$/.test(name)) return openConfig(name);
  const opened = shippedFiles.get(name) ?? openConfig(name);
  shippedFiles.set(name, opened);
  return opened;
}

/** Prepares a run, or the resumption of one. */
export async function prepareRun(run: SmallRun = {}): Promise<PreparedRun> {
  const overrides = [...(run.settings ?? smallSettings), ...(run.overrides ?? [])];
  const name = run.config ?? 'cartpole/r2po';
  // A scripted model answers whatever the configuration names, so that settings of the offline model have an effect.
  const { config, yaml } = await (await openOnce(name)).resolve(overrides, { seed: run.seed ?? 3 }, () => {});
  const argv = ['run', name];
  const place = { runsDir: run.runsDir ?? temporaryFolder(), name: null };
  return {
    ...resolveUnits(config),
    models: run.models ?? oneModel(run.model ?? offline),
    backend: openCpuBackend({ threads: 1 }),
    folder: run.folder ?? createRunFolder(place, { config, yaml, argv, now: Date.now() }),
    resume: run.folder !== undefined,
    resumeCommand: () => `r2po run ${name} --resume`,
    argv,
    ...run.options,
  } as PreparedRun;
}

export const execute = (run: PreparedRun): Promise<RunSummary> => executeRun(run, run);

export async function smallRun(run: SmallRun = {}): Promise<{ readonly folder: string; readonly summary: RunSummary }> {
  const options = await prepareRun(run);
  try {
    return { folder: options.folder, summary: await execute(options) };
  } finally {
    await options.backend.close();
  }
}

/** The folder of a run that gets no usable reply, and ends with that. */
export async function uselessRun(run: SmallRun): Promise<string> {
  const options = await prepareRun(run);
  try {
    await execute(options);
  } catch (error) {
    if (error instanceof Error && error.cause instanceof UnusableError) return options.folder;
    throw error;
  } finally {
    await options.backend.close();
  }
  throw new Error('expected a run without a usable reply');
}

/** An event with the texts that a call sent. */
export type SentEvent =
  | Exclude<RunEvent, { type: 'llm_call' }>
  | (EventOf<'llm_call'> & { readonly request: { readonly messages: readonly Message[] } });

/** The events of a record, with the texts of its calls. */
export function eventsOf(folder: string): SentEvent[] {
  return [...walkEvents(folder)].map(({ event, messages }) =>
    event.type === 'llm_call' && messages
      ? {
          ...event,
          request: {
            ...event.request,
            messages: event.request.messages.map((one, i) => ({ ...one, ...messages[i]! })),
          },
        }
      : (event as Exclude<RunEvent, { type: 'llm_call' }>),
  );
}

/**
 * Changes the lines of a record and links them anew, as somebody would who wants the change to stay unnoticed. The result
 * is a whole record in the format in which it was.
 */
export function rewriteRecord(folder: string, edit: (text: string) => string): void {
  const path = join(folder, 'events.jsonl');
  const before = readFileSync(path, 'utf8');
  const after = edit(before);
  if (after === before) throw new Error('expected a change of the record, got none');
  let prev: string | null = null;
  const linked = after.split('\n').map((line) => {
    const text: string = line.replace(/(?<="prev":")[0-9a-f]*/, prev ?? '');
    prev = bytesDigest(Buffer.from(text));
    return text;
  });
  writeFileSync(path, linked.join('\n'));
}

/** Takes from a finished run what a process does not leave that is killed in its first iteration, beside the journal. */
export function asKilled(folder: string): void {
  for (const name of ['summary.json', 'metrics.csv', 'best.json']) rmSync(join(folder, name), { force: true });
  const path = join(folder, 'run.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), status: 'running' }));
}

/** The lines of a record, parsed. */
export function linesOf(folder: string): Record<string, unknown>[] {
  const text = readFileSync(join(folder, 'events.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** What must be the same however often a run was broken off: all that it did, without times. */
export function searchEvents(folder: string): unknown[] {
  const process = ['run_started', 'run_stopped', 'run_finished'];
  return eventsOf(folder)
    .filter(({ type }) => !process.includes(type))
    .map(({ time: _time, seq: _seq, ...body }) =>
      body.type === 'llm_call'
        ? { ...body, reply: { ...body.reply, latencySeconds: 0, firstTokenSeconds: null, tokensPerSecond: null } }
        : body,
    );
}

/** A summary without what a clock or the number of sessions decides. */
export function timeless(summary: RunSummary): RunSummary {
  const { record: _record, ...rest } = summary;
  return { ...rest, wall_s: 0, llm: { ...summary.llm, seconds: 0 } };
}

export function readJson<T = RunSummary>(folder: string, name = 'summary.json'): T {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;
}
