/** Runs side by side: every number is that of `r2po report --json` over the same runs. */
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Comparison, ExportedComparisons } from '../../api/requests.ts';
import { Chart } from '../common/chart.tsx';
import { manyText, none, pText } from '../common/format.ts';
import { Choice, GroupBy, Notice, Panel, ScrollBox } from '../common/parts.tsx';
import { seriesDash, seriesName } from '../common/theme.ts';
import { isExport, useGet } from '../data.ts';
import { link, setQuery, useRoute, useValues } from '../route.ts';
import { numberOf } from '../run/selection.ts';
import { grouped } from '../runs/fields.ts';
import { parseFilter } from '../runs/filter.ts';
import { useIndex } from '../runs/index-store.ts';
import './compare.css';
import {
  comparisonPath,
  documentOf,
  panelCurves,
  pooledText,
  type ReportDocument,
  type Spread,
  setOf,
  spreadText,
  valueCounts,
  writtenEstimate,
} from './document.ts';

/** Longer addresses are refused by servers. */
const longestPath = 12_000;

const groupings: readonly (readonly [string, string])[] = [
  ['', 'what differs'],
  ['env,method', 'environment and method'],
  ['env,model', 'environment and model'],
  ['env,method,model', 'environment, method and model'],
];

/** Nothing is selected: what could be compared. */
function Choose() {
  const { index } = useIndex();
  const groups = useMemo(() => grouped(index?.runs.filter(({ env }) => env !== '') ?? [], ['env']), [index]);
  return (
    <Notice title="Choose runs to compare">
      <p>
        Select some in the <a href={link([])}>list of runs</a> (key x), then press Compare. Or compare all of:
      </p>
      <ul class="compare-choices">
        {groups.map(({ name, rows }) => (
          <li key={name}>
            <a class="button" href={link(['compare'], { q: `env="${name}"` })}>
              {name} <span class="quiet">{rows.length}</span>
            </a>
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** The runs that an address asks for; null: the list of runs is not here yet. */
function useAsked(): readonly string[] | null {
  const { query } = useRoute();
  const { index } = useIndex();
  const q = query.get('q');
  const listed = useValues(query, 'run');
  return useMemo(() => {
    if (listed.length > 0) return listed;
    if (q === null) return [];
    if (index === null) return null;
    const { matches } = parseFilter(q);
    return index.runs.filter((row) => row.status !== 'damaged' && matches(row)).map(({ id }) => id);
  }, [listed, q, index]);
}

export function CompareView() {
  const ids = useAsked();
  if (ids === null) return <Notice title="Reading the runs…" />;
  return isExport ? <FromExport ids={ids} /> : <FromServer ids={ids} />;
}

function FromServer({ ids }: { ids: readonly string[] }) {
  const { query } = useRoute();
  const by = query.get('by') ?? '';
  if (ids.length === 0) return <Choose />;
  const path = comparisonPath(ids, by);
  if (path.length > longestPath) {
    return (
      <Notice title={`${manyText(ids.length, 'run')} are too many for one comparison`} kind="problem">
        <p>
          Select fewer in the <a href={link([], { q: query.get('q') })}>list of runs</a>, or run{' '}
          <code>r2po report</code>.
        </p>
      </Notice>
    );
  }
  const grouping = <GroupBy value={by} choices={groupings} onChange={(value) => setQuery({ by: value })} />;
  return <Loaded path={path} ids={ids} actions={grouping} />;
}

/** An export compares nothing itself: it has some comparisons, of which the address names one or the runs of one. */
function FromExport({ ids }: { ids: readonly string[] }) {
  const { query } = useRoute();
  const { index } = useIndex();
  const sets = useGet<ExportedComparisons>('/api/compare').data;
  if (sets === null || index === null) return <Notice title="Reading the comparisons…" />;
  const isNamed = query.has('run') || query.has('q');
  const place = isNamed ? setOf(sets, ids, index.runs) : (numberOf(query, 'set') ?? 0);
  const set = sets[place];
  if (set === undefined) {
    return (
      <Notice title={`This export has no comparison of ${isNamed ? 'these runs' : 'that number'}`}>
        <p>
          Run <code>r2po view</code> over the runs to compare any of them
          {sets.length === 0 ? '.' : '. The export has the comparisons of:'}
        </p>
        <ul class="compare-choices">
          {sets.map(({ title, runs }, i) => (
            <li key={title}>
              <a class="button" href={link(['compare'], { set: i })}>
                {title} <span class="quiet">{runs.length}</span>
              </a>
            </li>
          ))}
        </ul>
      </Notice>
    );
  }
  const choice = sets.length > 1 && (
    <label>
      <span class="tool-name">compare</span>
      <select
        value={String(place)}
        onChange={(event) => setQuery({ set: event.currentTarget.value, run: null, q: null })}
      >
        {sets.map(({ title }, i) => (
          <option key={title} value={String(i)}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
  return <Loaded path={`/api/compare/${place}`} ids={set.runs} actions={choice} />;
}

function Loaded({ path, ids, actions }: { path: string; ids: readonly string[]; actions: ComponentChildren }) {
  const loaded = useGet<Comparison>(path);
  if (loaded.state === 'failed' && loaded.data === null) {
    return (
      <Notice title="These runs could not be compared" kind="problem">
        <p>{loaded.problem}</p>
        <p>
          <a class="button" href={link([], { sel: ids })}>
            Choose other runs
          </a>{' '}
          <button type="button" onClick={loaded.reload}>
            Try again
          </button>
        </p>
      </Notice>
    );
  }
  if (loaded.data === null) return <Notice title={`Comparing ${manyText(ids.length, 'run')}…`} />;
  return <Compared comparison={loaded.data} actions={actions} />;
}

function Compared({ comparison, actions }: { comparison: Comparison; actions: ComponentChildren }) {
  const report = documentOf(comparison);
  const { runs } = comparison;
  const pooled = pooledText(report);
  return (
    <div class="compare">
      <header class="row">
        <h1 class="grow">{manyText(runs.length, 'run')} compared</h1>
        {actions}
        <a class="button" href={link([], { sel: runs })}>
          Change the selection
        </a>
      </header>
      {pooled !== null && <p class="compare-pooled">{pooled}</p>}
      {report.findings.length > 0 && (
        <Panel title="Findings">
          <ul class="compare-findings">
            {report.findings.map(({ setting, text }) => (
              <li key={`${setting} ${text}`}>
                <b>{setting}</b>: {text}
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <Curves report={report} />
      <Groups report={report} />
      <Tests report={report} />
      <Differences comparison={comparison} />
      {report.left_out.length > 0 && (
        <Panel title="Left out">
          <ul class="compare-findings">
            {report.left_out.map(({ path, reason }) => (
              <li key={path}>
                <code>{path}</code>: {reason}
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </div>
  );
}

function Curves({ report }: { report: ReportDocument }) {
  const { query } = useRoute();
  const axes = report.curves.map(({ axis }) => axis);
  const axis = axes.find((one) => one === query.get('axis')) ?? axes[0];
  const curves = report.curves.find((one) => one.axis === axis);
  const panels = useMemo(() => panelCurves(curves?.lines ?? []), [curves]);
  if (!curves || axis === undefined || panels.every(({ x }) => x.length === 0)) return null;
  return (
    <Panel
      title="Curves"
      note={`${curves.value === 'best' ? 'Highest mean return so far' : 'Mean return of the kept policy'}: mean over the runs of a group, with its 95 % interval.`}
      actions={
        axes.length > 1 && (
          <Choice label="x axis" value={axis} options={axes} onChange={(value) => setQuery({ axis: value })} />
        )
      }
    >
      <div class="compare-curves">
        {panels.map((panel) => (
          <section key={panel.panel} aria-label={panel.panel}>
            <h3>{panel.panel}</h3>
            <PanelChart panel={panel} axis={axis} />
          </section>
        ))}
      </div>
    </Panel>
  );
}

function PanelChart({ panel, axis }: { panel: ReturnType<typeof panelCurves>[number]; axis: string }) {
  const series = useMemo(
    () =>
      panel.lines.map(({ line, mean, low, high }, i) => ({
        label: line,
        values: mean,
        colour: seriesName(i),
        dash: seriesDash(i),
        kind: 'steps' as const,
        ...(low.some((value) => value !== null) && { band: { low, high } }),
      })),
    [panel],
  );
  const x = useMemo(() => ({ label: axis, values: panel.x }), [panel, axis]);
  return (
    <Chart
      label={`Curves of ${panel.panel} against ${axis}`}
      x={x}
      y={{ label: 'mean return' }}
      series={series}
      height={280}
    />
  );
}

const rewardTitles: Readonly<Record<string, string>> = {
  rechecked: 're-checked best',
  holdout: 'held-out seeds',
  best: 'highest of the search',
  mean: 'mean reward',
  final: 'final reward',
};

function SpreadCell({ spread }: { spread: Spread | null | undefined }) {
  const { value, interval } = spreadText(spread);
  return (
    <td class="number">
      {value}
      <small>{interval}</small>
    </td>
  );
}

function Groups({ report }: { report: ReportDocument }) {
  const kinds = Object.keys(rewardTitles).filter((kind) => report.groups.some(({ rewards }) => rewards[kind]));
  return (
    <Panel
      title="Groups"
      note="Means over runs ± sample standard deviation, with the 95 % interval of the mean. IQM: mean of the middle half of the runs."
    >
      <ScrollBox label="Rewards of the groups">
        <table class="compare-table">
          <thead>
            <tr>
              {report.by.map((key) => (
                <th key={key} scope="col">
                  {key}
                </th>
              ))}
              <th class="number" scope="col">
                runs
              </th>
              {kinds.map((kind) => (
                <th key={kind} class="number" scope="col">
                  {rewardTitles[kind]}
                </th>
              ))}
              <th class="number" scope="col">
                IQM, {rewardTitles[report.reward] ?? report.reward}
              </th>
            </tr>
          </thead>
          <tbody>
            {report.groups.map(({ group, runs, unfinished, rewards, interquartile_mean: middle }) => (
              <tr key={JSON.stringify(group)}>
                {report.by.map((key) => (
                  <td key={key}>{group[key]}</td>
                ))}
                <td class="number">
                  {runs.length}
                  {unfinished > 0 && <small>{unfinished} unfinished</small>}
                </td>
                {kinds.map((kind) => (
                  <SpreadCell key={kind} spread={rewards[kind]} />
                ))}
                <td class="number">{middle ? writtenEstimate(middle.value, middle.ci95, 5) : none}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Panel>
  );
}

function Tests({ report }: { report: ReportDocument }) {
  const { comparison } = report;
  if (!comparison || comparison.lines.length === 0) return null;
  const keys = report.by.filter((key) => key !== 'method');
  const heads = ['runs', 'difference', 'p', 'Holm p', 'Mann-Whitney p', 'g', 'P(better)', 'paired p'];
  return (
    <Panel
      title={`${comparison.method} compared with ${comparison.mode === 'best' ? 'the best other' : 'the others'}`}
      note={`By ${rewardTitles[report.reward] ?? report.reward}. Difference: mean of ${comparison.method} minus that of the other, with Welch's 95 % interval. p: Welch's test; g: Hedges; P(better): probability that a run of ${comparison.method} beats one of the other; paired p: on the seeds that both have.`}
    >
      <ScrollBox label="Tests">
        <table class="compare-table">
          <thead>
            <tr>
              {[...keys, 'compared with'].map((key) => (
                <th key={key} scope="col">
                  {key}
                </th>
              ))}
              {heads.map((head) => (
                <th key={head} class="number" scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {comparison.lines.map((line) => (
              <tr key={`${line.setting.join('\n')}\n${line.other}`}>
                {line.setting.map((value, i) => (
                  <td key={keys[i]}>{value}</td>
                ))}
                <td>{line.other}</td>
                <td class="number">{line.runs.join(' / ')}</td>
                <td class="number">{writtenEstimate(line.difference, line.ci95, 4, line.stderr)}</td>
                <td class="number">{pText(line.welchP)}</td>
                <td class="number">
                  {line.holmP !== null && line.holmP < 0.05 ? (
                    <b title="below 0.05">{pText(line.holmP)}</b>
                  ) : (
                    pText(line.holmP)
                  )}
                </td>
                <td class="number">{pText(line.mannWhitneyP)}</td>
                <td class="number">{line.g ? writtenEstimate(line.g.value, line.g.ci95, 3) : none}</td>
                <td class="number">{writtenEstimate(line.improvement.value, line.improvement.ci95, 2)}</td>
                <td class="number">{line.paired ? `${pText(line.paired.p)} (${line.paired.seeds})` : none}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Panel>
  );
}

/** So many runs have a column each. */
const mostColumns = 6;

function Differences({ comparison: { differs, runs } }: { comparison: Comparison }) {
  return (
    <Panel title="Only what differs" note="Keys of the configurations that have more than one value among these runs.">
      {differs.length === 0 ? (
        <p class="quiet">These runs have the same configuration.</p>
      ) : (
        <ScrollBox label="What differs between the configurations">
          <table class="compare-table compare-differs">
            <thead>
              <tr>
                <th scope="col">key</th>
                {runs.length <= mostColumns ? (
                  runs.map((id) => (
                    <th key={id} scope="col">
                      <a href={link(['run', id])}>{id}</a>
                    </th>
                  ))
                ) : (
                  <th scope="col">values, and how many runs have them</th>
                )}
              </tr>
            </thead>
            <tbody>
              {differs.map(({ key, values }) => (
                <tr key={key}>
                  <th scope="row">
                    <code>{key}</code>
                  </th>
                  {runs.length <= mostColumns ? (
                    values.map((value, i) => (
                      <td key={runs[i]}>
                        <code>{value}</code>
                      </td>
                    ))
                  ) : (
                    <td>
                      <ValueCounts values={values} />
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </Panel>
  );
}

function ValueCounts({ values }: { values: readonly string[] }) {
  const counts = valueCounts(values);
  const shown = counts.slice(0, 12);
  return (
    <span class="compare-values">
      {shown.map(({ value, count }) => (
        <span key={value}>
          <code>{value}</code> <span class="quiet">×{count}</span>
        </span>
      ))}
      {counts.length > shown.length && <span class="quiet">and {counts.length - shown.length} more values</span>}
    </span>
  );
}
