/** The shaders as one module, for bundles that read no files. Run after `tsc`: it replaces the empty one in dist/. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Without comments and most spaces. WGSL has no text literals, so that what looks like a comment is one. */
function compact(text) {
  return text
    .replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/ ?([{}()[\],:]|[-+*/<>=!&|^%]+(?= ?[\w(])) ?/g, '$1')
    .replace(/ ?\n\s*/g, '\n')
    .replace(/(?<=[{};,])\n|\n(?=\})/g, '')
    .replace(/; /g, ';')
    .trim();
}

/** The functions of a shader: `[from, to)` of each. */
function functionSpans(text) {
  return [...text.matchAll(/\bfn \w+\(/g)].map(({ index }) => {
    let to = text.indexOf('{', index);
    for (let depth = 0; to < text.length; to++) {
      if (text[to] === '{') depth += 1;
      else if (text[to] === '}' && --depth === 0) break;
    }
    return [index, to + 1];
  });
}

const letters = 'abcdefghijklmnopqrstuvwxyz';

/** With short names for parameters and variables of functions, which no other file can refer to. */
function withShortLocals(text) {
  const taken = new Set(text.match(/[A-Za-z_]\w*/g));
  let short = '';
  let from = 0;
  for (const [start, end] of functionSpans(text)) {
    short += text.slice(from, start) + withNames(text.slice(start, end), taken);
    from = end;
  }
  return short + text.slice(from);
}

function withNames(body, taken) {
  const parameters = body.slice(0, body.indexOf('{')).matchAll(/[(,]([a-z]\w*):/g);
  const variables = body.matchAll(/\b(?:let|var(?:<\w+>)?|const) ([a-z]\w*)/g);
  const names = new Map();
  let count = 0;
  for (const [, name] of [...parameters, ...variables]) {
    if (name.length < 3 || names.has(name)) continue;
    let made = '';
    do {
      made = letters[count % 26] + (count < 26 ? '' : Math.floor(count / 26));
      count += 1;
    } while (taken.has(made));
    names.set(name, made);
  }
  // Behind a point is a member, before a bracket a function.
  return body.replace(/(?<![.\w])([a-z]\w*)\b(?!\()/g, (name) => names.get(name) ?? name);
}

/** Every name in the sources of the program, which refers to some of the shaders'. */
function namesOfProgram() {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const sources = files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(root, 'src', file), 'utf8'));
  return new Set(sources.flatMap((text) => text.match(/[A-Za-z_]\w*/g) ?? []));
}

/** With short names for what a file declares and nothing else refers to. */
function withShortPrivates(texts) {
  const words = texts.map(([, text]) => new Set(text.match(/[A-Za-z_]\w*/g)));
  const known = namesOfProgram();
  // A member keeps its name behind a point.
  for (const [, text] of texts) for (const [, member] of text.matchAll(/\.([A-Za-z_]\w*)/g)) known.add(member);
  let count = 0;
  return texts.map(([path, text], i) => {
    const declared = [...text.matchAll(/\b(?:fn|const|struct|alias) ([A-Za-z_]\w{3,})/g)].map(([, name]) => name);
    const isPrivate = (name) => !known.has(name) && !words.some((others, j) => j !== i && others.has(name));
    const made = new Map([...new Set(declared)].filter(isPrivate).map((name) => [name, `_${(count++).toString(36)}`]));
    return [path, text.replace(/\b[A-Za-z_]\w*/g, (name) => made.get(name) ?? name)];
  });
}

/** Plays no episode: `r2po bench` alone runs it. */
const benchmark = 'issue-rate.wgsl';

/** The source of a module that exports `shaderTexts`: texts by path. */
export function shaderTextsModule() {
  const files = readdirSync(join(root, 'shaders'), { recursive: true, encoding: 'utf8' });
  const shaders = files
    .filter((file) => file.endsWith('.wgsl') && file !== benchmark)
    .map((file) => `shaders/${file.replaceAll('\\', '/')}`);
  const texts = shaders.sort().map((path) => [path, withShortLocals(compact(readFileSync(join(root, path), 'utf8')))]);
  return `export const shaderTexts = ${JSON.stringify(Object.fromEntries(withShortPrivates(texts)), null, 1)};\n`;
}

export const shaderTextsPath = 'rollout/webgpu/program/shader-texts';

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(root, 'dist', `${shaderTextsPath}.js`), shaderTextsModule());
}
