/** Light or dark: that of the system, or the one that was chosen on this page. */
import { useEffect, useState } from 'preact/hooks';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const key = 'r2po-theme';
const listeners = new Set<() => void>();
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
const notify = (): void => {
  for (const listener of [...listeners]) listener();
};

/** A browser may refuse to store anything, above all for pages from disk. */
function stored(): Theme {
  try {
    const value = localStorage.getItem(key);
    return themes.find((theme) => theme === value) ?? 'system';
  } catch {
    return 'system';
  }
}

let theme = stored();

const isDark = (): boolean => theme === 'dark' || (theme === 'system' && systemIsDark.matches);

/** Marks the document, so that the style sheet has the dark colours once. */
function apply(): void {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
}
apply();
systemIsDark.addEventListener('change', () => {
  apply();
  notify();
});

export function setTheme(next: Theme): void {
  theme = next;
  try {
    localStorage.setItem(key, next);
  } catch {
    // It holds until the page is closed.
  }
  apply();
  notify();
}

/** The chosen theme, and a number that changes whenever colours do. */
export function useTheme(): { readonly theme: Theme; readonly isDark: boolean } {
  const state = (): string => `${theme} ${systemIsDark.matches}`;
  const [, update] = useState(state);
  useEffect(() => {
    const listener = (): void => update(state());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return { theme, isDark: isDark() };
}

/** Calls when colours have changed, for drawings on a canvas; returns how to stop that. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The value of a CSS variable, such as `colour('series-1')`. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Series have eight colours that are told apart by colour-blind people, then the same with dashes. */
export const seriesColours = 8;
export const seriesName = (index: number): string => `series-${(index % seriesColours) + 1}`;
const dashes: readonly (readonly number[])[] = [[], [7, 4], [2, 3]];
export const seriesDash = (index: number): readonly number[] =>
  dashes[Math.floor(index / seriesColours) % dashes.length]!;
