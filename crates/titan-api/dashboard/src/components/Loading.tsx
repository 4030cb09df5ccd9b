// Waiting, honestly: nothing for 150 ms, then the shape of what comes, and after 10 s a sentence with a way out.
import { Button, Skeleton } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import classes from './States.module.css';

const SKELETON_AFTER_MS = 150;
const SLOW_AFTER_MS = 10_000;

interface LoadingProps {
  what: string;
  onRetry?: (() => void) | undefined;
  skeleton?: ReactNode;
}

export function Loading({ what, onRetry, skeleton }: LoadingProps) {
  const [phase, setPhase] = useState<'quiet' | 'skeleton' | 'slow'>('quiet');
  useEffect(() => {
    const timers = [
      setTimeout(() => setPhase('skeleton'), SKELETON_AFTER_MS),
      setTimeout(() => setPhase('slow'), SLOW_AFTER_MS),
    ];
    return () => timers.forEach(clearTimeout);
  }, []);

  return (
    <div className={classes.loading} aria-busy="true" data-testid="loading">
      <span className="sr-only" role="status">
        Loading {what}
      </span>
      {phase !== 'quiet' && (skeleton ?? <SkeletonLines />)}
      {phase === 'slow' && (
        <div className={classes.slow} role="status">
          <span>Still loading {what}.</span>
          {onRetry && (
            <Button size="compact-sm" variant="default" onClick={onRetry}>
              Retry
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

export function SkeletonLines({ lines = 3 }: { lines?: number }) {
  return (
    <div aria-hidden="true" className={classes.lines}>
      {Array.from({ length: lines }, (_, line) => (
        <Skeleton key={line} height={14} width={`${92 - line * 17}%`} radius={4} />
      ))}
    </div>
  );
}
