/**
 * A chart of lines over a common x. Charts of one `sync` share their cursor. For a screen reader and the keyboard it is a
 * slider over the points of x, which reads the values of all series there; Enter selects the point.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import './chart.css';
import { type ChartInput, type ChartSeries, chartData, chartOptions, columnsOf } from './chart-options.ts';
import { none, numberText, shortCount } from './format.ts';
import { onTheme } from './theme.ts';

export type { ChartAxis, ChartSeries } from './chart-options.ts';

export interface ChartProps extends ChartInput {
  /** what the chart shows, in words */
  readonly label: string;
  readonly height?: number;
  /** charts with the same key share their cursor */
  readonly sync?: string;
  /** index into `x.values` with a vertical mark */
  readonly selected?: number | null;
  readonly onSelect?: (index: number) => void;
}

/** The last index with a value. */
function lastIndex({ values }: ChartSeries): number {
  let at = values.length - 1;
  while (at > 0 && values[at] === null) at--;
  return at;
}

export function Chart(props: ChartProps) {
  const { label, x, y, series, height = 260, sync, selected = null, onSelect } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const hiddenNow = useRef(hidden);
  hiddenNow.current = hidden;
  const [cursor, setCursor] = useState<number | null>(null);
  const frame = useRef(0);

  // What uPlot can only be told when it is made; new values alone go into the one that is there.
  const shape = JSON.stringify([
    height,
    sync,
    x.label,
    x.whole,
    y.label,
    y.log,
    series.map(({ values, band, ...rest }) => [rest, band !== undefined]),
  ]);
  const data = useMemo(() => chartData({ x, y, series }), [x, y, series]);

  useEffect(() => {
    const element = host.current!;
    const size = { width: Math.max(1, element.clientWidth), height };
    const options = chartOptions(latest.current, size, sync ?? null, {
      onCursor: (index) => {
        cancelAnimationFrame(frame.current);
        frame.current = requestAnimationFrame(() => setCursor(index));
      },
      onClick: (index) => latest.current.onSelect?.(index),
      selected: () => {
        const { selected: at, x: axis } = latest.current;
        return at === null || at === undefined ? null : (axis.values[at] ?? null);
      },
      isHidden: (index) => hiddenNow.current.has(latest.current.series[index]!.label),
    });
    const made = new uPlot(options, chartData(latest.current), element);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== made.width) made.setSize({ width, height });
    });
    observer.observe(element);
    const stop = onTheme(() => made.redraw(false, true));
    return () => {
      stop();
      observer.disconnect();
      cancelAnimationFrame(frame.current);
      made.destroy();
      plot.current = null;
    };
  }, [shape]);

  const drawn = useRef<uPlot.AlignedData | null>(null);
  useEffect(() => {
    if (drawn.current !== null && drawn.current !== data) plot.current?.setData(data);
    drawn.current = data;
  }, [data]);
  useEffect(() => plot.current?.redraw(false, false), [selected]);

  const toggle = (index: number): void => {
    const name = series[index]!.label;
    const isShown = !hidden.has(name);
    const next = new Set(hidden);
    if (isShown) next.add(name);
    else next.delete(name);
    setHidden(next);
    const { own, band } = columnsOf(series, index);
    for (const column of [own, ...band]) plot.current?.setSeries(column, { show: !isShown });
  };

  const moveTo = (index: number): void => {
    const u = plot.current;
    const at = Math.max(0, Math.min(x.values.length - 1, index));
    if (u && x.values.length > 0) u.setCursor({ left: u.valToPos(x.values[at]!, 'x'), top: u.over.clientHeight / 2 });
    setCursor(at);
  };
  const at = cursor ?? selected;
  const onKeyDown = (event: KeyboardEvent): void => {
    const here = at ?? x.values.length - 1;
    const page = Math.max(1, Math.round(x.values.length / 10));
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: here - 1,
      ArrowRight: here + 1,
      PageUp: here - page,
      PageDown: here + page,
      Home: 0,
      End: x.values.length - 1,
    };
    const target = moves[event.key];
    if (target !== undefined) moveTo(target);
    else if (event.key === 'Enter' && at !== null) onSelect?.(at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const yText = y.text ?? numberText;
  const shownValue = (one: ChartSeries): string => {
    const value = one.values[at ?? lastIndex(one)];
    return value === null || value === undefined ? none : yText(value);
  };
  const place = at === null || x.values[at] === undefined ? null : (x.text ?? shortCount)(x.values[at]);
  const spoken = series.map((one) => `${one.label} ${shownValue(one)}`).join(', ');
  return (
    <figure class="chart">
      <div
        ref={host}
        class="chart-plot"
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, x.values.length - 1)}
        aria-valuenow={at ?? Math.max(0, x.values.length - 1)}
        aria-valuetext={`${place === null ? 'last' : `${x.label} ${place}`}: ${spoken}`}
        onKeyDown={onKeyDown}
        onBlur={() => setCursor(null)}
        style={{ height: `${height}px` }}
      />
      <figcaption class="chart-legend">
        <span class="chart-place">{place === null ? 'last value' : `${x.label} ${place}`}</span>
        {series.map((one, i) => (
          <button
            type="button"
            key={one.label}
            class="chart-key"
            aria-pressed={!hidden.has(one.label)}
            title={hidden.has(one.label) ? 'show this line' : 'hide this line'}
            onClick={() => toggle(i)}
          >
            <svg class="chart-swatch" width="18" height="8" aria-hidden="true">
              {one.kind === 'points' ? (
                <circle
                  cx="9"
                  cy="4"
                  r="3"
                  style={{ stroke: `var(--${one.colour})`, fill: one.hollow ? 'none' : `var(--${one.colour})` }}
                />
              ) : (
                <line
                  x1="0"
                  x2="18"
                  y1="4"
                  y2="4"
                  stroke-width="2.5"
                  stroke-dasharray={one.dash?.join(' ')}
                  style={{ stroke: `var(--${one.colour})` }}
                />
              )}
            </svg>
            {one.label} <b>{shownValue(one)}</b>
          </button>
        ))}
      </figcaption>
    </figure>
  );
}
