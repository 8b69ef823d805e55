/** The texts of the prompts and their version go together: whoever changes the one has to change the other. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { frozenlake } from '../../src/envs/frozenlake/index.ts';
import { envs } from '../../src/envs/index.ts';
import { describeEnvironment, missingDescription } from '../../src/envs/node/description.ts';
import { hybridMethods, llmMethods } from '../../src/methods/index.ts';
import { runIteration } from '../../src/methods/interpreter.ts';
import type { PromptContext } from '../../src/methods/method.ts';
import { promptVersion } from '../../src/methods/prompts/version.ts';
import { explanations, knowledgeLevels } from '../../src/methods/settings.ts';
import { describePolicy } from '../../src/policies/description.ts';
import { buildPolicy, policyKinds } from '../../src/policies/index.ts';
import { asKilled, eventsOf, rewriteRecord, smallRun } from '../support/experiment.ts';
import { context, replyOf, scripted, settings, trials, vector } from '../support/methods.ts';

/** Of all texts at this version. */
const known = { version: 3, digest: 'a24002456565885c' };

const table = {
  ...context,
  env: frozenlake,
  policy: buildPolicy('tabular', frozenlake),
  trials: trials.map((trial, i) => ({ ...trial, params: Array.from({ length: 16 }, (_, s) => (s + i) % 4) })),
};
const tableReply = replyOf(Array.from({ length: 16 }, (_, i) => i % 4));

/** Of each method: its calls with a repair turn each, in both kinds of policies, all wordings and both forms. */
async function promptTexts(): Promise<string[]> {
  const texts: string[] = [];
  const wordings = knowledgeLevels.flatMap((knowledge) =>
    explanations.map((explanation) => ({ ...settings.prompt, knowledge, explanation })),
  );
  for (const method of [...llmMethods, ...hybridMethods]) {
    for (const prompt of wordings) {
      for (const replyText of ['lines', 'json'] as const) {
        const ask = async (of: PromptContext, reply: string) => {
          const replies = Array.from({ length: 4 }, (_, i) => (i % 2 === 0 ? '' : reply));
          const script = scripted(replies, [120, 340], null, replyText);
          const told = { ...of, settings: { ...settings, prompt, sensitivityEpisodes: 29 } };
          await runIteration(method, told, script.effects);
          texts.push(...script.prompts.flat().map(({ content }) => content), ...script.problems);
        };
        await ask(context, replyOf(vector(1)));
        await ask(table, tableReply);
        await ask({ ...context, trials: [] }, replyOf(vector(1)));
      }
    }
  }
  return texts;
}

function descriptions(): string[] {
  return envs.flatMap((env) => [
    describeEnvironment(env),
    ...(missingDescription(env, 'reference') === null ? [describeEnvironment(env, 'reference')] : []),
    ...policyKinds
      .filter((kind) => kind.accepts(env) === null)
      .map((kind) => describePolicy(kind.build(env, {}), env.action)),
  ]);
}

describe('the version of the prompts', () => {
  it('is raised with every change of a text', async () => {
    const texts = [...(await promptTexts()), ...descriptions()];
    const digest = createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 16);
    // After an intended change of a text: raise `promptVersion`, and write both here. Texts of a new method, policy or
    // environment change the digest only.
    expect({ version: promptVersion, digest }).toEqual(known);
  });

  it('is recorded in each session, and a resumed run reports a difference', async () => {
    const { folder } = await smallRun({ overrides: ['iterations=2'] });
    expect(eventsOf(folder)[0]).toMatchObject({ type: 'run_started', prompts: promptVersion });
    for (const [recorded, says] of [
      [`"prompts":${promptVersion - 1}`, `version ${promptVersion - 1} of the prompts`],
      ['', 'an older version of the prompts'],
    ]) {
      const copy = (await smallRun({ overrides: ['iterations=2'] })).folder;
      rewriteRecord(copy, (text) => {
        const lines = text.split('\n').slice(0, 6);
        const former = lines.map((line) => line.replace(`,"prompts":${promptVersion}`, recorded! && `,${recorded}`));
        return `${former.join('\n')}\n`;
      });
      asKilled(copy);
      const notices: string[] = [];
      const options = { onNotice: (text: string) => void notices.push(text) };
      await smallRun({ folder: copy, overrides: ['iterations=2'], options });
      expect(notices.join()).toContain(`${says}, now it is version ${promptVersion}`);
    }
  });
});
