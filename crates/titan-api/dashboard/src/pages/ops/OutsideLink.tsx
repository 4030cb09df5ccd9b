// A link to a page of the forge. Only web addresses are followed; anything else stays text.
import { Anchor } from '@mantine/core';
import type { ReactNode } from 'react';
import { safeLink } from '../output/previewKind';

export function OutsideLink({ href, children }: { href: string | null; children: ReactNode }) {
  const target = safeLink(href);
  if (target === null) return <span>{children}</span>;
  return (
    <Anchor href={target.href} target="_blank" rel="noopener noreferrer nofollow" inherit>
      {children}
    </Anchor>
  );
}
