// Two versions side by side: the sections that differ, and in lists what came and what went.
import { useQuery } from '@tanstack/react-query';
import type { SectionChange } from '../../api/types';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { planComparisonQuery } from '../../data/queries';
import classes from './Plan.module.css';
import { TITLES } from './sections';

export function CompareView({ projectId, from, to }: { projectId: string; from: number; to: number }) {
  const query = useQuery(planComparisonQuery(projectId, from, to));
  return (
    <QueryView query={query} what="the comparison">
      {(comparison) => {
        const changed = comparison.sections.filter((section) => section.changed);
        return (
          <Panel title={`From version ${from} to version ${to}`} testId="comparison">
            {changed.length === 0 && <p className={classes.muted}>They say the same.</p>}
            <div className={classes.sections}>
              {changed.map((section) => (
                <Change key={section.section} section={section} />
              ))}
            </div>
          </Panel>
        );
      }}
    </QueryView>
  );
}

function Change({ section }: { section: SectionChange }) {
  const isList = section.added.length + section.removed.length + section.altered.length > 0;
  return (
    <section className={classes.section} data-testid="section-change" data-section={section.section}>
      <h3 className={classes.heading}>{TITLES[section.section] ?? section.section}</h3>
      {isList ? (
        <ul className={classes.lines}>
          {section.removed.map((entry) => (
            <li key={`-${entry}`}>
              <del>{entry}</del> <span className={classes.muted}>gone</span>
            </li>
          ))}
          {section.added.map((entry) => (
            <li key={`+${entry}`}>
              <ins>{entry}</ins> <span className={classes.muted}>new</span>
            </li>
          ))}
          {section.altered.map((entry) => (
            <li key={`~${entry}`}>
              {entry} <span className={classes.muted}>changed</span>
            </li>
          ))}
        </ul>
      ) : (
        <div className={classes.pair}>
          <p className={classes.text}>
            <del>{words(section.before)}</del>
          </p>
          <p className={classes.text}>
            <ins>{words(section.after)}</ins>
          </p>
        </div>
      )}
    </section>
  );
}

const words = (value: unknown): string =>
  value === null || value === undefined
    ? 'nothing'
    : typeof value === 'string'
      ? value
      : JSON.stringify(value, null, 2);
