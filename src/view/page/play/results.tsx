/** What a playing session shows: the median episode, the numbers, their histogram, and what plays. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Summary } from '../../../evaluation/summary.ts';
import type { RunIndex } from '../../api/index-of-runs.ts';
import { countText, numberText, shareText, shortCount } from '../common/format.ts';
import { Interval } from '../common/parts.tsx';
import { Badge } from './badge.tsx';
import { type ExecutorId, executorIds, executorTitles } from './executor.ts';
import { type ExecutorPool, objection } from './executors.ts';
import { Histogram } from './histogram.tsx';
import type { PlayJob } from './host.ts';
import type { Engine } from './load.ts';
import { EpisodePlayer, type ShownEpisode } from './player.tsx';
import type { PlaySession, SessionView } from './session.ts';
import type { Subject } from './subject.ts';

function useSession(session: PlaySession): SessionView {
  const [view, setView] = useState(session.view);
  useEffect(() => {
    setView(session.view);
    return session.subscribe(setView);
  }, [session]);
  return view;
}

/** What `r2po eval` says of the first batch, with its first seed: another job may have been asked for since. */
function firstSummary(engine: Pick<Engine, 'summarise'>, view: SessionView, seed: number, threshold: number) {
  const { first } = view;
  if (first === null) return null;
  const ends = first.ends ?? new Uint8Array(first.returns.length);
  const summary = engine.summarise(first.returns, first.lengths, ends, {
    firstSeed: seed,
    successThreshold: threshold,
  });
  return { seed, summary };
}

interface ResultsProps {
  readonly engine: Engine;
  readonly session: PlaySession;
  readonly pool: ExecutorPool;
  readonly index: RunIndex | null;
  /** null: what is asked for cannot be played */
  readonly subject: Subject | null;
  readonly job: PlayJob | null;
  readonly chosen: ExecutorId | null;
  readonly onChoose: (id: ExecutorId | null) => void;
}

/** The median episode of the first batch, which goes on moving while others are played. */
function useMedian(engine: Engine, summary: Summary | null, subject: Subject | null, job: PlayJob | null) {
  const [shown, setShown] = useState<ShownEpisode | null>(null);
  const median = summary?.median_episode ?? null;
  useEffect(() => {
    if (median === null || subject === null || job === null) return;
    let isGone = false;
    engine.playEpisode(subject, job.params, median.seed, median.return).then(
      ({ trace }) => !isGone && setShown({ label: 'median episode', subject, trace, note: null }),
      () => {},
    );
    return () => {
      isGone = true;
    };
  }, [median?.seed, median?.return, summary]);
  return shown;
}

function Numbers({ view }: { view: SessionView }) {
  const { tally, stepsPerSecond, redrawsPerSecond } = view;
  if (tally === null) return null;
  return (
    <dl class="play-numbers">
      <div>
        <dt>mean return</dt>
        <dd class="play-mean">
          <Interval value={tally.mean} ci95={tally.ci95} digits={6} />
        </dd>
      </div>
      <div>
        <dt>success</dt>
        <dd>{shareText(tally.success)}</dd>
      </div>
      <div>
        <dt>episodes</dt>
        <dd class="play-episodes">{countText(tally.episodes)}</dd>
      </div>
      <div>
        <dt>steps/s</dt>
        <dd>{shortCount(stepsPerSecond)}</dd>
      </div>
      <div>
        <dt>redraws/s</dt>
        <dd class="play-redraws">{numberText(redrawsPerSecond, 3)}</dd>
      </div>
    </dl>
  );
}

function FirstBatch({ seed, summary: { episodes, mean, ci95, success } }: { seed: number; summary: Summary }) {
  return (
    <p class="play-first" data-mean={mean}>
      Seeds {countText(seed)} to {countText(seed + episodes - 1)}: mean <Interval value={mean} ci95={ci95} digits={6} />
      , {countText(success.count)} {success.count === 1 ? 'success' : 'successes'}.
    </p>
  );
}

const statusWords: Readonly<Record<SessionView['status'], string>> = {
  opening: 'opening',
  playing: 'playing',
  paused: 'paused',
  finished: 'finished: the most episodes were played',
  failed: 'stopped',
};

function ExecutorChoice({
  view,
  index,
  chosen,
  onChoose,
}: Pick<ResultsProps, 'index' | 'chosen' | 'onChoose'> & { view: SessionView }) {
  const why = (id: ExecutorId): string | null => view.failures[id] ?? objection(id, index);
  const { executor } = view;
  return (
    <div class="executors">
      <label>
        Played by{' '}
        <select
          value={chosen ?? ''}
          onChange={(event) => onChoose((event.currentTarget.value || null) as ExecutorId | null)}
        >
          <option value="">the first that works</option>
          {executorIds.map((id) => (
            <option key={id} value={id} disabled={objection(id, index) !== null}>
              {executorTitles[id]}
            </option>
          ))}
        </select>
      </label>
      <p class="executor-used" data-executor={executor?.id ?? ''}>
        {executor === null ? (
          'Nothing plays yet.'
        ) : (
          <>
            <strong>{executorTitles[executor.id]}</strong> plays: {executor.where}
          </>
        )}{' '}
        <span class="quiet">({statusWords[view.status]})</span>
      </p>
      {view.notice !== null && (
        <p class="play-problem executor-notice" role="alert">
          {view.notice} {executor !== null && `${executorTitles[executor.id]} goes on.`}
        </p>
      )}
      <ul class="executor-reasons quiet">
        {executorIds
          .filter((id) => id !== executor?.id)
          .map((id) => (
            <li key={id}>
              {executorTitles[id]}: {why(id) ?? (id === 'machine' ? 'used only when it is chosen' : 'can be chosen')}
            </li>
          ))}
      </ul>
    </div>
  );
}

export function Results({ engine, session, pool, index, subject, job, chosen, onChoose }: ResultsProps) {
  const view = useSession(session);
  const threshold = subject?.env.success.threshold ?? 0;
  const jobOfFirst = useRef(job);
  jobOfFirst.current = job;
  const first = useMemo(() => (job === null ? null : firstSummary(engine, view, job.seed, threshold)), [view.first]);
  const median = useMedian(engine, first?.summary ?? null, subject, jobOfFirst.current);
  return (
    <div class="play-results">
      {view.problem !== null && (
        <p class="play-problem" role="alert">
          {view.problem}
        </p>
      )}
      {median !== null && <EpisodePlayer engine={engine} episodes={[median]} loops />}
      <Numbers view={view} />
      {view.tally !== null && <Histogram tally={view.tally} threshold={threshold} />}
      {first !== null && <FirstBatch {...first} />}
      <ExecutorChoice view={view} index={index} chosen={chosen} onChoose={onChoose} />
      {view.executor !== null && job !== null && view.tally !== null && (
        <Badge engine={engine} pool={pool} session={session} id={view.executor.id} job={job} />
      )}
    </div>
  );
}
