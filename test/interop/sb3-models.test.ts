/** Models that Stable-Baselines3 saved: their policies return what its own evaluation returned, and nothing else is read. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { assetPath } from '../../src/base/node/assets.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { ZipArchive } from '../../src/interop/common/zip.ts';
import { Damaged } from '../../src/interop/reference/files.ts';
import { findTrainings } from '../../src/interop/sb3/find.ts';
import { importTraining } from '../../src/interop/sb3/import.ts';
import { readModel } from '../../src/interop/sb3/model.ts';
import { readPickle } from '../../src/interop/sb3/pickle.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { readJson, temporaryFolder } from '../support/experiment.ts';

const folder = assetPath('test/golden/sb3');
const recorded = JSON.parse(readFileSync(join(folder, 'returns.json'), 'utf8')) as Record<
  string,
  { readonly env: string; readonly seed: number; readonly returns: number[]; readonly lengths: number[] }
>;
const model = (name: string) => join(folder, `${name}.zip`);
const refused = ['ppo-three-layers', 'ppo-gelu'];
const backend = openCpuBackend({ threads: 1 });
afterAll(() => backend.close());

describe('a model of Stable-Baselines3', () => {
  it.each(Object.keys(recorded).filter((name) => !refused.includes(name)))(
    '%s returns what SB3 itself recorded, seed by seed',
    async (name) => {
      const { env: id, seed, returns, lengths } = recorded[name]!;
      const { env, document } = readModel(model(name), null);
      expect(env.id).toBe(id);
      const policy = buildPolicy(document.kind, env, document.options);
      const candidates = [Float64Array.from(document.params)];
      const job = { backend, env, policy, candidates, episodes: returns.length, seed, maxSteps: null };
      const played = await (await evaluate(job)).outcomes();
      expect(Array.from(played.lengths)).toEqual(lengths);
      // SB3 computes in f32.
      returns.forEach((value, i) => {
        expect(Math.abs(played.returns[i]! - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
      });
    },
  );

  it('has the kind and the options of its network', () => {
    const shapes = Object.fromEntries(
      Object.keys(recorded)
        .filter((name) => !refused.includes(name))
        .map((name) => {
          const { kind, options } = readModel(model(name), null).document;
          return [
            name,
            [kind, options?.hidden, options?.activation, options?.output, options?.input_low !== undefined],
          ];
        }),
    );
    expect(shapes).toEqual({
      'ppo-cartpole': ['mlp', [12, 10], 'tanh', undefined, false],
      'dqn-cartpole': ['mlp', [14, 9], 'relu', undefined, false],
      'qrdqn-cartpole': ['mlp', [8], 'relu', undefined, false],
      'dqn-acrobot': ['mlp', [10], 'relu', undefined, false],
      'a2c-mountaincar': ['mlp', [9], 'relu', undefined, true],
      'ppo-mcc': ['mlp', [7, 5], 'tanh', undefined, true],
      'trpo-pendulum': ['mlp', [11, 6], 'tanh', undefined, false],
      'sac-pendulum': ['mlp', [13, 8], 'relu', 'tanh', false],
      'sac-sde-pendulum': ['mlp', [9, 8], 'relu', 'tanh', false],
      'tqc-pendulum': ['mlp', [9], 'relu', 'tanh', false],
      'td3-pendulum': ['mlp', [12, 7], 'relu', 'tanh', false],
      'ddpg-pendulum': ['mlp', [8, 6], 'relu', 'tanh', false],
      'ars-cartpole': ['linear', undefined, undefined, undefined, false],
      'ars-mlp-pendulum': ['mlp', [6], 'relu', 'tanh', false],
      'dqn-frozenlake': ['tabular', undefined, undefined, undefined, false],
      'ppo-frozenlake': ['tabular', undefined, undefined, undefined, false],
    });
  });

  it('is refused in words where no policy kind can be its network, or the environment is another', () => {
    expect(() => readModel(model('ppo-three-layers'), null)).toThrow('expected at most 2 hidden layers, got 3');
    expect(() => readModel(model('ppo-gelu'), null)).toThrow('expected the activation tanh or relu, got');
    expect(() => readModel(model('ppo-cartpole'), findEnv('Acrobot-v1'))).toThrow(
      'expected a model for Acrobot-v1, got one with 4 inputs and 2 numbered actions',
    );
  });

  it('is refused with the name of the file beside it that is none of statistics', () => {
    const folder = temporaryFolder();
    const [model, beside] = [join(folder, 'm.zip'), join(folder, 'm.vecnormalize.pkl')];
    cpSync(assetPath('test/golden/sb3/ppo-cartpole.zip'), model);
    writeFileSync(beside, 'garbage');
    expect(() => readModel(model, null)).toThrow(`${beside}: expected a pickle`);
    rmSync(beside);
    mkdirSync(beside);
    expect(() => readModel(model, null)).toThrow(`${beside}: expected readable statistics`);
    rmdirSync(beside);
    expect(readModel(model, null).env.id).toBe('CartPole-v1');
  });

  it('is a policy of its training, whose folder has it', async () => {
    const root = temporaryFolder();
    const place = join(root, 'ppo', 'CartPole-v1_1');
    cpSync(assetPath('test/cases/sb3/ppo/CartPole-v1_3'), place, { recursive: true });
    cpSync(model('ppo-cartpole'), join(place, 'best_model.zip'));
    const [found] = findTrainings(root).found;
    const options = { runsDir: join(root, 'runs'), env: null, method: null, window: 20, argv: [], now: 1 };
    const run = await importTraining(found!, options);
    expect(run.files_skipped).toEqual([]);
    expect(readJson(run.folder as string, 'best.json')).toEqual(readModel(model('ppo-cartpole'), null).document);
    expect(readJson(run.folder as string, 'best.json')).toMatchObject({ env: 'CartPole-v1', env_options: {} });
    // A model that cannot be read does not stop the import.
    cpSync(model('ppo-gelu'), join(place, 'best_model.zip'));
    const other = await importTraining(found!, { ...options, runsDir: join(root, 'others') });
    expect(other.files_skipped.map(({ path }) => path)).toEqual([join(place, 'best_model.zip')]);
    expect(readdirSync(other.folder as string)).not.toContain('best.json');
  });

  it('is read or refused, whatever bytes it has', () => {
    const root = temporaryFolder();
    const whole = readFileSync(model('ppo-cartpole'));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = Buffer.from(whole);
          for (const [at, value] of changes) bytes[at] = value;
          const path = join(root, 'a.zip');
          writeFileSync(path, bytes);
          try {
            expect(readModel(path, null).document.params.every(Number.isFinite)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(UsageError);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a pickle', () => {
  const allow = () => true;

  it('runs nothing: a call is described, and a global that no data needs is refused', () => {
    // os.system('touch /tmp/x'), protocol 2
    const attack = Buffer.from('\x80\x02cos\nsystem\nX\x0c\x00\x00\x00touch /tmp/x\x85R.', 'latin1');
    expect(() => readPickle(attack, (name) => name.startsWith('torch'))).toThrow(Damaged);
    expect(readPickle(attack, allow)).toMatchObject({ of: 'os system', args: ['touch /tmp/x'] });
    // INST, OBJ, EXT1 and INT of protocol 0 are no opcodes of data.
    for (const code of ['i', 'o', '\x82', 'I', 'P', 'R']) {
      expect(() => readPickle(Buffer.from(`\x80\x02${code}a\nb\n.`, 'latin1'), allow)).toThrow(Damaged);
    }
  });

  it('ends for any bytes', () => {
    const opcode = fc.constantFrom(
      ...'\x80\x95(}])N\x88\x89JKM\x8aGX\x8cBCt\x85\x86\x87aesuqr\x94hjc\x93R\x81bQ.'.split(''),
    );
    const byte = fc.oneof(
      opcode,
      fc.nat(255).map((code) => String.fromCharCode(code)),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), (codes) => {
        try {
          readPickle(Buffer.from(codes.join(''), 'latin1'), allow);
        } catch (error) {
          expect(error).toBeInstanceOf(Damaged);
        }
      }),
    );
  });

  it('of an archive is found by the directory alone, with its checksum', () => {
    const bytes = Buffer.from(readFileSync(model('ars-cartpole')));
    const archive = new ZipArchive(bytes);
    expect(archive.names).toContain('policy.pth');
    expect(() => archive.read('policy')).toThrow(Damaged);
    const inside = archive.read('policy.pth');
    expect(inside.subarray(0, 2).toString()).toBe('PK');
    const at = bytes.indexOf('policy.pth') + 30;
    bytes[at] = bytes[at]! ^ 0xff;
    expect(() => new ZipArchive(bytes).read('policy.pth')).toThrow(Damaged);
  });
});
