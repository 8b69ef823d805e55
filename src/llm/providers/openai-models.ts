/** What OpenAI's models can do, by their names; what the names do not tell is learned from refusals. */

/** Whether a model reasons before it answers: the o series, and GPT from 5 on but for its chat variants. */
export function isReasoningModel(model: string): boolean {
  const name = model.replace(/^ft:/, '');
  return /^(?:o\d|codex|gpt-(?:[5-9]|\d\d))/.test(name) && !/-chat\b/.test(name);
}
