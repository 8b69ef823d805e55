/** The parameters of a policy and how they differ from those of the policy before. The numbers are text in a table. */
import { useMemo, useState } from 'preact/hooks';
import { countText, numberText } from '../common/format.ts';
import { Choice, Panel } from '../common/parts.tsx';
import { colour, useTheme } from '../common/theme.ts';
import { cssColour, diverging, inkOn, parseColour, type Rgb } from './colours.ts';
import {
  actionMark,
  actionName,
  type Entry,
  entriesOf,
  largest,
  type PolicyNames,
  type Shape,
  shapeOf,
} from './parameters-data.ts';
import type { Candidate, Reference } from './run-data.ts';

export type ParameterMode = 'values' | 'change';

export interface ParametersPanelProps {
  readonly candidate: Candidate;
  readonly reference: Reference | null;
  readonly names: PolicyNames | null;
  readonly mode: ParameterMode;
  readonly onMode: (mode: ParameterMode) => void;
}

interface Scale {
  readonly limit: number;
  readonly css: (value: number) => { readonly background: string; readonly color: string };
  readonly legend: string;
}

function scaleOf(limit: number): Scale {
  const [low, middle, high] = (['low', 'middle', 'high'] as const).map((name) => parseColour(colour(name))) as [
    Rgb,
    Rgb,
    Rgb,
  ];
  const css = (value: number): { background: string; color: string } => {
    const rgb = diverging(value / limit, low, middle, high);
    return { background: cssColour(rgb), color: cssColour(inkOn(rgb)) };
  };
  return { limit, css, legend: `linear-gradient(to right, ${[low, middle, high].map(cssColour).join(', ')})` };
}

const signed = (value: number): string => `${value > 0 ? '+' : ''}${numberText(value)}`;

const shownOf = (entry: Entry, mode: ParameterMode): number => (mode === 'change' ? (entry.change ?? 0) : entry.value);

function titleOf({ name, value, change }: Entry): string {
  return change === null || change === 0
    ? `${name}: ${value}`
    : `${name}: ${value}, before ${numberText(value - change)}`;
}

function Cell({ entry, mode, scale }: { entry: Entry; mode: ParameterMode; scale: Scale }) {
  const { value, change } = entry;
  const isChanged = change !== null && change !== 0;
  const other = mode === 'change' ? numberText(value) : isChanged ? signed(change) : '';
  return (
    <td class="cell" style={scale.css(shownOf(entry, mode))} title={titleOf(entry)}>
      {mode === 'change' ? (isChanged ? signed(change) : '0') : numberText(value)}
      {other !== '' && <small>{other}</small>}
    </td>
  );
}

