// biome-ignore-all lint/a11y/useSemanticElements: rows that are placed by their position cannot be those of a table
// biome-ignore-all lint/a11y/useFocusableInteractive: the links and buttons in rows and headings have the focus
/** The list of runs. What it shows is in the address: `q` filter, `sort`, `group`, `sel` selected, `closed` groups. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { quotedCommand } from '../../../base/command-line.ts';
import type { RunRow } from '../../api/index-of-runs.ts';
import { countText, estimateText, manyText } from '../common/format.ts';
import { useKeys } from '../common/keys.ts';
import { GroupBy, Notice } from '../common/parts.tsx';
import { useVirtualRows } from '../common/virtual.ts';
import { go, link, setQuery, useRoute, useValues } from '../route.ts';
import { fieldOf, fields, grouped, hasFailed, type RowGroup, sorted } from './fields.ts';
import { parseFilter } from './filter.ts';
import { reloadIndex, useIndex } from './index-store.ts';
import { RunLine } from './run-line.tsx';
import './runs.css';

const defaultSort = '-updated';
const groupings: readonly (readonly [string, string])[] = [
  ['', 'no groups'],
  ['env', 'environment'],
  ['method', 'method'],
  ['model', 'model'],
  ['status', 'status'],
  ['env,method', 'environment and method'],
  ['env,method,model', 'environment, method and model'],
];
/** A comparison asks for runs by their names in one address. */
const mostSelected = 200;

/** Columns of the table, some with two fields one below the other. */
const columns: readonly { readonly class: string; readonly keys: readonly string[]; readonly title?: string }[] = [
  { class: 'runs-name', keys: ['run', 'model'] },
  { class: 'runs-what', keys: ['env', 'method'] },
  { class: 'runs-status', keys: ['status', 'iterations'] },
  { class: 'runs-best number', keys: ['rechecked', 'best'] },
  { class: 'runs-course', keys: [], title: 'best so far' },
  { class: 'runs-calls number', keys: ['calls'] },
  { class: 'runs-tokens number', keys: ['tokens'] },
  { class: 'runs-cost number', keys: ['cost'] },
  { class: 'runs-time number', keys: ['updated', 'duration'] },
];

type Line = { readonly kind: 'group'; readonly group: RowGroup } | { readonly kind: 'run'; readonly row: RunRow };

/** Groups with their rows, or the rows alone. */
function linesOf(rows: readonly RunRow[], keys: readonly string[], closed: ReadonlySet<string>): Line[] {
  if (keys.length === 0) return rows.map((row) => ({ kind: 'run', row }));
  return grouped(rows, keys).flatMap((group): Line[] => [
    { kind: 'group', group },
    ...(closed.has(group.name) ? [] : group.rows.map((row): Line => ({ kind: 'run', row }))),
  ]);
}

const narrow = matchMedia('(max-width: 760px)');
function useIsNarrow(): boolean {
  const [is, set] = useState(narrow.matches);
  useEffect(() => {
    const update = (): void => set(narrow.matches);
    narrow.addEventListener('change', update);
    return () => narrow.removeEventListener('change', update);
  }, []);
  return is;
}

function SortButton({ name, sort }: { name: string; sort: string }) {
  const isActive = sort.replace(/^-/, '') === name;
  const isDown = sort.startsWith('-');
  const field = fieldOf(name)!;
  // Numbers and times begin with the highest.
  const first = field.kind === 'text' ? name : `-${name}`;
  const next = !isActive ? first : isDown ? name : `-${name}`;
  return (
    <button
      type="button"
      class={`runs-sort${isActive ? ' is-active' : ''}`}
      title={`sort by ${field.title}`}
      onClick={() => setQuery({ sort: next === defaultSort ? null : next })}
    >
      {field.title}
      <span aria-hidden="true">{isActive ? (isDown ? ' ↓' : ' ↑') : ''}</span>
    </button>
  );
}

function Head({ sort }: { sort: string }) {
  const key = sort.replace(/^-/, '');
  return (
    <div role="row" aria-rowindex={1} class="runs-head">
      <div role="columnheader" class="runs-check">
        <span class="visually-hidden">selected</span>
      </div>
      {columns.map(({ class: name, keys, title }) => (
        <div
          role="columnheader"
          key={name}
          class={name}
          aria-sort={keys.includes(key) ? (sort.startsWith('-') ? 'descending' : 'ascending') : 'none'}
        >
          {title}
          {keys.map((one) => (
            <SortButton key={one} name={one} sort={sort} />
          ))}
        </div>
      ))}
    </div>
  );
}

