/** What the verification of a run checks, and what it found. */

/** In the order in which they are made. */
export const checkNames = [
  'record',
  'manifest',
  'summary',
  'metrics',
  'best',
  'tensorboard',
  'trajectories',
  'returns',
  'played again',
] as const;
export type CheckName = (typeof checkNames)[number];

/** `not checked` is no difference: what is needed for the check is not here. */
export type CheckResult = 'holds' | 'differs' | 'not checked';

export interface Check {
  readonly check: CheckName;
  readonly result: CheckResult;
  /** in words: what was checked, what differs, or why it was not checked */
  readonly detail: string;
  /** `seq` of the first event that differs; null: it is not an event, or nothing differs */
  readonly seq: number | null;
}

export const holds = (check: CheckName, detail: string): Check => ({ check, result: 'holds', detail, seq: null });

export const notChecked = (check: CheckName, detail: string): Check => ({
  check,
  result: 'not checked',
  detail,
  seq: null,
});

export const differs = (check: CheckName, detail: string, seq: number | null = null): Check => ({
  check,
  result: 'differs',
  detail,
  seq,
});
