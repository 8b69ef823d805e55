/**
 * Joins WGSL files into one program. Module-scope declarations may come in any order in WGSL, so linking is joining:
 * it checks that names are unique and that each file declares what its role promises, and remembers where each line came
 * from. The text is never rewritten: the reviewed text is the one that runs.
 */
import { R2poError } from '../../../base/errors.ts';

export interface SourceFile {
  /** path shown in errors, e.g. `shaders/envs/cartpole.wgsl` */
  readonly path: string;
  readonly text: string;
  /** top-level names that this file must declare, because others call them */
  readonly declares?: readonly string[];
  /** written by the user; left out: of this package */
  readonly isForeign?: boolean;
}

export interface Program {
  readonly code: string;
  /** whether all of it is of this package, whose tests have checked it */
  readonly isShipped: boolean;
  /** Where a line of `code` (from 1) came from. */
  locate(line: number): { readonly path: string; readonly line: number };
}

/** Replaces comments by spaces; lines and columns stay. */
export function withoutComments(text: string): string {
  const start = /\/\/.*|\/\*/g;
  let out = '';
  let at = 0;
  for (let found = start.exec(text); found !== null; found = start.exec(text)) {
    const end = found[0] === '/*' ? endOfComment(text, found.index) : start.lastIndex;
    out += text.slice(at, found.index) + text.slice(found.index, end).replace(/[^\n]/g, ' ');
    at = end;
    start.lastIndex = end;
  }
  return out + text.slice(at);
}

/** Comments may contain comments. */
function endOfComment(text: string, start: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  let depth = 0;
  for (let found = edge.exec(text); found !== null; found = edge.exec(text)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return text.length;
}

const landmark = /[{}()]|\b(?:fn|struct|alias|const|override|var(?:\s*<[^>]*>)?)\s+([A-Za-z_]\w*)/g;

/** Names declared at module scope, with their lines (from 1). */
export function topLevelNames(text: string): { readonly name: string; readonly line: number }[] {
  const code = withoutComments(text);
  const names: { name: string; line: number }[] = [];
  let depth = 0;
  let line = 1;
  let counted = 0;
  for (const { 0: mark, 1: name, index } of code.matchAll(landmark)) {
    if (mark === '{' || mark === '(') depth++;
    else if (mark === '}' || mark === ')') depth--;
    else if (name !== undefined && depth === 0) {
      const end = index + mark.length;
      line += code.slice(counted, end).split('\n').length - 1;
      counted = end;
      names.push({ name, line });
    }
  }
  return names;
}

/** Joins the files. Throws when a name is declared twice or a promised one is missing. */
export function link(files: readonly SourceFile[]): Program {
  const owners = new Map<string, { path: string; line: number }>();
  for (const file of files) {
    const names = topLevelNames(file.text);
    for (const { name, line } of names) {
      const owner = owners.get(name);
      if (owner) {
        throw new R2poError(
          'link',
          `${file.path}:${line}: "${name}" is already declared in ${owner.path}:${owner.line}; rename one of them`,
        );
      }
      owners.set(name, { path: file.path, line });
    }
    const missing = (file.declares ?? []).filter((name) => !names.some((n) => n.name === name));
    if (missing.length > 0) {
      const found = names.map((n) => n.name).join(', ') || 'nothing';
      throw new R2poError(
        'link',
        `${file.path} must declare ${missing.map((m) => `"${m}"`).join(', ')}; it declares ${found}`,
      );
    }
  }
  const starts: { path: string; first: number }[] = [];
  const lines: string[] = [];
  for (const file of files) {
    lines.push(`// ---- ${file.path}`);
    starts.push({ path: file.path, first: lines.length + 1 });
    lines.push(...file.text.replace(/\n$/, '').split('\n'));
  }
  return {
    code: `${lines.join('\n')}\n`,
    isShipped: files.every(({ isForeign }) => !isForeign),
    locate(line) {
      let found = starts[0]!;
      for (const start of starts) if (start.first <= line) found = start;
      return { path: found.path, line: line - found.first + 1 };
    },
  };
}
