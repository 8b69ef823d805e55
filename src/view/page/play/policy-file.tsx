/** The policy as a file: to copy, and to paste another. */
import { useEffect, useState } from 'preact/hooks';
import type { Env } from '../../../envs/env.ts';
import type { Engine } from './load.ts';
import type { Subject } from './subject.ts';

/** A policy of 100,000 parameters takes 2 MB. */
const longestText = 4_000_000;
const source = 'the pasted text';

export interface PastedPolicy {
  readonly env: string;
  readonly envOptions: Readonly<Record<string, unknown>>;
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly params: readonly number[];
}

/** A policy file in the format of best.json. Throws a usage error that names the line, the key or the parameter. */
function readPasted(
  engine: Pick<Engine, 'namedEnv' | 'parsePolicy' | 'findEnv' | 'UsageError'>,
  text: string,
  current: Env,
): PastedPolicy {
  if (text.length > longestText) {
    throw new engine.UsageError(
      'policy',
      `expected at most ${longestText} characters in ${source}, got ${text.length}; play it with r2po eval --policy`,
    );
  }
  const input = { name: source, text };
  const named = engine.namedEnv(input);
  const env = named === null ? current : engine.findEnv(named.env, named.options);
  const { policy, params } = engine.parsePolicy(input, env);
  return {
    env: env.id,
    envOptions: env.options,
    kind: policy.kind,
    options: policy.options,
    params: Array.from(params),
  };
}

export function PolicyFile({
  engine,
  subject,
  params,
  onUse,
}: {
  engine: Engine;
  subject: Subject;
  params: readonly number[];
  onUse: (policy: PastedPolicy) => void;
}) {
  const { env, policy } = subject;
  const own = JSON.stringify(engine.policyDocument(policy, params, { env: env.id, env_options: env.options }), null, 1);
  const [text, setText] = useState<string | null>(null);
  const [message, setMessage] = useState<{ text: string; isProblem: boolean } | null>(null);
  useEffect(() => setMessage(null), [own]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(own);
      setMessage({ text: 'The policy was copied; save it as policy.json.', isProblem: false });
    } catch {
      setMessage({ text: 'This browser does not let a page copy; select the text above.', isProblem: true });
    }
  };
  const use = (): void => {
    try {
      onUse(readPasted(engine, text ?? own, env));
      setText(null);
      setMessage({ text: 'The pasted policy is played.', isProblem: false });
    } catch (error) {
      setMessage({ text: (error as Error).message, isProblem: true });
    }
  };
  return (
    <div class="policy-file">
      <textarea
        aria-label="Policy file"
        rows={8}
        spellcheck={false}
        value={text ?? own}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <div class="transport">
        <button type="button" onClick={copy}>
          Copy
        </button>
        <button type="button" onClick={use} disabled={text === null}>
          Use the pasted policy
        </button>
        {text !== null && (
          <button type="button" onClick={() => setText(null)}>
            Discard
          </button>
        )}
      </div>
      {message !== null && (
        <p role={message.isProblem ? 'alert' : 'status'} class={message.isProblem ? 'play-problem' : 'quiet'}>
          {message.text}
        </p>
      )}
    </div>
  );
}
