/** The playground: any policy on thousands of episodes at once, with other parameters and other physics. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { RunPage } from '../../api/run.ts';
import { Notice, Panel } from '../common/parts.tsx';
import { runPath, useGet } from '../data.ts';
import { currentRoute, link, setQuery, useRoute } from '../route.ts';
import { useIndex } from '../runs/index-store.ts';
import { ParameterControls, PhysicsControls } from './controls.tsx';
import { ExecutorPool } from './executors.ts';
import type { PlayJob } from './host.ts';
import { type Engine, PlayUsageError } from './load.ts';
import {
  batchSizes,
  candidateOf,
  changed,
  iterationOf,
  type PlayQuery,
  parsePlayQuery,
  playQueryChanges,
} from './play-query.ts';
import { PolicyFile } from './policy-file.tsx';
import { useEngine } from './replay.tsx';
import { Results } from './results.tsx';
import { PlaySession } from './session.ts';
import type { Playable, Subject } from './subject.ts';
import './play.css';

/** Browsers refuse many changes of the address in a short time. */
const addressMs = 300;

const withoutReply = { subject: null, job: null, base: null, problem: null } as const;

interface Setup {
  /** with the changed constants */
  readonly subject: Subject | null;
  /** with the constants of the environment */
  readonly base: Subject | null;
  readonly job: PlayJob | null;
  readonly problem: string | null;
}

/** What the address and the run ask for. Nothing is played in place of what an address has and nobody can read. */
function setupOf(engine: Engine, state: PlayQuery, run: RunPage | null): Setup {
  const setup = readableSetup(engine, state, run);
  const unread = Object.values(state.problems).join('; ');
  return unread === '' ? setup : { ...setup, subject: null, problem: `The address cannot be read: ${unread}.` };
}

function readableSetup(engine: Engine, state: PlayQuery, run: RunPage | null): Setup {
  let { params } = state;
  let playable: Playable;
  try {
    if (state.run !== null) {
      if (run === null) return withoutReply;
      if (run.playable === null)
        throw new Error(
          'this run has no policy that can be played here: its record has no parameters, or no environment',
        );
      playable = run.playable;
      params ??= candidateOf(run, state.candidate)?.candidate.params ?? null;
      if (params === null) {
        throw new Error(
          state.candidate === null
            ? 'this run has kept no policy yet'
            : `this run has no policy "${state.candidate}"; open one of its iterations`,
        );
      }
    } else {
      const env = engine.findEnv(state.env ?? engine.envs[0]!.id, state.envOptions);
      const kind = state.kind ?? engine.policyKinds.find((one) => one.accepts(env) === null)!.id;
      playable = {
        env: env.id,
        envOptions: { ...state.envOptions },
        policy: { kind, options: state.options },
        maxSteps: null,
        known: true,
      };
    }
    const base = engine.subjectOf(playable);
    params ??= Array.from(base.policy.sample(engine.Generator.from([1]), 1));
    const { constants, seed, episodes } = state;
    const job = { playable, params, constants, seed, episodes };
    try {
      return { subject: engine.subjectOf(playable, constants), base, job, problem: null };
    } catch (error) {
      return { subject: null, base, job, problem: (error as Error).message };
    }
  } catch (error) {
    return { ...withoutReply, problem: (error as Error).message };
  }
}

/** The state of the playground, which follows the address and is written there. */
function usePlayState(): readonly [PlayQuery, (changes: Partial<PlayQuery>) => void] {
  const { query } = useRoute();
  const text = query.toString();
  const [state, setState] = useState(() => parsePlayQuery(query));
  const written = useRef(text);
  const latest = useRef(state);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    if (text === written.current) return;
    written.current = text;
    latest.current = parsePlayQuery(query);
    setState(latest.current);
  }, [text]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const update = (changes: Partial<PlayQuery>): void => {
    latest.current = changed(latest.current, changes);
    setState(latest.current);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      setQuery(playQueryChanges(latest.current, currentRoute().query));
      written.current = currentRoute().query.toString();
    }, addressMs);
  };
  return [state, update];
}

