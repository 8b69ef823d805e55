/**
 * A loaded model file. Weights are large, so the runs of a process share one engine per file and take turns. Evaluated
 * prompts are cached per run and purpose while memory lasts.
 */
import pLimit, { type LimitFunction } from 'p-limit';
import { openOnce } from '../../base/async.ts';
import { ModelError, UsageError } from '../../base/errors.ts';
import { excerpt } from '../providers/failure.ts';
import { type ChatTemplate, chatTemplate } from './chat-template.ts';
import { checkWeights, freeMemory, type GgufFile, gigabytes } from './gguf-file.ts';
import { defaultContext, type GpuChoice } from './name.ts';
import type { Context, Llama, LoadedPackage, Model, NodeLlamaCpp, Sequence } from './package.ts';

/** Prompt tokens per llama.cpp batch; the package's own default. */
export const batchSize = 512;
/** One for search prompts, one for critic prompts. */
const sequencesPerRun = 2;

export interface ContextSettings {
  readonly contextSize: number;
  readonly threads: number;
}

/** The llama.cpp context of one run, with its cached prompts. */
interface RunContext {
  run: string;
  readonly settings: ContextSettings;
  readonly context: Context;
  readonly free: Sequence[];
  /** by purpose, least recently used first */
  readonly sequences: Map<string, Sequence>;
  /** number of the last call that used it */
  usedAt: number;
}

export class Engine {
  readonly unit: string;
  readonly llamaCpp: NodeLlamaCpp;
  readonly llama: Llama;
  readonly model: Model;
  readonly template: ChatTemplate;
  /** admits one call at a time */
  readonly turns: LimitFunction = pLimit(1);
  readonly #contexts: RunContext[] = [];
  #calls = 0;
  #notedFull = false;

  constructor(unit: string, llamaCpp: NodeLlamaCpp, llama: Llama, model: Model, template: ChatTemplate) {
    this.unit = unit;
    this.llamaCpp = llamaCpp;
    this.llama = llama;
    this.model = model;
    this.template = template;
  }

  /** Default size of a context, tokens. */
  get defaultContextSize(): number {
    return Math.min(defaultContext, this.model.trainContextSize);
  }

  /**
   * Opens the first context, so that a lack of memory is reported before any run starts. `note` is called when memory does not suffice for `runs` parallel runs.
   */
  async reserve(settings: ContextSettings, runs: number, note: (line: string) => void): Promise<void> {
    if (this.#contexts.some((place) => isSame(place.settings, settings))) return;
    const lacking = this.#lackingMemory(settings.contextSize);
    if (lacking !== null) throw new UsageError(this.unit, lacking);
    this.#contexts.push(await this.#open('', settings));
    const bytes = this.#contextBytes(settings.contextSize);
    const fitting = bytes === null ? runs : 1 + Math.floor(freeMemory() / bytes);
    if (fitting < runs) this.#noteFull(fitting, note);
  }

  /**
   * The sequence that caches a run's prompts of one purpose. The caller must hold the turn. `note` is called once when memory does not suffice for the prompts of all runs.
   */
  async sequence(
    run: string,
    purpose: string,
    settings: ContextSettings,
    note: (line: string) => void,
  ): Promise<Sequence> {
    this.#calls += 1;
    const place = await this.#contextOf(run, settings, note);
    place.usedAt = this.#calls;
    return sequenceOf(place, purpose);
  }

  async #contextOf(run: string, settings: ContextSettings, note: (line: string) => void): Promise<RunContext> {
    const fitting = this.#contexts.filter((place) => isSame(place.settings, settings));
    const own = fitting.find((place) => place.run === run) ?? fitting.find((place) => place.run === '');
    if (own !== undefined) {
      own.run = run;
      return own;
    }
    const [oldest] = fitting.toSorted((a, b) => a.usedAt - b.usedAt);
    // Active runs take turns regularly; a run that has been absent for this long has ended.
    const isOver = oldest !== undefined && this.#calls - oldest.usedAt > 4 * (this.#contexts.length + 1);
    const lacking = isOver ? null : this.#lackingMemory(settings.contextSize);
    if (oldest === undefined || (!isOver && lacking === null)) {
      if (lacking !== null) throw new ModelError(this.unit, lacking);
      const place = await this.#open(run, settings);
      this.#contexts.push(place);
      return place;
    }
    if (lacking !== null) this.#noteFull(fitting.length, note);
    oldest.run = run;
    return oldest;
  }

  /** Reports once for how many runs at a time the prompts fit into memory. */
  #noteFull(runs: number, note: (line: string) => void): void {
    if (this.#notedFull) return;
    this.#notedFull = true;
    note(
      `memory holds the prompts of ${runs === 1 ? 'one run' : `${runs} runs`} at a time; prompts of further runs ` +
        `are evaluated from their beginning; use -j ${runs}, or a smaller ctx`,
    );
  }

