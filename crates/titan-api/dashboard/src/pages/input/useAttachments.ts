// Files on their way to the server: each is sent as soon as it is chosen, so that the message itself can be sent at once.
import { useRef, useState } from 'react';
import { createAttachment } from '../../api/calls';
import type { Attachment } from '../../api/types';
import { admit, base64, mediaType } from '../../lib/files';
import { randomId } from '../../lib/ids';

export interface Sending {
  key: string;
  name: string;
  size: number;
  /** Null while it is being sent. */
  failure: string | null;
}

export interface Attachments {
  sending: Sending[];
  /** Why files were not taken. */
  refused: string[];
  add: (files: readonly File[]) => void;
  /** Takes one from the list that has not arrived. */
  drop: (key: string) => void;
  /** Forgets what was not taken. */
  forget: () => void;
}

export function useAttachments(
  projectId: string,
  there: readonly Attachment[],
  onSent: (file: Attachment) => void,
): Attachments {
  const [sending, setSending] = useState<Sending[]>([]);
  const [refused, setRefused] = useState<string[]>([]);
  // One that was taken back on its way does not come after all.
  const wanted = useRef(new Set<string>());
  const drop = (key: string) => {
    wanted.current.delete(key);
    setSending((now) => now.filter((file) => file.key !== key));
  };

  const send = async (key: string, file: File) => {
    try {
      const type = mediaType(file.type);
      const body = { name: file.name || 'pasted', data: await base64(file), ...(type ? { media_type: type } : {}) };
      const sent = await createAttachment(projectId, body, key);
      if (!wanted.current.has(key)) return;
      drop(key);
      onSent(sent);
    } catch (error) {
      const failure = error instanceof Error ? error.message : 'It could not be sent.';
      setSending((now) => now.map((own) => (own.key === key ? { ...own, failure } : own)));
    }
  };

  /** One after the other, so that they stay in the order in which they were chosen. */
  const sendAll = async (begun: readonly { file: File; key: string }[]) => {
    for (const { file, key } of begun) if (wanted.current.has(key)) await send(key, file);
  };

  const add = (files: readonly File[]) => {
    const pending = sending.filter((file) => file.failure === null);
    const { taken, refused } = admit([...there, ...pending], files);
    setRefused(refused);
    const begun = taken.map((file) => ({ file, key: randomId() }));
    setSending((now) => [
      ...now,
      ...begun.map(({ file, key }) => ({ key, name: file.name || 'pasted', size: file.size, failure: null })),
    ]);
    for (const { key } of begun) wanted.current.add(key);
    void sendAll(begun);
  };

  return { sending, refused, add, drop, forget: () => setRefused([]) };
}
