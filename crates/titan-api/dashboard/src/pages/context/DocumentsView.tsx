// What the project was given to read: files by button or drop, how far each is read, and what stands in them.
import { Button } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type DragEvent, useState } from 'react';
import * as api from '../../api/calls';
import type { Document } from '../../api/types';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { Empty } from '../../components/Empty';
import { FilePicker } from '../../components/FilePicker';
import classes from '../../components/List.module.css';
import { LoadMore } from '../../components/LoadMore';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { SearchBox } from '../../components/SearchBox';
import { useChange } from '../../data/change';
import { keys } from '../../data/keys';
import { documentsQuery } from '../../data/queries';
import { useOffline } from '../../live/hooks';
import { DocumentHits } from './DocumentHits';
import { DocumentRow } from './DocumentRow';
import { LIMITS } from './documents';
import { UploadList } from './UploadList';
import { useUploads } from './useUploads';

interface DocumentsViewProps {
  projectId: string;
  q: string;
  onSearch: (q: string) => void;
}

export function DocumentsView({ projectId, q, onSearch }: DocumentsViewProps) {
  const [over, setOver] = useState(false);
  const [doomed, setDoomed] = useState<Document | null>(null);
  const offline = useOffline();
  const query = useInfiniteQuery(documentsQuery(projectId));
  const uploads = useUploads(projectId);
  const add = (files: Iterable<File> | null) => {
    if (!offline && files !== null) uploads.add([...files]);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    add(event.dataTransfer.files);
  };
  const onDragOver = (event: DragEvent) => {
    event.preventDefault();
    setOver(true);
  };
  return (
    <section
      className={classes.page}
      aria-label="All documents"
      data-testid="documents"
      onDragOver={onDragOver}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <div className={classes.toolbar} role="toolbar" aria-label="Documents">
        <SearchBox what="the documents" q={q} onSearch={onSearch} />
        <span className={classes.spacer} />
        <FilePicker multiple onFiles={add} disabled={offline}>
          {(props) => (
            <Button {...props} disabled={offline} leftSection={<IconUpload size={16} aria-hidden />}>
              Add documents
            </Button>
          )}
        </FilePicker>
      </div>
      <p className={classes.drop} data-over={over}>
        {LIMITS} Drop files anywhere here. What has to do with a message is shown to the model that answers it.
      </p>
      <UploadList uploads={uploads} />
      {q === '' ? (
        <QueryView query={query} what="the documents">
          {(data) => {
            const documents = data.pages.flatMap((page) => page.items);
            if (documents.length === 0) {
              return (
                <Empty
                  title="No documents yet"
                  action={
                    <FilePicker multiple onFiles={add} disabled={offline}>
                      {(props) => (
                        <Button {...props} variant="default" disabled={offline}>
                          Choose the first documents
                        </Button>
                      )}
                    </FilePicker>
                  }
                >
                  Give the project what it should know: a price list, a contract, notes. A worker reads each file, and
                  what stands in it can be searched here.
                </Empty>
              );
            }
            return (
              <Panel title="Documents" flush testId="document-list">
                <ul className={classes.rows} aria-label="Documents of this project">
                  {documents.map((document) => (
                    <DocumentRow key={document.id} document={document} onDelete={setDoomed} />
                  ))}
                </ul>
                <LoadMore query={query} />
              </Panel>
            );
          }}
        </QueryView>
      ) : (
        <DocumentHits projectId={projectId} q={q} onClear={() => onSearch('')} />
      )}
      {doomed && <DeleteDocument projectId={projectId} document={doomed} onClose={() => setDoomed(null)} />}
    </section>
  );
}

interface DeleteDocumentProps {
  projectId: string;
  document: Document;
  onClose: () => void;
}

function DeleteDocument({ projectId, document, onClose }: DeleteDocumentProps) {
  const remove = useChange(api.deleteDocument, [keys.documents(projectId)], () => 'Deleted');
  return (
    <ConfirmDialog
      title="Delete this document?"
      verb="Delete"
      action={remove}
      onConfirm={() => remove.mutate(document.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>
        <strong>{document.name}</strong> and its text go, and no model is shown it any more. Answers given so far stay
        as they are.
      </p>
    </ConfirmDialog>
  );
}
