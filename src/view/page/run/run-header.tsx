/** What the run is, how far it is, and how it is gone on with. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { RunPage } from '../../api/run.ts';
import { costText, countText, durationText, none, shortCount, timeText } from '../common/format.ts';
import { Interval, Status } from '../common/parts.tsx';
import { link } from '../route.ts';
import { besideOf } from './run-data.ts';
import { TextBox } from './text-box.tsx';

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page from disk may not write to the clipboard: the text can be selected.
    return false;
  }
}

function Command({ label, command }: { label: string; command: string }) {
  const [state, setState] = useState('');
  return (
    <div class="command">
      <span class="quiet">{label}</span>
      <code>{command}</code>
      <button
        type="button"
        aria-label={`Copy the command: ${label}`}
        onClick={() => void copied(command).then((done) => setState(done ? 'copied' : 'select the text and copy it'))}
      >
        copy
      </button>
      <span role="status">{state}</span>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const offlineNote = 'a numeric optimiser that speaks the text protocol; no language model';

function Facts({ page: { row } }: { page: RunPage }) {
  const { rechecked } = row;
  return (
    <dl class="facts">
      <Fact name="environment">{row.env}</Fact>
      <Fact name="method">{row.method}</Fact>
      <Fact name="model">
        {row.model}
        {row.modelKind === 'offline' && row.model !== none && <small class="quiet"> {offlineNote}</small>}
      </Fact>
      <Fact name="seed">{row.seed ?? none}</Fact>
      <Fact name="iterations">
        {countText(row.iterations)}
        {row.planned !== null && ` of ${countText(row.planned)}`}
      </Fact>
      <Fact name="best of the search">
        <Interval value={row.best} ci95={row.bestCi95} />
      </Fact>
      <Fact name="re-checked">
        {rechecked === null ? (
          <span class="quiet">{row.status === 'finished' ? none : 'not yet'}</span>
        ) : (
          <>
            <Interval value={rechecked.mean} ci95={rechecked.ci95} />
            <small class="quiet">
              {' '}
              {shortCount(rechecked.episodes)} fresh {rechecked.episodes === 1 ? 'episode' : 'episodes'}
            </small>
          </>
        )}
      </Fact>
      <Fact name="episodes">{shortCount(row.episodes)}</Fact>
      <Fact name="calls">{countText(row.calls)}</Fact>
      <Fact name="tokens">{shortCount(row.tokens)}</Fact>
      <Fact name="cost">{costText(row.costUsd)}</Fact>
      <Fact name="time">{durationText(row.wallSeconds)}</Fact>
      <Fact name="started">{timeText(row.started)}</Fact>
      {row.branch && (
        <Fact name="branch of">
          <a href={link(['run', besideOf(row.id, row.branch.run)], { at: row.branch.iteration })}>
            {row.branch.run}, iteration {row.branch.iteration}
          </a>
        </Fact>
      )}
    </dl>
  );
}

export function RunHeader({ page, steer }: { page: RunPage; steer: ComponentChildren }) {
  const { row, config, command, resume, notices } = page;
  return (
    <header class="panel run-header">
      <div class="run-title">
        <h1>{row.id}</h1>
        <Status status={row.status} problem={row.problem} />
        {steer}
      </div>
      {row.problem !== null && (
        <p class={`run-problem ${row.status === 'damaged' ? 'problem-text' : ''}`}>
          <b>{row.status}:</b> {row.problem}
        </p>
      )}
      {notices.map((notice) => (
        <p key={notice} class="run-problem">
          {notice}
        </p>
      ))}
      <Facts page={page} />
      <details class="part">
        <summary>Commands and configuration</summary>
        {command !== null && <Command label="began with" command={command} />}
        {resume !== null && row.status !== 'finished' && <Command label="resume with" command={resume} />}
        <TextBox label="config.yaml">{config}</TextBox>
      </details>
    </header>
  );
}
