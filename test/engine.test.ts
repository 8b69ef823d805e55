/** The engine as a page has it: bundled without plugins, loaded in a browser, with the returns of `r2po eval`. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type RolldownOutput, rolldown } from 'rolldown';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetPath } from '../src/base/node/assets.ts';
import * as fromSources from '../src/engine.ts';
import { compileProgram } from '../src/rollout/wasm/compile/program.ts';
import { WebGpuBackend } from '../src/rollout/webgpu/backend.ts';
import { plainEntry } from '../src/rollout/webgpu/episodes/episode-kernel.ts';
import { openDevice } from '../src/rollout/webgpu/node/dawn.ts';
import { bundledShader } from '../src/rollout/webgpu/page.ts';
import { rolloutProgram } from '../src/rollout/webgpu/program/programs.ts';
import { shaderTexts } from '../src/rollout/webgpu/program/shader-texts.ts';
import { Runner } from '../src/rollout/webgpu/run/runner.ts';
import { openBrowser } from './support/browser.ts';
import { runCli } from './support/cli.ts';
import { describeGpu } from './support/gpu.ts';

const entry = assetPath('dist/engine.js');
const gzipLimit = 100_000;

const params = [-0.2, 0.1, 0.3, -0.1, -0.9, 1.1, -0.4, 0.6, 0.02, -0.03];
const asked = { episodes: 4096, seed: 17_000 };

const document = `<!doctype html><title>engine</title>
<script type="module">import * as engine from '/engine.js'; globalThis.engine = engine;</script>`;

const bundlers: Readonly<Record<string, () => Promise<string>>> = {
  async rolldown() {
    const bundle = await rolldown({ input: entry, platform: 'browser', onLog: (_, log) => expect.fail(log.message) });
    return codeOf(await bundle.generate({ format: 'esm', minify: true }));
  },
  async vite() {
    const rolldownOptions = { input: entry, preserveEntrySignatures: 'strict' as const };
    const options = { rolldownOptions, modulePreload: false as const, write: false, target: 'esnext' };
    const built = await build({ configFile: false, logLevel: 'error', build: options });
    return codeOf((Array.isArray(built) ? built[0] : built) as RolldownOutput);
  },
};

function codeOf({ output }: Pick<RolldownOutput, 'output'>): string {
  expect(output.map(({ type }) => type)).toEqual(['chunk']);
  return output[0].code;
}

let code = '';
beforeAll(async () => {
  code = await bundlers.rolldown!();
});

describe.each(Object.keys(bundlers))('the bundle of %s', (name) => {
  it(`needs nothing of Node and takes less than 100 kB as gzip`, async () => {
    const bundled = await bundlers[name]!();
    expect(bundled).not.toMatch(/\b(?:from|import)\s*\(?\s*["']/);
    const size = gzipSync(bundled, { level: 9 }).length;
    expect(size).toBeLessThan(gzipLimit);
  });
});

it('exports the same from the sources as from the bundle', async () => {
  const bundled = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`);
  expect(Object.keys(bundled).sort()).toEqual(Object.keys(fromSources).sort());
});

it('finds every shader also from the sources, without comments, and names one that is missing', () => {
  expect(bundledShader('shaders/rollout.wgsl')).toContain('fn play(');
  expect(Object.keys(shaderTexts).filter((path) => /\/\/|\/\*/.test(shaderTexts[path]!))).toEqual([]);
  expect(() => bundledShader('shaders/envs/no-such.wgsl')).toThrow('expected the shader "shaders/envs/no-such.wgsl"');
});

it('compiles every program that plays episodes from the shaders of the bundle', async () => {
  const gpu = await openDevice({ nothingRuns: true });
  const runner = new Runner(gpu);
  for (const env of fromSources.envs) {
    for (const kind of fromSources.policyKinds.filter((k) => k.accepts(env) === null)) {
      const program = rolloutProgram(env, kind.build(env, {}), bundledShader);
      await runner.kernel(program, plainEntry('play', 4, 2));
      expect(compileProgram(program, 'play').bytes.length).toBeGreaterThan(1000);
    }
  }
  gpu.close();
});

