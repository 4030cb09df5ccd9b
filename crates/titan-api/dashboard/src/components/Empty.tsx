// Says what would be here, why it is not, and offers the one action that fills it.
import type { ReactNode } from 'react';
import classes from './States.module.css';

interface EmptyProps {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  /** It stands for a whole page, so its title is the page's heading. */
  page?: boolean;
}

export function Empty({ title, children, action, page = false }: EmptyProps) {
  return (
    <div className={classes.empty} data-testid="empty">
      {page ? <h1 className={classes.emptyTitle}>{title}</h1> : <p className={classes.emptyTitle}>{title}</p>}
      {children && <p className={classes.emptyText}>{children}</p>}
      {action}
    </div>
  );
}
