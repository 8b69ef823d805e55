/** Trajectories of a finished run that somebody removed: their episodes are played again, from the record. */
import type { Backend } from '../rollout/backend.ts';
import { Player, playedEpisode } from './drivers/player.ts';
import { TrajectoryFiles } from './folder/trajectories.ts';
import type { EventOf } from './journal/events.ts';
import type { EventLog } from './journal/journal.ts';
import type { RunUnits } from './resolve-units.ts';

/** Opens the backend of a run for `use`, and closes it where nobody else needs it. */
export type WithBackend = (use: (backend: Backend) => Promise<void>) => Promise<void>;

/**
 * Writes the trajectories that a run keeps and its folder lacks; opens no backend where it lacks none. Throws what the
 * backend throws, and an `R2poError` for an episode that does not return the recorded result.
 */
export async function restoreTrajectories(
  folder: string,
  { events, format }: EventLog,
  units: RunUnits,
  withBackend: WithBackend,
): Promise<void> {
  const { maxSteps, successThreshold } = units.settings;
  const files = new TrajectoryFiles(folder, { keepsAll: format === 1 });
  let player: Player | null = null;
  let evaluated = new Map<string, EventOf<'evaluated'>>();
  for (const event of events) {
    if (event.type === 'evaluated') evaluated.set(event.candidate, event);
    if (event.type !== 'iteration') continue;
    const won = event.kept === null ? undefined : evaluated.get(event.kept);
    if (event.trial && won) {
      const { params, seed, summary } = won;
      const episode = playedEpisode({ params, seed, summary, episodes: summary.episodes }, units.method.representative);
      files.add(event.iteration, event.trial.mean, () => player!.replay(params, episode));
    }
    evaluated = new Map();
  }
  if (!files.lacksAny) return;
  await withBackend(async (backend) => {
    player = new Player({ ...units, backend, maxSteps, successThreshold, keepOutcomes: false });
    await files.save();
  });
}
