/** The iterations with what they proposed and kept, and the calls: two lists of which one is shown. */
import type { CallRow, Iteration } from '../../api/run.ts';
import { newestShown } from '../../api/thinned.ts';
import { countText, durationText, numberText, pText, shortCount } from '../common/format.ts';
import { Choice, Panel } from '../common/parts.tsx';
import { isExport } from '../data.ts';
import { noiseLevel, noiseOf } from './noise.ts';
import { VirtualRows } from './virtual-rows.tsx';

export type ListName = 'iterations' | 'calls';

export interface ListsProps {
  readonly iterations: readonly Iteration[];
  readonly calls: readonly CallRow[];
  /** 1: every iteration is there; more: of a long run every so many-th */
  readonly every: number;
  readonly shown: ListName;
  readonly iteration: number;
  /** index of the selected call; -1: none */
  readonly call: number;
  readonly onShow: (name: ListName) => void;
  readonly onIteration: (index: number) => void;
  readonly onCall: (index: number) => void;
}

function IterationRow({ iteration: one }: { iteration: Iteration }) {
  const noise = noiseOf(one);
  return (
    <>
      <b class="list-number">{one.iteration}</b>
      <span class="list-steps">
        {one.candidates.length === 0 && <span class="quiet">nothing was played</span>}
        {one.candidates.map(({ label, mean }, i) => (
          <span key={label} class={label === one.kept ? 'list-kept' : 'list-dropped'}>
            {i > 0 && <span aria-hidden="true"> → </span>}
            <span aria-hidden="true">{label === one.kept ? '✓ ' : '✕ '}</span>
            <span class="visually-hidden">{`${label}${label === one.kept ? ' kept ' : ' not kept '}`}</span>
            <span title={label}>{numberText(mean)}</span>
          </span>
        ))}
      </span>
      <span class="list-side" title={noise ? 'p of the difference: a high one may be noise' : undefined}>
        {noise && (noise.p > noiseLevel ? `noise? p ${pText(noise.p)}` : `p ${pText(noise.p)}`)}
      </span>
      <span class="list-why quiet">{one.why}</span>
    </>
  );
}

function CallLine({ call }: { call: CallRow }) {
  const tokens = `${shortCount(call.promptTokens)} + ${shortCount(call.completionTokens)} tokens`;
  return (
    <>
      <b class="list-number">{call.iteration}</b>
      <span class="list-steps">
        {call.purpose}
        {call.attempt > 0 && ` (repair ${call.attempt})`}
        {call.requests > 1 && <span class="quiet"> after {call.requests} requests</span>}
      </span>
      <span class="list-side">{durationText(call.latencySeconds)}</span>
      <span class={call.problem === null ? 'list-why quiet' : 'list-why problem-text'}>
        {call.problem === null ? tokens : `unusable: ${call.problem}`}
      </span>
    </>
  );
}

/** What a long run is shown by; null: it is shown whole. An export has nothing else of it. */
function partNote(every: number): string | null {
  if (every === 1) return null;
  const shown = `Of this long run at least one iteration in ${every} is shown, the newest ${newestShown}, and the best.`;
  return isExport ? shown : `${shown} at=NUMBER in the address shows another one.`;
}

export function Lists(props: ListsProps) {
  const { iterations, calls, shown } = props;
  const options = [
    { value: 'iterations' as const, text: `iterations ${countText(iterations.length)}` },
    { value: 'calls' as const, text: `calls ${countText(calls.length)}` },
  ];
  return (
    <Panel
      title="Genealogy"
      note={partNote(props.every)}
      actions={calls.length > 0 && <Choice label="List" value={shown} options={options} onChange={props.onShow} />}
    >
      {shown === 'calls' && calls.length > 0 ? (
        <VirtualRows
          key="calls"
          label="Calls"
          count={calls.length}
          rowHeight={48}
          selected={props.call}
          onSelect={props.onCall}
          row={(index) => <CallLine call={calls[index]!} />}
          empty="No call was answered yet."
        />
      ) : (
        <VirtualRows
          key="iterations"
          label="Iterations"
          count={iterations.length}
          rowHeight={48}
          selected={props.iteration}
          onSelect={props.onIteration}
          row={(index) => <IterationRow iteration={iterations[index]!} />}
          empty="No iteration is done yet."
        />
      )}
    </Panel>
  );
}
