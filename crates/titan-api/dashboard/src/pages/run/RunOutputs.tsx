// What this run made.
import { useQuery } from '@tanstack/react-query';
import { Empty } from '../../components/Empty';
import { QueryView } from '../../components/QueryView';
import { artifactsQuery } from '../../data/queries';
import { OutputDetail } from '../output/OutputDetail';
import classes from './RunPage.module.css';

export function RunOutputs({ runId }: { runId: string }) {
  const query = useQuery(artifactsQuery(runId));
  return (
    <QueryView query={query} what="outputs">
      {(data) =>
        data.items.length === 0 ? (
          <Empty title="This run has made nothing yet" />
        ) : (
          <div className={classes.outputs}>
            {data.items.map((output) => (
              <OutputDetail key={output.id} output={output} asked={null} />
            ))}
          </div>
        )
      }
    </QueryView>
  );
}
