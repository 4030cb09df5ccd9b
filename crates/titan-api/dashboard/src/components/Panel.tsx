// A titled region of a page: one border, one shade, never inside another one.
import type { ReactNode } from 'react';
import { useId } from 'react';
import classes from './Panel.module.css';

interface PanelProps {
  title: string;
  /** Stands right of the title: a count, a filter, a button. */
  aside?: ReactNode;
  children: ReactNode;
  tone?: 'plain' | 'person' | undefined;
  testId?: string;
  /** Lists bring their own padding. */
  flush?: boolean;
}

export function Panel({ title, aside, children, tone = 'plain', testId, flush = false }: PanelProps) {
  const heading = useId();
  return (
    <section className={classes.panel} data-tone={tone} aria-labelledby={heading} data-testid={testId}>
      <header className={classes.header}>
        <h2 id={heading} className={classes.title}>
          {title}
        </h2>
        {aside}
      </header>
      <div className={flush ? classes.flush : classes.body}>{children}</div>
    </section>
  );
}
