// Tells a screen reader about an answer once it is complete; text that is still growing would be read over and over.
import { useEffect, useRef, useState } from 'react';
import type { Message } from '../../api/types';

const SPOKEN_CHARACTERS = 500;

export function AnswerAnnouncer({ messages }: { messages: readonly Message[] }) {
  const [text, setText] = useState('');
  const known = useRef<string | null>(null);
  const newest = messages.findLast((message) => message.role === 'assistant');
  const ready = messages.length > 0;
  useEffect(() => {
    if (!ready) return;
    // What was there when the page opened is no news.
    const news = known.current !== null && newest !== undefined && newest.id !== known.current;
    known.current = newest?.id ?? '';
    if (news) setText(`Titan answered: ${newest.content.slice(0, SPOKEN_CHARACTERS)}`);
  }, [ready, newest]);
  return (
    <div className="sr-only" role="status">
      {text}
    </div>
  );
}
