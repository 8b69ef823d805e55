// biome-ignore-all lint/a11y/useSemanticElements: rows that are placed by their position cannot be those of a table
// biome-ignore-all lint/a11y/useFocusableInteractive: the links and buttons in rows and headings have the focus
/** One run in the list: a row of the table, or a card on a narrow screen; the style decides. */
import { Component } from 'preact';
import type { RunRow } from '../../api/index-of-runs.ts';
import { agoText, costText, countText, durationText, estimateParts, shortCount, timeText } from '../common/format.ts';
import { Status } from '../common/parts.tsx';
import { Sparkline } from '../common/sparkline.tsx';
import { link } from '../route.ts';

export interface RunLineProps {
  readonly row: RunRow;
  readonly index: number;
  readonly top: number;
  readonly height: number;
  readonly isSelected: boolean;
  readonly isCurrent: boolean;
  readonly isFresh: boolean;
  readonly onSelect: (id: string) => void;
}

/** The number that may be compared: that of fresh episodes, if there is one. */
function Best({ row }: { row: RunRow }) {
  const { best, bestCi95, rechecked } = row;
  const shown = rechecked ? { value: rechecked.mean, ci95: rechecked.ci95 } : { value: best, ci95: bestCi95 };
  const { value, low, high } = estimateParts(shown.value, shown.ci95);
  const title = rechecked
    ? `on ${countText(rechecked.episodes)} fresh episodes; highest mean of the search: ${estimateParts(best, bestCi95).value}`
    : 'highest mean of the search, not checked again on fresh episodes';
  return (
    <div title={title}>
      <b>{value}</b>
      {!rechecked && best !== null && <span class="runs-mark">*</span>}
      <small>{low === null ? '' : `[${low}, ${high}]`}</small>
    </div>
  );
}

function RunLineOnce(props: RunLineProps) {
  const { row, index, top, height, isSelected, isCurrent, isFresh, onSelect } = props;
  const { id, status, problem, env, method, model, seed, iterations, planned } = row;
  const progress = planned === null ? countText(iterations) : `${countText(iterations)} of ${countText(planned)}`;
  const isDamaged = status === 'damaged';
  const answeredBy = row.modelKind === 'none' || model === '' ? 'no model' : model;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      class={`runs-row${isSelected ? ' is-selected' : ''}${isCurrent ? ' is-current' : ''}${isFresh ? ' is-fresh' : ''}`}
      style={{ transform: `translateY(${top}px)`, '--row': `${height}px` }}
    >
      <div role="cell" class="runs-check">
        <input type="checkbox" checked={isSelected} aria-label={`select ${id}`} onChange={() => onSelect(id)} />
      </div>
      <div role="cell" class="runs-name">
        <a href={link(['run', id])} data-run={id} title={id}>
          {id}
        </a>
        <small title={model}>{isDamaged ? '' : `${answeredBy}${seed === null ? '' : ` · seed ${seed}`}`}</small>
      </div>
      <div role="cell" class="runs-what">
        <div>{env || '–'}</div>
        <small>{method}</small>
      </div>
      <div role="cell" class="runs-status">
        <Status status={status} problem={problem} />
        {problem === null ? (
          <small>{progress} iterations</small>
        ) : (
          <small class="problem-text" title={problem}>
            {problem}
          </small>
        )}
      </div>
      <div role="cell" class="runs-best number">
        <Best row={row} />
      </div>
      <div role="cell" class="runs-course">
        <Sparkline values={row.sparkline} />
      </div>
      <div role="cell" class="runs-calls number">
        {isDamaged ? '' : shortCount(row.calls)}
      </div>
      <div role="cell" class="runs-tokens number">
        {isDamaged ? '' : shortCount(row.tokens)}
      </div>
      <div role="cell" class="runs-cost number">
        {isDamaged ? '' : costText(row.costUsd)}
      </div>
      <div role="cell" class="runs-time number">
        <div title={timeText(row.updated)}>{agoText(row.updated)}</div>
        <small>{isDamaged ? '' : durationText(row.wallSeconds)}</small>
      </div>
    </div>
  );
}

/** Drawn again only when something of it changed: a list that moves draws the rows that are new. */
export class RunLine extends Component<RunLineProps> {
  override shouldComponentUpdate(next: RunLineProps): boolean {
    return (Object.keys(next) as (keyof RunLineProps)[]).some((key) => next[key] !== this.props[key]);
  }
  override render(props: RunLineProps) {
    return <RunLineOnce {...props} />;
  }
}
