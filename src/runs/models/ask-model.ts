/** One call of a run: to the first usable model, in the strongest reply form that it supports. */
import { ModelError } from '../../base/errors.ts';
import type { PurposeSettings } from '../../config/purpose.ts';
import { type CallOptions, type ChatModel, type ChatReply, type Message, ReplyFormRefused } from '../../llm/chat.ts';
import type { ModelChain } from '../../llm/fallback.ts';
import type { ReplyForm, ReplyShape } from '../../llm/reply/shape.ts';
import type { Purpose } from '../../methods/method.ts';
import type { BodyOf } from '../journal/events.ts';

export interface Question {
  readonly purpose: Purpose;
  readonly messages: (form: ReplyForm) => Promise<readonly Message[]>;
  readonly shape: ReplyShape;
  readonly settings: Pick<PurposeSettings, 'temperature' | 'replyForm'>;
  readonly seed: number | null;
}

export interface AskOptions extends CallOptions {
  /** shown once for all calls that have the same `shown` */
  readonly notice?: ((text: string) => void) | undefined;
  readonly shown: Set<string>;
  /** Called with each model that is asked. */
  readonly onModel?: ((model: ChatModel) => void) | undefined;
}

/** How a reply is constrained, for messages. */
const formNames: Readonly<Record<ReplyForm, string>> = {
  grammar: 'a grammar',
  regex: 'a regular expression',
  json: 'a JSON schema',
  begun: 'a reply begun for the model',
  lines: 'nothing but the prompt',
};

/** The wanted form if the model supports it, else its strongest. `refused`: forms that it refused in this call. */
function chooseForm(
  model: ChatModel,
  wanted: Question['settings']['replyForm'],
  refused: ReadonlySet<ReplyForm>,
): ReplyForm {
  const there = model.replyForms.filter((form) => !refused.has(form));
  return there.find((form) => form === wanted) ?? there[0] ?? 'lines';
}

async function askOne(model: ChatModel, question: Question, options: AskOptions): Promise<Asked> {
  const { purpose, messages, shape, settings, seed } = question;
  const { notice, shown, onModel, ...call } = options;
  const once = (text: string): void => {
    if (shown.has(text)) return;
    shown.add(text);
    notice?.(text);
  };
  const wanted = settings.replyForm;
  const refused = new Set<ReplyForm>();
  onModel?.(model);
  for (;;) {
    const form = chooseForm(model, wanted, refused);
    // Recordings and substitutes ignore the form.
    if (wanted !== 'auto' && form !== wanted && refused.size === 0 && model.kind === 'model') {
      once(
        `llm.reply_form: ${model.id} cannot constrain replies by ${formNames[wanted]} ("${wanted}"); uses ${formNames[form]} ("${form}")`,
      );
    }
    const request = { messages: await messages(form), temperature: settings.temperature, seed };
    try {
      const reply = await model.complete({ ...request, purpose, constraint: { form, shape } }, call);
      // Cache marks are not part of the journal.
      const texts = request.messages.map(({ role, content }) => ({ role, content }));
      return { request: { ...request, messages: texts, form }, reply };
    } catch (error) {
      if (!(error instanceof ReplyFormRefused)) throw error;
      // Lines do not constrain: a refusal of them is a refusal of the request.
      if (form === 'lines') throw new ModelError(`model ${model.id}`, error.message, { cause: error });
      refused.add(form).add(error.form);
      const next = chooseForm(model, wanted, refused);
      once(
        `${model.id} refuses replies constrained by ${formNames[form]} ("${error.reason}"); uses ${formNames[next]} ("${next}") from now on`,
      );
    }
  }
}

export interface Asked {
  readonly request: BodyOf<'llm_call'>['request'];
  readonly reply: ChatReply;
  /** of the requests of this call that got no reply; left out: none reported any */
  readonly failed_usage?: BodyOf<'llm_call'>['failed_usage'];
}

/** Throws what `complete` of the last model in the chain throws. */
export function askModel(chain: ModelChain, question: Question, options: AskOptions): Promise<Asked> {
  return chain.answer((model) => askOne(model, question, options), options.log);
}
