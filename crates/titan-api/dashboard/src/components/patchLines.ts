// What each line of a unified diff is. Within a hunk the numbers of its head say how many lines it has, so that a removed `-- x` is not
// taken for the name of a file.
export type LineKind = 'added' | 'removed' | 'place' | undefined;

const PLACE = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/;

export function kindsOf(lines: readonly string[]): LineKind[] {
  let [old, now] = [0, 0];
  return lines.map((line) => {
    const place = PLACE.exec(line);
    if (place) {
      [old, now] = [Number(place[1] ?? 1), Number(place[2] ?? 1)];
      return 'place';
    }
    const sign = line.charAt(0);
    if (sign === '+' && now > 0) {
      now -= 1;
      return 'added';
    }
    if (sign === '-' && old > 0) {
      old -= 1;
      return 'removed';
    }
    if (sign === ' ' || sign === '') [old, now] = [old - 1, now - 1];
    // It has not as many lines as it says, as it may be where no program has written it.
    else if (sign !== '\\') [old, now] = [0, 0];
    return kindOf(line);
  });
}

function kindOf(line: string): LineKind {
  if (line.startsWith('+') && !line.startsWith('+++')) return 'added';
  if (line.startsWith('-') && !line.startsWith('---')) return 'removed';
  return line.startsWith('@@') ? 'place' : undefined;
}
