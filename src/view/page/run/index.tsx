/** One run: a point of its curve, the call, what changed in the prompt and in the parameters, and the episode. */
import { useCallback, useMemo, useRef } from 'preact/hooks';
import type { CallRow, Iteration, RunPage } from '../../api/run.ts';
import { useKeys } from '../common/keys.ts';
import { Notice, Panel } from '../common/parts.tsx';
import { Replay } from '../play/replay.tsx';
import { link, setQuery, useRoute } from '../route.ts';
import { useIndex } from '../runs/index-store.ts';
import { CallPanel } from './call-panel.tsx';
import { CurvePanel } from './curve-panel.tsx';
import { IterationPanel } from './iteration-panel.tsx';
import { Lists } from './lists.tsx';
import { OptimiserPanel } from './optimiser-panel.tsx';
import { ParametersPanel } from './parameters-panel.tsx';
import './run.css';
import { callsByIteration, referenceOf } from './run-data.ts';
import { RunHeader } from './run-header.tsx';
import { numberOf, type Selection, selectionOf } from './selection.ts';
import { SpacePanel } from './space-panel.tsx';
import { Steer } from './steer.tsx';
import { TimelinePanel } from './timeline-panel.tsx';
import { useRun } from './use-run.ts';
import { WhenSeen } from './when-seen.tsx';

/** What a click on a panel writes into the address. */
function useSelecting(page: RunPage) {
  const latest = useRef(page);
  latest.current = page;
  return useMemo(() => {
    const numberOf = (index: number): number | undefined => latest.current.iterations[index]?.iteration;
    return {
      iteration: (index: number): void => setQuery({ at: numberOf(index), call: null, policy: null, step: null }),
      iterationNumber: (at: number): void => setQuery({ at: at > 0 ? at : null, call: null, policy: null, step: null }),
      policy: (label: string): void => setQuery({ policy: label, call: null }),
      policyAt: (index: number, label: string): void => setQuery({ at: numberOf(index), policy: label, call: null }),
      call: (index: number): void => {
        const call = latest.current.calls[index];
        if (call) setQuery({ at: call.iteration, call: call.seq, policy: null });
      },
      callSeq: (seq: number): void => setQuery({ call: seq }),
    };
  }, []);
}

interface DetailsProps {
  readonly page: RunPage;
  readonly selection: Selection;
  readonly byIteration: ReadonlyMap<number, readonly CallRow[]>;
  readonly query: URLSearchParams;
}

function Details({ page, selection, byIteration, query }: DetailsProps) {
  const select = useSelecting(page);
  const { index, candidate, call } = selection;
  const own = byIteration.get(selection.iteration?.iteration ?? call?.iteration ?? 0) ?? [];
  const label = candidate?.label ?? null;
  const reference = useMemo(
    () => (candidate && index >= 0 ? referenceOf(page.iterations, index, candidate.label) : null),
    [page.iterations, index, candidate],
  );
  return (
    <div class="run-details">
      {selection.iteration !== null && (
        <IterationPanel
          iterations={page.iterations}
          index={index}
          calls={own}
          label={label}
          onPolicy={select.policy}
          onStep={(by) => select.iteration(index + by)}
        />
      )}
      <div class="run-chain">
        {call !== null && <CallPanel runId={page.row.id} call={call} calls={own} onCall={select.callSeq} />}
        <div class="run-policy">
          {candidate !== null && candidate.params.length > 0 && (
            <ParametersPanel
              candidate={candidate}
              reference={reference}
              names={page.names}
              mode={query.get('numbers') === 'values' ? 'values' : 'change'}
              onMode={(mode) => setQuery({ numbers: mode === 'values' ? mode : null })}
            />
          )}
          {selection.iteration !== null && selection.iteration.candidates.length > 0 && page.playable?.known && (
            <ReplayPanel runId={page.row.id} playable={page.playable} iteration={selection.iteration} />
          )}
        </div>
      </div>
    </div>
  );
}

interface ReplayPanelProps {
  readonly runId: string;
  readonly playable: NonNullable<RunPage['playable']>;
  readonly iteration: Iteration;
}

