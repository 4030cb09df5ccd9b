// Files on their way to a project, one after the other. What fails stays in the list with its reason, and can be sent again.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { uploadDocument } from '../../api/calls';
import { asApiError } from '../../api/errors';
import { keys } from '../../data/keys';
import { randomId } from '../../lib/ids';
import { notifyError } from '../../lib/notify';
import { refusal } from './documents';

export interface Upload {
  /** Also the key under which the server knows the request. */
  key: string;
  file: File;
  /** Null while it is being sent. */
  failure: string | null;
  /** Whether the same file may be taken another time. */
  again: boolean;
}

export interface Uploads {
  list: Upload[];
  add: (files: readonly File[]) => void;
  retry: (upload: Upload) => void;
  forget: (upload: Upload) => void;
}

export function useUploads(projectId: string): Uploads {
  const [list, setList] = useState<Upload[]>([]);
  const client = useQueryClient();
  const line = useRef<Promise<void>>(Promise.resolve());
  const watched = useRef(true);
  useEffect(() => {
    watched.current = true;
    return () => {
      watched.current = false;
    };
  }, []);
  const change = (key: string, change: Partial<Upload>) =>
    setList((now) => now.map((upload) => (upload.key === key ? { ...upload, ...change } : upload)));
  const drop = (key: string) => setList((now) => now.filter((upload) => upload.key !== key));

  const send = async ({ key, file }: Upload) => {
    try {
      await uploadDocument(projectId, file, key);
      drop(key);
      void client.invalidateQueries({ queryKey: keys.documents(projectId) });
    } catch (reason) {
      const error = asApiError(reason);
      // Nobody sees the list any more.
      if (!watched.current) notifyError(`Sending ${file.name}`, error);
      change(key, { failure: error.detail || error.title, again: error.transient });
    }
  };
  const queue = (uploads: readonly Upload[]) => {
    for (const upload of uploads) line.current = line.current.then(() => send(upload));
  };

  const add = (files: readonly File[]) => {
    const added = files.map((file) => ({ key: randomId(), file, failure: refusal(file), again: false }));
    setList((now) => [...now, ...added]);
    queue(added.filter(({ failure }) => failure === null));
  };
  const retry = (upload: Upload) => {
    change(upload.key, { failure: null });
    queue([upload]);
  };
  return { list, add, retry, forget: ({ key }) => drop(key) };
}
