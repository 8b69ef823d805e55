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
    .trim();
}

/** Plays no episode: `r2po bench` alone runs it. */
const benchmark = 'issue-rate.wgsl';

/** The source of a module that exports `shaderTexts`: texts by path. */
export function shaderTextsModule() {
  const files = readdirSync(join(root, 'shaders'), { recursive: true, encoding: 'utf8' });
  const shaders = files
    .filter((file) => file.endsWith('.wgsl') && file !== benchmark)
    .map((file) => `shaders/${file.replaceAll('\\', '/')}`);
  const texts = shaders.sort().map((path) => [path, compact(readFileSync(join(root, path), 'utf8'))]);
  return `export const shaderTexts = ${JSON.stringify(Object.fromEntries(texts), null, 1)};\n`;
}

export const shaderTextsPath = 'rollout/webgpu/program/shader-texts';

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(root, 'dist', `${shaderTextsPath}.js`), shaderTextsModule());
}
