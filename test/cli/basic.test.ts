import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAsset } from '../../src/base/node/assets.ts';
import { commands } from '../../src/cli/command.ts';
import { createIo } from '../../src/cli/io.ts';
import { textTable } from '../../src/report/tables/table.ts';
import { mainFile, runCli } from '../support/cli.ts';
import { runHere } from '../support/in-process.ts';

const { version } = JSON.parse(readAsset('package.json')) as { version: string };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the built program', () => {
  it('is a bundle that stands beside the licences of the packages in it', () => {
    const packages = [...readAsset('dist/cli/main.licenses.txt').matchAll(/^(\S+) \d+\.\S* \(\S+\)$/gm)].map(
      ([, name]) => name,
    );
    expect(packages).toEqual(expect.arrayContaining(['commander', 'vega', 'vega-lite', 'yaml', 'zod']));
    const program = readAsset('dist/cli/main.js');
    for (const name of packages) expect(program).not.toMatch(new RegExp(`(from|import) "${name}["/]`));
  });

  it('ends with its command, although a proxy keeps a connection open', async () => {
    let asked = 0;
    const proxy = createServer((socket) => {
      socket.on('error', () => {}).once('data', () => (asked += 1));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const args = ['run', 'cartpole/props', '--runs-dir', folder, '--backend', 'cpu', 'warmup.policies=1'];
    const model = ['--model', 'https://far.invalid/v1#m', 'llm.timeout_s=1', 'llm.max_attempts=1'];
    const env = { HTTPS_PROXY: url, https_proxy: undefined, NO_PROXY: undefined, no_proxy: undefined };
    const { code, stderr } = await runCli([...args, ...model], { env, timeoutMs: 20_000 });
    proxy.close();
    expect(stderr).toContain('got no complete answer within 1 s');
    expect(asked).toBeGreaterThan(0);
    expect(code).toBe(4);
  });
});

describe('an option that has no effect beside the others', () => {
  it.each([
    [['solve', 'frozenlake', '--adapter', '0'], '[--adapter] expected it together with --name'],
    [['view', '.', '--export', 'page', '--port', '7421'], '[--port] expected it without --export'],
    [['bench', 'nim', '--scaling-seconds', '2'], '[--scaling-seconds] expected it together with --scaling'],
    [['bench', 'nim', '--episodes', '20', '--seconds', '2'], '[--seconds] expected it without --episodes'],
    [['import', 'sb3', 'logs', '--model', 'm'], '[--model] expected it without logs of sb3'],
    [['import', 'sb3', 'model.zip', '--window', '7'], '[--window] expected it without a model'],
    [['import', 'r2po', 'logs', '--window', '7'], '[--window] expected it without logs of r2po'],
    [['eval', '--policy', 'p.json', '--dump-wgsl', '-', '--json'], '[--json] expected it without --dump-wgsl -'],
    [['analyze', 'search', 'runs', '--replay', '0', '--pairs', '7'], '[--pairs] expected it without --replay 0'],
  ])('%j is refused', async (argv, message) => {
    const { code, stdout, stderr } = await runHere(argv);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });
});

describe('help and version', () => {
  it('prints the version of package.json', async () => {
    expect(await runCli(['--version'])).toStrictEqual({ code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
  });

  it('names every command in --help, on stdout', async () => {
    const { code, stdout, stderr } = await runCli(['--help']);
    expect({ code, stderr }).toStrictEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n').map((line) => line.trim().replace(/ {2,}/, '  '));
    for (const { name, summary } of commands) expect(lines).toContain(`${name}  ${summary}`);
    const [, after] = stdout.split('\nExamples:\n');
    const examples = [...after!.matchAll(/^ {2}r2po (\S+)/gm)].map(([, name]) => name);
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const name of examples) expect(commands.map((command) => command.name)).toContain(name);
    expect((await runHere(['help', 'help'])).stdout).toBe(stdout);
  });

  it.each(commands.map((c) => c.name))('%s: --help and "help" describe the command', async (name) => {
    const flag = await runHere([name, '--help']);
    const word = await runHere(['help', name]);
    expect(flag).toMatchObject({ code: 0, stderr: '' });
    expect(flag.stdout).toContain(`Usage: r2po ${name} `);
    expect(flag.stdout).toContain('--json');
    expect(word).toStrictEqual(flag);
    const examples = flag.stdout.split('\nExamples:\n')[1]!.trimEnd().split('\n');
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const example of examples) {
      expect(example).toContain(`r2po ${name}`);
      // Every option of an example is one of the command.
      for (const [option] of example.matchAll(/(?<=\s)--?[a-z][a-z-]*/g)) expect(flag.stdout).toMatch(`${option} `);
    }
  });

  it('shows the help on stderr when no command is given', async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect({ code, stdout }).toStrictEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: r2po <command>');
  });
});

