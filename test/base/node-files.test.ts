/** The atomic file writer and the folder walk. */
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  claimFolder,
  clearDeadDrafts,
  clearDrafts,
  draftName,
  makeOwnFolder,
  OutputFile,
  reopenReplaced,
  replaceFile,
  replaceFileAsync,
  writeDraft,
} from '../../src/base/node/atomic-file.ts';
import { listFolder, walkFolders } from '../../src/base/node/walk.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { createRunFolder } from '../../src/runs/folder/folder.ts';
import { ScalarFile } from '../../src/runs/folder/tensorboard.ts';
import { directoryStore } from '../../src/sweep/queue/published-runs.ts';
import { writeRun } from '../support/run-folders.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => join(folder, ...names);

describe('atomic files', () => {
  it('replaces a file and leaves no draft', async () => {
    replaceFile(at('a'), 'first', 'durable');
    await replaceFileAsync(at('a'), 'second', 'durable');
    await replaceFileAsync(at('b'), new Uint8Array([7]), 'rebuildable');
    expect(readFileSync(at('a'), 'utf8')).toBe('second');
    expect([...readFileSync(at('b'))]).toEqual([7]);
    expect(readdirSync(folder)).toEqual(['a', 'b']);
  });

  it('names the path of a file that it cannot write', async () => {
    expect(() => replaceFile(at('no', 'a'), '', 'durable')).toThrow(/\[file\] cannot write ".*no.a": ENOENT/);
    await expect(replaceFileAsync(at('no', 'a'), '', 'durable')).rejects.toThrow(/cannot write ".*no.a": ENOENT/);
  });

  it('keeps writers to the old file out of the new one', () => {
    const old = reopenReplaced(at('log'), 'one\n', 'rebuildable');
    const fresh = reopenReplaced(at('log'), 'one\n', 'rebuildable');
    writeSync(old, 'lost\n', 4);
    writeSync(fresh, 'two\n', 4);
    expect(readFileSync(at('log'), 'utf8')).toBe('one\ntwo\n');
  });

  it('keeps the earlier file when a draft fails', async () => {
    writeFileSync(at('table'), 'earlier');
    const failing = writeDraft(at('table'), async (draft) => {
      writeFileSync(draft, 'half');
      throw new Error('disk');
    });
    await expect(failing).rejects.toThrow('disk');
    const output = await OutputFile.create('eval', at('table'));
    await output.write('half');
    await output.discard();
    expect(readdirSync(folder)).toEqual(['table']);
    expect(readFileSync(at('table'), 'utf8')).toBe('earlier');
  });

  it('gives a folder a name once', () => {
    for (const name of ['draft-1', 'draft-2']) mkdirSync(at(name));
    writeFileSync(at('draft-1', 'file'), '');
    expect([claimFolder(at('draft-1'), at('run')), claimFolder(at('draft-2'), at('run'))]).toEqual([true, false]);
    expect(readdirSync(at('run'))).toEqual(['file']);
  });
});

describe('a link in a folder that others may write to', () => {
  it('does not lead a write to another file', async () => {
    writeFileSync(at('victim'), 'untouched');
    // The name that drafts had, and the name that the file gets.
    for (const name of ['a.tmp', 'b.tmp', 'c.tmp', 'a', 'b', 'd']) symlinkSync(at('victim'), at(name));
    replaceFile(at('a'), 'a', 'durable');
    await replaceFileAsync(at('b'), 'b', 'rebuildable');
    writeSync(reopenReplaced(at('c'), 'c', 'rebuildable'), 'c', 1);
    await writeDraft(at('d'), async (draft) => writeFileSync(draft, 'd', { flag: 'wx' }));
    expect(readFileSync(at('victim'), 'utf8')).toBe('untouched');
    expect(['a', 'b', 'c', 'd'].map((name) => readFileSync(at(name), 'utf8'))).toEqual(['a', 'b', 'cc', 'd']);
    clearDrafts(folder);
    expect(readdirSync(folder)).toEqual(['a', 'b', 'c', 'd', 'victim']);
    expect(readFileSync(at('victim'), 'utf8')).toBe('untouched');
  });

  it('is no folder of a run', () => {
    mkdirSync(at('elsewhere'));
    symlinkSync(at('elsewhere'), at('trajectories'));
    expect(() => makeOwnFolder(at('trajectories'))).toThrow(/expected a folder at ".*trajectories", got a link/);
    makeOwnFolder(at('tb'));
    makeOwnFolder(at('tb'));
    expect(readdirSync(folder)).toEqual(['elsewhere', 'tb', 'trajectories']);
  });

  it('gets no record of TensorBoard appended', async () => {
    const file = await ScalarFile.create(at('events'), 1, []);
    rmSync(at('events'));
    writeFileSync(at('victim'), '');
    symlinkSync(at('victim'), at('events'));
    await expect(file.append([{ step: 1, wallTime: 1, values: { a: 1 } }])).rejects.toThrow('ELOOP');
    expect(readFileSync(at('victim'), 'utf8')).toBe('');
  });

  it('has the file behind it copied to no other folder', async () => {
    mkdirSync(at('run', 'tb'), { recursive: true });
    writeRun(at('run'));
    writeFileSync(at('secret'), 'of the user');
    symlinkSync(at('secret'), at('run', 'tb', 'secret'));
    symlinkSync(folder, at('run', 'all'));
    await directoryStore(at('store')).publish('run', at('run'));
    expect(readdirSync(at('store', 'run'))).toEqual(['config.yaml', 'metrics.csv', 'run.json', 'summary.json']);
  });
});

