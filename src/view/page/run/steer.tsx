/** Pause, stop, raise a budget, branch: each says what will happen before it is asked for. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { BranchBody, branchAnswer, ControlBody } from '../../api/requests.ts';
import type { RunPage } from '../../api/run.ts';
import { post } from '../data.ts';
import { link } from '../route.ts';
import { type BudgetKey, branchBody, budgetBody, budgetFields, type Parsed } from './steer-requests.ts';

type BranchAnswer = (typeof branchAnswer)['_output'];
type Action = 'pause' | 'continue' | 'stop' | 'budget' | 'branch';

export interface SteerProps {
  readonly page: RunPage;
  /** number of the selected iteration; null: none */
  readonly iteration: number | null;
}

interface FormProps extends SteerProps {
  readonly onDone: (message: ComponentChildren) => void;
}

const plainActions: Readonly<Record<'pause' | 'continue' | 'stop', { readonly what: string; readonly done: string }>> =
  {
    pause: {
      what: 'The run finishes the step that it is at, then waits. Its process stays and holds the folder. Continue makes it go on.',
      done: 'The run pauses after the step that it is at.',
    },
    continue: { what: 'The run goes on from where it waits.', done: 'The run goes on.' },
    stop: {
      what: 'The run finishes the step that it is at and saves its state; its process ends. It can be resumed later.',
      done: 'The run stops after the step that it is at.',
    },
  };

function Buttons({ text, isBusy, onCancel }: { text: string; isBusy: boolean; onCancel: () => void }) {
  return (
    <div class="row dialog-buttons">
      <button type="button" onClick={onCancel}>
        Cancel
      </button>
      <button type="submit" class="primary" disabled={isBusy}>
        {text}
      </button>
    </div>
  );
}

/** Sends what a form says; a refusal is shown in the form. */
function useSending<Body, Answer>(path: string, onAnswer: (answer: Answer) => void) {
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const send = (parsed: Parsed<Body>): void => {
    if ('problem' in parsed) {
      setProblem(parsed.problem);
      return;
    }
    setProblem(null);
    setBusy(true);
    post<Answer>(path, parsed.body)
      .then(onAnswer, (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)))
      .finally(() => setBusy(false));
  };
  return { problem, isBusy, send };
}

const runPath = ({ row }: RunPage, what: string): string => `/api/runs/${encodeURIComponent(row.id)}/${what}`;

function Problem({ text }: { text: string | null }) {
  return (
    <p class="problem-text" role="alert">
      {text}
    </p>
  );
}

function PlainForm({
  action,
  page,
  onDone,
  onCancel,
}: FormProps & { action: keyof typeof plainActions; onCancel: () => void }) {
  const { what, done } = plainActions[action];
  const { problem, isBusy, send } = useSending<ControlBody, unknown>(runPath(page, 'control'), () => onDone(done));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send({ body: { action } });
      }}
    >
      <p>{what}</p>
      {action === 'stop' && page.resume !== null && (
        <p>
          Resume it with <code>{page.resume}</code>
        </p>
      )}
      <Problem text={problem} />
      <Buttons text={titles[action]} isBusy={isBusy} onCancel={onCancel} />
    </form>
  );
}

function BudgetForm({ page, onDone, onCancel }: FormProps & { onCancel: () => void }) {
  const [texts, setTexts] = useState<Readonly<Partial<Record<BudgetKey, string>>>>({});
  const { problem, isBusy, send } = useSending<ControlBody, unknown>(runPath(page, 'control'), () =>
    onDone('The run has its new budget.'),
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send(budgetBody(texts));
      }}
    >
      <p>
        The run takes the new limits before its next step, as totals of the whole run. What you leave empty stays as it
        is. A higher limit of calls, tokens or cost may cost more money.
      </p>
      <div class="fields">
        {budgetFields.map(({ key, text }) => (
          <label key={key}>
            {text}
            <input
              inputMode="decimal"
              value={texts[key] ?? ''}
              onInput={(event) => setTexts({ ...texts, [key]: event.currentTarget.value })}
            />
          </label>
        ))}
      </div>
      <Problem text={problem} />
      <Buttons text={titles.budget} isBusy={isBusy} onCancel={onCancel} />
    </form>
  );
}

function BranchForm({ page, iteration, onDone, onCancel }: FormProps & { onCancel: () => void }) {
  const [model, setModel] = useState('');
  const [settings, setSettings] = useState('');
  const { problem, isBusy, send } = useSending<BranchBody, BranchAnswer>(runPath(page, 'branch'), ({ id }) =>
    onDone(
      <>
        The branch <a href={link(['run', id])}>{id}</a> has begun.
      </>,
    ),
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send(branchBody(iteration!, model, settings));
      }}
    >
      <p>
        A new run starts on this machine. It shares the record up to iteration {iteration} and goes on from there. This
        run stays as it is. A hosted model costs money.
      </p>
      <div class="fields fields-wide">
        <label>
          model (empty: {page.row.model})
          <input value={model} onInput={(event) => setModel(event.currentTarget.value)} />
        </label>
        <label>
          settings, key=value, one a line
          <textarea
            rows={3}
            value={settings}
            placeholder="search.step_size=0.5"
            onInput={(event) => setSettings(event.currentTarget.value)}
          />
        </label>
      </div>
      <Problem text={problem} />
      <Buttons text={titles.branch} isBusy={isBusy} onCancel={onCancel} />
    </form>
  );
}

const titles: Readonly<Record<Action, string>> = {
  pause: 'Pause',
  continue: 'Continue',
  stop: 'Stop',
  budget: 'Raise a budget',
  branch: 'Branch',
};

function actionsOf({ page, iteration }: SteerProps): Action[] {
  const { canBranch, row } = page;
  const { status } = row;
  const live: Action[] =
    status === 'running' ? ['pause', 'stop', 'budget'] : status === 'paused' ? ['continue', 'stop', 'budget'] : [];
  return iteration === null || status === 'damaged' || !canBranch ? live : [...live, 'branch'];
}

export function Steer(props: SteerProps) {
  const [action, setAction] = useState<Action | null>(null);
  const [message, setMessage] = useState<ComponentChildren>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (action !== null) dialog.current?.showModal();
  }, [action]);
  const close = (): void => dialog.current?.close();
  const form = {
    ...props,
    onCancel: close,
    onDone: (said: ComponentChildren) => {
      close();
      setMessage(said);
    },
  };
  return (
    <div class="row steer">
      {actionsOf(props).map((one) => (
        <button
          type="button"
          key={one}
          onClick={() => {
            setMessage(null);
            setAction(one);
          }}
        >
          {titles[one]} {one === 'branch' && `from iteration ${props.iteration}`} …
        </button>
      ))}
      <span role="status">{message}</span>
      {action !== null && (
        <dialog ref={dialog} class="dialog steer-dialog" aria-label={titles[action]} onClose={() => setAction(null)}>
          <h2>{titles[action]}</h2>
          {action === 'budget' ? (
            <BudgetForm {...form} />
          ) : action === 'branch' ? (
            <BranchForm {...form} />
          ) : (
            <PlainForm {...form} action={action} />
          )}
        </dialog>
      )}
    </div>
  );
}
