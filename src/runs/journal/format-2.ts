/**
 * Format 2 of the record: nothing stands twice. A message is a patch of the one before it, and the parameters of a
 * candidate stand in its `evaluated` event alone, so that a record grows with its iterations and not with their square.
 */
import { z } from 'zod';
import { NumberLists } from '../../base/number-lists.ts';
import type { Message } from '../../llm/chat.ts';
import { textDigest } from '../../llm/text-digest.ts';
import {
  type BodyOf,
  type EventBody,
  type EventOf,
  event,
  eventCheck,
  events,
  type RunEvent,
  recordedMessage,
  requestOf,
} from './events.ts';
import type { EventCodec, RecordFormat, Stamp } from './format.ts';
import { applyPatch, makePatch } from './text-patch.ts';

const count = z.int().min(0);
/** A text, or the pieces that make it of the text of the message at this place of the call with this `seq`. */
const message = z.union([
  recordedMessage.extend({ content: z.string() }),
  recordedMessage.extend({
    base: count,
    pieces: z.array(z.union([z.string(), z.tuple([count, count])])),
  }),
]);
const { iteration, rechecked, sensitivity } = events;
const candidate = iteration.shape.candidates.element;
const trial = iteration.shape.trial.unwrap();

const call = event('llm_call', { ...events.llm_call.shape, request: requestOf(message) });
const stored = {
  ...events,
  llm_call: call,
  // Parameters are left out where an earlier event has them: an `evaluated` of the iteration, or the iteration itself.
  iteration: event('iteration', {
    ...iteration.shape,
    candidates: z.array(candidate.partial({ params: true })),
    /** without parameters and mean: those of the kept candidate */
    trial: trial.partial({ params: true, mean: true }).nullable(),
  }),
  rechecked: event('rechecked', { ...rechecked.shape, params: rechecked.shape.params.optional() }),
  sensitivity: event('sensitivity', { ...sensitivity.shape, params: sensitivity.shape.params.optional() }),
};
const check = eventCheck(stored);

type Params = readonly number[];
type StoredIteration = z.output<typeof stored.iteration>;
type StoredMessage = z.output<typeof message>;

function same(a: Params | undefined, b: Params): boolean {
  return a !== undefined && a.length === b.length && a.every((value, i) => value === b[i]);
}

/** The parameters that events so far have stated. */
class KnownParams {
  #iteration = -1;
  /** of the iteration under way, by label */
  readonly #evaluated = new Map<string, Params>();
  readonly #kept = new NumberLists();
  /** places in `#kept` by iteration */
  readonly #places: number[] = [];

  add(event: RunEvent): void {
    if (event.type === 'evaluated') {
      this.#enter(event.iteration);
      this.#evaluated.set(event.candidate, event.params);
    } else if (event.type === 'iteration' && event.trial) {
      this.#places[event.iteration] = this.#kept.push(event.trial.params);
    }
  }

  evaluated(iteration: number, label: string): Params | undefined {
    return iteration === this.#iteration ? this.#evaluated.get(label) : undefined;
  }

  latest(iteration: number): Params | undefined {
    return iteration === this.#iteration ? [...this.#evaluated.values()].at(-1) : undefined;
  }

  kept(iteration: number): Params | undefined {
    const place = this.#places[iteration];
    return place === undefined ? undefined : [...this.#kept.view(place)];
  }

  #enter(iteration: number): void {
    if (iteration !== this.#iteration) this.#evaluated.clear();
    this.#iteration = iteration;
  }
}

/** The latest messages by purpose and place in their request. */
class LatestTexts {
  readonly #texts = new Map<string, { readonly seq: number; readonly text: string }>();

  get(purpose: string, place: number) {
    return this.#texts.get(`${purpose} ${place}`);
  }

  set(purpose: string, place: number, seq: number, text: string): void {
    this.#texts.set(`${purpose} ${place}`, { seq, text });
  }
}

class Codec implements EventCodec {
  readonly #params = new KnownParams();
  readonly #texts = new LatestTexts();

  encode(body: EventBody, stamp: Stamp): object {
    return { ...this.#stored(body), ...stamp };
  }

  #stored(body: EventBody): object {
    switch (body.type) {
      case 'llm_call': {
        const messages = body.request.messages.map((sent, place) => this.#message(body.purpose, sent, place));
        return { ...body, request: { ...body.request, messages } };
      }
      case 'iteration':
        return this.#iteration(body);
      case 'rechecked':
        return this.#withoutParams(body, this.#params.kept(body.iteration));
      case 'sensitivity':
        return this.#withoutParams(body, this.#params.latest(body.iteration));
      default:
        return body;
    }
  }

  #withoutParams<B extends { readonly params: Params }>(body: B, known: Params | undefined): object {
    const { params, ...rest } = body;
    return same(known, params) ? rest : body;
  }

