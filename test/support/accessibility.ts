/** What axe-core finds in a page. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Names of the rules that are broken seriously, with the elements. The policy of the page allows no script but its own. */
export async function seriousFaults(page: Page): Promise<string[]> {
  return page.evaluate(async (source) => {
    const holder = globalThis as unknown as {
      axe?: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    if (!holder.axe) new Function(source)();
    const { violations } = await holder.axe!.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
  }, axe);
}
