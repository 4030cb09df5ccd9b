// "Does it earn?" Nothing of it exists yet, and the page says so instead of showing empty tables.
import { Panel } from '../../components/Panel';
import classes from './SalesPage.module.css';

const PARTS = [
  ['Offer', 'What is sold, for whom, at which price, and where it is published.'],
  ['Leads', 'Who showed interest, where they came from, and the next step with each of them.'],
  ['Deals', 'Open deals by stage with their sums, and why deals were won or lost.'],
  ['Revenue', 'Income per month against the goal, with import and export as CSV.'],
];

export function SalesPage() {
  return (
    <Panel title="Sales" testId="sales">
      <p className={classes.lead}>
        <strong>Sales is not built yet.</strong> This version of Titan keeps no offers, leads, deals or revenue, and
        nothing is collected in the background. This tab is planned to hold:
      </p>
      <dl className={classes.parts}>
        {PARTS.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
