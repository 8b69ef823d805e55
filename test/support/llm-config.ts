/** Configurations of language models, where a test reads what only they have. */
import { asksModels, type Config, type LlmConfig } from '../../src/config/schema.ts';

export function llmConfig(config: Config): LlmConfig {
  if (asksModels(config)) return config;
  throw new Error(`expected a configuration of language models, got one of ${config.method}`);
}
