/** A text that a user gave, with where it is from. */
export interface InputText {
  /** name in messages: the path as given, or `<stdin>` */
  readonly name: string;
  readonly text: string;
  /** line number from 1, of a file that is read line by line */
  readonly line?: number;
}

/** File and line for messages. */
export function locationOf({ name, line }: InputText): string {
  return line === undefined ? name : `${name}:${line}`;
}
