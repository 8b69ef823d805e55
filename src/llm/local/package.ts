/**
 * The optional package `node-llama-cpp`: the types used here, and how it is found. It is 730 MB with all binaries, so
 * it is installed only on request, and this code compiles without its types.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../../base/errors.ts';

export const packageName = 'node-llama-cpp';
const packageVersion = '3.21.1';
export const installAdvice = `run "npm install ${packageName}@${packageVersion}"`;
const templatePackage = '@huggingface/jinja';

/** Token id in the model's vocabulary. */
export type Token = number & { readonly __token: unique symbol };

export interface GrammarState {
  clone(): GrammarState;
}

export interface EvaluateOptions {
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly seed?: number;
  readonly grammarEvaluationState?: () => GrammarState | undefined;
}

/** One key-value cache with its evaluated tokens. */
export interface Sequence {
  readonly contextSize: number;
  readonly nextTokenIndex: number;
  compareContextTokens(tokens: readonly Token[]): { readonly firstDifferentIndex: number };
  eraseContextTokenRanges(ranges: readonly { readonly start: number; readonly end: number }[]): Promise<void>;
  clearHistory(): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly Token[]): Promise<void>;
  evaluate(tokens: readonly Token[], options: EvaluateOptions): AsyncGenerator<Token, void, undefined>;
}

export interface Context {
  getSequence(): Sequence;
  dispose(): Promise<void>;
}

export interface Model {
  readonly trainContextSize: number;
  readonly fileInfo: {
    readonly metadata: {
      readonly general?: { readonly name?: string; readonly architecture?: string };
      readonly tokenizer?: { readonly chat_template?: string };
    };
  };
  readonly fileInsights: {
    estimateContextResourceRequirements(options: {
      readonly contextSize: number;
      readonly sequences: number;
      readonly modelGpuLayers: number;
      readonly batchSize: number;
      readonly swaFullCache: boolean;
    }): { readonly cpuRam: number; readonly gpuVram: number };
  };
  readonly gpuLayers: number;
  readonly tokens: {
    readonly bos: Token | null;
    readonly bosString: string | null;
    readonly eosString: string | null;
    readonly shouldPrependBosToken: boolean;
  };
  tokenize(text: string, specialTokens?: boolean): Token[];
  detokenize(tokens: readonly Token[], specialTokens?: boolean, lastTokens?: readonly Token[]): string;
  createContext(options: {
    readonly contextSize: number;
    readonly sequences: number;
    readonly threads: number;
    readonly batchSize: number;
    readonly swaFullCache: boolean;
    readonly createSignal?: AbortSignal;
  }): Promise<Context>;
}

export interface Llama {
  readonly gpu: string | false;
  loadModel(options: { readonly modelPath: string; readonly loadSignal?: AbortSignal }): Promise<Model>;
  createGrammar(options: { readonly grammar: string }): Promise<object>;
}

export interface NodeLlamaCpp {
  getLlama(options: {
    readonly gpu: 'auto' | 'metal' | 'cuda' | 'vulkan' | false;
    readonly build: 'never';
    readonly progressLogs: false;
    readonly logLevel: 'error';
    readonly logger: (level: string, message: string) => void;
    readonly maxThreads: number;
  }): Promise<Llama>;
  readonly LlamaGrammarEvaluationState: new (options: {
    readonly model: Model;
    readonly grammar: object;
  }) => GrammarState;
}

/** The chat-template engine that comes with the package. */
export interface Jinja {
  readonly Template: new (text: string) => { render(values: Readonly<Record<string, unknown>>): string };
}

export interface FoundPackage {
  readonly version: string;
  /** the package's main file */
  readonly file: string;
}

/**
 * Looks beside this program, then from the working folder upwards: nothing can be installed where `npx` keeps programs.
 */
export function findPackage(
  from: readonly string[] = [import.meta.url, pathToFileURL(join(process.cwd(), 'x')).href],
): FoundPackage | null {
  for (const start of from) {
    let file: string;
    try {
      file = createRequire(start).resolve(packageName);
    } catch {
      continue;
    }
    let folder = dirname(file);
    while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { version, file };
  }
  return null;
}

/** Whether the version has the same major number and is not older. */
function isUsable(version: string): boolean {
  const [major, minor, patch] = version.split('.').map((part) => Number.parseInt(part, 10));
  const [wantedMajor, wantedMinor, wantedPatch] = packageVersion.split('.').map(Number);
  return major === wantedMajor && (minor! > wantedMinor! || (minor === wantedMinor && patch! >= wantedPatch!));
}

export interface LoadedPackage {
  readonly llamaCpp: NodeLlamaCpp;
  readonly jinja: Jinja;
}

/** Throws a usage error with the install command. */
export async function loadPackage(unit: string, found = findPackage()): Promise<LoadedPackage> {
  const needed = `expected the package ${packageName} for models in this process`;
  if (found === null) throw new UsageError(unit, `${needed}, got none; ${installAdvice}`);
  if (!isUsable(found.version)) {
    throw new UsageError(unit, `${needed} in version ${packageVersion}, got ${found.version}; ${installAdvice}`);
  }
  try {
    const llamaCpp = (await import(pathToFileURL(found.file).href)) as NodeLlamaCpp;
    return { llamaCpp, jinja: createRequire(found.file)(templatePackage) as Jinja };
  } catch (error) {
    throw new UsageError(
      unit,
      `${needed}, got one that cannot be loaded (${(error as Error).message}); ${installAdvice}`,
      error,
    );
  }
}