  #iteration(body: BodyOf<'iteration'>): object {
    const { trial } = body;
    const kept = body.candidates.find(({ label }) => label === body.kept);
    const isKept = trial && kept && same(kept.params, trial.params) && Object.is(kept.mean, trial.mean);
    return {
      ...body,
      candidates: body.candidates.map((played) =>
        this.#withoutParams(played, this.#params.evaluated(body.iteration, played.label)),
      ),
      trial: isKept ? { kind: trial.kind } : trial,
    };
  }

  #message(purpose: string, { role, content }: Message, place: number): StoredMessage {
    const digest = textDigest(content);
    const before = this.#texts.get(purpose, place);
    const pieces = before ? makePatch(before.text, content) : null;
    // What would not come back to the bit is written as it is.
    return before && pieces && applyPatch(before.text, pieces) === content
      ? { role, digest, base: before.seq, pieces: pieces as (string | [number, number])[] }
      : { role, digest, content };
  }

  sent(event: EventOf<'llm_call'>, messages: readonly Message[]): void {
    for (const [place, { content }] of messages.entries()) this.#texts.set(event.purpose, place, event.seq, content);
  }

  decode(line: unknown): ReturnType<EventCodec['decode']> {
    const checked = check(line);
    if ('problem' in checked) return checked;
    const decoded = this.#withParams(checked.event as z.output<(typeof stored)[keyof typeof stored]>);
    if ('event' in decoded) this.#params.add(decoded.event);
    return decoded;
  }

  #withParams(line: z.output<(typeof stored)[keyof typeof stored]>): ReturnType<EventCodec['decode']> {
    switch (line.type) {
      case 'llm_call': {
        const messages = line.request.messages.map(({ role, digest }) => ({ role, digest }));
        return { event: { ...line, request: { ...line.request, messages } } };
      }
      case 'iteration':
        return this.#wholeIteration(line);
      case 'rechecked': {
        const params = line.params ?? this.#params.kept(line.iteration);
        return params ? { event: { ...line, params } } : missing('params', `iteration ${line.iteration}`);
      }
      case 'sensitivity': {
        const params = line.params ?? this.#params.latest(line.iteration);
        return params ? { event: { ...line, params } } : missing('params', 'an evaluated candidate');
      }
      default:
        return { event: line };
    }
  }

  #wholeIteration(line: StoredIteration): ReturnType<EventCodec['decode']> {
    const candidates: EventOf<'iteration'>['candidates'][number][] = [];
    for (const [i, { label, mean, params: own }] of line.candidates.entries()) {
      const params = own ?? this.#params.evaluated(line.iteration, label);
      if (!params) return missing(`candidates.${i}.params`, `an evaluated "${label}"`);
      candidates.push({ label, params, mean });
    }
    if (line.trial === null) return { event: { ...line, candidates, trial: null } };
    const { kind, ...own } = line.trial;
    const kept = candidates.find(({ label }) => label === line.kept);
    const { params, mean } = { params: kept?.params, mean: kept?.mean, ...own };
    if (params === undefined || mean === undefined) return missing('trial', 'a kept candidate');
    return { event: { ...line, candidates, trial: { kind, params, mean } } };
  }

  restore(line: unknown): ReturnType<EventCodec['restore']> {
    const { request, purpose, seq } = line as z.output<typeof call>;
    const messages: Message[] = [];
    for (const [place, saved] of request.messages.entries()) {
      const text = this.#textOf(purpose, saved, place);
      if (text === null) return { problem: `"request.messages.${place}": a patch of a message that is not there` };
      if (textDigest(text) !== saved.digest)
        return { problem: `"request.messages.${place}": a text with another digest` };
      messages.push({ role: saved.role, content: text });
      this.#texts.set(purpose, place, seq, text);
    }
    return { messages };
  }

  #textOf(purpose: string, saved: StoredMessage, place: number): string | null {
    if ('content' in saved) return saved.content;
    const before = this.#texts.get(purpose, place);
    return before?.seq === saved.base ? applyPatch(before.text, saved.pieces) : null;
  }
}

function missing(key: string, where: string): { readonly problem: string } {
  return { problem: `"${key}": expected the parameters of ${where} before it, found none` };
}

export const format2: RecordFormat = { number: 2, chained: true, open: () => new Codec() };
