/** Patterns of texts that can be printed as a GBNF grammar or as a regular expression. */

export type Pattern =
  | { readonly kind: 'text'; readonly text: string }
  /** one character; printable ASCII, single characters or ranges such as `a-z` */
  | { readonly kind: 'character'; readonly of: readonly string[] }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly options: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly of: Pattern; readonly min: number; readonly max: number }
  /** a pattern used many times, which a grammar defines once by name */
  | { readonly kind: 'rule'; readonly name: string; readonly of: Pattern };

export const text = (value: string): Pattern => ({ kind: 'text', text: value });
export const character = (...of: string[]): Pattern => ({ kind: 'character', of });
export const rule = (name: string, of: Pattern): Pattern => ({ kind: 'rule', name, of });
export const optional = (of: Pattern): Pattern => repeat(of, 0, 1);

export function sequence(...parts: readonly Pattern[]): Pattern {
  const kept = parts.filter((part) => part.kind !== 'text' || part.text !== '');
  return kept.length === 1 ? kept[0]! : { kind: 'sequence', parts: kept };
}

/** `options` must not be empty. */
export function choice(options: readonly Pattern[]): Pattern {
  return options.length === 1 ? options[0]! : { kind: 'choice', options };
}

export function repeat(of: Pattern, min: number, max: number): Pattern {
  if (max === 0) return text('');
  return min === 1 && max === 1 ? of : { kind: 'repeat', of, min, max };
}

function countText({ min, max }: { readonly min: number; readonly max: number }): string {
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

/** The inside of a character class. A hyphen comes last, where no dialect reads it as a range. */
function classText(of: readonly string[]): string {
  return [...of]
    .sort((a, b) => Number(a === '-') - Number(b === '-'))
    .map((item) => (item.length === 1 ? item.replace(/[\\\][^]/, '\\$&') : item))
    .join('');
}

/** A grammar in the dialect of llama.cpp; its start is `root`. */
export function gbnf(pattern: Pattern): string {
  const rules = new Map<string, string>();
  const show = (part: Pattern, inside: boolean): string => {
    switch (part.kind) {
      case 'text':
        return `"${part.text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
      case 'character':
        return `[${classText(part.of)}]`;
      case 'sequence': {
        const shown = part.parts.map((each) => show(each, true)).join(' ');
        return inside && part.parts.length !== 1 ? `(${shown})` : shown;
      }
      case 'choice': {
        const shown = part.options.map((each) => show(each, true)).join(' | ');
        return inside ? `(${shown})` : shown;
      }
      case 'repeat':
        return `${part.of.kind === 'repeat' ? `(${show(part.of, true)})` : show(part.of, true)}${countText(part)}`;
      case 'rule':
        if (!rules.has(part.name)) rules.set(part.name, show(part.of, false));
        return part.name;
    }
  };
  const root = show(pattern, false);
  return [`root ::= ${root}`, ...[...rules].map(([name, shown]) => `${name} ::= ${shown}`)].join('\n');
}

/** A regular expression of the whole text, without anchors, groups with numbers or looking around. */
export function regex(pattern: Pattern): string {
  const show = (part: Pattern, inside: boolean): string => {
    switch (part.kind) {
      case 'text': {
        const shown = part.text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replaceAll('\n', '\\n');
        return inside && part.text.length !== 1 ? `(?:${shown})` : shown;
      }
      case 'character':
        return `[${classText(part.of)}]`;
      case 'sequence': {
        // Only a choice needs its own group inside a sequence.
        const shown = part.parts.map((each) => show(each, each.kind !== 'text')).join('');
        return inside ? `(?:${shown})` : shown;
      }
      case 'choice':
        return `(?:${part.options.map((each) => show(each, false)).join('|')})`;
      case 'repeat': {
        const shown = part.of.kind === 'repeat' ? `(?:${show(part.of, true)})` : show(part.of, true);
        return `${shown}${countText(part)}`;
      }
      case 'rule':
        return show(part.of, inside);
    }
  };
  return show(pattern, false);
}
