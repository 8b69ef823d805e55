/** One call of a run: by the first model that can be used, in the form to which that one can be held. */
import { ModelError } from '../../base/errors.ts';
import type { PurposeSettings } from '../../config/purpose.ts';
import { type CallOptions, type ChatModel, type ChatReply, type Message, ReplyFormRefused } from '../../llm/chat.ts';
import type { ModelChain } from '../../llm/fallback.ts';
import type { ReplyForm, ReplyShape } from '../../llm/reply/shape.ts';
import type { Purpose } from '../../methods/method.ts';
import type { EventOf } from '../journal/events.ts';

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

/** What it is that a reply is held by, for messages. */
const formNames: Readonly<Record<ReplyForm, string>> = {
  grammar: 'a grammar',
  regex: 'a regular expression',
  json: 'a JSON schema',
  begun: 'a reply begun for the model',
  lines: 'nothing but the prompt',
};

/** The wanted form where the model has it, else the strongest that it has. `refused`: what it refused just now. */
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
    // What answers from a record, or is no language model, has the forms that it has.
    if (wanted !== 'auto' && form !== wanted && refused.size === 0 && model.kind === 'model') {
      once(
        `llm.reply_form: ${model.id} cannot hold replies by ${formNames[wanted]} ("${wanted}"); ${formNames[form]} ("${form}") holds them`,
      );
    }
    const request = { messages: await messages(form), temperature: settings.temperature, seed };
    try {
      const reply = await model.complete({ ...request, purpose, constraint: { form, shape } }, call);
      // Where caches may split the text is not part of the question.
      const texts = request.messages.map(({ role, content }) => ({ role, content }));
      return { request: { ...request, messages: texts, form }, reply };
    } catch (error) {
      if (!(error instanceof ReplyFormRefused)) throw error;
      // Lines ask nothing of an endpoint: whoever refuses them refuses the request.
      if (form === 'lines') throw new ModelError(`model ${model.id}`, error.message, { cause: error });
      refused.add(form).add(error.form);
      const next = chooseForm(model, wanted, refused);
      once(
        `${model.id} refuses replies held by ${formNames[form]} ("${error.reason}"); ${formNames[next]} ("${next}") holds them from now on`,
      );
    }
  }
}

export interface Asked {
  readonly request: EventOf<'llm_call'>['request'];
  readonly reply: ChatReply;
}

/** Throws what `complete` of the last model in the chain throws. */
export function askModel(chain: ModelChain, question: Question, options: AskOptions): Promise<Asked> {
  return chain.answer((model) => askOne(model, question, options), options.log);
}