describe('wrong usage ends with exit code 2 and one line on stderr', () => {
  const known = commands.map((c) => c.name).join(', ');
  it.each([
    [['lst'], `error: [r2po] unknown command "lst"; did you mean "list"? known: ${known}; see "r2po --help"\n`],
    [['help', 'lst'], `error: [r2po] unknown command "lst"; did you mean "list"? known: ${known}; see "r2po --help"\n`],
    [
      ['lst', '--help'],
      `error: [r2po] unknown command "lst"; did you mean "list"? known: ${known}; see "r2po --help"\n`,
    ],
    [['--verison'], 'error: unknown option \'--verison\'; did you mean --version? see "r2po --help"\n'],
    [['list', 'envs', '--jsn'], 'error: unknown option \'--jsn\'; did you mean --json? see "r2po list --help"\n'],
    [['list'], 'error: expected <what> (envs, policies, methods, models), got none; see "r2po list --help"\n'],
    [['eval', 'CartPole-v1'], 'error: expected options only, got "CartPole-v1"; did you mean --env CartPole-v1? see'],
    [['schema', 'run'], 'error: expected options only, got "run"; see "r2po schema --help"\n'],
    [['list', 'envs', 'cartpole', 'pong'], 'error: expected <what> <name> and options, got also "pong"; see'],
    [
      ['run', 'cartpole/zoo/ppo'],
      'error: [config] expected a search, got "cartpole/zoo/ppo", a training with Stable-Baselines3; use: r2po baseline',
    ],
    [
      ['baseline', 'cartpole/cma-es'],
      'error: [baseline] expected a training, got "cartpole/cma-es", a search; use: r2po run cartpole/cma-es\n',
    ],
    [['list', 'env', '--json'], 'error: [list] unknown listing "env"; did you mean "envs"?'],
    [
      ['eval', '--backend', 'webgp'],
      'error: [--backend] unknown backend "webgp"; did you mean "webgpu"? known: auto, webgpu, wasm, cpu, gpujs\n',
    ],
    [['eval', '--seed', '-1'], 'error: [--seed] expected a whole number in 0 ... 9007199254740991, got "-1"\n'],
    [
      ['eval', '--seed', '9007199254740992'],
      'error: [--seed] expected a whole number in 0 ... 9007199254740991, got "9007199254740992"\n',
    ],
    [['eval', '--seed', '0x10'], 'error: [--seed] expected a whole number in 0 ... 9007199254740991, got "0x10"\n'],
    [['eval', '--seed', ''], 'error: [--seed] expected a whole number in 0 ... 9007199254740991, got ""\n'],
    [['eval', '--seed', '1.5'], 'error: [--seed] expected a whole number in 0 ... 9007199254740991, got "1.5"\n'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await runHere(args);
    expect({ code, stdout }).toStrictEqual({ code: 2, stdout: '' });
    expect(stderr.startsWith(message), stderr).toBe(true);
    expect(stderr.endsWith('\n') && stderr.indexOf('\n') === stderr.length - 1, stderr).toBe(true);
  });
});

describe('list and schema', () => {
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await runHere([...args, '--json']);
    expect({ code, stderr }).toStrictEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout);
  };

  it('lists environments with sizes, limits and sources of their numbers', async () => {
    const [cartpole] = (await json('list', 'envs')).filter((env: { id: string }) => env.id === 'CartPole-v1');
    expect(cartpole).toMatchObject({
      folder: 'cartpole',
      observation: { kind: 'vector', size: 4 },
      action: { kind: 'discrete', n: 2 },
      time_limit: 500,
      success_threshold: 475,
      return_range: [1, 500],
      constants: { gravity: { value: 9.8, unit: 'm/s^2' } },
    });
    expect(cartpole.state[1]).toMatchObject({ name: 'x_dot', unit: 'm/s', low: null, high: null });
    expect(cartpole.policies).toContain('linear');
    expect(cartpole.configs).toContain('cartpole/r2po');
  });

  it('lists policies with their size in every compatible environment', async () => {
    const [linear] = (await json('list', 'policies')).filter((kind: { id: string }) => kind.id === 'linear');
    expect(linear.environments).toContainEqual({
      env: 'CartPole-v1',
      params: 10,
      values: { kind: 'real' },
      options: { bias: true },
    });
  });

  it('lists methods with the stages of an iteration', async () => {
    const [r2po] = (await json('list', 'methods')).filter((method: { id: string }) => method.id === 'r2po');
    expect(r2po).toMatchObject({ stages: ['search', 'evaluate', 'critic', 'evaluate'], keep: 'best' });
    expect(r2po.configs).toContain('cartpole/r2po');
  });

  it('lists models with their endpoints and whether the key is set, but never the key', async () => {
    const env = {
      OPENAI_API_KEY: 'sk-secret',
      GEMINI_API_KEY: undefined,
      OLLAMA_BASE_URL: undefined,
      OLLAMA_HOST: 'box:81',
      OPENAI_BASE_URL: undefined,
      AZURE_OPENAI_ENDPOINT: undefined,
    };
    const { code, stdout } = await runHere(['list', 'models', '--json'], { env });
    expect(code).toBe(0);
    expect(stdout).not.toContain('sk-secret');
    const models = JSON.parse(stdout) as { name: string }[];
    const named = (name: string) => models.find((model) => model.name === name);
    expect(models[0]).toMatchObject({
      name: 'offline',
      kind: 'offline',
      note: expect.stringContaining('not a language model'),
    });
    expect(named('openai/<model>')).toMatchObject({
      kind: 'model',
      endpoint: 'https://api.openai.com/v1',
      key: { variable: 'OPENAI_API_KEY', required: true, set: true },
    });
    expect(named('gemini/<model>')).toMatchObject({ key: { required: true, set: false } });
    expect(named('ollama/<model>')).toMatchObject({ endpoint: 'http://box:81', key: { required: false } });
    expect(named('azure/<deployment>')).toMatchObject({
      endpoint: null,
      note: 'set its address in AZURE_OPENAI_ENDPOINT',
    });
    const elsewhere = {
      ...env,
      OPENAI_BASE_URL: 'https://gate.example/v1/',
      AZURE_OPENAI_ENDPOINT: 'https://r.example',
    };
    const table = await runHere(['list', 'models'], { env: elsewhere });
    expect(table.stdout).toContain('https://gate.example/v1 ');
    expect(table.stdout).toContain('https://r.example');
    expect((await runHere(['list', 'models'], { env: { ...env, OPENAI_BASE_URL: 'gate' } })).code).toBe(2);
  });

  it.each(['envs', 'policies', 'methods', 'models'])('prints %s as a table', async (what) => {
    const { code, stdout } = await runHere(['list', what]);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(1);
    expect(lines[0]).toMatch(/^(id|kind|name) /);
  });

  it('prints the schema', async () => {
    const schema = await json('schema');
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
    expect(schema.properties.env.anyOf.flatMap((way: { enum?: string[] }) => way.enum ?? [])).toContain('CartPole-v1');
  });
});

