/** No command writes or prints a secret of its environment, whatever a server echoes. */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { answerOf, temporaryFolder } from '../support/experiment.ts';
import { type CommandResult, runCommand } from '../support/in-process.ts';
import { llmConfig } from '../support/llm-config.ts';

const canaries = {
  key: 'sk-Canary-7Kd93jfmQ2',
  header: 'hdr+Canary/8==vTz"q1',
  unused: 'sk-Unused-Canary-55aX',
  proxy: 'pr0xy-Canary-9',
  redis: 'r3dis@Can?ary 1',
  short: 'tiger',
};
const redisUrl = `redis://worker:${encodeURIComponent(canaries.redis)}@127.0.0.1:1/3?sweep`;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A canary as it may be found in a file, also behind other text in base64. */
function shapes(secret: string): string[] {
  const inside = ['', 'a', 'ab'].map((before) => base64(before + secret).slice(before === '' ? 0 : 4, -4));
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64(secret), ...inside].filter(
    (shape) => shape.length >= 5,
  );
}

let folder: string;
let server: Server;
let url: string;
/** of all commands */
let printed = '';
let requests = 0;

/** Everything that was sent, in the forms in which a server may echo it, and what it was not sent. */
function echo({ headers }: IncomingMessage): string {
  const sent = [headers.authorization, headers['x-canary'], ...Object.values(canaries)].map(String);
  return sent.flatMap((text) => [text, encodeURIComponent(text), base64(text), base64(`user:${text}`)]).join(' ');
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const said = echo(request);
  if (request.url?.endsWith('/models')) {
    response.end(JSON.stringify({ data: [{ id: said }, { id: canaries.key }] }));
    return;
  }
  requests += 1;
  const limits = { 'x-ratelimit-remaining': said, [`x-ratelimit-${canaries.key}`]: '1', 'retry-after-ms': '1' };
  if (requests % 5 === 2) {
    response
      .writeHead(500, limits)
      .end(JSON.stringify({ error: { message: `${'x'.repeat(295)}${said}`, type: said } }));
    return;
  }
  if (requests % 5 === 4) {
    response.writeHead(503, limits).end(`<html><title>${said}</title>`);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', ...limits });
  const params = Array.from({ length: 10 }, (_, i) => (i + requests) / 10);
  const send = (delta: object, finish: string | null) =>
    response.write(
      `data: ${JSON.stringify({ id: said, model: canaries.key, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
    );
  for (let i = 0; i < said.length; i += 7) send({ reasoning_content: said.slice(i, i + 7) }, null);
  const text = `${answerOf(params)}\n${said}`;
  for (let i = 0; i < text.length; i += 5) send({ content: text.slice(i, i + 5) }, null);
  send({}, requests % 3 === 0 ? `done ${canaries.key}` : 'stop');
  response.end('data: [DONE]\n\n');
}

beforeAll(async () => {
  folder = temporaryFolder();
  server = createServer((request, response) => {
    request.resume().on('end', () => answer(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  vi.stubEnv('R2PO_API_KEY', canaries.key);
  vi.stubEnv('OPENAI_API_KEY', canaries.unused);
  vi.stubEnv('OLLAMA_API_KEY', canaries.short);
  vi.stubEnv('CANARY', canaries.header);
  vi.stubEnv('HTTPS_PROXY', `http://me:${canaries.proxy}@127.0.0.1:9`);
  vi.stubEnv('R2PO_QUEUE', redisUrl);
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function command(...argv: string[]): Promise<CommandResult> {
  const result = await runCommand(...argv);
  printed += result.stdout + result.stderr;
  return result;
}

function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile());
}

const run = (...argv: string[]): string[] => [
  'run',
  'cartpole/r2po',
  'iterations=2',
  'warmup.policies=2',
  'evaluation.episodes=3',
  'recheck.episodes=5',
  'evaluation.backend=cpu',
  'llm.max_attempts=3',
  'llm.headers.x-canary=$CANARY',
  ...argv,
];

describe('a secret that a server echoes', () => {
  it('is in no byte that a command writes or prints', async () => {
    const runs = join(folder, 'runs');
    const model = ['--model', `${url}#m`];
    const made = await command(...run(...model, '--runs-dir', runs, '--name', 'a'));
    expect(made.stderr).toContain('got HTTP 500');
    expect(made.code).toBe(0);
    expect(readFileSync(join(runs, 'a', 'events.jsonl'), 'utf8')).toContain('[key]');
    await command(...run(...model, 'llm.max_attempts=1', '--runs-dir', runs, '--name', 'failed', '--json'));
    const sweep = ['sweep', ...run(...model).slice(1), 'seed=3,4', '--runs-dir', runs, '--out', join(folder, 'swept')];
    await command(...sweep);
    await command('replay', join(runs, 'a'));
    await command('replay', join(runs, 'a'), '--json');
    await command('report', runs, '--out', join(folder, 'report'));
    await command('analyze', 'edits', runs, '--json');
    await command('export', runs, '--out', join(folder, 'table'));
    await command('export', join(runs, 'a'), '--format', 'reference', '--out', join(folder, 'logs'));
    await command('eval', '--env', 'CartPole-v1', '--policy', join(runs, 'a'), '--json');
    await command('eval', '--env', 'CartPole-v1', '--policies', runs);
    await command('list', 'models');
    await command('doctor', '--model', `${url}#${canaries.key.slice(0, 4)}`);
    for (const queue of [[], [redisUrl], [redisUrl.replace('%3F', '?')]]) {
      await command('sweep', '--status', '--queue', ...queue);
      await command('worker', '--runs-dir', join(folder, 'worked'), '--queue', ...queue);
      await command(...sweep, '--wait', '--queue', ...queue);
    }
    const found = filesIn(folder).flatMap((file) => {
      const text = readFileSync(file, 'latin1');
      return Object.values(canaries)
        .flatMap(shapes)
        .filter((shape) => text.includes(shape))
        .map((shape) => [file, shape]);
    });
    expect(found).toEqual([]);
    expect(
      Object.values(canaries)
        .flatMap(shapes)
        .filter((shape) => printed.includes(shape)),
    ).toEqual([]);
    expect(printed).toContain('redis://127.0.0.1:1/3?sweep');
    expect(requests).toBeGreaterThan(12);
  });
});

describe('.env', () => {
  const inside = async (text: string | Uint8Array, ...argv: string[]): Promise<CommandResult> => {
    const before = process.cwd();
    process.chdir(temporaryFolder());
    try {
      writeFileSync('.env', text);
      return await runCommand(...argv);
    } finally {
      process.chdir(before);
    }
  };
  const known = { OPENAI_API_KEY: undefined, GEMINI_API_KEY: undefined, OPENAI_BASE_URL: undefined };
  const lines = [
    'GEMINI_API_KEY=g-1',
    'VK_ICD_FILENAMES=/tmp/evil.json',
    'NODE_TLS_REJECT_UNAUTHORIZED=0',
    'HTTPS_PROXY=http://evil:1',
    'X=1',
  ];
  beforeAll(() => {
    for (const [name, value] of Object.entries(known)) vi.stubEnv(name, value);
  });

  it('sets the variables of providers only, and says once which ones and of which file', async () => {
    const proxy = process.env.HTTPS_PROXY;
    const { stderr, code } = await inside(lines.join('\n'), 'list', 'models');
    expect(stderr).toMatch(/^read GEMINI_API_KEY from \/.*\/\.env \(of 5; others are for llm\.headers only\)\n$/);
    expect(code).toBe(0);
    expect(process.env.GEMINI_API_KEY).toBe('g-1');
    expect(process.env).not.toHaveProperty('VK_ICD_FILENAMES', '/tmp/evil.json');
    expect(process.env).not.toHaveProperty('NODE_TLS_REJECT_UNAUTHORIZED');
    expect(process.env.X).toBeUndefined();
    expect(process.env.HTTPS_PROXY).toBe(proxy);
    delete process.env.GEMINI_API_KEY;
    expect((await inside(lines.join('\n'), 'list', 'models', '--quiet')).stderr).toBe('');
    delete process.env.GEMINI_API_KEY;
  });

  it('is read behind a byte-order mark, and yields to the environment', async () => {
    vi.stubEnv('R2PO_API_KEY', 'mine');
    const text = '\ufeffOPENAI_API_KEY=of-file\nR2PO_API_KEY=of-file\n';
    expect((await inside(text, 'list', 'models')).stderr).toContain('read OPENAI_API_KEY from');
    expect(process.env).toMatchObject({ OPENAI_API_KEY: 'of-file', R2PO_API_KEY: 'mine' });
    delete process.env.OPENAI_API_KEY;
  });

  it('is read in UTF-16, and refused where it is no text', async () => {
    const text = '\ufeffOPENAI_API_KEY=of-file\r\n';
    const little = Buffer.from(text, 'utf16le');
    for (const bytes of [little, Buffer.from(little).swap16()]) {
      expect((await inside(bytes, 'list', 'models')).stderr).toContain('read OPENAI_API_KEY from');
      expect(process.env.OPENAI_API_KEY).toBe('of-file');
      delete process.env.OPENAI_API_KEY;
    }
    const { stderr } = await inside(little.subarray(2), 'list', 'models');
    expect(stderr).toContain('cannot read .env: expected a text in UTF-8, got another one; save it as UTF-8');
  });

  it('has the variables of headers, which are not exported', async () => {
    const { headersOf } = await import('../../src/llm/providers/controls.ts');
    const { noControls } = await import('../../src/llm/controls.ts');
    const controls = { ...noControls, headers: { 'x-tenant': '$TENANT_OF_FILE' } };
    await inside('TENANT_OF_FILE=t-12\n', 'list', 'models');
    expect(headersOf(controls, process.env)).toEqual({ 'x-tenant': 't-12' });
    expect(process.env.TENANT_OF_FILE).toBeUndefined();
    await inside('', 'list', 'models');
    expect(() => headersOf(controls, process.env)).toThrow('set it there or in .env');
  });

  it('does not send a key of the environment to an address of its own', async () => {
    const ask = ['run', 'cartpole/r2po', '--model', 'openai/m', '--dry-run', '--runs-dir', join(folder, 'none')];
    const address = `OPENAI_BASE_URL=${url}\n`;
    vi.stubEnv('OPENAI_API_KEY', 'sk-mine-1');
    const model = async () => {
      const { openModel } = await import('../../src/runs/models/open-model.ts');
      const { resolveConfig } = await import('../../src/config/resolve.ts');
      return openModel('openai/m', llmConfig((await resolveConfig('cartpole/r2po')).config), () => {});
    };
    await inside(address, ...ask);
    await expect(model()).rejects.toThrow('expected OPENAI_BASE_URL and OPENAI_API_KEY in the same place');
    vi.stubEnv('OPENAI_API_KEY', undefined);
    vi.stubEnv('OPENAI_BASE_URL', undefined);
    await inside(`${address}OPENAI_API_KEY=sk-of-file-1\n`, ...ask);
    expect((await model()).id).toBe('openai/m');
  });
});
