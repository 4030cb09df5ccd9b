// Keeps a growing text in view while the reader is at its end, and stays still as soon as they scroll up.
import { useCallback, useEffect, useRef, useState } from 'react';

const NEAR_PX = 48;

export function useStickToBottom() {
  const [scroller, setScroller] = useState<HTMLElement | null>(null);
  const [content, setContent] = useState<HTMLDivElement | null>(null);
  const [atBottom, setAtBottom] = useState(true);
  const stick = useRef(true);
  /** Distance to the end that must survive when earlier messages come in above. */
  const kept = useRef<number | null>(null);

  const toBottom = useCallback(() => {
    stick.current = true;
    setAtBottom(true);
    if (scroller) scroller.scrollTop = scroller.scrollHeight;
  }, [scroller]);

  const keepPlace = useCallback(() => {
    if (scroller) kept.current = scroller.scrollHeight - scroller.scrollTop;
  }, [scroller]);

  useEffect(() => {
    if (!scroller || !content) return;
    const onScroll = () => {
      stick.current = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
      setAtBottom(stick.current);
    };
    const onResize = () => {
      if (kept.current !== null) {
        scroller.scrollTop = scroller.scrollHeight - kept.current;
        kept.current = null;
      } else if (stick.current) {
        scroller.scrollTop = scroller.scrollHeight;
      }
    };
    const observer = new ResizeObserver(onResize);
    observer.observe(content);
    observer.observe(scroller);
    scroller.addEventListener('scroll', onScroll, { passive: true });
    onResize();
    return () => {
      observer.disconnect();
      scroller.removeEventListener('scroll', onScroll);
    };
  }, [scroller, content]);

  return { scroller: setScroller, content: setContent, atBottom, toBottom, keepPlace };
}