describe('the process', () => {
  /** Starts the program with a module loaded before it. */
  const preloaded = (name: string, code: string, args: readonly string[], env = {}) => {
    const file = join(folder, name);
    writeFileSync(file, code);
    return runCli(args, { nodeArgs: ['--import', pathToFileURL(file).href], env, cwd: folder });
  };
  const showKey = "process.on('exit', () => console.error('key: ' + process.env.R2PO_API_KEY));\n";

  it('reads .env of the working directory; the environment takes precedence', async () => {
    writeFileSync(join(folder, '.env'), 'R2PO_API_KEY=from-file\n');
    const fromFile = await preloaded('show.mjs', showKey, ['--version'], { R2PO_API_KEY: undefined });
    expect(fromFile).toMatchObject({ code: 0, stderr: 'key: from-file\n' });
    const fromShell = await preloaded('show.mjs', showKey, ['--version'], { R2PO_API_KEY: 'from-shell' });
    expect(fromShell).toMatchObject({ code: 0, stderr: 'key: from-shell\n' });
  });

  it('continues with a warning if .env cannot be read', async () => {
    const cwd = join(folder, 'odd');
    mkdirSync(join(cwd, '.env'), { recursive: true });
    const { code, stdout, stderr } = await runCli(['--version'], { cwd });
    expect({ code, stdout }).toStrictEqual({ code: 0, stdout: `${version}\n` });
    expect(stderr).toMatch(/^warning: cannot read \.env: .*\n$/);
  });

  it('names a full disk behind stdout and an error of the system, and calls neither a defect', async () => {
    const full = "import { closeSync, openSync } from 'node:fs';\ncloseSync(1);\nopenSync('/dev/full', 'w');\n";
    expect(await preloaded('full.mjs', full, ['schema'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: \[stdout\] cannot write the result: ENOSPC: no space/m),
    });
    const refusing =
      "JSON.stringify = () => { throw Object.assign(new Error('raw'), { code: 'EMFILE', syscall: 'open', path: '/x' }); };\n";
    expect(await preloaded('refusing.mjs', refusing, ['schema'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'error: [machine] the system cannot open "/x": EMFILE: too many open files; raise "ulimit -n"\n',
      ),
    });
  });

  it('calls an unexpected failure a defect; with R2PO_DEBUG=1 it says where', async () => {
    const brokenJson = "JSON.stringify = () => { throw new TypeError('broken on purpose'); };\n";
    const short = await preloaded('broken.mjs', brokenJson, ['schema']);
    expect(short).toMatchObject({
      code: 1,
      stdout: '',
      stderr:
        'error: unexpected failure, a bug in r2po: TypeError: broken on purpose; run again with R2PO_DEBUG=1 for the stack trace\n',
    });
    const long = await preloaded('broken.mjs', brokenJson, ['schema'], { R2PO_DEBUG: '1' });
    expect(long.code).toBe(1);
    expect(long.stderr).toMatch(/\n\s+at .*broken\.mjs:1/);
  });

  it('reports a failure outside of the command like one inside', async () => {
    const code =
      "process.on('newListener', (event) => {\n" +
      "  if (event === 'uncaughtException') setImmediate(() => { throw new RangeError('late'); });\n" +
      '});\n';
    const late = await preloaded('late.mjs', code, ['schema']);
    expect(late.code).toBe(1);
    expect(late.stderr).toContain('unexpected failure, a bug in r2po: RangeError: late');
  });

  it('exits silently when its stdout is closed', async () => {
    const child = spawn(process.execPath, [mainFile, 'schema'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    // The reader is gone before the first byte, as with `| head -0`.
    child.stdout.destroy();
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, stderr }).toStrictEqual({ code: 0, stderr: '' });
  });
});

