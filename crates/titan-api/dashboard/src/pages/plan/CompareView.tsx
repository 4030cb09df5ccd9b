// Two versions side by side: the sections that differ, and in lists what came and what went.
import { useQuery } from '@tanstack/react-query';
import type { SectionChange } from '../../api/types';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { planComparisonQuery } from '../../data/queries';
import classes from './Plan.module.css';
import { entryName, sectionText, TITLES } from './sections';

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
  const { before, after } = section;
  const nameOf = (entry: string) => entryName(section.section, entry, after, before);
  const isList = section.added.length + section.removed.length + section.altered.length > 0;
  return (
    <section className={classes.section} data-testid="section-change" data-section={section.section}>
      <h3 className={classes.heading}>{TITLES[section.section] ?? section.section}</h3>
      {isList ? (
        <ul className={classes.lines}>
          {section.removed.map((entry) => (
            <li key={`-${entry}`}>
              <del>{nameOf(entry)}</del> <span className={classes.muted}>gone</span>
            </li>
          ))}
          {section.added.map((entry) => (
            <li key={`+${entry}`}>
              <ins>{nameOf(entry)}</ins> <span className={classes.muted}>new</span>
            </li>
          ))}
          {section.altered.map((entry) => (
            <li key={`~${entry}`}>
              {nameOf(entry)} <span className={classes.muted}>changed</span>
            </li>
          ))}
        </ul>
      ) : (
        <div className={classes.pair}>
          <p className={classes.text}>
            <del>{sectionText(section.section, before)}</del>
          </p>
          <p className={classes.text}>
            <ins>{sectionText(section.section, after)}</ins>
          </p>
        </div>
      )}
    </section>
  );
}