describeGpu('in a page', () => {
  it('statistics, start states and single steps come from the shaders of the bundle as well', async () => {
    const env = fromSources.findEnv('cartpole');
    const policy = fromSources.buildPolicy('linear', env);
    const backend = new WebGpuBackend({ gpu: await openDevice(), readShader: bundledShader, statistics: 'device' });
    const job = { env, policy, candidates: [Float64Array.from(params)], episodes: 700, seed: 3, maxSteps: null };
    const wanted = { successThreshold: 1, ranks: [0] };
    const host = new WebGpuBackend({ gpu: await openDevice(), readShader: bundledShader, statistics: 'host' });
    expect((await backend.measure(job, wanted)).of(0)).toEqual((await host.measure(job, wanted)).of(0));
    expect((await backend.resets(env, 5, 2))[1]).toHaveLength(4);
    expect(await backend.probe(env, [{ state: [0, 0, 0, 0], action: [1] }])).toHaveLength(1);
    await backend.close();
    await host.close();
  });

  let close = async () => {};
  afterAll(() => close());

  it('4096 seeds of CartPole have the returns of r2po eval, on the WebGPU of the page, on its WebAssembly and in its JavaScript', async (t) => {
    const browser = await openBrowser(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']);
    if (browser === null) return t.skip('no browser for this platform');
    const server = createServer((request, response) => {
      const isScript = request.url === '/engine.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? code : document);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    close = async () => {
      await browser.close();
      server.close();
    };
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => 'engine' in globalThis);
    const played = await page.evaluate(playInPage, { params, ...asked });
    expect(played.map(({ backend }) => backend)).toEqual(['webgpu', 'wasm', 'cpu']);
    for (const { backend, returns, picture } of played) {
      expect(returns, backend).toEqual(await returnsOfEval(backend));
      expect(new Set(returns).size, 'returns that differ from one another').toBeGreaterThan(20);
      expect(picture).toMatch(/^<svg/);
    }
  });
});

/** Runs in the page. */
async function playInPage(given: typeof asked & { readonly params: readonly number[] }) {
  const { engine } = globalThis as unknown as { readonly engine: typeof fromSources };
  const env = engine.findEnv('cartpole');
  const policy = engine.buildPolicy('linear', env);
  const played: { backend: 'webgpu' | 'wasm' | 'cpu'; returns: number[]; picture: string }[] = [];
  const backends = [await engine.openWebGpuBackend(), engine.openWasmBackend(), new engine.SingleThreadBackend()];
  for (const backend of backends) {
    const candidates = [Float64Array.from(given.params)];
    const { episodes, seed } = given;
    const result = await engine.evaluate({ backend, env, policy, candidates, episodes, seed });
    const { returns } = await result.outcomes();
    const picture = engine.animate(env, await result.trace(0, 'median'), 'linear');
    played.push({ backend: backend.id as 'webgpu' | 'wasm' | 'cpu', returns: Array.from(returns), picture });
    await backend.close();
  }
  return played;
}

async function returnsOfEval(backend: string): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'r2po-test-'));
  try {
    const [policy, csv] = [join(folder, 'policy.json'), join(folder, 'returns.csv')];
    writeFileSync(policy, JSON.stringify({ kind: 'linear', params }));
    const counts = ['--episodes', String(asked.episodes), '--seed', String(asked.seed)];
    const run = await runCli(
      ['eval', '--env', 'cartpole', '--policy', policy, '--backend', backend, '--returns', csv, ...counts],
      {},
    );
    expect(run.code, run.stderr).toBe(0);
    const [, ...rows] = readFileSync(csv, 'utf8').trim().split('\n');
    return rows.map((row) => Number(row.split(',')[2]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
