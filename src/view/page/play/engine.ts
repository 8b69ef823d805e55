/** The engine as a script that the page loads when it is asked to play: the global `r2po_engine`. */

export { compareOutcomes } from '../../../checks/parity.ts';
export * from '../../../engine.ts';
export { rangeOf } from '../../../envs/constants.ts';
export { constantRanges } from '../../../envs/env.ts';
export { scene } from '../../../envs/picture.ts';
export { barsPicture } from '../../../evaluation/state-bars.ts';
export { namedEnv, parsePolicy, policyDocument } from '../../../policies/policy-file.ts';
export { drawShapes, shapesBetween } from './draw.ts';
export { createHost, serveWorker, subjectCache } from './host.ts';
export { jobOf, playEpisode, subjectOf } from './subject.ts';
