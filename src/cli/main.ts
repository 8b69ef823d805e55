#!/usr/bin/env node
/** The program `r2po`. A shell that completes a word asks at each press of a key, so nothing else is loaded for it. */
if (process.argv[2] === 'complete' && process.argv[3] === '--') {
  const { answerShell } = await import('./completion/answer.ts');
  await answerShell(process.argv.slice(4));
} else {
  const { start } = await import('./start.ts');
  await start();
}
