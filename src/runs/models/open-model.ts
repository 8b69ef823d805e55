/**
 * From the model name of a configuration to the model, with what this layer adds: `offline`, `auto`, `gguf:<file>`,
 * `replay:<run>`.
 */
import type { LlmConfig } from '../../config/schema.ts';
import type { ChatModel } from '../../llm/chat.ts';
import { type Controls, noControls } from '../../llm/controls.ts';
import { ggufForm, ggufModel, type LocalSettings } from '../../llm/local/index.ts';
import { offline } from '../../llm/offline/index.ts';
import {
  autoModel,
  type ClientSettings,
  type Environment,
  type ModelFactory,
  resolveModel,
} from '../../llm/providers/index.ts';
import { recordedModel } from '../replay.ts';

/** Models without an endpoint; `auto` is one of them. */
function localModels(settings: ClientSettings & LocalSettings): Readonly<Record<string, ModelFactory>> {
  return {
    offline: () => offline,
    [ggufForm]: (file) => ggufModel(file, settings),
    'replay:<run folder>': (folder) => recordedModel(folder),
  };
}

/**
 * Opens a model by its name. `log` receives which one `auto` became, and the waits and retries of a client.
 * Throws a usage error for an unknown name, a missing key, or a folder without a run.
 */
export async function openModel(
  name: string,
  { llm }: Pick<LlmConfig, 'llm'>,
  log: (text: string) => void,
  {
    controls = noControls,
    env = process.env,
    concurrentRuns = 1,
  }: {
    readonly controls?: Controls;
    readonly env?: Environment;
    /** runs of this process that ask at a time */
    readonly concurrentRuns?: number;
  } = {},
): Promise<ChatModel> {
  const settings: ClientSettings = {
    timeoutSeconds: llm.timeout_s,
    idleTimeoutSeconds: llm.idle_timeout_s,
    maxAttempts: llm.max_attempts,
    ...(llm.max_concurrent !== null && { maxConcurrent: llm.max_concurrent }),
    minSpacingSeconds: llm.min_spacing_s,
    controls,
    log,
  };
  const local = localModels({ ...settings, concurrentRuns });
  const named = (id: string) => resolveModel(id, { env, settings, extra: local });
  const auto = () => autoModel({ env, log, ollama: named, otherwise: () => offline });
  return resolveModel(name, { env, settings, extra: { ...local, auto } });
}
