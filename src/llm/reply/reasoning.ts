/**
 * Separates a model's private reasoning from its reply. Endpoints deliver reasoning inside the text in many ways:
 * between tags, between special tokens of a chat template, in named channels, or with the tokens stripped and only
 * their words left. A draft inside any of them can never become the answer.
 */
import { withPlainCharacters } from './characters.ts';
import { matchAt } from './numbers.ts';

export interface SplitReply {
  /** what a reader would see, in plain characters */
  readonly text: string;
  /** the reasoning, without its marks; '' when there is none */
  readonly reasoning: string;
  /** the mark that opens reasoning in which the reply ends; null when all of it is closed */
  readonly unclosed: string | null;
  /** it holds more marks than are read; `text` is empty then */
  readonly overfull: boolean;
}

/** Names of tags and tokens that hold reasoning. */
const REASONING_NAME =
  /think|thought|analysis|analyz|reasoning|monologue|scratch|reflect|deliberat|ponder|brainstorm|introspect|inner_(?:prefix|suffix)|^(?:unused|ctrl)9[45]$|(?:^|[_:.-])(?:cot|drafts?|planning)(?:$|[_:.-])/i;
const CLOSING_NAME = /^(?:end|close|stop)|(?:end|suffix|close|95)$/i;
/** Special tokens after which the answer follows, whatever was open before. */
const ANSWER_NAME = /^(?:begin_of_solution|start_response|content|response|answer|begin_of_box)$/i;
const END_NAME =
  /^(?:im_end|endoftext|eot_id|eom_id|end_of_text|end_of_turn|eos|eot|return|endofresponse|end.of.sentence)$/i;
const TURN_NAME = /^(?:im_start|start_header_id|start_of_turn|start_of_role|user|assistant)$/i;
/** The header between a turn's first token and its text. */
const TURN_HEAD = /(?:assistant|model|system|user)?\s{0,3}(?:<\|(?:end_header_id|im_sep|end_of_role)\|>)?\s{0,3}/y;

const SUMMARY = /\s{0,9}<summary>[^<]{0,80}/y;
const maxTagNames = 100;
/** Maximum marks and tags in a reply, far more than models write; it bounds the work for huge replies. */
const maxMarks = 20_000;

const MARK = new RegExp(
  [
    '<(/?)([A-Za-z][\\w:.-]{0,60})(\\s[^<>]{0,300})?>',
    '<\\|([^<>|\\n]{1,60})(\\|?)>',
    '<([a-z_]{1,20})\\|>',
    '\\[(/?)([A-Za-z][A-Za-z_ ]{2,30})\\]',
    '◁(/?)(\\w{1,30})▷',
    '(<!--|-->)',
    '(^Thinking ?(?:\\.{3}|…) *$)',
    '(^(?:\\.{3}|…) ?done thinking\\.? *$)',
    '(^ {0,3}```[^`\\n]{0,40}$)',
    'assistant(final|analysis|commentary)',
    "(?:^Here(?:'s| is) my (thought process|response)\\b:?)",
    '(^(?:User|USER|Human|HUMAN|### ?(?:Instruction|User|Human)) ?:)',
  ].join('|'),
  'gm',
);

/** Whether other text follows `<s>...</s>` at the beginning. The text of a next turn would begin with a mark. */
function strikesBeginning(source: string): boolean {
  const close = /^\s*<s>/i.test(source) ? source.search(/<\/s>/i) : -1;
  return close >= 0 && /^\s*(?!\[\/?INST\]|<)\S/.test(source.slice(close + '</s>'.length));
}

/** What a mark does to the text around it. */
type Effect =
  | { readonly kind: 'open'; readonly name: string }
  | { readonly kind: 'close'; readonly name: string }
  /** everything before it was reasoning */
  | { readonly kind: 'reset' }
  /** a channel's header begins, a message begins, a message ends */
  | { readonly kind: 'channel' | 'message' | 'over' }
  /** the reply ends here when it has begun; else only the mark goes */
  | { readonly kind: 'end'; readonly skip: boolean }
  /** the mark goes, the text around it stays */
  | { readonly kind: 'drop' }
  /** the mark is text */
  | { readonly kind: 'text' };

