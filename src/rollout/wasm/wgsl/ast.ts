/** Syntax trees of the WGSL that the compiler reads. `at` is an offset into the linked text. */

export type Scalar = 'f32' | 'i32' | 'u32' | 'bool' | 'abstract-float' | 'abstract-int';

interface Node {
  readonly at: number;
}

/** `f32`, `vec2<f32>`, `array<f32, N>`, `ptr<function, T>`, or the name of a struct or an alias. */
export interface TypeName extends Node {
  readonly name: string;
  readonly of: TypeName | null;
  readonly size: Expression | null;
}

export type Expression =
  | (Node & { readonly kind: 'literal'; readonly value: number; readonly scalar: Scalar })
  | (Node & { readonly kind: 'name'; readonly name: string })
  | CallExpression
  | (Node & { readonly kind: 'index'; readonly base: Expression; readonly index: Expression })
  | (Node & { readonly kind: 'member'; readonly base: Expression; readonly name: string })
  | (Node & { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression })
  | (Node & {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    });

/** A call of a function, or a value of a type: `callee` says which. */
export interface CallExpression extends Node {
  readonly kind: 'call';
  readonly callee: TypeName;
  readonly values: readonly Expression[];
}

export interface Declaration extends Node {
  readonly kind: 'let' | 'var' | 'const';
  readonly name: string;
  readonly type: TypeName | null;
  readonly value: Expression | null;
}

/** `for`, `while` and `loop`. `update` runs after each pass; `until` ends the loop after it (`break if`). */
export interface Loop extends Node {
  readonly kind: 'loop';
  /** `update` and `until` see what `body` declares: that of `continuing` */
  readonly isPlain: boolean;
  readonly start: Statement | null;
  readonly condition: Expression | null;
  readonly body: readonly Statement[];
  readonly update: readonly Statement[];
  readonly until: Expression | null;
}

export type Statement =
  | Declaration
  | Loop
  | (Node & {
      readonly kind: 'assign';
      /** of `+=` and the like, else null */
      readonly operator: string | null;
      /** null: `_ = value` */
      readonly target: Expression | null;
      readonly value: Expression;
    })
  | (Node & { readonly kind: 'call'; readonly call: CallExpression })
  | (Node & {
      readonly kind: 'if';
      readonly condition: Expression;
      readonly then: readonly Statement[];
      readonly otherwise: readonly Statement[];
    })
  | (Node & {
      readonly kind: 'switch';
      readonly on: Expression;
      readonly cases: readonly SwitchCase[];
    })
  | (Node & { readonly kind: 'block'; readonly body: readonly Statement[] })
  | (Node & { readonly kind: 'return'; readonly value: Expression | null })
  | (Node & { readonly kind: 'break' })
  | (Node & { readonly kind: 'continue' });

export interface SwitchCase {
  readonly values: readonly Expression[];
  readonly isDefault: boolean;
  readonly body: readonly Statement[];
}

export interface Parameter extends Node {
  readonly name: string;
  readonly type: TypeName;
  /** of an entry point: `global_invocation_id` */
  readonly builtin: string | null;
}

export interface FunctionDeclaration extends Node {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly result: TypeName | null;
  readonly body: readonly Statement[];
  readonly isEntry: boolean;
}

export interface StructDeclaration extends Node {
  readonly name: string;
  readonly fields: readonly (Node & { readonly name: string; readonly type: TypeName })[];
}

/** `const` and `override` at module scope. */
export interface ConstantDeclaration extends Node {
  readonly name: string;
  readonly type: TypeName | null;
  readonly value: Expression | null;
  readonly isOverride: boolean;
}

/** A storage buffer. */
export interface BufferDeclaration extends Node {
  readonly name: string;
  readonly type: TypeName;
  readonly binding: number;
  readonly isWritable: boolean;
}

export interface Module {
  readonly functions: ReadonlyMap<string, FunctionDeclaration>;
  readonly structs: ReadonlyMap<string, StructDeclaration>;
  readonly aliases: ReadonlyMap<string, TypeName>;
  readonly constants: ReadonlyMap<string, ConstantDeclaration>;
  readonly buffers: ReadonlyMap<string, BufferDeclaration>;
  /** how often a name is called in the text */
  readonly calls: ReadonlyMap<string, number>;
}
