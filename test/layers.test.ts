/** Imports go one way: a file may import from its own layer and from earlier ones only. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const layers = [
  'base',
  'stats',
  'envs',
  'policies',
  'rollout',
  'evaluation',
  'checks',
  'bench',
  'llm',
  'methods',
  'config',
  'runs',
  'interop',
  'report',
  'sweep',
  'cli',
];
/** The library's entry point shows the others to the outside; nothing imports it. */
const entryPoints = ['index.ts'];

const root = resolve('src');

interface Import {
  readonly line: number;
  readonly target: string;
}

function relativeImports(text: string): Import[] {
  const found: Import[] = [];
  for (const match of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g)) {
    found.push({ line: text.slice(0, match.index).split('\n').length, target: match[1] });
  }
  return found;
}

/** One sentence per import that goes the wrong way. */
function violations(file: string, text: string): string[] {
  const layerOf = (path: string): string => relative(root, path).split(sep)[0];
  const own = layerOf(file);
  if (entryPoints.includes(own)) return [];
  if (!layers.includes(own)) return [`${relative('.', file)}: "${own}" is no layer; known: ${layers.join(', ')}`];
  return relativeImports(text).flatMap(({ line, target }) => {
    const other = layerOf(resolve(file, '..', target));
    return layers.indexOf(other) >= 0 && layers.indexOf(other) <= layers.indexOf(own)
      ? []
      : [`${relative('.', file)}:${line}: ${own} imports ${target}, which is in the later layer ${other}`];
  });
}

describe('layers', () => {
  it('has no import that goes the wrong way', () => {
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap((f) => violations(join(root, f), readFileSync(join(root, f), 'utf8')))).toEqual([]);
  });

  it('names the file, the line and the layers of one that does', () => {
    const text = "import { a } from '../base/a.ts';\nimport type { b } from '../llm/b.ts';\n";
    expect(violations(join(root, 'checks', 'x.ts'), text)).toEqual([
      'src/checks/x.ts:2: checks imports ../llm/b.ts, which is in the later layer llm',
    ]);
    expect(violations(join(root, 'misc', 'x.ts'), '')[0]).toContain('"misc" is no layer');
  });

  it('sees dynamic imports too', () => {
    expect(violations(join(root, 'envs', 'x.ts'), "await import('../cli/main.ts')")).toHaveLength(1);
  });
});
