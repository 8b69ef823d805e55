/** Shapes of replies that models have written, and what a careful reader takes from each. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReply, type ReplySpec } from '../../../src/llm/reply/parse.ts';
import { splitReasoning } from '../../../src/llm/reply/reasoning.ts';

interface ReplyCase {
  readonly id: string;
  readonly reply: string;
  readonly expected: 'value' | 'refuse' | 'value or refuse';
}

const { value, cases } = JSON.parse(readFileSync('test/cases/replies.json', 'utf8')) as {
  readonly value: readonly number[];
  readonly cases: readonly ReplyCase[];
};

const spec = (count: number, change: Partial<ReplySpec> = {}): ReplySpec => ({
  count,
  values: { kind: 'real' },
  low: -6,
  high: 6,
  decimals: 1,
  outOfRange: 'refuse',
  ...change,
});

describe('a reply', () => {
  it.each(cases)('$expected: $id', ({ reply, expected }) => {
    const parsed = parseReply(reply, spec(value.length));
    if (parsed.ok) {
      expect(parsed.params).toEqual(value);
      expect(expected).not.toBe('refuse');
    } else {
      expect(parsed.problem).toMatch(/^[A-Zp].*\.$/s);
      expect(expected).not.toBe('value');
    }
  });

  it.each(cases)('with Windows line ends and blanks around it: $id', ({ reply }) => {
    const plain = parseReply(reply, spec(value.length));
    const dressed = parseReply(`\n\uFEFF${reply.replaceAll('\n', '\r\n')}\r\n\r\n`, spec(value.length));
    if (plain.ok) expect(dressed).toMatchObject({ ok: true, params: plain.params });
  });

  it('says how to do better', () => {
    const problemOf = (reply: string) => {
      const parsed = parseReply(reply, spec(3));
      return parsed.ok ? 'accepted' : parsed.problem;
    };
    expect(problemOf('trial 3: params = [1, 2, 3]; rollout_reward = -9')).toMatch(/only repeats points .* give new/);
    expect(problemOf('Option A: [1, 2, 3]\nOption B: [2, 2, 3]')).toMatch(/2 different .* does not say which one/);
    expect(problemOf('[1, 2, 3]\nWait, this was measured already.')).toMatch(/takes its parameters back/);
    expect(problemOf('Draft: [1, 2, 3]')).toMatch(/only as a draft or an example/);
    expect(problemOf('params[0]: 1, params[1]: 2, params[2]: 0.')).toMatch(/params\[2\] ends in a point .* cut off/);
    expect(problemOf('<|channel|>analysis<|message|>[1, 2, 3]')).toMatch(/opens the channel "analysis", never closes/);
    expect(problemOf('x [1] '.repeat(3000))).toMatch(/thousands of groups of numbers; the first line must begin with/);
  });
});

describe('numbers that a reply does not propose', () => {
  const pairs = 'params[0]: 1.5, params[1]: -0.5, params[2]: 0.2';
  const lines = pairs.replaceAll(', ', '\n');
  const list = '[1.5, -0.5, 0.2]';
  const object = '{"params[0]": 1.5, "params[1]": -0.5, "params[2]": 0.2}';
  const problemOf = (reply: string) => {
    const parsed = parseReply(reply, spec(3));
    return parsed.ok ? `accepted: ${parsed.params}` : parsed.problem;
  };

  const other = /something else than parameters/;
  it.each([
    ...['Change', 'Delta', 'Suggested change', 'Change from trial 3', 'Difference from the best point', 'Adjustment'],
    ...['Parameter changes', 'Changes to the parameters', 'Final change', 'New deltas', 'Update', 'Increment', 'Step'],
    ...['Step size per parameter', 'Search direction', 'Relative to the best point', 'Δ', 'Best answer minus current'],
    ...[
      'Gradient',
      'Estimated gradient',
      'Gradient estimate',
      'Here is the gradient',
      'The gradient is',
      'Sensitivity',
    ],
    ...['Sensitivity of each parameter', 'Correlation of params with reward', 'Effect of each parameter', 'Importance'],
    ...['Standard deviation', 'Variance of the params', 'Uncertainty', 'Noise', 'Learning rates', 'Scale factors'],
    ...['Weights of evidence', 'Lower bounds', 'Maximum values', 'Allowed ranges', 'Rewards', 'Final state'],
    ...['I computed the following changes', 'The change I suggest is', 'Multiply the params by these factors'],
  ])('are no answer as "%s"', (label) => {
    for (const reply of [
      `${label}: ${list}`,
      `${label}: ${pairs}`,
      `**${label}:**\n${lines}`,
      `## ${label}\n${list}`,
    ]) {
      expect(problemOf(reply)).toMatch(other);
    }
    expect(parseReply(`${label}: [0.5, 0, 1]\nNew parameters: ${list}`, spec(3))).toMatchObject({ params: value });
  });

  it.each([
    ...['delta', 'change', 'changes', 'increment', 'update', 'correlation', 'gradient', 'grads', 'sensitivity', 'diff'],
    ...['params_delta', 'deltaParams', 'param_changes', 'd_params', 'relative_params', 'step', 'step_size', 'offset'],
    ...[
      'std',
      'sigma',
      'variance',
      'noise',
      'bounds',
      'min',
      'max',
      'lower',
      'upper',
      'range',
      'rewards',
      'importance',
    ],
    ...['learning_rate', 'evidence_weights', 'confidence', 'increase_by', 'add', 'multiply_by'],
  ])('are no answer under the key "%s"', (key) => {
    for (const reply of [`{"${key}": ${list}}`, `{"${key}": ${object}}`, `{"${key}": {"params": ${list}}}`]) {
      expect(problemOf(reply)).toMatch(other);
    }
    expect(problemOf(`${key} = ${list}`)).toMatch(other);
    const both = `{"${key}": [0.5, 0, 1], "params": ${list}}`;
    expect(parseReply(both, spec(3))).toMatchObject({ params: value });
  });

  it.each([
    ...[`${pairs} (relative to the best point)`, `${list} relative to trial 3`, `${pairs} (change from trial 3)`],
    ...[`${list} are the changes.`, `{"foo": ${list}}`, `{"operation": "add", "params": ${list}}`],
    ...[`{"mode": "relative", "params": ${list}}`, `{"params": ${list}, "relative": true}`, `grad = ${list}`],
    ...[`| Parameter | Gradient |\n|---|---|\n${value.map((v, i) => `| params[${i}] | ${v} |`).join('\n')}`],
    ...[`| | params[0] | params[1] | params[2] |\n|---|---|---|---|\n| change | ${value.join(' | ')} |`],
    ...['Change in params: 1.5, -0.5, 0.2', 'Gradient of the params: 1.5, -0.5, 0.2'],
    ...[`<delta>${list}</delta>`, `<change>\n${lines}\n</change>`, `梯度：${list}`, `变化量：${pairs}`],
    ...[`{"name": "add_to_params", "arguments": {"params": ${list}}}`, `Gradient\n========\n${list}`],
    ...[`${pairs} more than in trial 3`, `${pairs} should be added to the best point`, `${pairs} (all are increments)`],
  ])('are no answer as another quantity: %s', (reply) => {
    expect(parseReply(reply, spec(3)).ok).toBe(false);
  });

  it.each([
    ...[`2 * ${list}`, `2*${list}`, `-${list}`, `- 1 * ${list}`, `-(1.5, -0.5, 0.2)`, `${list} + ${list}`],
    ...[`${list} * 0.5`, `${list}*0.5`, `${list} / 2`, `${list} × 2`, `${list} - [1, 1, 1]`, `[1, 1, 1] - ${list}`],
    ...[`${list} ** 2`, `${list} times 2`, `${list}, all times 2`, `${list}.map(x => 2 * x)`, `params = ${list}[::-1]`],
    ...[
      `np.add(${list}, 1)`,
      `np.add(best, ${list})`,
      `params = np.add(${list}, [1, 1, 1])`,
      `params = softmax(${list})`,
    ],
    ...[`params = best + ${list}`, `params = best - ${list}`, `params = best + \n${list}`, `params = 2 * ${list}`],
    ...[`params = 2 * np.array(${list})`, `params = np.array(${list}) * 2`, `params = -np.array(${list})`],
    ...[`params += ${list}`, `params = -${list}`, `params = 1e-1 ${list}`, `params = [2 * x for x in ${list}]`],
    ...[`params = list(map(f, ${list}))`, `params = torch.mul(torch.tensor(${list}), 2)`, `params = ${list} - delta`],
    ...[
      `Answer: best point + ${list}`,
      `Answer: trial 3 plus ${list}`,
      `Answer: twice ${list}`,
      `Answer: half of ${list}`,
    ],
    ...[
      `Answer: the sum of best and ${list}`,
      `$2 \\cdot ${list}$`,
      `2 * (${pairs})`,
      `${pairs} (each multiplied by 2)`,
    ],
    ...[`{"params": 2 * ${list}}`, `{"params": best + ${list}}`, `{"params": -${list}}`, `{"params": "2 * ${list}"}`],
    ...[
      `{"params": np.add(best, ${list})}`,
      `Change the params by ${pairs}`,
      `I propose adding ${list} to the best point.`,
    ],
    ...[`params.add(${list})`, `adjust(delta=${list})`, `Add ${pairs} to the best point.`],
  ])('are no answer as an operand: %s', (reply) => {
    expect(parseReply(reply, spec(3)).ok).toBe(false);
  });

  it.each([
    ...['params[0] += 1', 'params[1] -= 0.3', 'params *= 2', 'params = params * 2', 'params = -params'],
    ...['params[0] = params[0] + 1', 'params = [2 * p for p in params]', 'params = np.clip(params, -1, 1)'],
    ...['params.reverse()', 'params[0], params[1] = params[1], params[0]', 'for i in range(3): params[i] += 1'],
    ...['Change params[2] to 4.', 'Actually, make params[1] = -3', 'Set params[2] to 4.', 'But use params[2] = 4.'],
    ...['No, params[2] should be 4.', 'Then change params[2] to 4.', 'I will change params[2] to 4.'],
    ...[
      'It moves on.\n\nUpdate:\nparams[2]: 4',
      'params[2] = 4',
      'Replace params[1] with -3.',
      'I meant params[2]: 4.',
    ],
    ...['Now double params[0].', 'Then negate params[1].', 'Swap params[0] and params[1].', 'Multiply all by 2.'],
    ...[
      'params[2] needs to be 4.',
      'The last value should be 4.',
      'Make the third parameter 4.',
      'Use 4 for params[2].',
    ],
  ])('are no answer with a change below: %s', (change) => {
    for (const answer of [pairs, `params = ${list}`]) {
      expect(problemOf(`${answer}\n${change}`)).toMatch(/changes its answer in part; write all 3 numbers again/);
    }
  });

  it.each([
    ...['Change it to #.', 'Use # instead.', 'Replace it with #.', 'I will use # instead.', 'Make it #.', 'I meant #.'],
    ...['It should be #.', 'The answer should have been #.', 'Please use # instead.', 'But the answer must be #.'],
  ])('are no answer with others in their place: %s', (replacement) => {
    for (const others of ['[3, 3, 3]', 'params[0]: 3, params[1]: 3, params[2]: 3']) {
      expect(problemOf(`${pairs}\n${replacement.replace('#', others)}`)).toMatch(
        /replaces its answer by other parameters/,
      );
      expect(parseReply(`${pairs}\n${replacement.replace('#', list)}`, spec(3))).toMatchObject({ params: value });
    }
    expect(parseReply('params[0]: 1.5\nChange params[0] to 4.', spec(1)).ok).toBe(false);
  });

  it.each([
    ...[', with params[0] doubled', ' (but with params[2] = 4)', ', but params[2] = 4', ' with the last two swapped'],
    ...[' in reverse order', ' except params[2], which is 4', ', plus the best point'],
  ])('are no answer with a change behind: %s', (change) => {
    for (const answer of [pairs, list]) expect(parseReply(`${answer}${change}`, spec(3)).ok).toBe(false);
  });

  it.each([
    ...[
      `I won't propose ${pairs}`,
      `I can't use ${list}.`,
      `We cannot use ${pairs}.`,
      `The answer must not be ${list}`,
    ],
    ...[`The params shouldn't be ${list}`, `Forbidden: ${pairs}`, `Excluded: ${list}`, `Duplicate: ${list}`],
    ...[`Known point: ${list}`, `I refuse to propose ${pairs}`, `None of these: ${pairs}`, `🚫 ${pairs}`],
    ...[`The following is forbidden:\n${pairs}`, `These must not be repeated:\n${list}`, `You can't use:\n${lines}`],
    ...[`${pairs} must not be used`, `${list} is forbidden`, `${pairs} (excluded)`, `${pairs} - duplicate`],
    ...[`${pairs} (already tried)`, `${pairs} has already been tried`, `${pairs} won't work`, `${pairs} can't be used`],
    ...[`${pairs}\nThis must not be used.`, `${pairs}\nThis point is forbidden.`, `${pairs}\nThat won't work.`],
    ...[`${pairs}\nUnfortunately, this point is already in the list.`, `${pairs}\nI can't propose this.`],
    ...[`{"params": ${list}, "ok": false}`, `{"params": ${list}, "error": "outside"}`, `{"forbidden": ${list}}`],
    ...[`{"params": ${list}, "valid": "no"}`, `{"params": ${list}, "status": "rejected"}`, `{"not_params": ${list}}`],
    ...[`{"params": ${list}, "duplicate": true}`, `{"ok": false, "result": {"params": ${list}}}`],
    ...[`{"error": {"params": ${list}}}`, `{"params": ${list}, "message": "error: not allowed"}`],
  ])('are no answer where the text refuses them: %s', (reply) => {
    expect(parseReply(reply, spec(3)).ok).toBe(false);
  });

  it.each([
    ...[
      `Should we try ${pairs}?`,
      `Should we try ${pairs} next?`,
      `What about ${list}?`,
      `${list}?`,
      `${pairs}, right?`,
    ],
    ...[`Could ${pairs} be better?`, `Is ${pairs} the optimum?`, `Should we try this?\n${pairs}`, `Why not ${pairs}?`],
    ...[`Should we try:\n${lines}?`, `params = ${list}?`, `{"question": "Should we try ${list}?"}`],
    ...[`Let me know whether I should use ${pairs}.`, `我们应该试试 ${list} 吗？`],
  ])('are no answer as a question: %s', (reply) => {
    expect(problemOf(reply)).toMatch(/only asks about parameters|only as a draft/);
  });

  it.each([
    ...[`{"type": "object", "properties": {"params": {"type": "array", "default": ${list}}}}`, `Default: ${list}`],
    ...[`{"properties": {"params": {"type": "array", "examples": [${list}]}}}`, `{"params": {"const": ${list}}}`],
    ...[
      `{"params": {"type": "array", "description": "${list}"}}`,
      `{"properties": {"params": {"default": ${object}}}}`,
    ],
  ])('are no answer in a schema: %s', (reply) => {
    expect(problemOf(reply)).toMatch(/only as a draft or an example/);
  });

  it.each([
    ...[', f(params): -99.9', '; f(params) = -99.9', '\nf(params): -99.9', ' | f(params): -99.9', ', f(x): -99.9'],
    ...[', value: -99.9', ', f(params): nan', ', f: -99.9', '\nrollout_reward = -99.9'],
  ])('are no answer with what was measured there: %s', (measured) => {
    expect(problemOf(`${pairs}${measured}`)).toMatch(/only repeats points/);
    expect(problemOf(`${lines}${measured}`)).toMatch(/only repeats points/);
    expect(problemOf(`f(params): -99.9, ${pairs}`)).toMatch(/only repeats points/);
  });

  it('are told from a proposal by these words', () => {
    expect(problemOf(`2 * ${list}`)).toMatch(/leaves its parameters to be computed; write the resulting numbers/);
    expect(problemOf(`Gradient: ${list}`)).toMatch(
      /calls something else than parameters; give the parameters themselves/,
    );
    expect(problemOf(`Should we try ${pairs}?`)).toMatch(/only asks about parameters; give one parameter set/);
  });

  const proposed = [
    ...[`New parameters after a small change: ${pairs}`, `I change the parameters to ${pairs}`, `Next step: ${pairs}`],
    ...[`Adjusted parameters: ${list}`, `To increase the reward: ${pairs}`, `Given the gradient, I choose ${pairs}`],
    ...[`Based on the sensitivity of each parameter, the next point is: ${list}`, `Step 2: ${pairs}`],
    ...[`I can't see a trend yet, so I explore: ${pairs}`, `Trial 3 doesn't work well, so I go with ${pairs}`],
    ...[`What should we try next?\n${pairs}`, `Ready? Here it is: ${pairs}`, `${pairs} Why? It leans.`],
    ...[`params = ${list}\nprint(params)`, `params = np.array(${list}).tolist()`, `best + [0, 0.1, 0.1] = ${list}`],
    ...[`params = ${list} - pushes right`, `- ${list}`, `* ${list}`, `Answer - ${list}`, `Answer: *${list}*`],
    ...[`params = ${list}  # not tried yet`, `const params = ${list};`, `theta = ${list}`],
    ...[`-params[0]: 1.5\n-params[1]: -0.5\n-params[2]: 0.2`, `params[0]: 1.5 * params[1]: -0.5 * params[2]: 0.2`],
    ...[
      `<delta>[3, 3, 3]</delta>\n<params>${list}</params>`,
      `{"name": "update_params", "arguments": {"params": ${list}}}`,
    ],
    ...[`policy.set_params(${list})`, `propose_params(params=${list})`, `All within bounds: ${pairs}`],
    ...[`{"delta": [0.5, 0, 0], "params": ${list}}`, `{"params": ${list}, "error": null}`, `{"policy": ${list}}`],
    ...[`{"ok": true, "error": "", "params": ${list}}`, `{"newParams": ${list}}`, `{"response": "${pairs}"}`],
    ...[`{"type": "object", "properties": {"params": ${list}, "why": "x"}}`, `{"params": ${list}, "duplicate": false}`],
    ...[`{"params": ${list}, "why": "Change params[2] to 4 next time."}`, `{"vec": ${list}}`, `{"x": ${list}}`],
    ...[
      `| Parameter | Old | Change | New |\n|---|---|---|---|\n${value.map((v, i) => `| params[${i}] | 1 | 2 | ${v} |`).join('\n')}`,
    ],
  ];
  const explanations = [
    ...['I raised params[0] from 1 to 1.5 since the change helped.', 'Increase params[0] by 0.5 to push harder.'],
    ...['Set params[0] to 1.5 to push harder.', 'The gradient of the reward points towards larger params[0].'],
    ...['Trial 3 with params[2] = 4 was worse.', "This won't overshoot, and it cannot be a duplicate."],
    ...['It is not in the list above.', 'This point has not been measured yet.', 'Does it overshoot? No.'],
    ...['Changes:\n- params[0]: +0.5\n- params[1]: -0.2', 'Changes from trial 3:\n- params[0]: 1.5 (was 1)'],
    ...['params[0]: 1.5 pushes harder; params[1]: -0.5 damps.', "We can't go below -6, so params[1] stays."],
    ...['mean_reward = 9.4 (mean return over 20 episodes)', 'The best f(params) so far is -99.9 at trial 3.'],
    ...['f(params) should rise above -99.9.', 'If this fails, change params[2] to 0.', 'Next: try params[2] = 1.'],
    ...['Compared with trial 3, I doubled params[0].', 'This is trial 4 with params[1] negated.'],
    ...['Double the gain of trial 3.', 'It will not work if the angle is large.', 'I do not want to repeat trial 3.'],
    ...['It is trial 3 + [0.5, -0.5, 0].', 'The difference from trial 3 is [0.5, -0.5, 0].', 'params.append(params)'],
    ...[
      'Trial 3 used [3, 3, 3] and was worse.',
      'I moved away from [3, 3, 3].',
      'If it fails I will use [3, 3, 3] next.',
    ],
    ...['First move left. Then increase the speed.', 'Finally, reduce the bias.', 'Reverse the direction of the push.'],
    ...['Update rule: params + 0.1 * gradient.', 'action = params[0] * x + params[1] * v + params[2]'],
    ...['params[2] must be small.', 'params[0] should be 1.5 because 1 was too weak.', 'Is it new? Yes.'],
    ...['params[0]: increased by 0.5; params[1]: unchanged.', 'params[0]: +0.5, params[1]: 0', 'Should help.'],
  ].map((explanation) => `${pairs}\n${explanation}`);
  it.each([...proposed, ...explanations])('are not seen in an honest reply: %s', (reply) => {
    expect(parseReply(reply, spec(3))).toMatchObject({ ok: true, params: value });
  });
});

describe('a sign and what is struck out', () => {
  const pairs = (second: string) => `params[0]: 1.5, params[1]: ${second}, params[2]: 0.2`;
  const accepted = (reply: string) => {
    const parsed = parseReply(reply, spec(3));
    return parsed.ok ? parsed.params : null;
  };

  it('behind a number makes it none', () => {
    for (const number of ['0.5-', '0.5\u2212', '0.5+']) {
      const unclear = /^params\[1\] is written "0\.5[-+]", which is no plain number/;
      expect(parseReply(pairs(number), spec(3))).toMatchObject({ problem: expect.stringMatching(unclear) });
      expect(accepted(`[1.5, ${number}, 0.2]`)).toBeNull();
      expect(accepted(`params: 1.5, ${number}, 0.2`)).toBeNull();
    }
  });

  it('that may be a soft hyphen, or digits in another order, are not guessed', () => {
    for (const number of ['\u00AD0.5', '\u00AD\u200B0.5', '-\u00AD0.5', '\u202E5.0']) {
      for (const reply of [
        pairs(number),
        `[1.5, ${number}, 0.2]`,
        `1.5, ${number}, 0.2`,
        `{"params": [1.5, ${number}, 0.2]}`,
      ]) {
        expect(accepted(reply)).toBeNull();
      }
    }
    expect(accepted(`pa\u00ADrams[0]: 1.5, params[1]: -0.5, params[2]: 0.2`)).toEqual(value);
  });

  it('with invisible characters behind it stays', () => {
    for (const gap of ['\u200B\u2060', '\u180E', '\u034F', '\u3164'])
      expect(accepted(pairs(`-${gap}0.5`))).toEqual(value);
  });

  it('is no answer, at the beginning of a reply either', () => {
    expect(accepted(`<s>${pairs('-0.5')}</s>\nToo low.`)).toBeNull();
    expect(accepted(`Try <s>${pairs('-0.5')}</s>`)).toBeNull();
    expect(accepted(`<s>[-6, -6, -6]</s>\n${pairs('-0.5')}`)).toEqual(value);
    for (const latex of ['sout', 'st', 'cancel']) expect(accepted(`\\${latex}{${pairs('-0.5')}}`)).toBeNull();
  });

  it('is an answer where the tags are tokens of the model', () => {
    for (const reply of ['<s># </s>', '#</s>', '<s>[INST] # [/INST]</s>', '#</s><s>[INST] more [/INST] [3, 3, 3]']) {
      expect(accepted(reply.replace('#', pairs('-0.5')))).toEqual(value);
    }
  });
});

describe('for all', () => {
  const number = fc.integer({ min: -60, max: 60 }).map((n) => n / 10 + 0);
  const vector = fc.array(number, { minLength: 2, maxLength: 8 });
  const pairs = (values: readonly number[]) => values.map((v, i) => `params[${i}]: ${v}`).join(', ');
  const list = (values: readonly number[]) => `[${values.join(', ')}]`;
  const sections: readonly [string, string][] = [
    ['<think>', '</think>'],
    ['<THINKING effort="high">\n', '\n</THINKING>\n'],
    ['<seed:think>', '</seed:think>'],
    ['<inner_monologue>\n', '</inner_monologue>\n'],
    ['[THINK]', '[/THINK]'],
    ['◁think▷', '◁/think▷'],
    ['<|START_THINKING|>', '<|END_THINKING|>'],
    ['<|begin_of_thought|>\n', '<|end_of_thought|>\n'],
    ['<|channel>thought\n', '<channel|>'],
    ['Thinking...\n', '\n...done thinking.\n\n'],
    ['', '\n</think>\n'],
    ['analysisWe try ', 'assistantfinal'],
    ['<|channel|>analysis<|message|>', '<|end|><|start|>assistant<|channel|>final<|message|>'],
  ];
  const drafts = fc.array(
    fc.tuple(vector, fc.constantFrom('Final answer: ', '', 'Try ', 'I choose ', '\n'), fc.boolean()),
    { maxLength: 4 },
  );
  const draftText = (written: readonly [readonly number[], string, boolean][]) =>
    written.map(([values, lead, asList]) => `${lead}${asList ? list(values) : pairs(values)}\n`).join('Better:\n');

  it('an answer behind a section of reasoning is read, whatever stands in the section', () => {
    fc.assert(
      fc.property(
        vector,
        drafts,
        fc.constantFrom(...sections),
        fc.boolean(),
        (values, inside, [open, close], asList) => {
          const reply = `${open}${draftText(inside)}${close}${asList ? list(values) : pairs(values)}\nIt leans.`;
          expect(parseReply(reply, spec(values.length))).toMatchObject({ ok: true, params: values });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('no draft comes out of a section that never ends', () => {
    const opened = sections.filter(([open]) => open !== '');
    fc.assert(
      fc.property(vector, drafts, fc.constantFrom(...opened), (values, inside, [open]) => {
        const reply = `${open}${draftText(inside)}${pairs(values)}\n`;
        expect(parseReply(reply, spec(values.length)).ok).toBe(false);
        expect(splitReasoning(reply).text.trim()).toBe('');
      }),
      { numRuns: 300 },
    );
  });

  const forms: readonly ((values: readonly number[]) => string)[] = [
    pairs,
    list,
    (values) => JSON.stringify({ params: values, why: 'x' }, null, 2),
    (values) => `${JSON.stringify(Object.fromEntries(values.map((v, i) => [`params[${i}]`, v])))}\nIt leans.`,
    (values) => `{'params': [${values.join(', ')},], 'why': 'it leans',}`,
    (values) => `params = [${values.map((v) => `np.float64(${v})`).join(', ')}]`,
    (values) => `params = np.array([${values.map((v) => `[${v}]`).join(', ')}])`,
    (values) => `| Parameter | Value |\n|---|---|\n${values.map((v, i) => `| params[${i}] | ${v} |`).join('\n')}`,
    (values) => `| ${values.map((_, i) => `params[${i}]`).join(' | ')} |\n|---|---|\n| ${values.join(' | ')} |`,
    (values) => `params:\n${values.map((v) => `  - ${v}`).join('\n')}\n`,
    (values) => `params = {${values.map((v, i) => `${i}: ${v}`).join(', ')}}`,
    (values) => values.map((v, i) => `params_${i} = ${v}`).join('\n'),
    (values) => `Line 1: ${values.join(' ')}\nLine 2: It leans.`,
    (values) => `params[0]: ${values.join(', ')}`,
    (values) => `<params>${values.join(', ')}</params>`,
    (values) => `$$\\boxed{[${values.join(', ')}]}$$`,
    (values) => `The parameter values should be [${values.join(', ')}] to hold the pole.`,
    (values) => `<tool_call>{"name": "propose", "arguments": {"params": [${values.join(', ')}]}}</tool_call>`,
    (values) => values.map((v, i) => `params［${i}］：${v}`).join('，'),
  ];
  const dress = fc.constantFrom<(reply: string) => string>(
    (reply) => reply,
    (reply) => `\`\`\`\n${reply}\n\`\`\``,
    (reply) => `<think>[9, 9]</think>\n${reply}`,
    (reply) => `${reply}\n<|im_end|>`,
    (reply) =>
      reply
        .replaceAll('-', '\u2212')
        .replace(/\|[\u2212|]+\|/, '|---|---|')
        .replaceAll('  \u2212 ', '  - '),
    (reply) => `Sure, here it is:\n\n${reply}`,
    (reply) => `trial 1: params = [9, 9]; rollout_reward = 3\n\n${reply}`,
  );

  it('the same values come out of every form', () => {
    fc.assert(
      fc.property(vector, fc.constantFrom(...forms), dress, (values, form, dressed) => {
        expect(parseReply(dressed(form(values)), spec(values.length))).toMatchObject({ ok: true, params: values });
      }),
      { numRuns: 1500 },
    );
  });

  it('two unlike answers are refused in every pair of forms, unless the text chooses', () => {
    const form = fc.constantFrom(...forms.slice(0, 8));
    fc.assert(
      fc.property(vector, form, form, (values, first, second) => {
        const other = values.map((v) => (v > 0 ? v - 0.5 : v + 0.5)).map((v) => Math.round(v * 10) / 10);
        const both = `${first(other)}\n\n${second(values)}`;
        expect(parseReply(both, spec(values.length)).ok).toBe(false);
        const chosen = `${first(other)}\n\nCorrected answer:\n${second(values)}`;
        expect(parseReply(chosen, spec(values.length))).toMatchObject({ ok: true, params: values });
      }),
      { numRuns: 500 },
    );
  });

  it('a part of a good reply is no other answer', () => {
    const usable = cases.filter(({ expected }) => expected === 'value');
    const one = fc.constantFrom(...usable).chain(({ reply }) => fc.tuple(fc.constant(reply), fc.nat(reply.length)));
    fc.assert(
      fc.property(one, fc.boolean(), ([reply, at], fromStart) => {
        const parsed = parseReply(fromStart ? reply.slice(0, at) : reply.slice(at), spec(3));
        if (!parsed.ok) return;
        expect(parsed.params.every((v) => v >= -6 && v <= 6)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the time for a reply of four times the length', () => {
  const units = [
    ...[
      '[',
      '(',
      '{',
      '{"',
      '{"a":',
      '{a ',
      'params[',
      'params[0]: ',
      'params[0]: 1, ',
      'params[1]: 1\n',
      '1',
      '1 ',
      '1\n',
    ],
    ...[
      '1,',
      ' ',
      '\n',
      '<think>',
      '<think></analysis>',
      '[THINK]',
      '<|channel|>analysis<|message|>x',
      '<',
      '<a ',
      '`',
      '```\n',
    ],
    ...[
      '*a',
      '~~a',
      '<del>',
      '"',
      '“”',
      '\\',
      '\\boxed{',
      '| a | 1 |\n',
      '| params[0] | 1 |\n',
      '|--|--|\n',
      '[1]',
      '[1,',
    ],
    ...[
      '[1, 2, 3]\n',
      '1, 2, 3\n',
      'Wait, no. ',
      'Option A: ',
      '- 1\n',
      '0: 1\n',
      'np.float64(',
      'a₀',
      '<td>1</td>',
      '{"a":"{\\"a\\":',
    ],
    ...[
      '1.5, 2.5\n',
      '• 1\n',
      '> 1\n',
      ': 1\n',
      '|\n',
      '| |\n',
      '、',
      '−1.5 ',
      '\\(',
      '“a” ',
      '<p>',
      '[a b]',
      '◁think▷',
    ],
    ...[
      '\u00AD',
      '\u00AD1',
      '-param\n+param\n',
      '&nbsp;',
      '\u001B[1m',
      '\nRow 1: params[0]: 1',
      'by ',
      'best + [1, 2, 3] ',
      '[1, 2, 3]?\n',
      'f(1, ',
      'f(params): -1\n',
      'param',
      '\\sout{',
      '<s>a',
    ],
  ];
  const seconds = (unit: string, length: number) => {
    const reply = unit.repeat(Math.ceil(length / unit.length));
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const start = process.cpuUsage();
      parseReply(reply, spec(3));
      best = Math.min(best, process.cpuUsage(start).user / 1e6);
    }
    return best;
  };

  it.each(units)('is less than ten times as much, and little: %j', (unit) => {
    // What takes less is not measured well, and is no burden.
    const floor = 0.01;
    const long = seconds(unit, 160_000);
    expect(long / Math.max(floor, seconds(unit, 40_000))).toBeLessThan(10);
    // A million characters shall take 0.1 s; a busy machine gets three times as long.
    expect(long).toBeLessThan(0.16 * 0.3);
  });
});
