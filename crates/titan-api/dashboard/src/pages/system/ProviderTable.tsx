// The model providers, the default one first. The offline one is named for what it is.
import type { Provider } from '../../api/types';
import { Age } from '../../components/Age';
import { Empty } from '../../components/Empty';
import { ScrollBox } from '../../components/ScrollBox';
import { Status } from '../../components/Status';
import classes from '../../components/Table.module.css';

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
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Provider</th>
            <th scope="col">Model</th>
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
                {provider.name} {provider.default && <span className={classes.tag}>default</span>}
                {provider.kind === 'offline' && <span className={classes.tag}>offline answers</span>}
                {provider.detail && <div className={classes.muted}>{provider.detail}</div>}
                {provider.last_error && <div className={classes.bad}>{provider.last_error}</div>}
              </td>
              <td>
                {provider.model}
                {provider.model_count > 1 && (
                  <div className={classes.muted}>{`one of ${provider.model_count} models`}</div>
                )}
              </td>
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
