/** Numbers, times and sizes in words, the same in all views. Missing values are an en dash. */
import { errorOf, roundedBy, significant } from '../../../base/plain-number.ts';

export const none = '–';
const minus = (text: string): string => text.replace(/^-/, '−');

/** A number that was measured, with up to `digits` significant digits: `−1230`, `0.123` */
export function numberText(value: number | null | undefined, digits = 4): string {
  return value === null || value === undefined ? none : minus(significant(value, digits));
}

export interface EstimateText {
  readonly value: string;
  /** null: there is no interval */
  readonly low: string | null;
  readonly high: string | null;
}

export type Ci95 = readonly [number | null, number | null] | null;

/** An estimate and the ends of its interval, all rounded by the standard error. */
export function estimateParts(value: number | null, ci95: Ci95, digits = 4): EstimateText {
  if (value === null) return { value: none, low: null, high: null };
  const [low, high] = ci95 ?? [null, null];
  const ends: readonly [number, number] | null = low === null || high === null ? null : [low, high];
  const text = (n: number): string => minus(roundedBy(errorOf(ends), digits)(n));
  return { value: text(value), low: ends && text(ends[0]), high: ends && text(ends[1]) };
}

/** `12.35 [11.74, 12.96]` */
export function estimateText(value: number | null, ci95: Ci95, digits = 4): string {
  const { value: text, low, high } = estimateParts(value, ci95, digits);
  return low === null ? text : `${text} [${low}, ${high}]`;
}

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
/** `1,234,567`: a count to the last one */
export const countText = (value: number | null | undefined): string =>
  value === null || value === undefined ? none : grouped.format(value);

/** `5,001 runs`, `1 run` */
export const manyText = (count: number, noun: string): string => `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;

const units: readonly (readonly [number, string])[] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];
/** `1.23M`: a count in three digits, for columns */
export function shortCount(value: number | null | undefined): string {
  if (value === null || value === undefined) return none;
  if (Math.abs(value) < 1000) return numberText(value, 3);
  // 999,950 is 1M and not 1000k.
  const [size, unit] = units.find(([one]) => Math.abs(value) >= one * 0.9995) ?? units.at(-1)!;
  return `${numberText(value / size, 3)}${unit}`;
}

/** `$0.012`, `$4.20`, `$1,234`; null: the price is not known */
export function costText(dollars: number | null | undefined): string {
  if (dollars === null || dollars === undefined) return none;
  if (dollars === 0) return '$0';
  if (dollars >= 100) return `$${grouped.format(dollars)}`;
  return dollars >= 0.1 ? `$${dollars.toFixed(2)}` : `$${significant(dollars, 2)}`;
}

/** `4.2 s`, `3 min 05 s`, `2 h 07 min`, `3 d 04 h` */
export function durationText(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return none;
  if (seconds < 0.9995) return `${significant(seconds * 1000, 3)} ms`;
  if (seconds < 59.95) return `${significant(seconds, 3)} s`;
  const two = (n: number): string => String(n).padStart(2, '0');
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** `just now`, `5 min ago`, `3 h ago`, `12 d ago` */
export function agoText(iso: string | null, now = Date.now()): string {
  const at = iso === null ? Number.NaN : Date.parse(iso);
  if (Number.isNaN(at)) return none;
  const seconds = Math.max(0, (now - at) / 1000);
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** A p-value: `0.031`, `< 0.0001`; as the report writes it */
export const pText = (p: number | null | undefined): string =>
  p === null || p === undefined ? none : p < 1e-4 ? '< 0.0001' : significant(p, 2);

/** `87.5 %` of a share between 0 and 1 */
export const shareText = (share: number | null | undefined): string =>
  share === null || share === undefined ? none : `${numberText(share * 100, 3)} %`;

/** `26 Nov 2026, 21:14` in the time zone of the reader */
export function timeText(iso: string | null): string {
  const at = iso === null ? Number.NaN : Date.parse(iso);
  if (Number.isNaN(at)) return none;
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(at);
}
