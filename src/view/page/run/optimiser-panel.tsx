/** The search distribution of an optimiser over the iterations: step size, axis ratio, deviations along axes, mean. */
import { useMemo } from 'preact/hooks';
import type { RunPage } from '../../api/run.ts';
import { Chart, type ChartSeries } from '../common/chart.tsx';
import { Panel } from '../common/parts.tsx';
import { seriesDash, seriesName } from '../common/theme.ts';
import { linesOf } from './optimiser-lines.ts';
import type { PolicyNames } from './parameters-data.ts';

export interface OptimiserPanelProps {
  readonly state: NonNullable<RunPage['optimiser']>;
  readonly names: PolicyNames | null;
  /** number of the selected iteration; null: none */
  readonly iteration: number | null;
  readonly onSelect: (iteration: number) => void;
}

interface Picture {
  readonly title: string;
  readonly label: string;
  readonly log: boolean;
  readonly series: readonly ChartSeries[];
}

function picturesOf(state: OptimiserPanelProps['state'], names: PolicyNames | null): Picture[] {
  const one = (label: string, values: readonly (number | null)[]): ChartSeries[] =>
    values.some((value) => value !== null) ? [{ label, values, colour: 'series-1' }] : [];
  const several = (rows: readonly (readonly number[])[], name: (index: number) => string): ChartSeries[] =>
    linesOf(rows).map(({ index, values }, i) => ({
      label: name(index),
      values,
      colour: seriesName(i),
      dash: seriesDash(i),
      width: 1.5,
    }));
  const pictures: Picture[] = [
    { title: 'Step size', label: 'step size', log: true, series: one('step size', state.sigma) },
    { title: 'Axis ratio', label: 'longest / shortest', log: true, series: one('axis ratio', state.axisRatio) },
    {
      title: 'Standard deviations along the axes',
      label: 'deviation',
      log: true,
      series: several(state.spectrum, (index) => `axis ${index + 1}`),
    },
    {
      title: 'Mean of the distribution',
      label: 'parameter',
      log: false,
      series: several(state.mean, (index) => names?.params[index] ?? `parameter ${index}`),
    },
  ];
  return pictures.filter(({ series }) => series.length > 0);
}

export function OptimiserPanel({ state, names, iteration, onSelect }: OptimiserPanelProps) {
  const pictures = useMemo(() => picturesOf(state, names), [state, names]);
  const x = useMemo(() => ({ label: 'iterations', text: String, whole: true, values: state.iteration }), [state]);
  const selected = iteration === null ? -1 : state.iteration.indexOf(iteration);
  if (pictures.length === 0) return null;
  return (
    <Panel title={`Search distribution of ${state.name}`}>
      <div class="charts">
        {pictures.map(({ title, label, log, series }) => (
          <div key={title}>
            <h3>{title}</h3>
            <Chart
              label={`${title} over the iterations`}
              x={x}
              y={{ label, log }}
              series={series}
              height={200}
              sync="optimiser"
              selected={selected < 0 ? null : selected}
              onSelect={(index) => onSelect(state.iteration[index]!)}
            />
          </div>
        ))}
      </div>
    </Panel>
  );
}