function ReplayPanel({ runId, playable, iteration }: ReplayPanelProps) {
  const { candidates } = iteration;
  return (
    <Panel
      title="Episode"
      note="The policies of this iteration, played again on one seed."
      actions={candidates.slice(0, 3).map(({ label }) => (
        <a key={label} href={link(['play'], { run: runId, candidate: `${iteration.iteration}/${label}` })}>
          Playground: {label}
        </a>
      ))}
    >
      <WhenSeen>{() => <Replay playable={playable} candidates={candidates} />}</WhenSeen>
    </Panel>
  );
}

function Run({ page, query }: { page: RunPage; query: URLSearchParams }) {
  const canSteer = useIndex().index?.can.steer === true;
  const select = useSelecting(page);
  const byIteration = useMemo(() => callsByIteration(page.calls), [page.calls]);
  const selection = selectionOf(page, byIteration, query);
  const { iterations, calls } = page;
  const { index, iteration, candidate, call } = selection;
  const number = iteration?.iteration ?? null;
  const label = candidate?.label ?? null;
  const step = useCallback(
    (by: number) => {
      const next = Math.min(iterations.length - 1, Math.max(0, index + by));
      if (next !== index && next >= 0) select.iteration(next);
    },
    [iterations, index, select],
  );
  useKeys({ j: () => step(1), k: () => step(-1) });
  const x = query.get('x') ?? 'iteration';
  const shown = query.get('list') === 'calls' ? 'calls' : 'iterations';
  const callIndex = call === null ? -1 : calls.findIndex(({ seq }) => seq === call.seq);
  return (
    <div class="run">
      <RunHeader page={page} steer={canSteer && <Steer page={page} iteration={number} />} />
      <div class="run-pictures">
        <CurvePanel
          iterations={iterations}
          x={x}
          selected={index}
          onSelect={select.iteration}
          onX={(id) => setQuery({ x: id === 'iteration' ? null : id })}
        />
        <SpacePanel page={page} iteration={index} label={label} onSelect={select.policyAt} />
      </div>
      {page.spans.length > 0 && (
        <TimelinePanel spans={page.spans} iteration={number} onSelect={select.iterationNumber} />
      )}
      <div class="run-main">
        <Lists
          iterations={iterations}
          calls={calls}
          every={page.every}
          shown={shown}
          iteration={index}
          call={callIndex}
          onShow={(name) => setQuery({ list: name === 'calls' ? name : null })}
          onIteration={select.iteration}
          onCall={select.call}
        />
        <Details page={page} selection={selection} byIteration={byIteration} query={query} />
      </div>
      {page.optimiser !== null && (
        <OptimiserPanel
          state={page.optimiser}
          names={page.names}
          iteration={number}
          onSelect={select.iterationNumber}
        />
      )}
    </div>
  );
}

/** Whether a run that the list had is no longer in it. */
function useIsGone(id: string): boolean {
  const runs = useIndex().index?.runs;
  const wasThere = useRef(false);
  const isThere = useMemo(() => runs?.some((row) => row.id === id) === true, [runs, id]);
  wasThere.current ||= isThere;
  return wasThere.current && !isThere;
}

const goneText = 'this run was deleted or renamed';

export function RunView() {
  const { path, query } = useRoute();
  // An id that somebody typed may have its slashes as they are.
  const id = path.slice(1).join('/');
  const loaded = useRun(id, numberOf(query, 'at'));
  const isGone = useIsGone(id);
  const problem = loaded.state === 'failed' ? loaded.problem : isGone ? goneText : null;
  if (loaded.data === null) {
    return loaded.state === 'failed' ? (
      <Notice kind="problem" title="This run cannot be shown">
        <p>{loaded.problem}</p>
        <p>
          <a href={link([])}>Go to the runs</a>
        </p>
      </Notice>
    ) : (
      <p class="notice" role="status">
        Loading …
      </p>
    );
  }
  return (
    <>
      {problem !== null && (
        <p class="frame-banner" role="alert">
          {problem}. What you see is what was known of it.
        </p>
      )}
      <Run key={loaded.data.row.started} page={loaded.data} query={query} />
    </>
  );
}
