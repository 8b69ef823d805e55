/** Features of OpenAI models by name; others are learned from refusals. */

/** Whether a model reasons before it answers: the o series, and GPT 5 and later except chat variants. */
export function isReasoningModel(model: string): boolean {
  const name = model.replace(/^ft:/, '');
  return /^(?:o\d|codex|gpt-(?:[5-9]|\d\d))/.test(name) && !/-chat\b/.test(name);
}
