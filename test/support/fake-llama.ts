/** A stand-in for node-llama-cpp: its tokens are characters and the marks of a template, and a script writes the replies. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  Context,
  EvaluateOptions,
  GrammarState,
  LoadedPackage,
  Model,
  Sequence,
  Token,
} from '../../src/llm/local/package.ts';

export interface FakeOptions {
  readonly template?: string | null;
  readonly trainContextSize?: number;
  /** what the model writes after this prompt, marks included; `held`: whether a grammar holds its first token */
  readonly reply?: (prompt: string, held: boolean) => string;
  /** RAM of a context, bytes */
  readonly contextBytes?: number;
  readonly gpu?: string | false;
  /** ms for each token that is written */
  readonly tokenTime?: number;
  readonly failLoad?: string;
  readonly failGrammar?: string;
}

export interface FakeCounts {
  loads: number;
  contexts: number;
  /** evaluated tokens of prompts, one number a call of the sequence */
  evaluated: number[];
  /** calls that ran at the same time, at most */
  mostAtOnce: number;
  /** whether a grammar held each token that was written */
  held: boolean[];
  grammars: string[];
}

const marks = ['<|user|>', '<|assistant|>', '<|system|>', '<|end|>', '<think>', '</think>', '<|im_start|>'];
const firstMark = 0x110000;

function tokenize(text: string, special: boolean): Token[] {
  const tokens: number[] = [];
  for (let i = 0; i < text.length; ) {
    const mark = special ? marks.findIndex((each) => text.startsWith(each, i)) : -1;
    if (mark >= 0 && marks[mark] !== '<|im_start|>') {
      tokens.push(firstMark + mark);
      i += marks[mark]!.length;
    } else {
      tokens.push(text.charCodeAt(i));
      i += 1;
    }
  }
  return tokens as Token[];
}

function detokenize(tokens: readonly Token[]): string {
  return tokens.map((token) => (token >= firstMark ? marks[token - firstMark] : String.fromCharCode(token))).join('');
}

const plainTemplate =
  "{% for message in messages %}{{ '<|' + message.role + '|>' + message.content + '<|end|>' }}{% endfor %}";

/** Renders what the templates of these tests say; text behind `tail:` ends the prompt. */
class FakeTemplate {
  readonly #text: string;

  constructor(text: string) {
    if (text.includes('broken')) throw new Error('a brace is missing');
    this.#text = text;
  }

  render(values: Readonly<Record<string, unknown>>): string {
    const messages = values.messages as { role: string; content: string }[];
    if (this.#text.includes('no system') && messages.some(({ role }) => role === 'system')) {
      throw new Error('System role not supported');
    }
    const shown = messages.map(({ role, content }) => `<|${role}|>${content}<|end|>`).join('');
    const off = values.enable_thinking === false ? '<think></think>' : '';
    return `${shown}<|assistant|>${off || (/tail:(\S*)/.exec(this.#text)?.[1] ?? '')}`;
  }
}

export function fakePackage(options: FakeOptions = {}): { open: () => Promise<LoadedPackage>; counts: FakeCounts } {
  const counts: FakeCounts = { loads: 0, contexts: 0, evaluated: [], mostAtOnce: 0, held: [], grammars: [] };
  let atOnce = 0;
  const { reply = () => 'params[0]: 1\nbecause', tokenTime = 0 } = options;

  function sequence(contextSize: number): Sequence {
    let kept: Token[] = [];
    return {
      contextSize,
      get nextTokenIndex() {
        return kept.length;
      },
      compareContextTokens(tokens) {
        const differs = kept.findIndex((token, i) => token !== tokens[i]);
        return { firstDifferentIndex: differs < 0 ? kept.length : differs };
      },
      async eraseContextTokenRanges(ranges) {
        const { start, end } = ranges[0]!;
        if (end !== kept.length) throw new Error('only ends are erased');
        kept = kept.slice(0, start);
      },
      async clearHistory() {
        kept = [];
      },
      async evaluateWithoutGeneratingNewTokens(tokens) {
        counts.evaluated.push(tokens.length);
        kept = [...kept, ...tokens];
        await nextTurn();
      },
      async *evaluate(tokens: readonly Token[], { grammarEvaluationState }: EvaluateOptions) {
        if (kept.length + tokens.length > contextSize) throw new Error('the context is full');
        counts.evaluated.push(tokens.length);
        kept = [...kept, ...tokens];
        atOnce += 1;
        counts.mostAtOnce = Math.max(counts.mostAtOnce, atOnce);
        try {
          const isHeld = () => grammarEvaluationState?.() !== undefined;
          for (const token of tokenize(reply(detokenize(kept), isHeld()), true)) {
            if (tokenTime > 0) await new Promise((resolve) => setTimeout(resolve, tokenTime));
            else await nextTurn();
            counts.held.push(isHeld());
            yield token;
            kept.push(token);
          }
        } finally {
          atOnce -= 1;
        }
      },
    };
  }

  const model: Model = {
    trainContextSize: options.trainContextSize ?? 4096,
    fileInfo: {
      metadata: {
        general: { name: 'Fake 1' },
        tokenizer: options.template === null ? {} : { chat_template: options.template ?? plainTemplate },
      },
    },
    fileInsights: {
      estimateContextResourceRequirements: () => ({ cpuRam: options.contextBytes ?? 1000, gpuVram: 0 }),
    },
    gpuLayers: 0,
    tokens: { bos: null, bosString: null, eosString: null, shouldPrependBosToken: false },
    tokenize: (text, special = false) => tokenize(text, special),
    detokenize: (tokens) => detokenize(tokens),
    async createContext({ contextSize }): Promise<Context> {
      counts.contexts += 1;
      return { getSequence: () => sequence(contextSize), dispose: async () => {} };
    },
  };

  const loaded: LoadedPackage = {
    jinja: { Template: FakeTemplate },
    llamaCpp: {
      getLlama: async () => ({
        gpu: options.gpu ?? false,
        async loadModel() {
          counts.loads += 1;
          if (options.failLoad !== undefined) throw new Error(options.failLoad);
          return model;
        },
        async createGrammar({ grammar }) {
          counts.grammars.push(grammar);
          if (options.failGrammar !== undefined) throw new Error(options.failGrammar);
          return {};
        },
      }),
      LlamaGrammarEvaluationState: class implements GrammarState {
        clone() {
          return this;
        }
      },
    },
  };
  return { open: async () => loaded, counts };
}
