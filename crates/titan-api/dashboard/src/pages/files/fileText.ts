// What a text field does not keep of a file: a byte order mark, and how its lines end. Both are remembered beside the text
// that is edited and put back when it is saved, so that nothing changes which nobody touched.
const MARK = '\uFEFF';

export type LineEnd = '\n' | '\r\n' | '\r';

export interface TextForm {
  mark: boolean;
  end: LineEnd;
}

/** The text as a text field has it, and what that leaves out; null where lines end in more than one way. */
export function editable(content: string): { text: string; form: TextForm } | null {
  const mark = content.startsWith(MARK);
  const ends = new Set(content.match(/\r\n|\r|\n/g));
  if (ends.size > 1) return null;
  const [end = '\n'] = ends as Set<LineEnd>;
  return { text: withoutMark(content).replaceAll(end, '\n'), form: { mark, end } };
}

export const contentOf = (text: string, { mark, end }: TextForm): string =>
  (mark ? MARK : '') + text.replaceAll('\n', end);

export const withoutMark = (content: string): string => (content.startsWith(MARK) ? content.slice(1) : content);
