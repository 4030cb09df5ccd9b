// A reason in the server's words, whose addresses are links: it may be up to a person to go there.
import { OutsideLink } from './OutsideLink';

/** Without the full stop that may stand behind it. */
const ADDRESS = /(https?:\/\/[^\s"<>]*[^\s"<>.,;:!?)])/;

export function Linked({ text }: { text: string }) {
  const parts = text.split(ADDRESS).map((part, index) => ({ part, index }));
  // Every second part is an address.
  return parts.map(({ part, index }) =>
    index % 2 === 0 ? (
      part
    ) : (
      <OutsideLink key={index} href={part}>
        {part}
      </OutsideLink>
    ),
  );
}
