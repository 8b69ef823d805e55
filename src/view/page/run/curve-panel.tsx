/** The curve of the run: kept policies with their intervals, the best so far, and the edits that were kept or not. */
import { useMemo } from 'preact/hooks';
import type { Iteration } from '../../api/run.ts';
import { Chart, type ChartSeries } from '../common/chart.tsx';
import { Choice, Panel } from '../common/parts.tsx';
import { curveOf, growing, xAxesOf } from './curve.ts';

export interface CurvePanelProps {
  readonly iterations: readonly Iteration[];
  /** id of the measure of x */
  readonly x: string;
  /** index of the selected iteration; -1: none */
  readonly selected: number;
  readonly onSelect: (index: number) => void;
  readonly onX: (id: string) => void;
}

export function CurvePanel({ iterations, x, selected, onSelect, onX }: CurvePanelProps) {
  const axes = useMemo(() => xAxesOf(iterations), [iterations]);
  const axis = axes.find(({ id }) => id === x) ?? axes[0]!;
  const values = useMemo(
    () => ({
      label: axis.label,
      text: axis.text,
      whole: axis.id === 'iteration',
      values: growing(iterations.map((one) => axis.of(one) ?? 0)),
    }),
    [iterations, axis],
  );
  const series = useMemo((): ChartSeries[] => {
    const curve = curveOf(iterations);
    const band = curve.hasBand ? { band: { low: curve.low, high: curve.high } } : {};
    const lines: ChartSeries[] = [
      { label: 'kept policy', values: curve.mean, colour: 'series-1', ...band },
      { label: 'best so far', values: curve.best, colour: 'series-3', kind: 'steps' },
    ];
    if (!curve.hasEdits) return lines;
    return [
      ...lines,
      { label: 'accepted edit', values: curve.accepted, colour: 'series-1', kind: 'points' },
      { label: 'rejected edit', values: curve.rejected, colour: 'series-2', kind: 'points', hollow: true },
    ];
  }, [iterations]);
  const choices = axes.map(({ id, label }) => ({ value: id, text: label }));
  return (
    <Panel
      title="Curve"
      actions={<Choice label="Measure of progress" value={axis.id} options={choices} onChange={onX} />}
    >
      {iterations.length === 0 ? (
        <p class="quiet">No iteration is done yet.</p>
      ) : (
        <Chart
          label="Mean return over the run; click or press Enter to select an iteration"
          x={values}
          y={returnAxis}
          series={series}
          height={320}
          selected={selected < 0 ? null : selected}
          onSelect={onSelect}
        />
      )}
    </Panel>
  );
}

const returnAxis = { label: 'mean return' };
