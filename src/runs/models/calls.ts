/** Makes the model calls of a run, and keeps their state over its iterations. */
import { purposeSettings } from '../../config/purpose.ts';
import type { CallProgress } from '../../llm/chat.ts';
import type { AskedReply, Effects, Purpose } from '../../methods/method.ts';
import { replyShape } from '../../methods/reply-shape.ts';
import type { LlmRun } from '../drivers/llm-run.ts';
import { deriveSeed } from '../seeds.ts';
import { type Asked, askModel } from './ask-model.ts';
import { UnusableReplies } from './unusable.ts';

/** The current call. */
export interface CallState {
  readonly iteration: number;
  readonly purpose: Purpose;
  /** name of the model that is asked now */
  readonly model: string;
  readonly progress: CallProgress;
}

/** Seeds of requests are kept in 31 bits by many endpoints. */
const requestSeedLimit = 2 ** 31;

type Call = Parameters<Effects['ask']>[0];

export class RunCalls {
  /** calls so far, those in the journal included */
  count = 0;
  /** reply of the latest call; null: it was read from the journal */
  latest: AskedReply | null = null;
  readonly unusable = new UnusableReplies();
  /** notices that the user has seen */
  readonly #shown = new Set<string>();

  /** Makes a call and reports its progress; `number` counts the calls of the run from 0. */
  async ask(
    run: LlmRun,
    { iteration, purpose }: Omit<Call, 'messages' | 'forbidden'>,
    messages: Call['messages'],
    forbidden: Call['forbidden'],
    number: number,
  ): Promise<Asked> {
    const { units, signal, folder, log, onNotice, onCall } = run;
    const { config, settings: search, models, policy } = units;
    const modelSeed = config.llm.seed;
    const seed = modelSeed === null ? null : deriveSeed(modelSeed, 'model', number) % requestSeedLimit;
    const settings = purposeSettings(config, purpose);
    const question = { purpose, messages, shape: { ...replyShape(policy, search), forbidden }, settings, seed };
    let model = models[purpose].first.id;
    try {
      return await askModel(models[purpose], question, {
        signal,
        run: folder,
        log,
        notice: onNotice,
        shown: this.#shown,
        onModel: ({ id }) => {
          model = id;
        },
        onProgress: onCall && ((progress) => onCall({ iteration, purpose, model, progress })),
      });
    } finally {
      onCall?.(null);
    }
  }
}
