/**
 * The page of `r2po view` as classic scripts in dist/view/page: what opens from a server opens from disk as well, where a
 * browser refuses modules. `app` is loaded first; `engine` and `worker`, which play episodes, when a view asks for them.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { shaderTextsModule, shaderTextsPath } from './shader-texts.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src/view/page');
const target = join(root, 'dist/view/page');

/** Scripts by their entry file; each is one file without imports. */
const entries = { app: 'app.tsx', engine: 'play/engine.ts', worker: 'play/worker.ts' };

const shaderTexts = {
  name: 'shader-texts',
  load: (id) => (id.endsWith(`src/${shaderTextsPath}.ts`) ? shaderTextsModule() : null),
};

for (const [name, entry] of Object.entries(entries)) {
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    plugins: [shaderTexts],
    // A library of the page asks for it; a build of a script leaves it as it is.
    define: { 'process.env.NODE_ENV': '"production"' },
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: target,
      emptyOutDir: false,
      target: 'es2023',
      sourcemap: false,
      cssCodeSplit: false,
      lib: {
        entry: join(source, entry),
        formats: ['iife'],
        name: `r2po_${name}`,
        fileName: () => `${name}.js`,
        cssFileName: name,
      },
    },
  });
}
// A function gives its text back, of which a page from disk makes its worker: it can neither fetch a script nor load one
// as a worker.
const engine = join(target, 'engine.js');
writeFileSync(
  engine,
  `var r2po_engine_script = function () {\n${readFileSync(engine, 'utf8')}\nreturn r2po_engine;\n};\nvar r2po_engine = r2po_engine_script();\n`,
);
for (const file of ['index.html']) copyFileSync(join(source, file), join(target, file));
