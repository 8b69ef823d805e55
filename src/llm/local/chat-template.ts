/** Converts messages to prompt tokens with the chat template in the model's file. */
import { randomUUID } from 'node:crypto';
import { ModelError, UsageError } from '../../base/errors.ts';
import type { Message } from '../chat.ts';
import type { Controls } from '../controls.ts';
import { excerpt } from '../providers/failure.ts';
import type { Jinja, Model, Token } from './package.ts';

/** Marks around a model's reasoning, as templates and models write them. */
export interface ReasoningMarks {
  readonly open: string;
  readonly close: string;
}

const knownMarks: readonly ReasoningMarks[] = [
  { open: '<think>', close: '</think>' },
  { open: '[THINK]', close: '[/THINK]' },
  { open: '<|START_THINKING|>', close: '<|END_THINKING|>' },
  { open: '<seed:think>', close: '</seed:think>' },
  { open: '<thought>', close: '</thought>' },
  { open: '◁think▷', close: '◁/think▷' },
  { open: '<|channel>thought', close: '<channel|>' },
  { open: '<|channel|>analysis<|message|>', close: '<|channel|>final<|message|>' },
];

/**
 * - `none`: the reply starts immediately
 * - `open`: the prompt ends inside the reasoning
 * - `free`: the model may start with its opening mark
 */
export type ReasoningStart = 'none' | 'open' | 'free';

export interface Prompt {
  readonly tokens: readonly Token[];
  readonly reasoning: ReasoningStart;
  /** null: the model is not known to reason */
  readonly marks: ReasoningMarks | null;
}

export type TemplateControls = Pick<Controls, 'think' | 'reasoningEffort'>;

/** Template variables that switch reasoning on and off. */
const thinkVariables = ['enable_thinking', 'thinking'];
const effortVariable = 'reasoning_effort';

const chatMlTemplate =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endfor %}" +
  "{{ '<|im_start|>assistant\n' }}";
const bareTemplate = "{% for message in messages %}{{ message.content + '\n\n' }}{% endfor %}";

export interface ChatTemplate {
  /** notice for the user; null: none */
  readonly notice: string | null;
  /** reasoning marks of the template's models; null: unknown */
  readonly marks: ReasoningMarks | null;
  /** Throws `ModelError` when the template refuses the messages. */
  prompt(messages: readonly Message[], controls: TemplateControls): Prompt;
  /** Throws a usage error for a control without effect on this template. */
  check(controls: TemplateControls): void;
}

/** The template for files that contain none. */
function substitute(model: Model): { readonly text: string; readonly notice: string } {
  const none = 'the file contains no chat template';
  if (model.tokenize('<|im_start|>', true).length === 1) {
    return { text: chatMlTemplate, notice: `${none}; using ChatML, whose marks are in its vocabulary` };
  }
  const advice = 'use an instruction-tuned model';
  return { text: bareTemplate, notice: `${none}, so it gets the plain texts; ${advice}` };
}

/** Splits the rendered text into what the template wrote and which message's content comes between. */
function split(text: string, marks: readonly string[]): (string | number)[] | null {
  const pieces: (string | number)[] = [];
  let at = 0;
  for (const [index, mark] of marks.entries()) {
    const found = text.indexOf(mark, at);
    if (found < 0) return null;
    pieces.push(text.slice(at, found), index);
    at = found + mark.length;
  }
  const rest = text.slice(at);
  return marks.some((mark) => rest.includes(mark)) ? null : [...pieces, rest];
}

/** Merges the system message into the first user message, for templates that do not support system messages. */
function withoutSystem(messages: readonly Message[]): Message[] {
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => content);
  const others = messages.filter(({ role }) => role !== 'system');
  const [first, ...rest] = others;
  if (first === undefined) return [{ role: 'user', content: system.join('\n\n') }];
  return [{ ...first, content: [...system, first.content].join('\n\n') }, ...rest];
}

export function chatTemplate(unit: string, model: Model, jinja: Jinja): ChatTemplate {
  const own = model.fileInfo.metadata.tokenizer?.chat_template ?? null;
  const { text, notice } = own === null ? substitute(model) : { text: own, notice: null };
  const marks =
    knownMarks.find(({ open, close }) => text.includes(open.split('<|message|>')[0]!) || text.includes(close)) ?? null;
  let template: InstanceType<Jinja['Template']>;
  try {
    template = new jinja.Template(text);
  } catch (error) {
    const said = excerpt((error as Error).message);
    throw new UsageError(unit, `expected a readable chat template, got "${said}"; use another file of the model`);
  }

  function render(messages: readonly Message[], { think, reasoningEffort }: TemplateControls): string {
    return template.render({
      messages: messages.map(({ role, content }) => ({ role, content })),
      add_generation_prompt: true,
      bos_token: model.tokens.bosString ?? '',
      eos_token: model.tokens.eosString ?? '',
      ...(think !== null && Object.fromEntries(thinkVariables.map((name) => [name, think]))),
      ...(reasoningEffort !== null && { [effortVariable]: reasoningEffort }),
    });
  }

  function renderEither(messages: readonly Message[], controls: TemplateControls): [string, readonly Message[]] {
    try {
      return [render(messages, controls), messages];
    } catch (error) {
      const joined = withoutSystem(messages);
      try {
        if (joined.length < messages.length) return [render(joined, controls), joined];
      } catch {
        // Reports the first error.
      }
      const said = excerpt((error as Error).message);
      throw new ModelError(
        unit,
        `expected a chat template that takes these messages, got "${said}"; use another model`,
      );
    }
  }

  /**
   * Marks within message contents are plain text, so contents are replaced in the rendering and tokenized separately.
   */
  function tokensOf(messages: readonly Message[], controls: TemplateControls): { tokens: Token[]; tail: string } {
    const word = randomUUID();
    const stand = messages.map((_, index) => `content-${index}-${word}`);
    const [text, taken] = renderEither(
      messages.map((message, i) => ({ ...message, content: stand[i]! })),
      controls,
    );
    const pieces = taken.length === messages.length ? split(text, stand) : null;
    if (pieces === null) {
      const [whole] = renderEither(messages, controls);
      return { tokens: model.tokenize(whole, true), tail: whole.slice(-200) };
    }
    const tokens = pieces.flatMap((piece) =>
      typeof piece === 'number' ? model.tokenize(messages[piece]!.content, false) : model.tokenize(piece, true),
    );
    return { tokens, tail: pieces.at(-1) as string };
  }

  function startOf(tail: string, think: boolean | null): ReasoningStart {
    if (marks === null || think === false) return 'none';
    const open = tail.lastIndexOf(marks.open);
    const close = tail.lastIndexOf(marks.close);
    if (open > close) return 'open';
    return close >= 0 ? 'none' : 'free';
  }

  return {
    notice,
    marks,
    prompt(messages, controls) {
      const { tokens, tail } = tokensOf(messages, controls);
      const { bos, shouldPrependBosToken } = model.tokens;
      const prepended = shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens;
      return { tokens: prepended, reasoning: startOf(tail, controls.think), marks };
    },
    check({ think, reasoningEffort }) {
      const has = (name: string) => new RegExp(`\\b${name}\\b`).test(text);
      const advice = 'leave it null';
      if (think !== null && !thinkVariables.some(has)) {
        throw new UsageError('llm.think', `the chat template of ${unit} cannot switch reasoning; ${advice}`);
      }
      if (reasoningEffort !== null && !has(effortVariable)) {
        throw new UsageError(
          'llm.reasoning_effort',
          `the chat template of ${unit} has no reasoning efforts; ${advice}`,
        );
      }
    },
  };
}
