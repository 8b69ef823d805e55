/** One call of a model: what changed in the prompt, the reply, the reasoning and the figures. All texts are text nodes. */
import { useMemo, useState } from 'preact/hooks';
import { inertText } from '../../../base/printable.ts';
import type { CallPage, CallRow } from '../../api/run.ts';
import { countText, durationText, manyText, none, numberText } from '../common/format.ts';
import { Choice, Panel } from '../common/parts.tsx';
import { useGet } from '../data.ts';
import { LongText } from './long-text.tsx';
import { type Block, type Message, type MessageDifference, promptDifference } from './prompt-difference.ts';
import { TextBox } from './text-box.tsx';

export interface CallPanelProps {
  readonly runId: string;
  readonly call: CallRow;
  /** calls of the same iteration, in order */
  readonly calls: readonly CallRow[];
  readonly onCall: (seq: number) => void;
}

type PromptMode = 'changed' | 'whole';

function Gap({ lines, text }: { lines: number; text: string }) {
  const [isOpen, setOpen] = useState(false);
  if (isOpen) return <span class="piece-same">{text}</span>;
  return (
    <button type="button" class="gap" onClick={() => setOpen(true)}>
      … {countText(lines)} unchanged {lines === 1 ? 'line' : 'lines'}
    </button>
  );
}

/** Long pieces are cut, as whole prompts may be new. */
function Blocks({ blocks }: { blocks: readonly Block[] }) {
  return (
    <TextBox label="Changes of the prompt">
      {blocks.map((block, i) =>
        block.kind === 'gap' ? (
          <Gap key={i} lines={block.lines} text={block.text} />
        ) : (
          block.pieces.map(({ kind, text }, k) => {
            const Mark = kind === 'added' ? 'ins' : kind === 'removed' ? 'del' : 'span';
            return (
              <Mark key={`${i}-${k}`} class={`piece-${kind}`}>
                {text}
              </Mark>
            );
          })
        ),
      )}
    </TextBox>
  );
}

function Prompt({ page }: { page: CallPage }) {
  const [mode, setMode] = useState<PromptMode>('changed');
  const isFirst = page.previous === null;
  const differences = useMemo(() => promptDifference(page.messages, page.previous), [page]);
  const options = [
    { value: 'changed' as const, text: 'what changed' },
    { value: 'whole' as const, text: 'whole prompt' },
  ];
  const shown = isFirst ? 'whole' : mode;
  return (
    <details class="part" open>
      <summary>Prompt{isFirst && <span class="quiet"> (the first of this purpose)</span>}</summary>
      {!isFirst && <Choice label="Prompt" value={mode} options={options} onChange={setMode} />}
      {page.messages.map((message, i) => (
        <div key={i} class="message">
          <p class="quiet">
            {message.role}, {countText(message.content.length)} characters
            {shown === 'changed' && changeText(differences[i]!)}
          </p>
          {shown === 'whole' ? (
            <LongText text={message.content} label={`Text of the ${message.role}`} />
          ) : (
            <Blocks blocks={differences[i]!.blocks} />
          )}
        </div>
      ))}
    </details>
  );
}

const changeText = ({ added, removed }: MessageDifference): string =>
  added + removed === 0 ? ': no change' : `: ${countText(added)} lines added, ${countText(removed)} removed`;

function Figures({ page: { call, temperature, form, rateLimits } }: { page: CallPage }) {
  const figures: readonly (readonly [string, string])[] = [
    ['model', call.model],
    ['prompt', `${countText(call.promptTokens)} tokens${cachedText(call)}`],
    ['reply', `${countText(call.completionTokens)} tokens${reasoningText(call)}`],
    ['answered in', durationText(call.latencySeconds)],
    ['requests', call.requests > 1 ? `${call.requests}, ${call.requests - 1} of them retries` : String(call.requests)],
    ['end', call.finish],
    ['temperature', temperature === null ? none : numberText(temperature)],
    ['form', form],
    ...Object.entries(rateLimits),
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const cachedText = ({ cachedTokens }: CallRow): string =>
  cachedTokens === null ? '' : `, ${countText(cachedTokens)} cached`;
const reasoningText = ({ reasoningTokens }: CallRow): string =>
  reasoningTokens === null ? '' : `, ${countText(reasoningTokens)} of reasoning`;

function readText([first, ...others]: NonNullable<CallPage['sets']>): string {
  if (first === undefined) return 'No parameters were read';
  const parameters = manyText(first.length, 'parameter');
  if (others.length > 0) return `${countText(1 + others.length)} sets of ${parameters} were read`;
  return `${parameters} ${first.length === 1 ? 'was' : 'were'} read`;
}

function CallParts({ page }: { page: CallPage }) {
  return (
    <>
      {page.call.problem !== null && (
        <p class="problem-text">
          <b>The reply could not be used:</b> {page.call.problem}
        </p>
      )}
      <Figures page={page} />
      <Prompt page={page} />
      {page.reasoning !== null && (
        <details class="part" open>
          <summary>Reasoning</summary>
          <LongText text={page.reasoning} label="Reasoning of the model" />
        </details>
      )}
      <details class="part" open>
        <summary>Reply</summary>
        <LongText text={page.reply} label="Reply of the model" />
      </details>
      {page.sets !== null && <p class="quiet">{readText(page.sets)} from the reply.</p>}
    </>
  );
}

/** Marks that reverse the direction of a text, and other characters that nobody sees, are left out. */
function inertPage(page: CallPage): CallPage {
  const inert = (messages: readonly Message[]): Message[] =>
    messages.map(({ role, content }) => ({ role, content: inertText(content) }));
  const { call, previous, reasoning } = page;
  return {
    ...page,
    call: { ...call, problem: call.problem === null ? null : inertText(call.problem) },
    messages: inert(page.messages),
    previous: previous && inert(previous),
    reply: inertText(page.reply),
    reasoning: reasoning === null ? null : inertText(reasoning),
  };
}

export function CallPanel({ runId, call, calls, onCall }: CallPanelProps) {
  const loaded = useGet<CallPage>(`/api/runs/${encodeURIComponent(runId)}/calls/${call.seq}`);
  const { data } = loaded;
  const shown = useMemo(() => data && inertPage(data), [data]);
  const options = calls.map((one) => ({
    value: String(one.seq),
    text: `${one.purpose}${one.attempt > 0 ? ` repair ${one.attempt}` : ''}${one.problem === null ? '' : ' ✕'}`,
  }));
  return (
    <Panel
      title="Call"
      actions={
        calls.length > 1 && (
          <Choice
            label="Call of this iteration"
            value={String(call.seq)}
            options={options}
            onChange={(seq) => onCall(Number(seq))}
          />
        )
      }
    >
      {loaded.state === 'failed' && shown === null ? (
        <p class="problem-text" role="alert">
          {loaded.problem}
        </p>
      ) : shown === null ? (
        <p class="quiet">Loading …</p>
      ) : (
        <CallParts key={call.seq} page={shown} />
      )}
    </Panel>
  );
}
