// A box that may scroll by itself: named and reachable by keyboard, or its content would be out of reach without a mouse.
import type { ReactNode, Ref } from 'react';

interface ScrollBoxProps {
  label: string;
  className?: string | undefined;
  children: ReactNode;
  ref?: Ref<HTMLDivElement>;
  testId?: string;
}

export function ScrollBox({ label, className, children, ref, testId }: ScrollBoxProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group, because a landmark for each table would be noise
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <div ref={ref} className={className} tabIndex={0} role="group" aria-label={label} data-testid={testId}>
      {children}
    </div>
  );
}
