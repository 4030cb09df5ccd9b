// Splits a text at the places a search finds, without regard to case, as the server searches.
export interface Part {
  text: string;
  hit: boolean;
}

export function highlight(text: string, search: string): Part[] {
  if (search === '') return [{ text, hit: false }];
  const haystack = text.toLowerCase();
  const needle = search.toLowerCase();
  // Lower case may be longer than the original in some scripts; positions would be wrong then.
  if (haystack.length !== text.length) return [{ text, hit: false }];
  const parts: Part[] = [];
  let from = 0;
  for (let at = haystack.indexOf(needle); at !== -1; at = haystack.indexOf(needle, from)) {
    if (at > from) parts.push({ text: text.slice(from, at), hit: false });
    parts.push({ text: text.slice(at, at + needle.length), hit: true });
    from = at + needle.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), hit: false });
  return parts;
}
