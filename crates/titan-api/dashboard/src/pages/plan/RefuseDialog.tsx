// Refuses a version of a plan, after a question: it is for good, and the next version may heed the reason.
import { Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { refusePlan } from '../../api/calls';
import { ConfirmDialog } from '../../components/ConfirmDialog';

interface RefuseDialogProps {
  projectId: string;
  version: number;
  onSettled: () => void;
  onRefused: () => void;
  onClose: () => void;
}

export function RefuseDialog({ projectId, version, onSettled, onRefused, onClose }: RefuseDialogProps) {
  const [reason, setReason] = useState('');
  const refuse = useMutation({
    mutationFn: () => refusePlan(projectId, version, reason),
    onSuccess: () => {
      onClose();
      onRefused();
    },
    onSettled,
  });
  return (
    <ConfirmDialog
      title={`Refuse version ${version}?`}
      verb="Refuse"
      action={refuse}
      onConfirm={() => refuse.mutate()}
      onClose={onClose}
    >
      <p>It cannot be approved any more. Another version can be asked for.</p>
      <Textarea
        label="Why"
        description="It stays beside the version, for those who look at it later."
        autosize
        minRows={2}
        maxRows={8}
        maxLength={2000}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </ConfirmDialog>
  );
}
