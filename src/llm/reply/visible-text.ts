/**
 * The part of a reply that a reader would see: without the model's private reasoning and without markup. The parser
 * looks at nothing else, so that a draft inside `<think>` can never become the answer.
 */

const REASONING_TAG = /<(\/?)(?:think|thinking|thoughts?|reasoning|reflection|scratchpad)>/gi;

/** `unclosed`: the reply opens a reasoning tag and ends inside it; what stood after the tag is gone from `text`. */
export interface VisibleText {
  readonly text: string;
  readonly unclosed: string | null;
}

/**
 * Removes reasoning sections.
 * - A closed pair goes with its content; a section ends at the first closing tag.
 * - A closing tag that nothing opened removes everything before it (some servers swallow the opening tag, and nested
 *   pairs end this way).
 * - An opening tag that nothing closes removes everything after it: a reply cut off while thinking has no answer,
 *   and the drafts in it are often old trials copied from the prompt.
 * - In the channel format (`<|channel|>final<|message|>`) only the last message counts.
 */
export function withoutReasoning(reply: string): VisibleText {
  const lastMessage = reply.lastIndexOf('<|message|>');
  const source = lastMessage < 0 ? reply : reply.slice(lastMessage + '<|message|>'.length);
  let text = '';
  let visibleFrom = 0;
  let opened: string | null = null;
  for (const match of source.matchAll(REASONING_TAG)) {
    const closing = match[1] === '/';
    if (closing) {
      if (opened === null) text = '';
      opened = null;
      visibleFrom = match.index + match[0].length;
    } else if (opened === null) {
      text += source.slice(visibleFrom, match.index);
      opened = match[0];
    }
  }
  return opened === null ? { text: text + source.slice(visibleFrom), unclosed: null } : { text, unclosed: opened };
}

/** Minus signs that models write: hyphens, non-breaking hyphen, figure dash, en dash, minus, small and full-width ones. */
const MINUS = /[\u2010-\u2013\u2212\uFE63\uFF0D]/g;
const LINE_BREAK = /\r\n?|[\u2028\u2029\u0085]/g;
/** Every Unicode space but the line break, and the invisible characters that come along with pasted text. */
const SPACE = /[^\S\n ]/g;
const INVISIBLE = /[\u200B-\u200D\u2060\uFEFF\u00AD]/g;

/**
 * The text with one kind of minus, space and line break, and without emphasis marks, backticks, dollar signs,
 * backslashes and the tags that emphasise or wrap an answer. A mark between two letters or digits stays (`2*3`, `max_steps`): taking it out would glue them together.
 */
export function withoutMarkup(text: string): string {
  return text
    .replace(LINE_BREAK, '\n')
    .replace(INVISIBLE, '')
    .replace(SPACE, ' ')
    .replace(MINUS, '-')
    .replace(/[`$\\]|<\/?(?:b|i|em|strong|code|answer|final)>/gi, '')
    .replace(/[*_~]+/g, (run, offset: number, whole: string) =>
      isWordCharacter(whole[offset - 1]) && isWordCharacter(whole[offset + run.length]) ? run : '',
    );
}

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /[A-Za-z0-9]/.test(character);
}
