/** The palette (Ctrl+K), which goes to any run or view, and the list of keys (?). */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { go, link } from '../route.ts';
import { useIndex } from '../runs/index-store.ts';
import './dialogs.css';
import { useKeys } from './keys.ts';
import { setTheme } from './theme.ts';

type Dialog = 'palette' | 'help';

/** Which dialog is open; Ctrl+K and ? open theirs. */
export function useDialogs(): {
  readonly shown: Dialog | null;
  readonly open: (dialog: Dialog) => void;
  readonly close: () => void;
} {
  const [shown, setShown] = useState<Dialog | null>(null);
  useKeys({ '?': () => setShown('help') });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey)
        return;
      event.preventDefault();
      setShown((now) => (now === 'palette' ? null : 'palette'));
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  return { shown, open: setShown, close: () => setShown(null) };
}

function Modal({ label, onClose, children }: { label: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before the next key arrives: it belongs to the field of the dialog.
  useLayoutEffect(() => {
    const element = dialog.current!;
    if (!element.open) element.showModal();
    // A press beside the box closes it; Escape does by itself.
    const onPress = (event: MouseEvent): void => {
      if (event.target === element) onClose();
    };
    element.addEventListener('mousedown', onPress);
    return () => element.removeEventListener('mousedown', onPress);
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-label={label} onClose={onClose}>
      {children}
    </dialog>
  );
}

interface Entry {
  readonly text: string;
  readonly note: string;
  readonly act: () => void;
}

/** So many entries are shown; more words narrow them. */
const mostEntries = 50;

/** All words are part of an entry's text or note. */
function found(entries: readonly Entry[], text: string): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = ({ text: name, note }: Entry): boolean => {
    const all = `${name} ${note}`.toLowerCase();
    return words.every((word) => all.includes(word));
  };
  const some: Entry[] = [];
  for (const entry of entries) {
    if (matches(entry)) some.push(entry);
    if (some.length >= mostEntries) break;
  }
  return some;
}

export function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const { index } = useIndex();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const entries = useMemo((): Entry[] => {
    const view = (name: string, path: string[], note: string): Entry => ({ text: name, note, act: () => go(path) });
    return [
      view('Runs', [], 'view'),
      view('Compare', ['compare'], 'view'),
      view('Playground', ['play'], 'view'),
      { text: 'Failed runs', note: 'filter', act: () => go([], { q: 'status:failed' }) },
      { text: 'Running runs', note: 'filter', act: () => go([], { q: 'status=running,paused' }) },
      { text: 'Colours: light', note: 'action', act: () => setTheme('light') },
      { text: 'Colours: dark', note: 'action', act: () => setTheme('dark') },
      { text: 'Colours: as the system', note: 'action', act: () => setTheme('system') },
      { text: 'Keys', note: 'help', act: onHelp },
      ...(index?.runs ?? []).map(
        ({ id, env, method, status }): Entry => ({
          text: id,
          note: [env, method, status].filter(Boolean).join(' · '),
          act: () => go(['run', id]),
        }),
      ),
    ];
  }, [index, onHelp]);
  const shown = useMemo(() => found(entries, text), [entries, text]);
  const current = Math.min(at, shown.length - 1);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [current, shown]);
  const choose = (entry: Entry | undefined): void => {
    if (!entry) return;
    onClose();
    entry.act();
  };
  return (
    <Modal label="Go to" onClose={onClose}>
      <input
        class="palette-field"
        autofocus
        role="combobox"
        aria-label="Go to a run, a view or an action"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={shown.length > 0 ? `palette-${current}` : undefined}
        placeholder="Run, view or action"
        spellcheck={false}
        autocomplete="off"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(shown.length - 1, current + 1));
          else if (event.key === 'ArrowUp') setAt(Math.max(0, current - 1));
          else if (event.key === 'Enter') choose(shown[current]);
          else return;
          event.preventDefault();
        }}
      />
      {shown.length === 0 && <p class="palette-none">Nothing has all of these words.</p>}
      <div ref={list} id="palette-list" role="listbox" aria-label="Places" class="palette-list">
        {shown.map((entry, i) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus and names the option
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
          <div
            key={`${entry.note}\n${entry.text}`}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === current}
            class="palette-entry"
            onClick={() => choose(entry)}
          >
            <span>{entry.text}</span> <small>{entry.note}</small>
          </div>
        ))}
      </div>
    </Modal>
  );
}

const keyLists: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    'Everywhere',
    [
      ['Ctrl K', 'go to a run, a view or an action'],
      ['?', 'this list'],
      ['Tab', 'next control; arrows move along a chart, Enter selects its point'],
    ],
  ],
  [
    'Runs',
    [
      ['/', 'filter'],
      ['j  k', 'next, previous run'],
      ['Enter', 'open the run'],
      ['x', 'select the run'],
      ['c', 'compare the selected runs'],
    ],
  ],
  [
    'A run, replay and playground',
    [
      ['j  k', 'next, previous iteration'],
      ['Space', 'play or pause the episode'],
    ],
  ],
];

const filterExamples: readonly (readonly [string, string])[] = [
  ['cartpole r2po', 'words: part of the name, environment, method, model, status or problem'],
  ['env=CartPole-v1,Acrobot-v1', 'one of these; * stands for any characters'],
  ['model:gpt', 'contains'],
  ['best>400 tokens<=20k', 'numbers'],
  ['duration>5min updated<2h', 'durations, and ages of times'],
  ['status:failed', 'what something stopped, or cannot be read'],
  ['-method=props', 'not'],
];

function Pairs({ pairs, code }: { pairs: readonly (readonly [string, string])[]; code?: boolean }) {
  return (
    <dl class="help-keys">
      {pairs.map(([name, meaning]) => (
        <div key={name}>
          <dt>{code ? <code>{name}</code> : name.split('  ').map((key) => <kbd key={key}>{key}</kbd>)}</dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  );
}

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Modal label="Keys and filters" onClose={onClose}>
      <div class="help">
        <header class="row">
          <h1 class="grow">Keys</h1>
          <button type="button" onClick={onClose}>
            Close
          </button>
        </header>
        {keyLists.map(([title, pairs]) => (
          <section key={title}>
            <h2>{title}</h2>
            <Pairs pairs={pairs} />
          </section>
        ))}
        <section>
          <h2>Filter of the runs</h2>
          <Pairs pairs={filterExamples} code />
          <p class="quiet">
            All terms must hold. <a href={link([], { q: 'status:failed' })}>Example</a>
          </p>
        </section>
      </div>
    </Modal>
  );
}
