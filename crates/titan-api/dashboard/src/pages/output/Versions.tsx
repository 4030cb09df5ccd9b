// The versions of an output, which is done again after a rejection, and what changed between two of them.
import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Output } from '../../api/types';
import { Age } from '../../components/Age';
import { Empty } from '../../components/Empty';
import { Patch } from '../../components/Patch';
import { QueryView } from '../../components/QueryView';
import { comparisonQuery, versionsQuery } from '../../data/queries';
import classes from './OutputPage.module.css';
import { canShowText } from './previewKind';

/** Of a single version there is nothing to say. */
export function Versions({ output }: { output: Output }) {
  const query = useQuery(versionsQuery(output));
  const versions = query.data?.items ?? [];
  if (query.error)
    return (
      <QueryView query={query} what="the versions">
        {() => null}
      </QueryView>
    );
  if (versions.length < 2) return null;
  return (
    <section className={classes.versions} aria-label="Versions" data-testid="versions">
      <ol className={classes.versionList}>
        {versions.map((version, index) => (
          <li key={version.id}>
            <Link
              to="/projects/$projectId/output"
              params={{ projectId: output.project_id }}
              search={{ output: version.id }}
              aria-current={version.id === output.id ? 'true' : undefined}
            >
              Version {index + 1}
            </Link>{' '}
            <span className={classes.muted}>
              <Age at={version.created_at} />
              {version.review !== 'pending' && `, ${version.review}`}
            </span>
          </li>
        ))}
      </ol>
      {canShowText(output) && <Comparison output={output} versions={versions} />}
    </section>
  );
}

function Comparison({ output, versions }: { output: Output; versions: Output[] }) {
  const [from, setFrom] = useState('');
  const others = versions
    .map(({ id }, index) => ({ value: id, label: `Version ${index + 1}` }))
    .filter(({ value }) => value !== output.id);
  return (
    <>
      <NativeSelect
        label="Compare with"
        size="xs"
        className={classes.compare ?? ''}
        data={[{ value: '', label: 'Nothing' }, ...others]}
        value={from}
        onChange={(event) => setFrom(event.currentTarget.value)}
      />
      {from !== '' && <Difference output={output} from={from} />}
    </>
  );
}

function Difference({ output, from }: { output: Output; from: string }) {
  const query = useQuery(comparisonQuery(output.id, from));
  return (
    <QueryView query={query} what="the differences">
      {(compared) =>
        compared.patch === '' ? (
          <Empty title="The two are the same" />
        ) : (
          <Patch patch={compared.patch} truncated={compared.truncated} />
        )
      }
    </QueryView>
  );
}
