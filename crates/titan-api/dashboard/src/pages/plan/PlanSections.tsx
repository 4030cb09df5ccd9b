// What a plan says, section by section; those that are not written yet are missing.
import type { ReactNode } from 'react';
import classes from './Plan.module.css';
import type { PlanInView } from './sections';
import { TaskTree } from './TaskTree';

export function PlanSections({ plan }: { plan: PlanInView }) {
  return (
    <div className={classes.sections}>
      {plan.goal !== undefined && (
        <Section name="goal" title="Goal">
          <p className={classes.text}>{plan.goal}</p>
        </Section>
      )}
      <Lines name="resources" title="What is there" lines={plan.resources} none="Nothing yet." />
      <Lines name="gaps" title="What is missing" lines={plan.gaps} none="Nothing." />
      <Lines name="assumptions" title="Taken for granted" lines={plan.assumptions} none="Nothing." />
      <Lines name="questions" title="Open questions" lines={plan.questions} none="None: all is answered." />
      {plan.tasks !== undefined && (
        <Section name="tasks" title="Tasks">
          <TaskTree tasks={plan.tasks} />
        </Section>
      )}
      <Lines name="risks" title="Risks" lines={plan.risks} none="None was found." />
      {plan.cost !== undefined && (
        <Section name="cost" title="Cost">
          <p className={classes.text}>{plan.cost}</p>
        </Section>
      )}
      {plan.template !== undefined && (
        <Section name="template" title="Template">
          <p className={classes.text}>{plan.template}</p>
        </Section>
      )}
    </div>
  );
}

function Section({ name, title, children }: { name: string; title: string; children: ReactNode }) {
  return (
    <section className={classes.section} data-testid="plan-section" data-section={name}>
      <h3 className={classes.heading}>{title}</h3>
      {children}
    </section>
  );
}

function Lines({
  name,
  title,
  lines,
  none,
}: {
  name: string;
  title: string;
  lines: string[] | undefined;
  none: string;
}) {
  if (lines === undefined) return null;
  return (
    <Section name={name} title={title}>
      {lines.length === 0 ? (
        <p className={classes.muted}>{none}</p>
      ) : (
        <ul className={classes.lines}>
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
    </Section>
  );
}