describe('folder walks', () => {
  /** Folders that are entered, relative to the temporary one. */
  const entered = (options: { maxDepth: number; followLinks?: boolean }, roots = [folder]) => {
    const paths: string[] = [];
    walkFolders(roots, {
      ...options,
      visit: ({ path, folders }) => {
        paths.push(path.slice(folder.length + 1));
        return folders;
      },
      onUnreadable: (path, { message }) => paths.push(`${path.slice(folder.length + 1)}: ${message.split(':')[0]}`),
    });
    return paths;
  };

  it('lists files, folders and links to files in the order of their numbers', () => {
    for (const name of ['run_10', 'run_9']) mkdirSync(at(name));
    writeFileSync(at('b.json'), '');
    symlinkSync(at('b.json'), at('a.json'));
    symlinkSync(at('run_9'), at('latest'));
    symlinkSync(at('missing'), at('broken'));
    const { files, folders, all } = listFolder(folder);
    expect({ files, folders }).toEqual({ files: ['a.json', 'b.json'], folders: ['run_9', 'run_10'] });
    expect(all).toEqual(['a.json', 'b.json', 'broken', 'latest', 'run_9', 'run_10']);
    expect(listFolder(folder, true).folders).toEqual(['latest', 'run_9', 'run_10']);
  });

  it('stops at the depth, and enters no folder twice', () => {
    mkdirSync(at('a', 'b', 'c', 'd'), { recursive: true });
    expect(entered({ maxDepth: 2 })).toEqual(['', 'a', join('a', 'b')]);
    expect(entered({ maxDepth: 1 }, [at('a'), folder])).toEqual(['a', join('a', 'b'), '']);
  });

  it('follows links when it is asked to, and never in a circle', () => {
    mkdirSync(at('a'));
    symlinkSync(folder, at('a', 'loop'));
    mkdirSync(at('z'));
    symlinkSync(at('z'), at('a', 'other'));
    expect(entered({ maxDepth: 9 })).toEqual(['', 'a', 'z']);
    expect(entered({ maxDepth: 9, followLinks: true })).toEqual(['', 'a', join('a', 'other')]);
  });

  it('reports unreadable folders and continues', () => {
    mkdirSync(at('b'));
    writeFileSync(at('a'), '');
    expect(entered({ maxDepth: 1 }, [at('a'), at('b'), at('c')])).toEqual(['a: ENOTDIR', 'b', 'c: ENOENT']);
  });
});

describe('drafts that a killed process left', () => {
  /** The name of a draft with the pid of a process that has ended. */
  const left = (path: string) =>
    draftName(path).replace(`.${process.pid}-`, `.${spawnSync(process.execPath, ['--version']).pid}-`);

  it('are removed, and none of a living process, of another machine, or without a writer', () => {
    const kept = [
      draftName(at('living')),
      left(at('elsewhere')).replace(/-[0-9a-f]{8}\./, '-00000000.'),
      at('foreign.0123456789ab.tmp'),
      at('result'),
    ];
    for (const path of [...kept, left(at('a')), left(at('b'))]) writeFileSync(path, '');
    mkdirSync(join(left(at('.run')), 'inside'), { recursive: true });
    clearDeadDrafts(folder, 'a.');
    expect(readdirSync(folder)).toHaveLength(kept.length + 2);
    clearDeadDrafts(folder);
    expect(readdirSync(folder).sort()).toEqual(kept.map((path) => basename(path)).sort());
    clearDeadDrafts(at('nowhere'));
    // In a folder that is its own: all but those of another living process.
    const other = basename(draftName(at('lock')))
      .replace(`.${process.pid}-`, `.${process.ppid}-`)
      .replace(/-\d+-/, '--');
    writeFileSync(at(other), '');
    clearDrafts(folder);
    expect(readdirSync(folder).sort()).toEqual([other, 'result']);
  });

  it('are removed by the next writer of the file, and of a run beside them', async () => {
    for (const name of ['table', 'output']) writeFileSync(left(at(name)), '');
    mkdirSync(left(at('.run')));
    await writeDraft(at('table'), async (draft) => writeFileSync(draft, ''));
    await (await OutputFile.create('eval', at('output'))).finish();
    const { config, yaml } = await resolveConfig('cartpole/r2po');
    createRunFolder({ runsDir: folder, name: 'run' }, { config, yaml, argv: [], now: 1000 });
    expect(readdirSync(folder).sort()).toEqual(['output', 'run', 'table']);
  });

  it('have a name that every system takes, however long that of the file is', () => {
    replaceFile(at('x'.repeat(250)), 'long', 'rebuildable');
    expect(readdirSync(folder)).toEqual(['x'.repeat(250)]);
  });
});
