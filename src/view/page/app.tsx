/** Entry of the page: its frame, and the view that the address names. */
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import './app.css';
import { HelpDialog, Palette, useDialogs } from './common/dialogs.tsx';
import { Notice } from './common/parts.tsx';
import { setTheme, themes, useTheme } from './common/theme.ts';
import { CompareView } from './compare/index.tsx';
import { isExport, useConnection } from './data.ts';
import { PlayView } from './play/index.tsx';
import { link, useRoute } from './route.ts';
import { RunView } from './run/index.tsx';
import { RunsView } from './runs/index.tsx';
import { openIndex } from './runs/index-store.ts';

/** Views by the first part of the address; '' is the list of runs. */
const views: Readonly<Record<string, { readonly title: string; readonly view: () => preact.JSX.Element }>> = {
  '': { title: 'Runs', view: RunsView },
  run: { title: 'Run', view: RunView },
  compare: { title: 'Compare', view: CompareView },
  play: { title: 'Playground', view: PlayView },
};

function ThemeSwitch() {
  const { theme } = useTheme();
  const next = themes[(themes.indexOf(theme) + 1) % themes.length]!;
  const marks = { system: '◐', light: '○', dark: '●' };
  return (
    <button
      type="button"
      class="plain"
      title={`Colours: ${theme}. Change to ${next}.`}
      aria-label={`Colours: ${theme}. Change to ${next}.`}
      onClick={() => setTheme(next)}
    >
      <span aria-hidden="true">{marks[theme]}</span>
    </button>
  );
}

function App() {
  const { path } = useRoute();
  const [name = ''] = path;
  const view = views[name];
  const connection = useConnection();
  const dialogs = useDialogs();
  useEffect(() => {
    document.title = `${[path[1], view?.title].filter(Boolean).join(' · ')} · r2po`;
  }, [path, view]);
  const View = view?.view;
  return (
    <div class="frame">
      <button type="button" class="frame-skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the contents
      </button>
      <header class="frame-head">
        <a class="frame-name" href={link([])}>
          r2po
        </a>
        <nav class="frame-nav" aria-label="Views">
          {(['', 'compare', 'play'] as const).map((id) => (
            <a key={id} href={link(id === '' ? [] : [id])} aria-current={id === name ? 'page' : undefined}>
              {views[id]!.title}
            </a>
          ))}
        </nav>
        <button
          type="button"
          class="frame-search"
          aria-keyshortcuts="Control+K"
          onClick={() => dialogs.open('palette')}
        >
          Go to<span class="wide-only">…</span> <kbd class="wide-only">Ctrl K</kbd>
        </button>
        <button
          type="button"
          class="plain wide-only"
          aria-label="Keys"
          title="Keys ( ? )"
          onClick={() => dialogs.open('help')}
        >
          ?
        </button>
        <ThemeSwitch />
      </header>
      {connection === 'lost' && !isExport && (
        <div class="frame-banner" role="status">
          The server does not answer. What you see is what was known; the page goes on when it is back (r2po view).
        </div>
      )}
      <main class="frame-main" id="main" tabIndex={-1}>
        {View ? (
          // A run is shown by a view of its own: nothing of the one before it stays.
          <View key={path.join('/')} />
        ) : (
          <Notice title="There is no such page">
            <p>
              <a href={link([])}>Go to the runs</a>
            </p>
          </Notice>
        )}
      </main>
      {dialogs.shown === 'palette' && <Palette onClose={dialogs.close} onHelp={() => dialogs.open('help')} />}
      {dialogs.shown === 'help' && <HelpDialog onClose={dialogs.close} />}
    </div>
  );
}

void openIndex();
render(<App />, document.getElementById('app')!);
