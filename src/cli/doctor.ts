/** `r2po doctor`: checks this machine and says how to install what is missing. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { ModelError, R2poError } from '../base/errors.ts';
import { packageVersion } from '../base/node/assets.ts';
import { counted } from '../base/plain-number.ts';
import type { LlmConfig } from '../config/schema.ts';
import { llmSearchSchema } from '../config/sections/llm-search.ts';
import { findPackage, installAdvice, packageName } from '../llm/local/package.ts';
import { excerpt } from '../llm/providers/failure.ts';
import { ModelNameError, modelKeyVariables, ollamaBase } from '../llm/providers/index.ts';
import { left, tableOf } from '../report/tables/table.ts';
import { hasSimd, hasWebAssembly } from '../rollout/wasm/instance.ts';
import type { Io } from './io.ts';
import { addOutputOptions } from './options.ts';

type Status = 'ok' | 'note' | 'missing';

interface Finding {
  readonly topic: string;
  readonly status: Status;
  readonly found: string;
  /** null when there is nothing to do */
  readonly advice: string | null;
}

const ok = (topic: string, found: string): Finding => ({ topic, status: 'ok', found, advice: null });
const note = (topic: string, found: string, advice: string): Finding => ({ topic, status: 'note', found, advice });
const missing = (topic: string, found: string, advice: string): Finding => ({
  ...note(topic, found, advice),
  status: 'missing',
});

interface Options {
  readonly runsDir: string;
  readonly model?: string;
  readonly json?: boolean;
}

export function define(command: Command, io: Io): void {
  command
    .description('Checks GPU adapter, driver, model endpoints and disk, and reports problems.')
    .option('--runs-dir <dir>', 'folder for runs', 'runs')
    .option(
      '--model <name>',
      'ask this model one question as a run does (a few hundred tokens); exit code 4 if the answer is unusable',
    );
  addOutputOptions(command, io).action(async (options: Options) => {
    const asked = options.model === undefined ? null : await modelFinding(options.model, io);
    const gpu = await gpuFindings();
    const findings = [
      nodeFinding(),
      ...gpu.findings,
      ...hostFindings(gpu.isHardware),
      await gpujsFinding(),
      ...(await modelFindings(process.env)),
      ...(asked === null ? [] : [asked]),
      diskFinding(options.runsDir),
    ];
    if (options.json) io.printJson({ findings });
    else io.print(report(findings, io));
    if (asked?.status === 'missing') {
      throw new ModelError('doctor', `expected a usable answer from "${options.model}", got none: ${asked.advice}`);
    }
  });
}

function report(findings: readonly Finding[], io: Io): string {
  const paint = { ok: io.outColors.green, note: io.outColors.yellow, missing: io.outColors.red };
  const columns = [
    left('', ({ status }: Finding) => paint[status](status)),
    left('what', ({ topic }: Finding) => topic),
    left('found', ({ found }: Finding) => found),
  ];
  const table = io.table(tableOf(findings, { columns }));
  const advice = findings.filter((f) => f.advice !== null).map((f) => `- ${f.topic}: ${f.advice}`);
  return advice.length === 0 ? table : `${table}\n\nAdvice\n${advice.join('\n')}`;
}

function nodeFinding(): Finding {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major! > 20 || (major === 20 && minor! >= 19)) return ok('Node', process.version);
  return missing('Node', process.version, 'install Node 20.19 or later');
}

interface GpuFindings {
  readonly findings: readonly Finding[];
  /** whether an adapter is there that `auto` uses */
  readonly isHardware: boolean;
}

async function gpuFindings(): Promise<GpuFindings> {
  const topic = 'WebGPU adapter';
  const { findAdapter, listAdapters } = await import('../rollout/webgpu/node/dawn.ts');
  const { driverAdvice, whyNoAdapter } = await import('../rollout/webgpu/node/vulkan.ts');
  let found: Awaited<ReturnType<typeof findAdapter>>;
  try {
    found = await findAdapter();
  } catch (error) {
    const reason = error instanceof R2poError ? error.detail : (error as Error).message;
    return { findings: [missing(topic, 'none', reason)], isHardware: false };
  }
  const dawn = ok('webgpu package (Dawn)', packageVersion('webgpu') ?? 'none');
  if (!found) {
    const none = missing(topic, 'none', `${await whyNoAdapter()}; ${driverAdvice()}`);
    return { findings: [dawn, none], isHardware: false };
  }
  const { name, software, timestamps } = found.report;
  const slow = `its numbers are right but it is slow, so --backend auto does not use it; ${driverAdvice()}`;
  const check = 'run "r2po parity" once to check that its numbers agree with float64';
  const all = (await listAdapters()).map(({ api, name }, i) => `${i}: ${name} (${api})`);
  const choice = all.length > 1 ? 'choose one with --adapter NAME|INDEX' : null;
  const findings = [
    dawn,
    { ...ok('WebGPU adapters', all.join('; ')), advice: choice },
    software ? note(topic, `${name} (software)`, slow) : { ...ok(topic, name), advice: check },
    timestamps ? ok('GPU timestamps', 'yes') : note('GPU timestamps', 'no', '"r2po bench" shows wall time only'),
  ];
  return { findings, isHardware: !software };
}

