import { expect, it } from 'vitest';
import { playEpisode, subjectOf } from '../../../../src/view/page/play/subject.ts';

it('an episode in float64 is the recorded one but for the last digits, which engines of JavaScript round differently', async () => {
  const policy = { kind: 'linear', options: {} };
  const subject = subjectOf({ env: 'Pendulum-v1', envOptions: {}, policy, maxSteps: 40, known: true });
  const params = [0.3, -0.2, 0.5, 0.1];
  const { trace } = await playEpisode(subject, params, 7, null);
  const of = async (recorded: number) => {
    const { backend, asRecorded } = await playEpisode(subject, params, 7, recorded);
    return [backend, asRecorded];
  };
  expect(await of(trace.return * (1 + 1e-14))).toEqual(['cpu', true]);
  expect(await of(trace.return * (1 + 1e-6))).toEqual(['cpu', false]);
});