const asText = { kind: 'text' } as const;

class Splitter {
  private visible: string[] = [];
  /** whether `visible` is not empty */
  private begun = false;
  private readonly hidden: string[] = [];
  private readonly open: string[] = [];
  private readonly openCounts = new Map<string, number>();
  private firstOpen = '';
  /** of the channel format: null outside of it */
  private message: 'header' | 'final' | 'private' | 'between' | null = null;
  private header = '';
  private hadFinal = false;
  private struck = false;
  /** whether a struck-out text at the beginning has others behind it */
  private readonly strikesBeginning: boolean;
  private fence: 'none' | 'plain' | 'private' = 'none';
  private readonly tagEffects = new Map<string, Effect | 'details'>();
  private ended = false;

  private readonly source: string;

  constructor(source: string) {
    this.source = source;
    this.strikesBeginning = strikesBeginning(source);
  }

  split(): SplitReply {
    let from = this.start();
    let left = maxMarks;
    MARK.lastIndex = from;
    for (let match = MARK.exec(this.source); match !== null && !this.ended; match = MARK.exec(this.source)) {
      if (left-- === 0) return { text: '', reasoning: this.source, unclosed: null, overfull: true };
      const effect = this.effectOf(match, from);
      if (effect.kind === 'text') continue;
      this.take(this.source.slice(from, match.index));
      from = this.apply(effect, match[0], MARK.lastIndex);
      MARK.lastIndex = from;
    }
    if (!this.ended) this.take(this.source.slice(from));
    return this.result();
  }

