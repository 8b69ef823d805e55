/** What people write into the forms for steering a run, as requests. */
import type { BranchBody, ControlBody } from '../../api/requests.ts';
import { isSetting } from '../../api/setting.ts';

type BudgetBody = Extract<ControlBody, { action: 'budget' }>;
export type BudgetKey = Exclude<keyof BudgetBody, 'action'>;

export const budgetFields: readonly { readonly key: BudgetKey; readonly text: string; readonly whole: boolean }[] = [
  { key: 'iterations', text: 'iterations', whole: true },
  { key: 'calls', text: 'calls of the model', whole: true },
  { key: 'tokens', text: 'tokens', whole: true },
  { key: 'episodes', text: 'episodes', whole: true },
  { key: 'cost', text: 'cost, USD', whole: false },
  { key: 'seconds', text: 'time, s', whole: false },
];

export type Parsed<T> = { readonly body: T } | { readonly problem: string };

/** Fields that are left empty stay as they are. */
export function budgetBody(texts: Readonly<Partial<Record<BudgetKey, string>>>): Parsed<ControlBody> {
  const body: BudgetBody = { action: 'budget' };
  for (const { key, text, whole } of budgetFields) {
    const written = texts[key]?.trim() ?? '';
    if (written === '') continue;
    const value = Number(written);
    if (!(value > 0 && Number.isFinite(value)) || (whole && !Number.isInteger(value))) {
      return { problem: `${text}: expected a ${whole ? 'whole ' : ''}number above 0, got "${written}"` };
    }
    body[key] = value;
  }
  return Object.keys(body).length > 1 ? { body } : { problem: 'Write at least one new limit.' };
}

/** Settings are `key=value`, one a line. */
export function branchBody(at: number, model: string, settings: string): Parsed<BranchBody> {
  const lines = settings
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const wrong = lines.find((line) => !isSetting(line));
  if (wrong !== undefined) return { problem: `expected key=value, got "${wrong}"` };
  return { body: { at, ...(model.trim() !== '' && { model: model.trim() }), settings: lines } };
}
