// A box that may scroll by itself: named and reachable by keyboard, or its content would be out of reach without a mouse.
import type { ReactNode, Ref } from 'react';

interface ScrollBoxProps {
  label: string;
  className?: string | undefined;
  children: ReactNode;
  ref?: Ref<HTMLElement>;
  testId?: string;
}

export function ScrollBox({ label, className, children, ref, testId }: ScrollBoxProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <section ref={ref} className={className} tabIndex={0} aria-label={label} data-testid={testId}>
      {children}
    </section>
  );
}
