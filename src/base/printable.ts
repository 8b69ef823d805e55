/**
 * Text that comes from outside (a model, a server, a file) must not steer a terminal or hide in a record: control
 * characters, escape sequences, and the marks that reverse the direction of what follows.
 */

const ESC = '\u001b';
/** An escape sequence other than a colour: this program prints colours, and those of others do no harm. */
const escapes = new RegExp(`${ESC}(?!\\[[0-9;]*m)`, 'g');
const steering = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const harmless: readonly string[] = ['\t', '\n', ESC];

/** The text without what could control a terminal. */
export function printable(text: string): string {
  return text.replace(escapes, '').replace(steering, (char) => (harmless.includes(char) ? char : ''));
}

/** JSON text with the characters that `JSON.stringify` leaves raw, and a reader cannot see, written as `\uXXXX`. */
export function visibleJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Text for files and pictures: without control characters and marks that reverse the direction of what follows. Line
 * feeds stay, a tab or another line break becomes a blank.
 */
export function inertText(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(/[\t\v\f\r\u2028\u2029]/g, ' ')
    .replace(steering, (char) => (char === '\n' ? char : ''));
}

/** The same on one line. */
export const inertLine = (text: string): string => inertText(text).replaceAll('\n', ' ');
