// Everything that is remembered, nested by who is shown it.
import { useInfiniteQuery } from '@tanstack/react-query';
import type { Memory } from '../../api/types';
import { Empty } from '../../components/Empty';
import { LoadMore } from '../../components/LoadMore';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { memoriesQuery } from '../../data/queries';
import classes from './Memory.module.css';
import { MemoryRow } from './MemoryRow';
import { byAgent, pinnedFirst, SCOPES } from './words';

interface MemoryGroupsProps {
  projectId: string;
  onEdit: (memory: Memory) => void;
  onForget: (memory: Memory) => void;
}

export function MemoryGroups(props: MemoryGroupsProps) {
  const own = useInfiniteQuery(memoriesQuery(props.projectId, 'project'));
  const agents = useInfiniteQuery(memoriesQuery(props.projectId, 'agent'));
  const all = useInfiniteQuery(memoriesQuery(props.projectId, 'global'));
  const groups = [own, agents, all];
  const found = groups.map((query) => query.data?.pages.flatMap((page) => page.items) ?? []);
  const empty = groups.every((query) => query.isSuccess) && found.every((memories) => memories.length === 0);
  if (empty) {
    return (
      <Empty title="Nothing remembered yet">
        Finished answers leave facts here, and you can add your own. Titan reads them with every message.
      </Empty>
    );
  }
  return SCOPES.map((scope, index) => {
    const query = groups[index];
    const memories = found[index] ?? [];
    // A group without anything in it only takes room, unless it cannot be shown.
    if (query === undefined || (query.isSuccess && memories.length === 0)) return null;
    return (
      <Panel key={scope.value} title={scope.label} testId={`memory-${scope.value}`} flush>
        <QueryView query={query} what={`the memories of ${scope.label.toLowerCase()}`}>
          {() => (
            <>
              <p className={classes.seen}>{scope.seen}</p>
              {scope.value === 'agent' ? (
                byAgent(memories).map(([agent, theirs]) => (
                  <section key={agent} aria-label={`Agent ${agent}`}>
                    <h3 className={classes.agent}>{agent}</h3>
                    <Rows memories={theirs} label={`Memories of the agent ${agent}`} {...props} />
                  </section>
                ))
              ) : (
                <Rows memories={memories} label={`Memories: ${scope.label}`} {...props} />
              )}
              <LoadMore query={query} />
            </>
          )}
        </QueryView>
      </Panel>
    );
  });
}

function Rows({ memories, label, ...row }: MemoryGroupsProps & { memories: Memory[]; label: string }) {
  return (
    <ul className={classes.rows} aria-label={label}>
      {pinnedFirst(memories).map((memory) => (
        <MemoryRow key={memory.id} memory={memory} {...row} />
      ))}
    </ul>
  );
}
