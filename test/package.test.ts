/** What programs that install the package get. */
import ts from 'typescript';
import { expect, it } from 'vitest';
import { assetPath } from '../src/base/node/assets.ts';

it('has types that need neither those of Node nor those of WebGPU', () => {
  const entries = ['index', 'envs/authoring', 'methods/authoring', 'engine'];
  const program = ts.createProgram({
    rootNames: entries.map((name) => assetPath(`dist/${name}.d.ts`)),
    options: {
      ...{ strict: true, skipLibCheck: false, noEmit: true, types: [] },
      ...{ target: ts.ScriptTarget.ES2022, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'] },
      ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
    },
  });
  const ours = ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file === undefined || !file.fileName.includes('node_modules'))
    .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  expect(ours).toEqual([]);
});
