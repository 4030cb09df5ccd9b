// Passages that have the words, the best first, each under the name of its document.
import { Anchor, Button, Highlight } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { documentUrl } from '../../api/calls';
import { Empty } from '../../components/Empty';
import classes from '../../components/List.module.css';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { documentSearchQuery } from '../../data/queries';
import { plural } from '../../lib/format';

interface DocumentHitsProps {
  projectId: string;
  q: string;
  onClear: () => void;
}

export function DocumentHits({ projectId, q, onClear }: DocumentHitsProps) {
  const query = useQuery(documentSearchQuery(projectId, q));
  const words = q.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  return (
    <QueryView query={query} what="what matches">
      {({ items }) => (
        <>
          <p className={classes.seen} role="status" data-testid="documents-found">
            {plural(items.length, 'passage')} found{items.length >= 50 ? ', the best 50' : ''}
          </p>
          {items.length === 0 ? (
            <Empty
              title="No passage has all of these words"
              action={
                <Button variant="default" onClick={onClear}>
                  Show all documents
                </Button>
              }
            />
          ) : (
            <Panel title="Passages" flush>
              <ul className={classes.rows} aria-label="Passages found">
                {items.map((hit) => (
                  <li key={`${hit.document_id}-${hit.passage}`} className={classes.row} data-testid="passage">
                    <div className={classes.text}>
                      <p className={classes.name}>
                        <Anchor href={documentUrl(hit.document_id)} download>
                          {hit.name}
                        </Anchor>
                      </p>
                      <Highlight highlight={words} className={classes.excerpt ?? ''} component="p">
                        {hit.excerpt}
                      </Highlight>
                    </div>
                  </li>
                ))}
              </ul>
            </Panel>
          )}
        </>
      )}
    </QueryView>
  );
}
