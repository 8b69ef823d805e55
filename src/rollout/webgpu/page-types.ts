/**
 * The WebGPU types of the program that uses this package: those of `lib.dom` from TypeScript 6 on, or of `@webgpu/types`. For a
 * program that has neither they are unknown, so that its compiler does not miss them in our declarations.
 */
type Global<Name extends string> = typeof globalThis extends {
  readonly [K in Name]: { readonly prototype: infer Instance };
}
  ? Instance
  : unknown;

export type PageAdapter = Global<'GPUAdapter'>;
export type PageDevice = Global<'GPUDevice'>;
