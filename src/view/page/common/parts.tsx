/** Small parts of several views. */
import type { ComponentChildren } from 'preact';
import type { RunRow } from '../../api/index-of-runs.ts';
import { type Ci95, estimateParts, none } from './format.ts';

/** An estimate with its 95 % interval, which is written small behind it. */
export function Interval({ value, ci95, digits = 4 }: { value: number | null; ci95: Ci95; digits?: number }) {
  const text = estimateParts(value, ci95, digits);
  if (value === null) return <span class="quiet">{none}</span>;
  return (
    <span class="interval">
      <span class="interval-value">{text.value}</span>
      {text.low !== null && (
        <small class="interval-ends">
          <span class="visually-hidden">, 95 % interval </span>[{text.low}, {text.high}]
        </small>
      )}
    </span>
  );
}

const statusTexts: Readonly<Record<RunRow['status'], { readonly mark: string; readonly title: string }>> = {
  running: { mark: '▶', title: 'a process works on this run' },
  paused: { mark: '‖', title: 'paused: a process holds this run and waits' },
  finished: { mark: '✓', title: 'all iterations are done' },
  stopped: { mark: '■', title: 'stopped by its budget, a rule or a person' },
  unfinished: { mark: '◌', title: 'no process works on it; r2po run --resume goes on' },
  damaged: { mark: '✕', title: 'this folder cannot be read' },
};

/** The status by mark, word and colour. */
export function Status({ status, problem = null }: { status: RunRow['status']; problem?: string | null }) {
  const { mark, title } = statusTexts[status];
  return (
    <span class={`status status-${status}`} title={problem ?? title}>
      <span aria-hidden="true" class="status-mark">
        {mark}
      </span>
      {status}
    </span>
  );
}

/** What a view shows instead of its contents. */
export function Notice({
  title,
  children,
  kind = 'quiet',
}: {
  title: string;
  children?: ComponentChildren;
  kind?: 'quiet' | 'problem';
}) {
  return (
    <div class={`notice notice-${kind}`} role={kind === 'problem' ? 'alert' : 'status'}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** A box with a title; `id` is that of the section in the address. */
export function Panel({
  title,
  children,
  actions,
  note,
  id,
}: {
  title: string;
  children: ComponentChildren;
  actions?: ComponentChildren;
  note?: ComponentChildren;
  id?: string;
}) {
  return (
    <section class="panel" aria-label={title} id={id}>
      <header class="panel-head">
        <h2>{title}</h2>
        {actions && <div class="panel-actions">{actions}</div>}
      </header>
      {note && <p class="panel-note">{note}</p>}
      {children}
    </section>
  );
}

/** One choice of a few, as joined buttons. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly (T | { readonly value: T; readonly text: string })[];
  onChange: (value: T) => void;
}) {
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">{label}</legend>
      {options.map((option) => {
        const one = typeof option === 'string' ? { value: option, text: option } : option;
        return (
          <button type="button" key={one.value} aria-pressed={one.value === value} onClick={() => onChange(one.value)}>
            {one.text}
          </button>
        );
      })}
    </fieldset>
  );
}

/** The keys by which the address groups; of keys that are none of the choices, the keys themselves are one more. */
export function GroupBy({
  value,
  choices,
  onChange,
}: {
  value: string;
  /** keys joined by commas, each with its title */
  choices: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}) {
  const isChoice = choices.some(([keys]) => keys === value);
  return (
    <label>
      <span class="tool-name">group by</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {[...choices, ...(isChoice ? [] : [[value, value] as const])].map(([keys, title]) => (
          <option key={keys} value={keys}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What may be wider than the window scrolls in a box of its own, by the keyboard as well. */
export function ScrollBox({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="scroll-x" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
