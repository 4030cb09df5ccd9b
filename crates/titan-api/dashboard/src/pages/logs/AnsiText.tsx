// Terminal colours as spans in theme colours; every other escape sequence is dropped. Lazy, because few lines have any.
import Anser from 'anser';
import classes from './LogView.module.css';

const FAMILY: Record<string, string> = {
  'ansi-red': 'bad',
  'ansi-bright-red': 'bad',
  'ansi-green': 'good',
  'ansi-bright-green': 'good',
  'ansi-yellow': 'person',
  'ansi-bright-yellow': 'person',
  'ansi-blue': 'working',
  'ansi-bright-blue': 'working',
  'ansi-cyan': 'working',
  'ansi-bright-cyan': 'working',
  'ansi-bright-black': 'idle',
};

export default function AnsiText({ text }: { text: string }) {
  return Anser.ansiToJson(text, { use_classes: true, remove_empty: true }).map((part, index) => (
    <span
      key={index}
      className={classes.ansi}
      data-family={FAMILY[part.fg ?? '']}
      data-bold={part.decorations.includes('bold')}
    >
      {part.content}
    </span>
  ));
}