  /** Memory of a context, bytes; null: it is on the GPU, whose driver reports a lack of memory. */
  #contextBytes(contextSize: number): number | null {
    if (this.llama.gpu !== false) return null;
    return this.model.fileInsights.estimateContextResourceRequirements({
      contextSize,
      sequences: sequencesPerRun,
      modelGpuLayers: 0,
      batchSize,
      swaFullCache: true,
    }).cpuRam;
  }

  /** Why another context of this size does not fit; null: it fits, or that is unknown. */
  #lackingMemory(contextSize: number): string | null {
    const bytes = this.#contextBytes(contextSize);
    const free = freeMemory();
    if (bytes === null || bytes <= free) return null;
    return (
      `expected a context that fits into ${gigabytes(free)} of free memory, got ctx=${contextSize}, which takes ` +
      `${gigabytes(bytes)}; lower ctx`
    );
  }

  async #open(run: string, settings: ContextSettings): Promise<RunContext> {
    try {
      const context = await this.model.createContext({
        ...settings,
        sequences: sequencesPerRun,
        batchSize,
        swaFullCache: true,
      });
      const free = Array.from({ length: sequencesPerRun }, () => context.getSequence());
      return { run, settings, context, free, sequences: new Map(), usedAt: this.#calls };
    } catch (error) {
      const said = excerpt((error as Error).message);
      const what = `expected room for a context of ctx=${settings.contextSize}, got "${said}"`;
      throw new UsageError(this.unit, `${what}; lower ctx, or use gpu=false`, error);
    }
  }
}

/** The sequence of the purpose, else a free one, else the least recently used. */
function sequenceOf({ sequences, free }: RunContext, purpose: string): Sequence {
  const [oldest] = sequences.keys();
  const from = sequences.has(purpose) || free.length > 0 ? purpose : oldest!;
  const sequence = sequences.get(from) ?? (free.pop() as Sequence);
  sequences.delete(from);
  sequences.set(purpose, sequence);
  return sequence;
}

function isSame(a: ContextSettings, b: ContextSettings): boolean {
  return a.contextSize === b.contextSize && a.threads === b.threads;
}

type OpenPackage = (unit: string) => Promise<LoadedPackage>;

const engines = new Map<string, Promise<Engine>>();

/** llama.cpp on its device, and the last lines of its log. */
interface Backend {
  readonly llama: Llama;
  readonly lines: string[];
}

const backends = new WeakMap<NodeLlamaCpp, Map<GpuChoice, Promise<Backend>>>();

function backendsOf(llamaCpp: NodeLlamaCpp): Map<GpuChoice, Promise<Backend>> {
  const opened = backends.get(llamaCpp) ?? new Map<GpuChoice, Promise<Backend>>();
  backends.set(llamaCpp, opened);
  return opened;
}

async function openBackend(unit: string, llamaCpp: NodeLlamaCpp, gpu: GpuChoice): Promise<Backend> {
  const lines: string[] = [];
  try {
    const llama = await llamaCpp.getLlama({
      gpu: gpu === 'false' ? false : gpu,
      build: 'never',
      progressLogs: false,
      logLevel: 'error',
      logger: (_level, message) => {
        lines.push(message);
        if (lines.length > 20) lines.shift();
      },
      // No global limit: each context has its own number of threads.
      maxThreads: 0,
    });
    return { llama, lines };
  } catch (error) {
    const said = excerpt((error as Error).message);
    const advice =
      gpu === 'auto' || gpu === 'false' ? 'install it again for this platform' : 'use gpu=auto or gpu=false';
    throw new UsageError(unit, `expected a binary of node-llama-cpp for gpu=${gpu}, got "${said}"; ${advice}`, error);
  }
}

async function load(unit: string, file: GgufFile, gpu: GpuChoice, openPackage: OpenPackage): Promise<Engine> {
  const { llamaCpp, jinja } = await openPackage(unit);
  const { llama, lines } = await openOnce(backendsOf(llamaCpp), gpu, () => openBackend(unit, llamaCpp, gpu));
  if (llama.gpu === false) checkWeights(unit, file, freeMemory());
  let model: Model;
  try {
    lines.length = 0;
    model = await llama.loadModel({ modelPath: file.path });
  } catch (error) {
    const said = [...lines, (error as Error).message].map((line) => excerpt(line)).filter((line) => line !== '');
    const advice = 'download the file again, or use one that this version of llama.cpp knows';
    throw new UsageError(
      unit,
      `expected a model that can be loaded, got "${said.slice(0, 3).join('; ')}"; ${advice}`,
      error,
    );
  }
  return new Engine(unit, llamaCpp, llama, model, chatTemplate(unit, model, jinja));
}

/** Loads a file once per process. Throws a usage error that names what is missing. */
export function engineOf(unit: string, file: GgufFile, gpu: GpuChoice, openPackage: OpenPackage): Promise<Engine> {
  return openOnce(engines, `${gpu} ${file.path}`, () => load(unit, file, gpu, openPackage));
}