function hostFindings(hasGpu: boolean): Finding[] {
  const threads = counted(availableParallelism(), 'thread');
  const isFast = hasSimd();
  const wasm = isFast
    ? ok('wasm backend', `${threads}, float32, WebAssembly SIMD`)
    : note('wasm backend', 'no WebAssembly SIMD', 'use Node on a processor with SIMD; --backend cpu plays everything');
  const searches = isFast ? 'wasm for searches that are long enough, else cpu' : 'cpu';
  return [ok('cpu backend', `${threads}, float64`), wasm, ok('--backend auto', hasGpu ? 'webgpu' : searches)];
}

async function gpujsFinding(): Promise<Finding> {
  const { gpujsVersion } = await import('../rollout/gpujs/node/open.ts');
  const topic = 'gpujs backend';
  const version = gpujsVersion();
  if (version !== null) return ok(topic, version);
  const advice = 'run "npm install gpu.js" for a third opinion in "r2po parity"; nothing else needs it';
  return note(topic, 'not installed', advice);
}

async function modelFindings(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const offline = ok('model "offline"', 'always available; a numeric optimiser, not a language model');
  const keys = modelKeyVariables.map(({ provider, variable }) => {
    const topic = `model ${provider}/...`;
    if (env[variable]) return ok(topic, `${variable} is set`);
    return note(topic, `${variable} is not set`, `set ${variable} in the environment or in .env to use ${provider}`);
  });
  return [offline, ggufFinding(), await ollamaFinding(ollamaBase(env)), ...keys];
}

function ggufFinding(): Finding {
  const topic = 'model gguf:...';
  const found = findPackage();
  if (found !== null) return ok(topic, `${packageName} ${found.version}`);
  const advice = `${installAdvice} (730 MB) to use model files without a server`;
  return note(topic, `${packageName} is not installed`, advice);
}

/** A local model may have to be loaded first. */
const patient: LlmConfig['llm'] = llmSearchSchema.shape.llm.parse({ timeout_s: 600, max_attempts: 1 });

/** Asks a real question with the prompts and settings of a run, so that it fails where a run would fail. */
async function modelFinding(name: string, io: Io): Promise<Finding> {
  const { openModel } = await import('../runs/models/open-model.ts');
  const { askTrialQuestion } = await import('../runs/models/trial-question.ts');
  const topic = `model ${name}`;
  try {
    const log = (text: string) => io.note(text);
    const model = await openModel(name, { llm: patient }, log);
    if (model.kind !== 'model') return ok(topic, 'not a language model; nothing to ask');
    const { asked, problem } = await askTrialQuestion(model, log);
    const { reply, request } = asked;
    const { usage } = reply;
    const context = (await model.contextTokens?.().catch(() => null)) ?? null;
    const facts = [
      `"${reply.model}" answered in ${reply.latencySeconds.toFixed(2)} s`,
      `${usage.promptTokens} + ${usage.completionTokens} tokens${usage.estimated ? ' (estimated)' : ''}`,
      ...(reply.tokensPerSecond === null ? [] : [`${reply.tokensPerSecond.toFixed(1)} tokens/s`]),
      `form ${request.form}`,
      reply.reasoning === null ? 'no reasoning' : `reasoning of ${usage.reasoningTokens ?? 'unknown'} tokens`,
      `context ${context === null ? 'unknown' : `${context} tokens`}`,
      `finish reason ${reply.finishReason ?? 'unknown'}`,
      ...(reply.dropped.length === 0 ? [] : [`refuses ${reply.dropped.join(', ')}`]),
    ].join(', ');
    if (problem === null) return ok(topic, `${facts}; the answer is usable`);
    const advice = `the answer is unusable: ${problem} It was "${excerpt(reply.text || (reply.reasoning ?? ''))}". Try another model, or turn its reasoning off (llm.think: false)`;
    return missing(topic, `${facts}; no usable answer`, advice);
  } catch (error) {
    if (!(error instanceof R2poError) || error instanceof ModelNameError) throw error;
    return missing(topic, 'unusable', error.detail);
  }
}

async function ollamaFinding(base: string): Promise<Finding> {
  const topic = 'model ollama/...';
  if (!hasWebAssembly()) return note(topic, 'not asked', 'start Node with WebAssembly, which its requests need');
  try {
    const response = await fetch(`${base}/api/tags`, { signal: AbortSignal.timeout(1000) });
    const body = (await response.json()) as { models?: { name?: string }[] };
    const names = (body.models ?? []).map((m) => m.name).filter((n) => n !== undefined);
    const found = `${base} answers; models: ${names.join(', ') || 'none'}`;
    return names.length === 0
      ? note(topic, found, 'pull one, for example "ollama pull gpt-oss:20b"')
      : ok(topic, found);
  } catch {
    const advice = 'start Ollama, or set OLLAMA_BASE_URL or OLLAMA_HOST to its address';
    return note(topic, `no answer at ${base}`, advice);
  }
}

function diskFinding(runsDir: string): Finding {
  const topic = `folder "${runsDir}"`;
  let folder = resolve(runsDir);
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    return missing(topic, `${folder} is not writable`, 'set --runs-dir to a folder that you can write to');
  }
  const { bavail, bsize } = statfsSync(folder);
  const free = (Number(bavail) * Number(bsize)) / 2 ** 30;
  const found = `writable, ${free.toFixed(1)} GiB free`;
  return free < 1 ? note(topic, found, 'a run needs a few MB; free some space') : ok(topic, found);
}
