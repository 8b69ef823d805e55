/** Replays the median, worst and best episode of policies; of two, side by side on one seed. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { numberText } from '../common/format.ts';
import { Notice } from '../common/parts.tsx';
import { setQuery, useRoute } from '../route.ts';
import { type Engine, loadEngine } from './load.ts';
import { EpisodePlayer, type ShownEpisode } from './player.tsx';
import { type Candidate, chosenSeed, type EpisodeChoice, recordedEpisodes, recordedReturn } from './replay-choice.ts';
import type { Playable } from './subject.ts';

/** The engine, when it is there. */
export function useEngine(): { readonly engine: Engine | null; readonly problem: string | null } {
  const [state, setState] = useState<{ engine: Engine | null; problem: string | null }>({
    engine: null,
    problem: null,
  });
  useEffect(() => {
    let isGone = false;
    loadEngine().then(
      (engine) => !isGone && setState({ engine, problem: null }),
      (error: Error) => !isGone && setState({ engine: null, problem: error.message }),
    );
    return () => {
      isGone = true;
    };
  }, []);
  return state;
}

async function shownEpisodes(
  engine: Engine,
  playable: Playable,
  candidates: readonly Candidate[],
  seed: number,
): Promise<ShownEpisode[]> {
  const subject = engine.subjectOf(playable);
  return Promise.all(
    candidates.map(async (candidate) => {
      const recorded = recordedReturn(candidate, seed);
      const { trace, asRecorded } = await engine.playEpisode(subject, candidate.params, seed, recorded);
      const note =
        asRecorded === false
          ? `The record has a return of ${numberText(recorded, 6)}: another backend or version played it. This replay is in float64.`
          : null;
      return { label: candidate.label, subject, trace, note };
    }),
  );
}

/** Two policies fit side by side; of more, the reader chooses. */
const sideBySide = 2;

function SeedChoice({ choices, value, seed }: { choices: readonly EpisodeChoice[]; value: string; seed: number }) {
  return (
    <div class="replay-choice">
      {choices.length > 0 && (
        <label>
          Episode{' '}
          <select value={value} onChange={(event) => setQuery({ episode: event.currentTarget.value, step: null })}>
            {choices.map((choice) => (
              <option key={choice.value} value={choice.value}>
                {choice.text}
              </option>
            ))}
            {!choices.some((choice) => choice.value === value) && <option value={value}>of the seed</option>}
          </select>
        </label>
      )}
      <label>
        Seed{' '}
        <input
          type="number"
          min={0}
          step={1}
          value={seed}
          onChange={(event) => {
            const { valueAsNumber } = event.currentTarget;
            if (Number.isSafeInteger(valueAsNumber) && valueAsNumber >= 0)
              setQuery({ episode: valueAsNumber || '0', step: null });
          }}
        />
      </label>
    </div>
  );
}

/**
 * The episodes of the candidates of an iteration. The chosen episode and the step are `episode` and `step` in the
 * address.
 */
export function Replay({
  playable,
  candidates: given,
}: {
  playable: Playable;
  /** at least one */
  candidates: readonly Candidate[];
}) {
  const { engine, problem } = useEngine();
  const { query } = useRoute();
  const [first, setFirst] = useState(0);
  const from = Math.min(first, Math.max(0, given.length - 1));
  const candidates = given.length <= sideBySide ? given : given.slice(from, from + 1);
  const choices = useMemo(() => recordedEpisodes(candidates), [candidates]);
  const asked = query.get('episode');
  const seed = chosenSeed(asked, choices);
  const value = choices.find((choice) => choice.value === asked)?.value ?? (asked === null ? choices[0]?.value : null);
  const [shown, setShown] = useState<{ episodes: ShownEpisode[]; problem: string | null } | null>(null);
  const key = JSON.stringify([playable, candidates.map(({ label, params }) => [label, params]), seed]);
  useEffect(() => {
    if (engine === null) return;
    let isGone = false;
    shownEpisodes(engine, playable, candidates, seed).then(
      (episodes) => !isGone && setShown({ episodes, problem: null }),
      (error: Error) => !isGone && setShown({ episodes: [], problem: error.message }),
    );
    return () => {
      isGone = true;
    };
  }, [engine, key]);
  const failure = problem ?? shown?.problem ?? null;
  if (failure !== null) {
    return (
      <Notice title="This episode cannot be replayed here" kind="problem">
        <p>{failure}</p>
      </Notice>
    );
  }
  if (engine === null || shown === null) return <p class="quiet replay-waits">The episode is played ...</p>;
  const step = query.get('step');
  return (
    <div class="replay">
      {given.length > sideBySide && (
        <label class="replay-choice">
          Policy{' '}
          <select value={String(from)} onChange={(event) => setFirst(Number(event.currentTarget.value))}>
            {given.map(({ label }, i) => (
              <option key={label} value={String(i)}>
                {label}
              </option>
            ))}
          </select>
        </label>
      )}
      <SeedChoice choices={choices} value={value ?? String(seed)} seed={seed} />
      <EpisodePlayer
        key={key}
        engine={engine}
        episodes={shown.episodes}
        start={step !== null && /^\d{1,9}$/.test(step) ? Number(step) : null}
        onRest={(at) => setQuery({ step: at === 0 ? '0' : at })}
      />
    </div>
  );
}