function Matrix({ entries, names, mode, scale }: PictureProps) {
  const { rows, columns } = names!.matrix!;
  return (
    <div class="scroll-x">
      <table class="matrix">
        <caption class="visually-hidden">Parameters by row and column</caption>
        <thead>
          <tr>
            <td />
            {columns.map((name, i) => (
              <th scope="col" key={i}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((name, r) => (
            <tr key={r}>
              <th scope="row">{name}</th>
              {columns.map((_, c) => {
                const entry = entries[r * columns.length + c]!;
                return <Cell key={entry.index} entry={entry} mode={mode} scale={scale} />;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Letters of maps in words and by their colours. */
const places: Readonly<Record<string, string>> = { S: 'start', G: 'goal', H: 'hole', C: 'cliff', '#': 'wall' };

function Grid({ entries, names }: PictureProps) {
  const { grid, actions } = names!;
  let next = 0;
  return (
    <div class="scroll-x">
      <table class="grid">
        <caption class="visually-hidden">Actions on the map of the environment</caption>
        <tbody>
          {grid!.map((row, r) => (
            <tr key={r}>
              {[...row].map((letter, c) => {
                const { value, change, name } = entries[next++]!;
                const isChanged = change !== null && change !== 0;
                const place = places[letter];
                const text = `${name}${place ? ` (${place})` : ''}: ${actionName(actions, value)}`;
                const before = isChanged ? actionName(actions, value - change) : null;
                return (
                  <td
                    key={c}
                    class={`grid-cell ${place ? `grid-${place}` : ''} ${isChanged ? 'grid-changed' : ''}`}
                    title={before === null ? text : `${text}, before ${before}`}
                  >
                    <span aria-hidden="true">{actionMark(actions, value)}</span>
                    <span class="visually-hidden">
                      {actionName(actions, value)}
                      {before !== null && `, before ${before}`}
                    </span>
                    {place && <small aria-hidden="true">{letter}</small>}
                    {isChanged && (
                      <small aria-hidden="true" class="grid-before">
                        {actionMark(actions, value - change)}
                      </small>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const listedFirst = 24;
const listedMost = 2000;

/** The largest changes first, or in their order. */
function List({ entries, names, mode, scale }: PictureProps) {
  const [isWhole, setWhole] = useState(false);
  const ordered = useMemo(
    () =>
      mode === 'change' ? [...entries].sort((a, b) => Math.abs(b.change ?? 0) - Math.abs(a.change ?? 0)) : entries,
    [entries, mode],
  );
  const shown = ordered.slice(0, isWhole ? listedMost : listedFirst);
  const actions = names?.actions ?? null;
  return (
    <>
      <table class="param-list">
        <thead>
          <tr>
            <th scope="col">parameter</th>
            <th scope="col" class="number">
              value
            </th>
            <th scope="col" class="number">
              change
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((entry) => (
            <tr key={entry.index}>
              <th scope="row">{entry.name}</th>
              <td class="number" style={actions === null && mode === 'values' ? scale.css(entry.value) : undefined}>
                {actions === null ? numberText(entry.value, 6) : actionName(actions, entry.value)}
              </td>
              <td
                class="number"
                style={entry.change && actions === null && mode === 'change' ? scale.css(entry.change) : undefined}
              >
                {entry.change === null || entry.change === 0 ? '' : changeWords(entry, actions)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < entries.length && (
        <button type="button" disabled={isWhole} onClick={() => setWhole(true)}>
          {isWhole
            ? `the first ${countText(listedMost)} of ${countText(entries.length)}`
            : `show all ${countText(entries.length)}`}
        </button>
      )}
    </>
  );
}

const changeWords = ({ value, change }: Entry, actions: readonly string[] | null): string =>
  actions === null ? signed(change!) : `was ${actionName(actions, value - change!)}`;

interface PictureProps {
  readonly entries: readonly Entry[];
  readonly names: PolicyNames | null;
  readonly mode: ParameterMode;
  readonly scale: Scale;
}

const pictures: Readonly<Record<Shape, (props: PictureProps) => preact.JSX.Element>> = {
  matrix: Matrix,
  grid: Grid,
  list: List,
};

function Legend({ scale, mode }: { scale: Scale; mode: ParameterMode }) {
  const text = mode === 'change' ? signed : numberText;
  return (
    <div class="legend">
      <span>{text(-scale.limit)}</span>
      <span class="legend-bar" style={{ background: scale.legend }} aria-hidden="true" />
      <span>{text(scale.limit)}</span>
      <span class="quiet">{mode === 'change' ? 'change' : 'value'}</span>
    </div>
  );
}

export function ParametersPanel({ candidate, reference, names, mode, onMode }: ParametersPanelProps) {
  const { isDark } = useTheme();
  const entries = useMemo(
    () => entriesOf(candidate.params, reference?.params ?? null, names),
    [candidate, reference, names],
  );
  const shape = shapeOf(names, entries.length);
  const changed = entries.filter(({ change }) => change !== null && change !== 0).length;
  const shownMode = changed === 0 ? 'values' : mode;
  const scale = useMemo(
    () => scaleOf(largest(entries.map((entry) => shownOf(entry, shownMode)))),
    [entries, shownMode, isDark],
  );
  const Picture = pictures[shape];
  const options = [
    { value: 'change' as const, text: 'change' },
    { value: 'values' as const, text: 'values' },
  ];
  const isScaled = shape !== 'grid' && !(shape === 'list' && names?.actions);
  return (
    <Panel
      title={`Parameters of the ${candidate.label}`}
      actions={
        changed > 0 && shape !== 'grid' ? (
          <Choice label="Numbers in the cells" value={mode} options={options} onChange={onMode} />
        ) : undefined
      }
      note={
        reference === null
          ? 'There is no earlier policy to compare with.'
          : `${countText(changed)} of ${countText(entries.length)} changed since ${reference.name}.`
      }
    >
      <Picture entries={entries} names={names} mode={shownMode} scale={scale} />
      {isScaled && <Legend scale={scale} mode={shownMode} />}
    </Panel>
  );
}
