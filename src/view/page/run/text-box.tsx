/** Text that keeps its line breaks and scrolls where it is long; the keyboard reaches it. */
import type { ComponentChildren } from 'preact';

export function TextBox({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="text" tabIndex={0} aria-label={label}>
      <pre>{children}</pre>
    </section>
  );
}
