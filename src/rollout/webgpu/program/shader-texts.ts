/**
 * The shaders for programs without a file system: WGSL without comments by its path below the package root. Empty here:
 * `scripts/shader-texts.mjs` writes it into `dist/` when the package is built, and Vitest fills it when it loads this file.
 */
export const shaderTexts: Readonly<Record<string, string>> = {};
