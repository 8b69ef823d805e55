/** The pages hold together: links and anchors lead somewhere, every page is in the index, no code block is without a language. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import { sections } from '../../src/report/explain/formulas.ts';
import { fences, pages, pageText } from '../support/doc-blocks.ts';

const withoutCode = (text: string): string => text.replace(/^( *)```[\s\S]*?^\1```$/gm, '');

/** Anchors of the headings of a page, as GitHub makes them. */
function anchors(page: string): Set<string> {
  const seen = new Map<string, number>();
  return new Set(
    [...withoutCode(pageText(page)).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
      const slug = heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-');
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

const linksOf = (page: string): string[] => {
  const text = withoutCode(pageText(page)).replace(/`[^`\n]*`/g, '');
  const inText = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  const inHtml = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => target!);
  return [...inText, ...inHtml].filter((target) => !/^[a-z]+:/.test(target));
};

const all = [...pages, 'CHANGELOG.md'];

describe('the pages', () => {
  it.each(all)('%s: every relative link and anchor leads somewhere', (page) => {
    const wrong = linksOf(page).filter((target) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(assetPath(file))) return true;
      return anchor !== undefined && !anchors(file).has(anchor);
    });
    expect(wrong).toEqual([]);
  });

  it('lead to nothing that the tarball leaves out', () => {
    const { files } = JSON.parse(readFileSync(assetPath('package.json'), 'utf8')) as { files: string[] };
    const isPacked = (file: string): boolean =>
      file === 'README.md' || files.some((entry) => file === entry || file.startsWith(`${entry}/`));
    const missing = all.filter(isPacked).flatMap((page) =>
      linksOf(page)
        .map((target) => normalize(join(dirname(page), target.split('#')[0]! || basename(page))))
        .filter((file) => !isPacked(file))
        .map((file) => `${page}: ${file}`),
    );
    expect(missing).toEqual([]);
  });

  it('are all in the index, docs/README.md', () => {
    const linked = linksOf('docs/README.md').map((target) => normalize(join('docs', target.split('#')[0]!)));
    const missing = pages.filter((page) => /^docs\/(?!README)/.test(page) && !linked.includes(page));
    expect(missing).toEqual([]);
  });

  it('name a language for every code block', () => {
    const languages = new Set(['sh', 'text', 'ts', 'js', 'json', 'yaml', 'wgsl', 'md', 'python', 'sql', 'ini', 'html']);
    const unknown = all.flatMap((page) =>
      fences(page)
        .filter(({ info }) => !languages.has(info.split(' ')[0]!))
        .map(({ info, line }) => `${page}:${line}: "${info}"`),
    );
    expect(unknown).toEqual([]);
  });

  it('say nothing twice: no long line stands in two places', () => {
    const places = new Map<string, string[]>();
    for (const page of all) {
      for (const line of withoutCode(pageText(page)).split('\n')) {
        if (line.length > 70 && !line.startsWith('|---')) places.set(line, [...(places.get(line) ?? []), page]);
      }
    }
    // The options that commands share stand below each of them.
    const twice = [...places].filter(
      ([, found]) => found.some((page) => page !== 'docs/commands.md') && found.length > 1,
    );
    expect(twice).toEqual([]);
  });
});

describe('the program', () => {
  const sources = readdirSync(assetPath('src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.tsx?$/.test(name),
  );

  it('names pages that are there', () => {
    const wrong = sources.flatMap((name) => {
      const text = readFileSync(assetPath(join('src', name)), 'utf8');
      return [...text.matchAll(/\bdocs\/[\w-]+\.md/g)]
        .filter(([page]) => !existsSync(assetPath(page)))
        .map(([page]) => `${name}: ${page}`);
    });
    expect(wrong).toEqual([]);
  });

  it.each(Object.values(sections))('refers to the section "$section" of $page', ({ page, section }) => {
    expect(pageText(page).split('\n')).toContain(`## ${section}`);
  });
});

describe('the pictures', () => {
  const images = readdirSync(assetPath('docs/images'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(svg|png)$/.test(name),
  );

  it('are all shown by a page', () => {
    const shown = new Set(all.flatMap((page) => linksOf(page).map((target) => normalize(join(dirname(page), target)))));
    expect(images.filter((name) => !shown.has(join('docs/images', name)))).toEqual([]);
  });

  it('are all made by a script', () => {
    const scripts = ['doc-pictures.mjs', 'view-pictures.mjs']
      .map((name) => readFileSync(assetPath(`scripts/${name}`), 'utf8'))
      .join('\n');
    const isDrawn = (name: string): boolean => {
      const [, episode] = /^gallery\/(.*)\.svg$/.exec(name) ?? [];
      if (episode !== undefined) return existsSync(assetPath(`docs/images/gallery/policies/${episode}.json`));
      return scripts.includes(name);
    };
    expect(images.filter((name) => !isDrawn(name))).toEqual([]);
  });
});
