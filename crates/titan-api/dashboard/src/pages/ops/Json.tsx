// Facts whose names nobody knows beforehand: one line each, and what is nested as JSON.
import classes from './Ops.module.css';

export function Json({ value }: { value: unknown }) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return <code>{JSON.stringify(value)}</code>;
  return (
    <dl className={classes.json}>
      {Object.entries(value).map(([name, entry]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="mono">{typeof entry === 'string' ? entry : JSON.stringify(entry)}</dd>
        </div>
      ))}
    </dl>
  );
}
