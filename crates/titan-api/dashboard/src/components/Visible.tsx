// Text of which nothing is out of sight: what shows nothing, looks like a space, breaks the line where git does not, or turns the
// direction of what follows stands there as its number. Otherwise a line could look like another one.
import classes from './Visible.module.css';

const UNSEEN = /((?![\t\n ])[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}])/u;

export function Visible({ text }: { text: string }) {
  if (!UNSEEN.test(text)) return text;
  return text
    .split(UNSEEN)
    .map((part, index) => ({ part, index }))
    .map(({ part, index }) =>
      // Every second part is such a character.
      index % 2 === 0 ? (
        part
      ) : (
        <mark key={index} className={classes.unseen} data-unseen>
          {nameOf(part)}
        </mark>
      ),
    );
}

/** As Unicode writes it, such as U+202E. */
const nameOf = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
