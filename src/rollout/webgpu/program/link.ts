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
}

export interface Program {
  readonly code: string;
  /** Where a line of `code` (from 1) came from. */
  locate(line: number): { readonly path: string; readonly line: number };
}

/** Replaces comments by spaces; lines and columns stay. */
function withoutComments(text: string): string {
  let out = '';
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const two = text.slice(i, i + 2);
    if (depth === 0 && two === '//') {
      const end = text.indexOf('\n', i);
      const stop = end === -1 ? text.length : end;
      out += ' '.repeat(stop - i);
      i = stop - 1;
    } else if (two === '/*') {
      depth++;
      out += '  ';
      i++;
    } else if (depth > 0 && two === '*/') {
      depth--;
      out += '  ';
      i++;
    } else {
      out += depth > 0 && text[i] !== '\n' ? ' ' : text[i];
    }
  }
  return out;
}

const declaration = /\b(?:fn|struct|alias|const|override|var(?:\s*<[^>]*>)?)\s+([A-Za-z_]\w*)/y;

/** Names declared at module scope, with their lines (from 1). */
export function topLevelNames(text: string): { readonly name: string; readonly line: number }[] {
  const code = withoutComments(text);
  const names: { name: string; line: number }[] = [];
  let depth = 0;
  let line = 1;
  for (let i = 0; i < code.length; i++) {
    const c = code[i]!;
    if (c === '\n') line++;
    else if (c === '{' || c === '(') depth++;
    else if (c === '}' || c === ')') depth--;
    else if (depth === 0 && /[a-z]/.test(c) && (i === 0 || !/[\w]/.test(code[i - 1]!))) {
      declaration.lastIndex = i;
      const match = declaration.exec(code);
      if (match) {
        names.push({ name: match[1]!, line: line + (match[0].match(/\n/g)?.length ?? 0) });
        // The match's newlines are counted when the loop walks over them.
        i += 1;
      }
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
    locate(line) {
      let found = starts[0]!;
      for (const start of starts) if (start.first <= line) found = start;
      return { path: found.path, line: line - found.first + 1 };
    },
  };
}
