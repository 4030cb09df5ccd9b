// How closely people should look at a change.
import type { Risk } from './evidence';
import classes from './Ops.module.css';

export function RiskTag({ risk }: { risk: Risk | null }) {
  if (risk === null) return null;
  return (
    <span className={classes.risk} data-risk={risk} data-testid="risk">
      {risk} risk
    </span>
  );
}
