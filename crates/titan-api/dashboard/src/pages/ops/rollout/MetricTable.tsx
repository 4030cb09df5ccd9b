// What was measured: one row for each metric, both sides beside each other.
import { ScrollBox } from '../../../components/ScrollBox';
import { Status } from '../../../components/Status';
import table from '../../../components/Table.module.css';
import { sentence } from '../../../lib/format';
import classes from '../Ops.module.css';
import { type Metric, phaseLook, shortNumber } from './analysis';
import { TrendLine } from './TrendLine';

interface MetricTableProps {
  metrics: Metric[];
  /** Samples are being taken. */
  measuring: boolean;
}

export function MetricTable({ metrics, measuring }: MetricTableProps) {
  return (
    <ScrollBox className={table.tableBox} label="Metrics">
      <table className={table.table}>
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col" className={table.num}>
              Baseline
            </th>
            <th scope="col" className={table.num}>
              Canary
            </th>
            <th scope="col">Threshold</th>
            <th scope="col" className={table.num}>
              Samples
            </th>
            <th scope="col">Trend</th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>
          {metrics.map((metric) => (
            <MetricRow key={metric.name} metric={metric} measuring={measuring} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function MetricRow({ metric, measuring }: { metric: Metric; measuring: boolean }) {
  const look = phaseLook(metric.phase, measuring);
  return (
    <tr data-testid="metric-row" data-metric={metric.name}>
      <td className={classes.still}>
        {metric.name}
        {!metric.required && <span className={table.tag}>not required</span>}
      </td>
      <td className={table.num}>
        <Value value={metric.baseline} />
      </td>
      <td className={table.num}>
        <Value value={metric.canary} />
      </td>
      <td>
        {metric.thresholds.map((threshold) => (
          <div key={threshold} className={classes.threshold}>
            {threshold}
          </div>
        ))}
      </td>
      <td className={table.num}>
        {metric.taken} of {metric.wanted}
        {metric.noData > 0 && <div className={`${table.muted} ${classes.still}`}>{metric.noData} without data</div>}
      </td>
      <td>{metric.points.length > 1 && <TrendLine points={metric.points} />}</td>
      <td>
        <Status status={look.status} label={look.word} />
        <div className={table.muted}>{sentence(metric.reason)}</div>
      </td>
    </tr>
  );
}

const Value = ({ value }: { value: number | null }) =>
  value === null ? <span className={table.muted}>no data</span> : shortNumber(value);