describe('streams', () => {
  const recorder = (properties: { isTTY?: boolean; columns?: number; rows?: number } = {}) => {
    const stream = { text: '', ...properties, write: (text: string) => (stream.text += text) };
    return stream;
  };

  it('sends results to stdout and everything else to stderr; --quiet drops notes but not warnings', () => {
    const out = recorder();
    const err = recorder();
    const io = createIo(out, err, {});
    io.print('a result');
    io.note('a note');
    io.quiet = true;
    io.note('a second note');
    io.warn('careful');
    io.error('no');
    io.printJson({ n: 1 });
    expect(out.text).toBe('a result\n{\n  "n": 1\n}\n');
    expect(err.text).toBe('a note\nwarning: careful\nerror: no\n');
  });

  it.each([
    [{}, false, false],
    [{}, true, true],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, false],
    [{ TERM: 'dumb' }, true, false],
  ])('with %j on a terminal: %s, colour is %s', (env, isTTY, colored) => {
    const io = createIo(recorder({ isTTY }), recorder({ isTTY }), env);
    expect(io.outColors.red('x')).toBe(colored ? '\x1b[31mx\x1b[39m' : 'x');
    expect(io.errColors.isColorSupported).toBe(colored);
  });

  it('keeps the status line below other lines, and cuts it to the width of the terminal', () => {
    const err = recorder({ isTTY: true, columns: 12 });
    const io = createIo(recorder(), err, {});
    io.status('iteration 1');
    io.note('kept');
    io.status('iteration 22 of 30');
    io.status(null);
    const clear = '\r\x1b[J';
    expect(err.text).toBe(`iteration 1${clear}kept\niteration 1${clear}iteration …${clear}`);
  });

  it('clears as many status lines as it drew, and draws at most the height of the terminal', () => {
    const err = recorder({ isTTY: true, columns: 40, rows: 4 });
    const io = createIo(recorder(), err, {});
    io.status('a\nb\nc\nd\ne');
    io.note('kept');
    io.status('x\ny');
    io.status(null);
    const up = (lines: number) => `\r\x1b[${lines}A\x1b[J`;
    expect(err.text).toBe(`a\nb\nc${up(2)}kept\na\nb\nc${up(2)}x\ny${up(1)}`);
  });

  it.each([{ CI: 'true' }, { TERM: 'dumb' }])('draws no status line with %j', (env) => {
    const err = recorder({ isTTY: true });
    createIo(recorder(), err, env).status('iteration 1');
    expect(err.text).toBe('');
  });

  it('draws status lines in a terminal that does not know its size', () => {
    const err = recorder({ isTTY: true, columns: 0, rows: 0 });
    createIo(recorder(), err, {}).status('iteration 1\niteration 2');
    expect(err.text).toBe('iteration 1\niteration 2');
  });

  it('wraps the cells of a table in a terminal but not in a pipe', () => {
    const columns = [{ title: 'id' }, { title: 'n', align: 'right' as const }, { title: 'configs' }];
    const rows = [
      ['cartpole', 12345, 'always-critic, critic-only, a-name-that-is-longer-than-any-column-should-be'],
      ['nim', 6, 'r2po'],
    ];
    const shown = (out: object) => createIo(recorder(out), recorder(), { NO_COLOR: '1' }).table({ columns, rows });
    const wrapped = shown({ isTTY: true, columns: 49 }).split('\n');
    expect(wrapped).toEqual([
      'id            n  configs',
      'cartpole  12345  always-critic, critic-only,',
      '                 a-name-that-is-longer-than-any-c',
      '                 olumn-should-be',
      'nim           6  r2po',
    ]);
    expect(Math.max(...wrapped.map((line) => line.length))).toBeLessThanOrEqual(49);
    expect(shown({ isTTY: false, columns: 40 }).split('\n')).toHaveLength(3);
    expect(shown({ isTTY: true, columns: 200 })).toBe(shown({}));
  });

  it('aligns a table with coloured cells', () => {
    const columns = [{ title: 'name' }, { title: 'n', align: 'right' as const }, { title: 'what' }];
    const rows = [
      ['\x1b[31ma\x1b[39m', 5, null],
      ['longer', 1234, 'x'],
    ];
    expect(textTable({ columns, rows })).toBe('name       n  what\n\x1b[31ma\x1b[39m          5  -\nlonger  1234  x');
  });
});