function PolicyChoice({
  engine,
  state,
  base,
  update,
}: {
  engine: Engine;
  state: PlayQuery;
  base: Subject | null;
  update: (changes: Partial<PlayQuery>) => void;
}) {
  if (state.run !== null) {
    return (
      <p class="play-source">
        <span>
          The policy {state.params === null ? 'is' : 'began as'} that of{' '}
          <a href={link(['run', state.run])}>{state.run}</a>
          {state.candidate === null ? ', the best that was kept' : `, ${state.candidate}`}.
        </span>{' '}
        {state.params !== null && (
          <button type="button" onClick={() => update({ params: null })}>
            Back to it
          </button>
        )}
      </p>
    );
  }
  const kinds = engine.policyKinds.filter((kind) => base === null || kind.accepts(base.env) === null);
  return (
    <div class="play-source">
      <label>
        Environment{' '}
        <select
          value={base?.env.id ?? state.env ?? ''}
          onChange={(event) =>
            update({
              env: event.currentTarget.value,
              envOptions: {},
              kind: null,
              options: {},
              params: null,
              constants: {},
            })
          }
        >
          {engine.envs.map(({ id }) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
      </label>
      <label>
        Policy{' '}
        <select
          value={base?.policy.kind ?? ''}
          onChange={(event) => update({ kind: event.currentTarget.value, options: {}, params: null })}
        >
          {kinds.map(({ id }) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
      </label>
      {base !== null && (
        <button
          type="button"
          onClick={() =>
            update({ params: Array.from(base.policy.sample(engine.Generator.from([Date.now() % 2 ** 31]), 1)) })
          }
        >
          Draw a random policy
        </button>
      )}
    </div>
  );
}

function SeedControls({ state, update }: { state: PlayQuery; update: (changes: Partial<PlayQuery>) => void }) {
  return (
    <div class="transport">
      <button type="button" onClick={() => update({ isPaused: !state.isPaused })} class="play-go">
        {state.isPaused ? 'Play episodes' : 'Pause episodes'}
      </button>
      <label>
        Episodes at once{' '}
        <select
          value={String(state.episodes)}
          onChange={(event) => update({ episodes: Number(event.currentTarget.value) })}
        >
          {[...new Set([...batchSizes, state.episodes])].map((size) => (
            <option key={size} value={String(size)}>
              {size}
            </option>
          ))}
        </select>
      </label>
      <label>
        First seed{' '}
        <input
          type="number"
          min={0}
          step={1}
          value={state.seed}
          onChange={(event) => {
            const { valueAsNumber } = event.currentTarget;
            if (Number.isSafeInteger(valueAsNumber) && valueAsNumber >= 0) update({ seed: valueAsNumber });
          }}
        />
      </label>
      <input
        type="range"
        class="scrubber"
        aria-label="First seed, slider"
        min={0}
        max={10_000}
        step={1}
        value={Math.min(state.seed, 10_000)}
        onInput={(event) => update({ seed: Number(event.currentTarget.value) })}
      />
    </div>
  );
}

const nextFrame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()));

function Playground({ engine }: { engine: Engine }) {
  const [state, update] = usePlayState();
  const { index } = useIndex();
  const latestIndex = useRef(index);
  latestIndex.current = index;
  const run = useGet<RunPage>(state.run === null ? null : runPath(state.run, iterationOf(state.candidate)));
  const setup = useMemo(() => setupOf(engine, state, run.data), [state, run.data]);
  const pool = useMemo(() => new ExecutorPool(engine, () => latestIndex.current), [engine]);
  const session = useMemo(
    () =>
      new PlaySession({
        open: pool.open,
        nextFrame,
        now: () => performance.now(),
        isUsage: (error) => error instanceof PlayUsageError,
      }),
    [pool],
  );
  useEffect(
    () => () => {
      session.close();
      pool.close();
    },
    [session, pool],
  );
  const asked = JSON.stringify([setup.job, setup.problem]);
  useEffect(() => {
    const { subject, job, problem } = setup;
    session.setJob(subject === null ? null : job, subject?.env.success.threshold ?? 0, problem);
  }, [session, asked]);
  useEffect(() => session.choose(state.executor), [session, state.executor]);
  const isStill = useMemo(() => matchMedia('(prefers-reduced-motion: reduce)').matches, []);
  const [goesOn, setGoesOn] = useState(false);
  const isPaused = state.isPaused || (isStill && !goesOn);
  useEffect(() => session.pause(isPaused), [session, isPaused]);
  const { subject, base, job } = setup;
  if (state.run !== null && run.state === 'failed') {
    return (
      <Notice title="This run cannot be read" kind="problem">
        <p>{run.problem}</p>
      </Notice>
    );
  }
  const updateAll = (changes: Partial<PlayQuery>): void => {
    if (changes.isPaused !== undefined) setGoesOn(!changes.isPaused);
    update(changes);
  };
  return (
    <div class="play">
      <h1>Playground</h1>
      <PolicyChoice engine={engine} state={state} base={base} update={update} />
      {Object.keys(state.problems).length > 0 && (
        <p>
          <button type="button" onClick={() => update({ problems: {} })}>
            Play without what cannot be read
          </button>
        </p>
      )}
      <div class="play-grid">
        <Panel title={base === null ? 'Episodes' : `Episodes of ${base.env.id}`}>
          <SeedControls state={{ ...state, isPaused }} update={updateAll} />
          <Results
            engine={engine}
            session={session}
            pool={pool}
            index={index}
            subject={subject}
            job={job}
            chosen={state.executor}
            onChoose={(executor) => update({ executor })}
          />
        </Panel>
        {base !== null && job !== null && (
          <div class="play-controls">
            <Panel title={`Parameters of ${base.policy.kind}`}>
              <ParameterControls
                key={`${base.env.id} ${base.policy.kind} ${state.run} ${state.candidate}`}
                env={base.env}
                policy={base.policy}
                params={job.params}
                onChange={(params) => update({ params })}
              />
            </Panel>
            <Panel title="Physics">
              <PhysicsControls
                engine={engine}
                env={base.env}
                constants={state.constants}
                onChange={(constants) => update({ constants })}
              />
            </Panel>
            <Panel title="Policy file">
              <PolicyFile
                engine={engine}
                subject={base}
                params={job.params}
                onUse={(pasted) => update({ run: null, candidate: null, constants: {}, ...pasted })}
              />
            </Panel>
          </div>
        )}
      </div>
    </div>
  );
}

export function PlayView() {
  const { engine, problem } = useEngine();
  if (problem !== null) {
    return (
      <Notice title="The playground cannot start" kind="problem">
        <p>{problem}</p>
      </Notice>
    );
  }
  return engine === null ? <p class="quiet">The engine is loaded ...</p> : <Playground engine={engine} />;
}
