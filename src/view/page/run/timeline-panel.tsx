/** What the run waited for, as a strip over its time. Dragging shows a part of it; a click selects the iteration. */
import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import { durationText, shareText } from '../common/format.ts';
import { Panel } from '../common/parts.tsx';
import { colour } from '../common/theme.ts';
import { Canvas, pointOf } from './canvas.tsx';
import { moved, type Range, rangeOf, type Span, secondsOf, spanAt, spanKinds, timeOf, zoomed } from './timeline.ts';

export interface TimelinePanelProps {
  readonly spans: readonly Span[];
  /** number of the selected iteration; null: none */
  readonly iteration: number | null;
  readonly onSelect: (iteration: number) => void;
}

const height = 56;
const stripHeight = 40;
/** CSS pixels that a pointer may move and still click */
const clickReach = 4;

/** Each column of pixels is divided by the shares of what it covers. */
function drawSpans(context: CanvasRenderingContext2D, spans: readonly Span[], { from, to }: Range, width: number) {
  const perPixel = (to - from) / width;
  const sums = Object.fromEntries(spanKinds.map(({ kind }) => [kind, new Float64Array(width)])) as Record<
    Span['kind'],
    Float64Array
  >;
  let index = Math.max(0, spanAt(spans, from));
  for (; index < spans.length && spans[index]!.start < to; index++) {
    const { kind, start, end } = spans[index]!;
    const first = Math.max(0, Math.floor((start - from) / perPixel));
    const last = Math.min(width - 1, Math.floor((end - from) / perPixel));
    for (let column = first; column <= last; column++) {
      const left = from + column * perPixel;
      const covered = Math.min(end, left + perPixel) - Math.max(start, left);
      if (covered > 0) sums[kind][column]! += covered / perPixel;
    }
  }
  const bottoms = new Float64Array(width).fill(stripHeight);
  for (const { kind, colour: name } of spanKinds) {
    context.fillStyle = colour(name);
    for (let column = 0; column < width; column++) {
      const part = sums[kind][column]! * stripHeight;
      if (part === 0) continue;
      bottoms[column]! -= part;
      context.fillRect(column, bottoms[column]!, 1, part);
    }
  }
}

export function TimelinePanel({ spans, iteration, onSelect }: TimelinePanelProps) {
  const whole = useMemo(() => rangeOf(spans), [spans]);
  const [part, setPart] = useState<Range | null>(null);
  const range = part ?? whole;
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | null>(null);
  const isDragging = useRef(false);
  const seconds = useMemo(() => secondsOf(spans), [spans]);
  const total = seconds.model + seconds.evaluation + seconds.other;
  const own = useMemo(() => (iteration === null ? null : timeOf(spans, iteration)), [spans, iteration]);

  const draw = useCallback(
    (context: CanvasRenderingContext2D, width: number) => {
      drawSpans(context, spans, range, width);
      const x = (time: number): number => ((time - range.from) / (range.to - range.from)) * width;
      if (own) {
        const [left, right] = [x(own.from), x(own.to)];
        context.fillStyle = colour('text');
        context.fillRect(left - 1, stripHeight + 2, Math.max(3, right - left + 1), 4);
      }
      context.fillStyle = colour('muted');
      context.font = '11px system-ui, sans-serif';
      context.textBaseline = 'bottom';
      context.textAlign = 'left';
      context.fillText(durationText(range.from), 0, height);
      context.textAlign = 'right';
      context.fillText(durationText(range.to), width, height);
      if (drag) {
        context.fillStyle = colour('accent');
        context.globalAlpha = 0.3;
        context.fillRect(Math.min(drag.from, drag.to), 0, Math.abs(drag.to - drag.from), stripHeight);
        context.globalAlpha = 1;
      }
    },
    [spans, range, own, drag],
  );

  const timeAt = (x: number, width: number): number => range.from + (x / width) * (range.to - range.from);
  const zoom = (factor: number): void => {
    const isInside = own !== null && own.from >= range.from && own.to <= range.to;
    const middle = isInside ? (own.from + own.to) / 2 : (range.from + range.to) / 2;
    const next = zoomed(range, whole, factor, middle);
    setPart(next.to - next.from >= whole.to - whole.from ? null : next);
  };
  const shift = (direction: number): void => setPart(moved(range, whole, (direction * (range.to - range.from)) / 2));
  const onPointerUp = (event: PointerEvent): void => {
    const { x } = pointOf(event);
    const { clientWidth } = event.currentTarget as HTMLElement;
    const from = drag?.from ?? x;
    setDrag(null);
    if (!isDragging.current) return;
    isDragging.current = false;
    if (Math.abs(x - from) <= clickReach) {
      const span = spans[spanAt(spans, timeAt(x, clientWidth))];
      if (span) onSelect(span.iteration);
      return;
    }
    const [left, right] = [timeAt(Math.min(x, from), clientWidth), timeAt(Math.max(x, from), clientWidth)];
    setPart({ from: Math.max(whole.from, left), to: Math.min(whole.to, right) });
  };
  const said = spanKinds.map(({ kind, text }) => `${text} ${shareText(total > 0 ? seconds[kind] / total : 0)}`);
  if (spans.length === 0) return null;
  return (
    <Panel
      title="Time"
      actions={
        <div class="row">
          <button type="button" onClick={() => shift(-1)} disabled={part === null} aria-label="Earlier">
            ←
          </button>
          <button type="button" onClick={() => shift(1)} disabled={part === null} aria-label="Later">
            →
          </button>
          <button type="button" onClick={() => zoom(2)} disabled={part === null} aria-label="Show a longer part">
            −
          </button>
          <button type="button" onClick={() => zoom(0.5)} aria-label="Show a shorter part">
            +
          </button>
          <button
            type="button"
            disabled={own === null}
            onClick={() => own && setPart(zoomed(own, whole, 3, (own.from + own.to) / 2))}
          >
            selected
          </button>
          <button type="button" onClick={() => setPart(null)} disabled={part === null}>
            all
          </button>
        </div>
      }
    >
      <Canvas
        label={`Time of the run: ${said.join(', ')}. Drag to show a part.`}
        class="timeline-canvas"
        height={height}
        draw={draw}
        onPointerDown={(event) => {
          const { x } = pointOf(event);
          isDragging.current = true;
          (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
          setDrag({ from: x, to: x });
        }}
        onPointerMove={(event) => {
          if (isDragging.current) setDrag((before) => before && { from: before.from, to: pointOf(event).x });
        }}
        onPointerUp={onPointerUp}
        onDblClick={() => setPart(null)}
      />
      <ul class="keys">
        {spanKinds.map(({ kind, text, colour: name }) => (
          <li key={kind}>
            <span class="key-swatch" style={{ background: `var(--${name})` }} aria-hidden="true" />
            {text} <b>{durationText(seconds[kind])}</b>{' '}
            <span class="quiet">{shareText(total > 0 ? seconds[kind] / total : 0)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
