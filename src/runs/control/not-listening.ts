/** Why a run cannot be steered: no process listens for it. */
import { quotedCommand } from '../../base/command-line.ts';
import { UsageError } from '../../base/errors.ts';
import { readManifest } from '../folder/manifest.ts';
import { ownerOf } from '../journal/lock.ts';

/** The usage error of a folder for which no process listens. */
export function notListening(folder: string): UsageError {
  const refuse = (problem: string): UsageError =>
    new UsageError('control', `expected a run that goes on in "${folder}", got ${problem}`);
  const manifest = readManifest(folder);
  if (manifest === null) return refuse('no run folder; see "r2po ctl list"');
  const { status, stopped, imported } = manifest;
  if (imported) return refuse('one that another program made');
  if (status === 'finished')
    return refuse(`one that is finished; start another run, or "${quotedCommand(['branch', folder, '--at', 'N'])}"`);
  const resume = `resume it with: ${quotedCommand(['run', folder, '--resume'])}`;
  if (stopped !== null) return refuse(`one that has stopped (${stopped.reason}); ${resume}`);
  const owner = ownerOf(folder);
  if (owner === null || owner.gone) return refuse(`one whose process has ended; ${resume}`);
  return refuse(
    `one of process ${owner.pid} on ${owner.host}, which does not listen here: it is starting, is on another machine or in ` +
      'another container, belongs to another user, is a worker of a queue, or said at its start that it cannot listen; ' +
      'end that process with SIGTERM to stop the run',
  );
}
