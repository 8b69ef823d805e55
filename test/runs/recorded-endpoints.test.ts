/** Keys and headers go to endpoints that the user names, not to those that a run folder or a job names. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { openModels } from '../../src/runs/models/models.ts';
import { exposedByJob, refuseRecordedEndpoints, trustedEndpoint } from '../../src/runs/models/recorded-endpoints.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { llmConfig } from '../support/llm-config.ts';

const url = 'http://models.example/v1#m';
const key = { R2PO_API_KEY: 'canary-key-5501' };

/** `text` in the configuration of a run folder, or in a file of the user. */
async function resolved(text: string, where: 'run folder' | 'own file', ...overrides: string[]) {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'config.yaml'),
    `${text}\nenv: cartpole\nmethod: r2po\npolicy: {kind: linear}\niterations: 2\n`,
  );
  if (where === 'run folder') writeFileSync(join(folder, 'run.json'), '{}');
  return resolveConfig(join(folder, 'config.yaml'), overrides);
}

describe('the configuration of a run folder', () => {
  it.each([
    [`model: ${url}`, 'model', `model='${url}'`],
    [`llm: {critic: {model: '${url}'}}`, 'llm.critic.model', `llm.critic.model='${url}'`],
    [`model: openai/m\nllm: {fallback: ['${url}']}`, 'llm.fallback', `llm.fallback='["${url}"]'`],
  ])('does not send the key to the endpoint of %s', async (text, unit, remedy) => {
    const recorded = await resolved(text, 'run folder');
    const refusal = () => refuseRecordedEndpoints(recorded, key);
    expect(refusal).toThrow(`[${unit}] expected an endpoint that this command names, got "${url}" out of a run folder`);
    expect(refusal).toThrow(`add ${remedy}, or unset R2PO_API_KEY`);
    expect(() => refuseRecordedEndpoints(recorded, {})).not.toThrow();
    const typed = await resolved(text, 'run folder', remedy.replaceAll("'", ''));
    expect(() => refuseRecordedEndpoints(typed, key)).not.toThrow();
    const own = await resolved(text, 'own file');
    expect(() => refuseRecordedEndpoints(own, key)).not.toThrow();
  });

  it('ends no quotes in the command that is suggested', async () => {
    const recorded = await resolved(`model: "${url}';date;'"`, 'run folder');
    expect(() => refuseRecordedEndpoints(recorded, key)).toThrow(`add model='${url}'\\'';date;'\\''', or unset`);
  });

  it('does not decide which variable is sent as a header', async () => {
    const text = 'model: openai/m\nllm: {headers: {x-tenant: $AWS_SECRET_ACCESS_KEY}}';
    const recorded = await resolved(text, 'run folder');
    expect(() => refuseRecordedEndpoints(recorded, {})).toThrow(
      /\[llm\.headers\.x-tenant\] .* add llm\.headers\.x-tenant='\$AWS_SECRET_ACCESS_KEY'/,
    );
    const typed = await resolved(text, 'run folder', 'llm.headers.x-tenant=$AWS_SECRET_ACCESS_KEY');
    expect(() => refuseRecordedEndpoints(typed, {})).not.toThrow();
    expect(() => refuseRecordedEndpoints(recorded, {})).toThrow();
  });

  it('is still that of a run folder where a file of the user extends it', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'run'));
    writeFileSync(
      join(folder, 'run', 'config.yaml'),
      `model: ${url}\nenv: cartpole\nmethod: r2po\npolicy: {kind: linear}\niterations: 2\n`,
    );
    writeFileSync(join(folder, 'run', 'run.json'), '{}');
    writeFileSync(join(folder, 'mine.yaml'), 'extends: run/config.yaml\nseed: 3\n');
    const mine = await resolveConfig(join(folder, 'mine.yaml'));
    expect(() => refuseRecordedEndpoints(mine, key)).toThrow('out of a run folder');
  });
});

describe('a job', () => {
  const job = async (text: string) => ({ ...(await resolved(text, 'own file')), isRecorded: () => true });

  it('gets no key for an endpoint that the worker does not trust', async () => {
    const named = await job(`model: ${url}`);
    expect(exposedByJob(named, [], key)).toContain('start the worker with --trust-endpoint http://models.example/v1');
    expect(exposedByJob(named, [trustedEndpoint('HTTP://models.example/v1/')], key)).toBeNull();
    expect(exposedByJob(named, [trustedEndpoint('http://models.example/v2')], key)).not.toBeNull();
    expect(exposedByJob(named, [], {})).toBeNull();
  });

  it('gets no header for such an endpoint, and may name providers, whose addresses the worker has', async () => {
    const header = 'llm: {headers: {authorization: $AWS_SECRET_ACCESS_KEY}}';
    expect(exposedByJob(await job(`model: ${url}\n${header}`), [], {})).not.toBeNull();
    expect(exposedByJob(await job(`model: openai/m\n${header}`), [], key)).toBeNull();
  });
});

describe('the manifest of a run that began with auto', () => {
  const method = { prompts: { critic: null } } as never;
  const open = async (name: string) => ({ id: name, kind: 'model' }) as never;

  it('says which of the models that auto chooses is asked, and no other', async () => {
    const { config } = await resolved('model: auto', 'own file');
    const begun = (name: string) => openModels(llmConfig(config), method, open, { search: name, critic: name });
    expect((await begun('ollama/a')).search.first.id).toBe('ollama/a');
    expect((await begun('offline')).search.first.id).toBe('offline');
    for (const name of [url, 'openai/m', 'gguf:x.gguf', 'replay:x']) {
      await expect(begun(name)).rejects.toThrow(`expected a model that "auto" chooses in run.json, got "${name}"`);
    }
  });

  it('does not replace a model that the configuration names', async () => {
    const { config } = await resolved('model: openai/mine', 'own file');
    const { search } = await openModels(llmConfig(config), method, open, { search: url, critic: url });
    expect(search.first.id).toBe('openai/mine');
  });
});