  /** Position of the first text; channels whose tokens were stripped begin with their name, glued to the text. */
  private start(): number {
    const glued = /^\s*(?:assistant)?(analysis|commentary|final|thought)(?=[A-Z"'([{]|\n|param| to=| ?\{)/.exec(
      this.source,
    );
    if (glued === null) return 0;
    if (glued[1] === 'thought') {
      if (this.source[glued[0].length] !== '\n') return 0;
      this.push('thought', 'thought');
    } else {
      this.message = glued[1] === 'final' ? 'final' : 'private';
      this.hadFinal = glued[1] === 'final';
      this.firstOpen = glued[1]!;
    }
    return glued[0].length;
  }

  private take(part: string): void {
    if (part === '') return;
    if (this.message === 'header') this.header += part;
    if (this.open.length > 0 || (this.message !== null && this.message !== 'final')) this.hidden.push(part);
    else {
      this.visible.push(part);
      this.begun ||= part.trim() !== '';
    }
  }

  private hide(): void {
    for (const part of this.visible) this.hidden.push(part);
    this.visible = [];
    this.begun = false;
  }

  private push(name: string, mark: string): void {
    if (this.open.length === 0) this.firstOpen = mark;
    this.open.push(name);
    this.openCounts.set(name, (this.openCounts.get(name) ?? 0) + 1);
  }

  private pop(): string | undefined {
    const name = this.open.pop();
    if (name !== undefined) this.openCounts.set(name, this.openCounts.get(name)! - 1);
    return name;
  }

  /** A section ends with its own mark, which also ends those inside; a mark that fits none ends the innermost. */
  private closeSection(name: string): void {
    if (this.open.length === 0) this.hide();
    else if ((this.openCounts.get(name) ?? 0) > 0) while (this.pop() !== name);
    else this.pop();
  }

  /** `from`: position behind the last mark that was none of the text */
  private effectOf(match: RegExpExecArray, from: number): Effect {
    // By number: a match with names costs several times as much, and a reply may consist of marks.
    const [mark, close, tag, attributes, token, bar, half, squareClose, square, triangleClose, triangle] = match;
    if (tag === 's' || tag === 'S') return this.strikeEffect(close === '/', match.index, from);
    if (tag !== undefined) return this.tagEffect(tag, close === '/', attributes ?? '', match.index + mark.length);
    if (token !== undefined) return this.tokenEffect(token.trim(), bar === '|');
    if (half !== undefined) return half === 'channel' ? { kind: 'close', name: 'channel' } : { kind: 'drop' };
    if (square !== undefined) return squareEffect(square, squareClose === '/', this.begun);
    if (triangle !== undefined) return named(triangle, triangleClose === '/');
    return this.wordEffect(match);
  }

  private wordEffect(match: RegExpExecArray): Effect {
    const { 11: comment, 12: started, 13: done, 14: fence, 15: channel } = match;
    if (comment !== undefined) {
      return comment === '<!--' ? { kind: 'open', name: 'comment' } : closes('comment', this.openCounts);
    }
    if (started !== undefined) return this.begun ? asText : { kind: 'open', name: 'thinking...' };
    if (done !== undefined) return { kind: 'close', name: 'thinking...' };
    if (fence !== undefined) return this.fenceEffect(fence);
    if (channel !== undefined) return channel === 'final' ? { kind: 'reset' } : { kind: 'open', name: channel };
    // A base model goes on with the next turn.
    if (match[17] !== undefined) return { kind: 'end', skip: false };
    if (match[16] === 'thought process') return this.begun ? asText : { kind: 'open', name: 'thought process' };
    return closes('thought process', this.openCounts);
  }

  private tagEffect(name: string, closing: boolean, attributes: string, end: number): Effect {
    if (attributes.endsWith('/')) return asText;
    const id = closing ? `/${name}` : name;
    let effect = this.tagEffects.get(id);
    if (effect === undefined) {
      effect = effectOfTag(name.toLowerCase(), closing);
      if (this.tagEffects.size < maxTagNames) this.tagEffects.set(id, effect);
    }
    if (effect !== 'details') return effect;
    if (closing) return closes('details', this.openCounts);
    const about = `${attributes} ${matchAt(SUMMARY, this.source, end) ?? ''}`;
    return REASONING_NAME.test(about) ? { kind: 'open', name: 'details' } : asText;
  }

  /**
   * `<s>` strikes text out. At the beginning it is a special token that `</s>` ends, unless other text follows that:
   * then it is struck out as well.
   */
  private strikeEffect(closing: boolean, at: number, from: number): Effect {
    if (closing && !this.struck) return { kind: 'end', skip: false };
    if (closing) this.struck = false;
    else {
      const begun = this.begun || /\S/.test(this.source.slice(from, at));
      if (!begun && !this.strikesBeginning) return { kind: 'drop' };
      this.struck = true;
    }
    return asText;
  }

  private tokenEffect(name: string, whole: boolean): Effect {
    if (name === 'channel') return whole ? { kind: 'channel' } : { kind: 'open', name: 'channel' };
    if (name === 'message') return { kind: 'message' };
    if (name === 'start' || name === 'call') return this.message === null ? { kind: 'drop' } : { kind: 'over' };
    if (name === 'end' || name === 'return') {
      if (this.message !== null) return { kind: 'over' };
      return this.open.length > 0 ? { kind: 'close', name: this.open.at(-1)! } : { kind: 'end', skip: false };
    }
    if (ANSWER_NAME.test(name)) return this.open.length > 0 ? { kind: 'reset' } : asText;
    if (END_NAME.test(name)) return { kind: 'end', skip: false };
    if (TURN_NAME.test(name)) return { kind: 'end', skip: true };
    const closing = name.startsWith('/');
    const effect = named(closing ? name.slice(1) : name, closing);
    return effect.kind === 'text' ? { kind: 'drop' } : effect;
  }

  private fenceEffect(mark: string): Effect {
    const info = mark.trim().slice(3).trim();
    if (this.fence !== 'none') {
      const wasPrivate = this.fence === 'private';
      if (info !== '') return asText;
      this.fence = 'none';
      return wasPrivate ? { kind: 'close', name: '```' } : asText;
    }
    if (this.open.length > 0) return asText;
    this.fence = REASONING_NAME.test(info) ? 'private' : 'plain';
    return this.fence === 'private' ? { kind: 'open', name: '```' } : asText;
  }

  /** Position behind the mark and what belongs to it. */
  private apply(effect: Effect, mark: string, end: number): number {
    switch (effect.kind) {
      case 'open':
        this.push(effect.name, mark);
        break;
      case 'close':
        this.closeSection(effect.name);
        break;
      case 'reset':
        this.hide();
        while (this.pop() !== undefined);
        if (this.message !== null) this.message = 'final';
        this.hadFinal = true;
        break;
      case 'channel':
        if (!this.hadFinal) this.hide();
        this.message = 'header';
        this.header = '';
        break;
      case 'message': {
        // Without a channel's name the last message counts.
        const name = this.header.trim();
        if (name === '') this.hide();
        this.message = name === '' || /^final\b/.test(name) ? 'final' : 'private';
        if (this.message === 'final') this.hadFinal = true;
        else this.firstOpen = `the channel "${name.split(/\s/, 1)[0]!.slice(0, 20)}"`;
        break;
      }
      case 'over':
        this.message = 'between';
        this.header = '';
        break;
      case 'end':
        if (this.open.length === 0 && this.begun) this.ended = true;
        else if (effect.skip) return end + (matchAt(TURN_HEAD, this.source, end)?.length ?? 0);
        break;
    }
    return end;
  }

  private result(): SplitReply {
    const inside = this.open.length > 0 || (this.message !== null && !this.hadFinal);
    return {
      text: this.visible.join(''),
      reasoning: this.hidden.join(''),
      unclosed: inside ? this.firstOpen.slice(0, 60).trim() : null,
      overfull: false,
    };
  }
}

function effectOfTag(name: string, closing: boolean): Effect | 'details' {
  if (name === 'details') return 'details';
  if (name === 'bos') return { kind: 'drop' };
  if (TURN_NAME.test(name) && name.includes('_')) return { kind: 'end', skip: true };
  if (END_NAME.test(name) && !closing) return { kind: 'end', skip: false };
  return named(name, closing);
}

function named(name: string, closing: boolean): Effect {
  if (!REASONING_NAME.test(name)) return asText;
  const section = name
    .toLowerCase()
    .replace(/^(?:begin|start|end|close|stop)(?:_?of)?_?|_?(?:begin|start|end|close)$/, '');
  return closing || CLOSING_NAME.test(name) ? { kind: 'close', name: section } : { kind: 'open', name: section };
}

function squareEffect(name: string, closing: boolean, begun: boolean): Effect {
  if (name === 'TOOL_CALLS') return { kind: 'drop' };
  if (name === 'INST') return closing || !begun ? { kind: 'drop' } : { kind: 'end', skip: false };
  // In square brackets only words in capitals are marks; "[thinking]" may be a remark, unless it is closed like a tag.
  return closing || name === name.toUpperCase() || /^think(?:ing)?$/i.test(name) ? named(name, closing) : asText;
}

/** The effect of a closing mark that means nothing when it was not opened. */
function closes(name: string, counts: ReadonlyMap<string, number>): Effect {
  return (counts.get(name) ?? 0) > 0 ? { kind: 'close', name } : asText;
}

/**
 * Splits a reply into reasoning and what is said.
 * - A section goes with its content. Sections nest.
 * - A closing mark that nothing opened makes everything before it reasoning: some servers swallow the opening mark.
 * - An opening mark that nothing closes makes everything behind it reasoning: a reply that was cut off while the model
 *   thought has no answer, and drafts in it are often old trials copied from the prompt.
 * - In the channel format only the messages of the channel `final` are said, with or without the format's tokens.
 * - A token that ends a turn ends the reply: what a server lets run on behind it is no longer addressed to us.
 * Linear in the length of the reply.
 */
export function splitReasoning(reply: string): SplitReply {
  return new Splitter(withPlainCharacters(reply)).split();
}
