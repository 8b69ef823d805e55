/** Imports go one way: a file may import from its own layer and from earlier ones only. */
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
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
  'optimisers',
  'llm',
  'methods',
  'config',
  'runs',
  'interop',
  'baselines',
  'report',
  'sweep',
  'view',
  'cli',
];
/** Layers that run in a page as well as in Node: only their folders named `node` may use what Node alone has. */
const neutralLayers = [...layers.slice(0, layers.indexOf('checks') + 1), 'optimisers'];
/** The library's entry points show the others to the outside; nothing imports them. */
const entryPoints = ['index.ts', 'engine.ts'];
const neutralEntryPoints = ['engine.ts'];

const root = resolve('src');
/** The page of `r2po view`: it runs in a browser, is a user of the engine, and shares schemas with its server. */
const pageFolder = join(root, 'view', 'page') + sep;
const isCode = (file: string): boolean => /\.tsx?$/.test(file);

interface Import {
  readonly line: number;
  readonly target: string;
}

function imports(text: string): Import[] {
  const found: Import[] = [];
  for (const match of text.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*['"`]([^'"`\n]+)['"`]/g)) {
    found.push({ line: text.slice(0, match.index).split('\n').length, target: match[1]! });
  }
  return found;
}

const layerOf = (path: string): string => relative(root, path).split(sep)[0]!;
const isInNodeFolder = (path: string): boolean => relative(root, path).split(sep).slice(0, -1).includes('node');

/** One sentence per import of a file that a page could not load. */
function nodeViolations(file: string, text: string): string[] {
  const own = layerOf(file);
  const isNeutral = neutralLayers.includes(own) || neutralEntryPoints.includes(own) || file.startsWith(pageFolder);
  if (!isNeutral || isInNodeFolder(file)) return [];
  return imports(text).flatMap(({ line, target }) => {
    const isOfNode = target.startsWith('.') ? isInNodeFolder(resolve(file, '..', target)) : isBuiltin(target);
    return isOfNode
      ? [`${relative('.', file)}:${line}: imports ${target}, which runs in Node only; move it into a folder named node`]
      : [];
  });
}

/** One sentence per import that goes the wrong way. */
function violations(file: string, text: string): string[] {
  const own = layerOf(file);
  if (entryPoints.includes(own)) return [];
  if (!layers.includes(own)) return [`${relative('.', file)}: "${own}" is no layer; known: ${layers.join(', ')}`];
  return imports(text).flatMap(({ line, target }) => {
    if (!target.startsWith('.')) return [];
    const other = layerOf(resolve(file, '..', target));
    if (file.startsWith(pageFolder)) return pageViolations(file, line, target);
    return layers.indexOf(other) >= 0 && layers.indexOf(other) <= layers.indexOf(own)
      ? []
      : [`${relative('.', file)}:${line}: ${own} imports ${target}, which is in the later layer ${other}`];
  });
}

/** One sentence for an import of the page from what is neither the engine nor a schema of its server. */
function pageViolations(file: string, line: number, target: string): string[] {
  const path = resolve(file, '..', target);
  const mayImport =
    path.startsWith(pageFolder) ||
    path.startsWith(join(root, 'view', 'api') + sep) ||
    neutralLayers.includes(layerOf(path)) ||
    neutralEntryPoints.includes(layerOf(path));
  return mayImport ? [] : [`${relative('.', file)}:${line}: the page imports ${target}, which is not of the engine`];
}

describe('commands', () => {
  it('are not imported by one another: what two share is in a file of its own', () => {
    const folder = join(root, 'cli');
    const named = readFileSync(join(folder, 'command.ts'), 'utf8').matchAll(/import\('\.\/([a-z-]+\.ts)'\)/g);
    const commandFiles = [...named].map((match) => match[1]);
    expect(commandFiles.length).toBeGreaterThan(10);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));
    const wrong = files
      .filter((file) => file !== 'command.ts')
      .flatMap((file) =>
        imports(readFileSync(join(folder, file), 'utf8'))
          .filter(({ target }) => commandFiles.includes(relative(folder, resolve(folder, file, '..', target))))
          .map(({ line, target }) => `${file}:${line} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });
});

describe('layers', () => {
  it('has no import that goes the wrong way', () => {
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(isCode);
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

  it('lets the page import the engine and the schemas of its server only', () => {
    const text =
      "import '../../engine.ts';\nimport '../api/run.ts';\nimport '../../report/report.ts';\nimport 'node:fs';\n";
    const file = join(root, 'view', 'page', 'x.tsx');
    expect(violations(file, text)).toEqual([
      'src/view/page/x.tsx:3: the page imports ../../report/report.ts, which is not of the engine',
    ]);
    expect(nodeViolations(file, text)).toHaveLength(1);
  });

  it('sees dynamic imports too', () => {
    expect(violations(join(root, 'envs', 'x.ts'), "await import('../cli/main.ts')")).toHaveLength(1);
  });

  it('of the engine have no import that only Node has, apart from folders named node', () => {
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(isCode);
    expect(files.flatMap((f) => nodeViolations(join(root, f), readFileSync(join(root, f), 'utf8')))).toEqual([]);
  });

  it('names the file and the line of an import that only Node has, however it is written', () => {
    const text = [
      "import { readFileSync } from 'node:fs';",
      "import type { Env } from '../envs/env.ts';",
      "const { readAsset } = await import('../base/node/assets.ts');",
      "export * from 'path';",
      "import { z } from 'zod';",
      "import 'node:process';",
    ].join('\n');
    expect(nodeViolations(join(root, 'evaluation', 'x.ts'), text)).toEqual([
      'src/evaluation/x.ts:1: imports node:fs, which runs in Node only; move it into a folder named node',
      'src/evaluation/x.ts:3: imports ../base/node/assets.ts, which runs in Node only; move it into a folder named node',
      'src/evaluation/x.ts:4: imports path, which runs in Node only; move it into a folder named node',
      'src/evaluation/x.ts:6: imports node:process, which runs in Node only; move it into a folder named node',
    ]);
    expect(nodeViolations(join(root, 'engine.ts'), "import 'node:fs';")).toHaveLength(1);
    expect(nodeViolations(join(root, 'rollout', 'cpu', 'node', 'x.ts'), text)).toEqual([]);
    expect(nodeViolations(join(root, 'bench', 'x.ts'), text)).toEqual([]);
  });
});
