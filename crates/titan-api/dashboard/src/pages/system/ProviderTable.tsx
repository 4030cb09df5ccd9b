// The model providers, the default one first: how they are, and what became of the calls to them. The offline one is named
// for what it is.
import type { Provider } from '../../api/types';
import { Age } from '../../components/Age';
import { Empty } from '../../components/Empty';
import { ScrollBox } from '../../components/ScrollBox';
import { Status } from '../../components/Status';
import classes from '../../components/Table.module.css';
import { formatCost, formatCount, formatDuration } from '../../lib/format';
import { NameNote } from './NameNote';

const STATES: Record<string, { status: string; label: string }> = {
  ready: { status: 'healthy', label: 'Ready' },
  failing: { status: 'failing', label: 'Failing' },
  unknown: { status: 'pending', label: 'Not tried yet' },
};

export function ProviderTable({ providers }: { providers: Provider[] }) {
  if (providers.length === 0)
    return <Empty title="No provider is known">A worker publishes its providers when it starts.</Empty>;
  const ordered = [...providers].sort((a, b) => Number(b.default) - Number(a.default) || a.name.localeCompare(b.name));
  return (
    <ScrollBox className={classes.tableBox} label="Model providers">
      <table className={`${classes.table} ${classes.dense}`}>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Provider</th>
            <th scope="col">Model</th>
            <th scope="col" className={classes.num}>
              Calls, 30 days
            </th>
            <th scope="col" className={classes.num}>
              Tokens in / out
            </th>
            <th scope="col" className={classes.num}>
              Cost
            </th>
            <th scope="col" className={classes.num} title="The median of the answered calls">
              First token / whole
            </th>
            <th scope="col">Checked</th>
          </tr>
        </thead>
        <tbody>
          {ordered.map((provider) => (
            <tr key={`${provider.name}/${provider.model}`} data-testid="provider-row">
              <td>
                <Status {...(STATES[provider.state] ?? { status: provider.state })} />
              </td>
              <td>
                {provider.name} <span className={classes.muted}>{provider.kind}</span>
                {provider.default && <span className={classes.tag}>default</span>}
                {provider.kind === 'offline' && <span className={classes.tag}>offline answers</span>}
                <Notes provider={provider} />
              </td>
              <td>
                {provider.model}
                <NameNote model={provider.model} />
                {provider.model_count > 1 && (
                  <div className={classes.muted}>{`one of ${provider.model_count} models`}</div>
                )}
              </td>
              <UseCells provider={provider} />
              <td>
                {provider.checked_at ? <Age at={provider.checked_at} /> : <span className={classes.muted}>never</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

/** What it says of itself, and its last error; of a failing one both are the same words. */
function Notes({ provider: { detail, last_error } }: { provider: Provider }) {
  return (
    <>
      {detail && detail !== last_error && <div className={classes.muted}>{detail}</div>}
      {last_error && <div className={classes.bad}>Last error: {last_error}</div>}
    </>
  );
}

function UseCells({ provider }: { provider: Provider }) {
  const use = provider.last_30_days;
  if (use.calls === 0) {
    const words = provider.kind === 'offline' ? 'not counted, it costs nothing' : 'not asked in 30 days';
    return (
      <td colSpan={4} className={classes.num}>
        <span className={classes.muted}>{words}</span>
      </td>
    );
  }
  return (
    <>
      <td className={classes.num}>
        {use.calls.toLocaleString('en')}
        {use.failed_calls > 0 && <div className={classes.bad}>{use.failed_calls.toLocaleString('en')} failed</div>}
      </td>
      <td className={classes.num}>
        {formatCount(use.input_tokens)} / {formatCount(use.output_tokens)}
      </td>
      <td className={classes.num}>
        {use.cost > 0 ? formatCost(use.cost) : <span className={classes.muted}>none known</span>}
      </td>
      <td className={classes.num}>
        {median(use.first_token_ms)} / {median(use.duration_ms)}
      </td>
    </>
  );
}

const median = (milliseconds: number | null): string =>
  milliseconds === null ? 'not known' : formatDuration(milliseconds);
