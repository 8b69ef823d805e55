/** The models of a run: one for the search calls and one for the critic calls, the same one where nothing differs. */
import { openOnce } from '../../base/async.ts';
import { UsageError } from '../../base/errors.ts';
import { type PurposeSettings, purposeSettings } from '../../config/purpose.ts';
import type { LlmConfig } from '../../config/schema.ts';
import type { ChatModel, ModelKind } from '../../llm/chat.ts';
import { ModelChain } from '../../llm/fallback.ts';
import { offline } from '../../llm/offline/index.ts';
import { isChosenByAuto } from '../../llm/providers/index.ts';
import type { Method, Purpose } from '../../methods/method.ts';
import { openModel } from './open-model.ts';

/** By purpose; a method without critic calls has the same chain twice. */
export type RunModels = Readonly<Record<Purpose, ModelChain>>;
/** Names of the models of a run that was started; its configuration may say `auto`. */
export type ModelNames = Readonly<Record<Purpose, string>>;

/** Name and kind of the model of a run that asks none. */
const noModel = 'none';

/** For runs whose calls are all answered by one model. */
export function oneModel(model: ChatModel): RunModels {
  const chain = new ModelChain(model);
  return { search: chain, critic: chain };
}

/** `models`: null where none is asked */
export function namesOf(models: RunModels | null): ModelNames {
  if (models === null) return { search: noModel, critic: noModel };
  return { search: models.search.first.id, critic: models.critic.first.id };
}

/**
 * The kind in the journal. A run with some answers of the numeric optimiser is `offline`, so that it is not labelled as a run of
 * a language model.
 */
export function kindOf(models: RunModels | null): ModelKind {
  if (models === null) return noModel;
  const kinds = [models.search.first.kind, models.critic.first.kind];
  return kinds.includes('offline') ? 'offline' : kinds[0]!;
}

/** Opens a model by its name, with the settings of a purpose; equal ones may be answered by one object. */
export type OpenOne = (name: string, settings: PurposeSettings, llm: LlmConfig['llm']) => Promise<ChatModel>;

/** Refuses a fallback that is not a language model. */
function refuseStandIn({ id, kind }: ChatModel): void {
  if (kind === 'model') return;
  throw new UsageError(
    'llm.fallback',
    `expected language models, got "${id}"; a run with its answers would be labelled as one of a language model`,
  );
}

/**
 * The model that a run that was started with `auto` goes on with. The manifest says which, and it may come from somebody else: another
 * model than `auto` chooses would get the key of its provider, or of whoever has the URL. Any other configuration names
 * its model itself.
 */
export function usedName(configured: string, used: string | undefined): string {
  if (configured !== 'auto' || used === undefined) return configured;
  if (isChosenByAuto(used, offline.id)) return used;
  throw new UsageError(
    'run folder',
    `expected a model that "auto" chooses in run.json, got "${used}"; start a new run with --model`,
  );
}

/**
 * Opens everything that may answer a run, so that a missing key is reported before the run starts. `open` is asked once for
 * each model and set of controls. Throws a usage error for what cannot be opened.
 */
export async function openModels(
  config: Pick<LlmConfig, 'model' | 'llm'>,
  method: Pick<Method, 'prompts'>,
  open: OpenOne,
  used: ModelNames | null = null,
): Promise<RunModels> {
  const opened = new Map<string, Promise<ChatModel>>();
  const modelOf = (name: string, settings: PurposeSettings): Promise<ChatModel> =>
    openOnce(opened, JSON.stringify([name, settings.controls]), () => open(name, settings, config.llm));
  const chains = new Map<string, ModelChain>();
  const chainOf = async (purpose: Purpose): Promise<ModelChain> => {
    const settings = purposeSettings(config, purpose);
    const name = usedName(settings.model, used?.[purpose]);
    const names = [...new Set([name, ...config.llm.fallback])];
    const [first, ...others] = await Promise.all(names.map((id) => modelOf(id, settings)));
    others.forEach(refuseStandIn);
    const key = JSON.stringify([names, settings.controls]);
    const chain = chains.get(key) ?? new ModelChain(first!, others);
    chains.set(key, chain);
    return chain;
  };
  const search = await chainOf('search');
  const critic = method.prompts.critic === null ? search : await chainOf('critic');
  if ((search.first.kind === 'replay') !== (critic.first.kind === 'replay')) {
    throw new UsageError(
      'llm.critic.model',
      'expected a record to answer all calls of a run or none, got one for some of them; a record is read in order',
    );
  }
  return { search, critic };
}

/** The way to open models for a single run. */
export function opener(log: (text: string) => void): OpenOne {
  return (name, { controls }, llm) => openModel(name, { llm }, log, { controls });
}
