/** What the model wrote about its answer, without what it only repeats of the prompt. */
import { marks } from './characters.ts';
import type { Draft } from './draft.ts';

const MARKS = new RegExp(`[${marks.answer}${marks.data}]`, 'g');
/** Shorter sentences ("Because.") may stand in a prompt by chance. */
const minEcho = 12;
const maxEcho = 2000;
const maxExplanation = 20_000;

/** The text behind the answer, or before it when nothing follows; the reason of the answer's own object comes first. */
export function explanationOf(text: string, answer: Draft, prompt: string | undefined): string {
  if (typeof answer.reason === 'string') return withoutEchoes(answer.reason, prompt);
  const behind = between(text, answer.end, text.length).replace(/^[\s,;.!"')\]}|]+/, '');
  const reason = withoutEchoes(behind, prompt);
  if (reason !== '') return reason;
  return withoutEchoes(between(text, 0, answer.start), prompt);
}

function between(text: string, from: number, to: number): string {
  const part = text.slice(from, Math.min(to, from + maxExplanation));
  return part
    .replace(MARKS, '')
    .replace(/^Line 2:\s*/im, '')
    .trim();
}

const GAPS = '[\\s*_`>#"-]+';

/**
 * True when the prompt holds the part, whatever its case, spaces and markup. An expression of the part's words is many
 * times faster than a normal form of a long prompt.
 */
function isEcho(part: string, prompt: string): boolean {
  const words = part.split(/[\s*_`>#"-]+/).filter((word) => word !== '');
  const length = words.join(' ').length;
  if (length < minEcho || length > maxEcho) return false;
  return new RegExp(words.map((word) => word.replace(/[.?+^$()[\]{}|\\/]/g, '\\$&')).join(GAPS), 'i').test(prompt);
}

function withoutEchoes(text: string, prompt: string | undefined): string {
  if (prompt === undefined || text === '') return text.trim();
  const kept: string[] = [];
  for (const line of text.split('\n')) {
    if (isEcho(line, prompt)) continue;
    const sentences = line.match(/[^.!?]+(?:[.!?]+(?=\s|$)|[.!?]|$)/g) ?? [];
    const own = sentences.length < 2 ? line : sentences.filter((sentence) => !isEcho(sentence, prompt)).join('');
    if (own.trim() !== '' || line.trim() === '') kept.push(own.trimEnd());
  }
  const rest = kept.join('\n').trim();
  return /[\p{L}]/u.test(rest) ? rest : '';
}