function GroupLine({
  group,
  index,
  top,
  height,
  isClosed,
  onToggle,
}: {
  group: RowGroup;
  index: number;
  top: number;
  height: number;
  isClosed: boolean;
  onToggle: (name: string) => void;
}) {
  const means = group.rows.flatMap(({ rechecked, best }) => rechecked?.mean ?? best ?? []);
  const failed = group.rows.filter(hasFailed).length;
  const facts = [
    manyText(group.rows.length, 'run'),
    ...(means.length > 0 ? [`best ${estimateText(Math.max(...means), null)}`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      class="runs-group"
      style={{ transform: `translateY(${top}px)`, height: `${height}px` }}
    >
      <div role="cell">
        <button type="button" class="plain" aria-expanded={!isClosed} onClick={() => onToggle(group.name)}>
          <span aria-hidden="true">{isClosed ? '▸' : '▾'}</span> <b>{group.name}</b>
        </button>
        <span class="quiet"> {facts.join(' · ')}</span>
      </div>
    </div>
  );
}

/** `root`: the folder that has no run; null: the filter leaves none. */
function Empty({ root }: { root: string | null }) {
  if (root === null) {
    return (
      <Notice title="No run matches this filter">
        <p>
          <button type="button" onClick={() => setQuery({ q: null })}>
            Clear the filter
          </button>
        </p>
      </Notice>
    );
  }
  return (
    <Notice title="There are no runs here yet">
      <p>
        <code>{root}</code> has none. Start one in another terminal; it appears here by itself:
      </p>
      <p>
        <code>{quotedCommand(['run', 'cartpole/r2po', '--runs-dir', root])}</code>
      </p>
      <p>
        Runs are elsewhere? <code>r2po view FOLDER</code> shows those of a folder.
      </p>
    </Notice>
  );
}

export function RunsView() {
  const { index, problem } = useIndex();
  if (index === null) {
    return problem === null ? (
      <Notice title="Reading the runs…" />
    ) : (
      <Notice title="The runs could not be loaded" kind="problem">
        <p>{problem}</p>
        <p>
          <button type="button" onClick={reloadIndex}>
            Try again
          </button>
        </p>
      </Notice>
    );
  }
  if (index.problem !== null && index.runs.length === 0) {
    return (
      <Notice title="The runs cannot be read" kind="problem">
        <p>{index.problem}</p>
      </Notice>
    );
  }
  return <RunList runs={index.runs} root={index.root} />;
}

function Counts({ runs, shown }: { runs: readonly RunRow[]; shown: number }) {
  const running = runs.filter(({ status }) => status === 'running' || status === 'paused').length;
  const failed = runs.filter(hasFailed).length;
  return (
    <p class="runs-counts" role="status">
      {shown === runs.length ? manyText(runs.length, 'run') : `${countText(shown)} of ${manyText(runs.length, 'run')}`}
      {running > 0 && (
        <>
          {' · '}
          <a href={link([], { q: 'status=running,paused' })}>{running} running</a>
        </>
      )}
      {failed > 0 && (
        <>
          {' · '}
          <a href={link([], { q: 'status:failed' })}>{failed} failed</a>
        </>
      )}
    </p>
  );
}

function FilterField({ problems }: { problems: readonly string[] }) {
  const { query } = useRoute();
  const field = useRef<HTMLInputElement>(null);
  useKeys({ '/': () => field.current?.select() });
  return (
    <div class="runs-filter">
      <label>
        <span class="visually-hidden">Filter the runs</span>
        <input
          ref={field}
          type="search"
          spellcheck={false}
          autocomplete="off"
          placeholder="Filter: env=CartPole-v1 best>400 status:failed   ( / )"
          value={query.get('q') ?? ''}
          aria-describedby="filter-problem"
          aria-invalid={problems.length > 0}
          onInput={(event) => setQuery({ q: event.currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key === 'Escape' || event.key === 'Enter') event.currentTarget.blur();
          }}
        />
      </label>
      <div id="filter-problem" role="status" class="problem-text">
        {problems.map((one) => (
          <p key={one}>{one}</p>
        ))}
      </div>
    </div>
  );
}

function RunList({ runs, root }: { runs: readonly RunRow[]; root: string }) {
  const { query } = useRoute();
  const { fresh } = useIndex();
  const isNarrow = useIsNarrow();
  const q = query.get('q') ?? '';
  const asked = query.get('sort') ?? defaultSort;
  // An address may be typed.
  const sort = fieldOf(asked.replace(/^-/, '')) ? asked : defaultSort;
  const group = (query.get('group') ?? '').split(',').filter(fieldOf).join(',');
  const closedNames = useValues(query, 'closed');
  const selectedIds = useValues(query, 'sel');
  const selected = useMemo(() => new Set(selectedIds), [selectedIds]);
  const closed = useMemo(() => new Set(closedNames), [closedNames]);

  const filter = useMemo(() => parseFilter(q), [q]);
  const shown = useMemo(
    () => sorted(runs.filter(filter.matches), sort.replace(/^-/, ''), sort.startsWith('-')),
    [runs, filter, sort],
  );
  const lines = useMemo(() => linesOf(shown, group === '' ? [] : group.split(','), closed), [shown, group, closed]);

  const list = useRef<HTMLDivElement>(null);
  const size = useCallback((i: number) => (lines[i]?.kind === 'group' ? 40 : isNarrow ? 172 : 52), [lines, isNarrow]);
  const { items, height, margin, scrollTo } = useVirtualRows(list, { count: lines.length, size, top: 100 });

  const slots = useRef(0);
  slots.current = Math.max(slots.current, items.length);

  const [current, setCurrent] = useState<string | null>(null);
  const move = (by: number): void => {
    const places = lines.flatMap((line, i) => (line.kind === 'run' ? [{ id: line.row.id, i }] : []));
    if (places.length === 0) return;
    const at = places.findIndex(({ id }) => id === current);
    const next = places[at < 0 ? 0 : Math.max(0, Math.min(places.length - 1, at + by))]!;
    setCurrent(next.id);
    scrollTo(next.i);
  };
  // The focus follows, so that a screen reader reads the row that j and k go to.
  useEffect(() => {
    if (current === null) return;
    const timer = setTimeout(() => {
      const row = list.current?.querySelector<HTMLElement>(`[data-run="${CSS.escape(current)}"]`);
      row?.focus({ preventScroll: true });
    }, 30);
    return () => clearTimeout(timer);
  }, [current]);

  const toggle = useCallback(
    (id: string) => {
      const next = new Set(selected);
      if (!next.delete(id)) next.add(id);
      setQuery({ sel: [...next] });
    },
    [selected],
  );
  const compare = (): void => {
    if (selected.size > 0) go(['compare'], { run: [...selected] });
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => current !== null && go(['run', current]),
    x: () => current !== null && toggle(current),
    c: compare,
  });
  const toggleGroup = (name: string): void => {
    const next = new Set(closed);
    if (!next.delete(name)) next.add(name);
    setQuery({ closed: [...next] });
  };

  return (
    <div class="runs">
      <h1 class="visually-hidden">Runs</h1>
      <div class="runs-tools">
        <FilterField problems={filter.problems} />
        <GroupBy value={group} choices={groupings} onChange={(value) => setQuery({ group: value, closed: null })} />
        <label>
          <span class="tool-name">sort by</span>
          <select value={sort} onChange={(event) => setQuery({ sort: event.currentTarget.value })}>
            {fields.flatMap(({ key, title }) => [
              <option key={`-${key}`} value={`-${key}`}>
                {title} ↓
              </option>,
              <option key={key} value={key}>
                {title} ↑
              </option>,
            ])}
          </select>
        </label>
      </div>
      <div class="runs-bar">
        <Counts runs={runs} shown={shown.length} />
        {selected.size > 0 ? (
          <>
            <span class="quiet">{selected.size} selected</span>
            <button type="button" class="primary" onClick={compare}>
              Compare
            </button>
            <button type="button" onClick={() => setQuery({ sel: null })}>
              Clear
            </button>
          </>
        ) : (
          shown.length > 0 && (
            <button
              type="button"
              title={`the first ${mostSelected} at most`}
              onClick={() => setQuery({ sel: shown.slice(0, mostSelected).map(({ id }) => id) })}
            >
              {shown.length <= mostSelected ? 'Select all' : `Select the first ${mostSelected}`}
            </button>
          )
        )}
      </div>
      {lines.length === 0 ? (
        <Empty root={runs.length === 0 ? root : null} />
      ) : (
        <div role="table" aria-label="Runs" aria-rowcount={lines.length + 1} class="runs-table">
          <div role="rowgroup" class="runs-heads">
            <Head sort={sort} />
          </div>
          <div role="rowgroup" ref={list} class="runs-list" style={{ height: `${height}px` }}>
            {items.map(({ index: i, start, size: px }) => {
              const line = lines[i];
              if (!line) return null;
              return line.kind === 'group' ? (
                <GroupLine
                  key={`group ${line.group.name}`}
                  group={line.group}
                  index={i}
                  top={start - margin}
                  height={px}
                  isClosed={closed.has(line.group.name)}
                  onToggle={toggleGroup}
                />
              ) : (
                <RunLine
                  // A row that scrolls out becomes one that scrolls in; that with the focus keeps its element.
                  key={line.row.id === current ? 'current' : i % slots.current}
                  row={line.row}
                  index={i}
                  top={start - margin}
                  height={px}
                  isSelected={selected.has(line.row.id)}
                  isCurrent={line.row.id === current}
                  isFresh={fresh.has(line.row.id)}
                  onSelect={toggle}
                />
              );
            })}
          </div>
        </div>
      )}
      {shown.some(({ best, rechecked }) => best !== null && rechecked === null) && (
        <p class="quiet runs-foot">
          * highest mean of the search, which is too high; the others were played again on fresh episodes.
        </p>
      )}
    </div>
  );
}
