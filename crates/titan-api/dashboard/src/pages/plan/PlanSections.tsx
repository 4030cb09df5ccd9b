// What a plan says, section by section; those that are not written yet are missing.
import type { ReactNode } from 'react';
import classes from './Plan.module.css';
import { type PlanInView, TITLES } from './sections';
import { TaskTree } from './TaskTree';

export function PlanSections({ plan }: { plan: PlanInView }) {
  return (
    <div className={classes.sections}>
      {plan.goal !== undefined && (
        <Section name="goal">
          <p className={classes.text}>{plan.goal}</p>
        </Section>
      )}
      <Lines name="resources" lines={plan.resources} none="Nothing yet." />
      <Lines name="gaps" lines={plan.gaps} none="Nothing." />
      <Lines name="assumptions" lines={plan.assumptions} none="Nothing." />
      <Lines name="questions" lines={plan.questions} none="None: all is answered." />
      {plan.tasks !== undefined && (
        <Section name="tasks">
          <TaskTree tasks={plan.tasks} />
        </Section>
      )}
      <Lines name="risks" lines={plan.risks} none="None was found." />
      {plan.cost !== undefined && (
        <Section name="cost">
          <p className={classes.text}>{plan.cost}</p>
        </Section>
      )}
      {plan.template !== undefined && (
        <Section name="template">
          <p className={classes.text}>{plan.template}</p>
        </Section>
      )}
    </div>
  );
}

function Section({ name, children }: { name: string; children: ReactNode }) {
  return (
    <section className={classes.section} data-testid="plan-section" data-section={name}>
      <h3 className={classes.heading}>{TITLES[name]}</h3>
      {children}
    </section>
  );
}

function Lines({ name, lines, none }: { name: string; lines: string[] | undefined; none: string }) {
  if (lines === undefined) return null;
  return (
    <Section name={name}>
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
