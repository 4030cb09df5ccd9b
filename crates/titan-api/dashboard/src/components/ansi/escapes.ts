// Escape sequences of a terminal. Those that colour (SGR) are rendered; all others move a cursor, name a window or ring a
// bell, which means nothing on a page. See ECMA-48.

const ESCAPE = '\u001b';
/** Control strings (OSC, DCS, APC, PM, SOS), or only their begin where no end is: nothing else of the line may be lost. */
const STRINGS = `[\\]PX^_](?:[^\\u0007${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)|(?:\\d*;)?)`;
/** Those, sequences with parameters (CSI), and the short ones. */
const SEQUENCE = new RegExp(`${ESCAPE}(?:${STRINGS}|\\[[0-?]*[ -/]*[@-~]?|[ -/]*[0-~]?)`, 'g');
const COLOURS = new RegExp(`^${ESCAPE}\\[[\\d;:]*m$`);

export const hasEscapes = (text: string): boolean => text.includes(ESCAPE);

export const withoutEscapes = (text: string): string => text.replace(SEQUENCE, '');

/** The text with its colours and without what else it tells a terminal. */
export function onlyColours(text: string): string {
  return text.replace(SEQUENCE, (sequence) => (COLOURS.test(sequence) ? sequence.replaceAll(':', ';') : ''));
}
