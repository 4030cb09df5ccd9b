// Terminal colours as spans in colours of the theme. Lazy, because few lines have any.
import Anser from 'anser';
import classes from './Ansi.module.css';
import { onlyColours } from './escapes';
import { Highlighted } from './LogText';

export default function AnsiText({ text, search }: { text: string; search: string }) {
  const parts = Anser.ansiToJson(onlyColours(text), { use_classes: true, remove_empty: true });
  return parts.map((part, index) => (
    <span
      key={index}
      className={classes.part}
      data-colour={part.fg?.replace(/^ansi-/, '')}
      data-bold={part.decorations.includes('bold') || undefined}
      data-dim={part.decorations.includes('dim') || undefined}
    >
      <Highlighted text={part.content} search={search} />
    </span>
  ));
}
