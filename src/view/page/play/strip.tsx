/** State, action and reward of episodes over time, with a cursor at the frame that is shown. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { numberText } from '../common/format.ts';
import { surfaceOf } from '../common/surface.ts';
import { colour, onTheme } from '../common/theme.ts';
import type { ShownEpisode } from './player.tsx';
import { mostStates, type StripRow, stripRows, valueAt } from './strip-rows.ts';

const rowHeight = 30;

function drawRow(canvas: HTMLCanvasElement, row: StripRow, last: number): void {
  const { clientWidth: width } = canvas;
  const surface = surfaceOf(canvas);
  if (surface === null || width === 0) return;
  const ratio = devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(rowHeight * ratio);
  surface.setTransform(ratio, 0, 0, ratio, 0, 0);
  const { low, high, lines, isStepped } = row;
  const y = (value: number): number => 3 + (rowHeight - 6) * (1 - (value - low) / (high - low));
  if (low < 0 && high > 0) {
    surface.strokeStyle = colour('grid');
    surface.beginPath();
    surface.moveTo(0, y(0));
    surface.lineTo(width, y(0));
    surface.stroke();
  }
  surface.lineWidth = 1.5;
  lines.forEach((line, k) => {
    surface.strokeStyle = colour(`series-${k + 1}`);
    surface.setLineDash(k === 0 ? [] : [5, 3]);
    surface.beginPath();
    line.forEach((value, t) => {
      const x = (t / last) * width;
      if (t === 0) surface.moveTo(x, y(value));
      else surface.lineTo(x, y(value));
      if (isStepped) surface.lineTo(((t + 1) / last) * width, y(value));
    });
    surface.stroke();
  });
}

function Row({ row, last, at, width }: { row: StripRow; last: number; at: number; width: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const draw = useCallback(() => {
    if (canvas.current !== null && width > 0) drawRow(canvas.current, row, last);
  }, [row, last, width]);
  useEffect(draw, [draw]);
  useEffect(() => onTheme(draw), [draw]);
  const values = row.lines.map((line) => valueAt(line, at));
  const text = (value: number | undefined): string =>
    value === undefined ? '–' : (row.nameOf?.(value) ?? numberText(value, 4));
  return (
    <>
      <span class="strip-name" title={row.unit === '' ? row.name : `${row.name} (${row.unit})`}>
        {row.name}
      </span>
      <canvas
        ref={canvas}
        class="strip-line"
        style={{ height: `${rowHeight}px` }}
        role="img"
        aria-label={`${row.name} over time`}
      />
      <span class="strip-value">
        {values.map((value, k) => (
          <span key={k} class="strip-number" title={text(value)} style={{ color: `var(--series-${k + 1})` }}>
            {text(value)}
          </span>
        ))}
      </span>
    </>
  );
}

interface StripProps {
  readonly episodes: readonly ShownEpisode[];
  /** frame of the cursor, and the last one */
  readonly at: number;
  readonly last: number;
  readonly onSeek: (step: number) => void;
}

export function Strip({ episodes, at, last, onSeek }: StripProps) {
  const [first] = episodes;
  const rows = useMemo(
    () =>
      first === undefined
        ? []
        : stripRows(
            first.subject.env,
            episodes.map(({ trace }) => trace),
          ),
    [episodes],
  );
  const plot = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width));
    observer.observe(plot.current!);
    return () => observer.disconnect();
  }, []);
  const seek = (event: PointerEvent): void => {
    const { left, width: full } = plot.current!.getBoundingClientRect();
    onSeek(Math.min(Math.max((event.clientX - left) / full, 0), 1) * last);
  };
  if (first === undefined) return null;
  const hidden = first.subject.env.state.length - mostStates;
  return (
    <div class="strip">
      {rows.map((row) => (
        <Row key={row.name} row={row} last={last} at={at} width={width} />
      ))}
      <div
        ref={plot}
        class="strip-cursor"
        style={{ '--at': `${(100 * at) / last}%` }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          seek(event);
        }}
        onPointerMove={(event) => {
          if (event.buttons & 1) seek(event);
        }}
      />
      {hidden > 0 && <p class="quiet strip-more">{hidden} more state entries are not drawn</p>}
    </div>
  );
}
