/** `r2po run --dry-run`: the estimated cost of a run, and whether its prompts fit into the context of its models. */
import { R2poError, UsageError } from '../base/errors.ts';
import { purposeSettings } from '../config/purpose.ts';
import { modelOf } from '../config/schema.ts';
import { MissingKeyError } from '../llm/providers/index.ts';
import { openCpuBackend } from '../rollout/cpu/node/backend.ts';
import type { CostEstimate } from '../runs/drivers/driver.ts';
import { type Context, contextsOf, countsOf, outgrown } from '../runs/models/context.ts';
import { opener } from '../runs/models/models.ts';
import { llmUnits, type RunUnits } from '../runs/resolve-units.ts';
import type { Io } from './io.ts';

/** Plays a few episodes to measure the length of prompts, in tokens of the models of `contexts` where they can count. */
export async function estimateOf(units: RunUnits, contexts: readonly Context[]): Promise<CostEstimate> {
  const backend = openCpuBackend({ threads: 1 });
  return units.driver.estimate(units, backend, countsOf(contexts)).finally(() => backend.close());
}

/** As the list of models has them. */
async function listedContexts(units: RunUnits): Promise<readonly Context[]> {
  const { listedModel } = await import('../llm/price-list.ts');
  const { config } = llmUnits(units);
  return (['search', 'critic'] as const).map((purpose) => {
    const { model } = purposeSettings(config, purpose);
    return { purpose, model, tokens: listedModel(model, new Date(), process.env).contextTokens };
  });
}

/** Null if a model cannot be reached; a run reports why. Throws what a run refuses; its key may be missing yet. */
async function contextsOfRun(units: RunUnits, io: Io): Promise<readonly Context[] | null> {
  try {
    const models = await units.driver.openModels(
      units,
      opener((text) => io.note(text)),
    );
    return models === null ? [] : await contextsOf(models, llmUnits(units).config);
  } catch (error) {
    if (error instanceof MissingKeyError) {
      io.note(error.message);
      return listedContexts(units);
    }
    if (!(error instanceof R2poError) || error instanceof UsageError) throw error;
    io.note(`the context length of the model is unknown: ${error.message}`);
    return null;
  }
}

function costText(
  { calls, cost_usd: cost, price_date: date, price_source: source }: CostEstimate,
  model: string,
): string {
  if (cost === null) return `unknown: no price of "${model}" under "prices", nor in the list of known prices`;
  if (calls === 0) return 'none';
  if (cost === 0) return 'none (the model runs on this machine)';
  return `about ${cost.toFixed(2)} USD at the prices of ${date}${source === null ? '' : ` (${source})`}, cache discounts not included`;
}

export async function showEstimate(units: RunUnits, json: boolean, io: Io): Promise<void> {
  const contexts = await contextsOfRun(units, io);
  const estimate = await estimateOf(units, contexts ?? []);
  const { config } = units;
  if (json) {
    const known = contexts?.map(({ purpose, model, tokens }) => ({ purpose, model, context_tokens: tokens })) ?? null;
    io.printJson({ env: units.env.id, method: units.method.id, model: modelOf(config), ...estimate, contexts: known });
    return;
  }
  const count = (value: number): string => value.toLocaleString('en-US');
  const longest = Object.entries(estimate.longest_call_tokens).flatMap(([purpose, tokens]) =>
    tokens === null ? [] : [`${count(tokens)} (${purpose})`],
  );
  const contextText = ({ model, tokens }: Context): string =>
    `${tokens === null ? 'unknown' : count(tokens)} (${model})`;
  const known = [...new Set((contexts ?? []).map(contextText))];
  const rows = [
    ['model calls', estimate.calls === 0 ? 'none' : `${count(estimate.calls)} (excluding repair turns)`],
    ['episodes', `${count(estimate.episodes)} + ${count(estimate.recheck_episodes)} to re-check the best policy`],
    ...(estimate.calls === 0
      ? []
      : [
          ['prompt tokens', `about ${count(estimate.prompt_tokens)}`],
          ['completion tokens', `about ${count(estimate.completion_tokens)}, more for reasoning models`],
          ['longest call, tokens', `about ${longest.join(', ')}`],
        ]),
    ...(contexts !== null && known.length === 0 ? [] : [['context, tokens', known.join(', ') || 'unknown']]),
    ['cost', costText(estimate, modelOf(config))],
  ];
  const title = `${units.env.id}, ${units.method.id}, ${modelOf(config)}`;
  io.print(io.table({ columns: [{ title }, { title: 'estimate' }], rows }));
  for (const warning of outgrown(contexts ?? [], estimate)) io.warn(warning);
}
