// A new project made of a template: choose one of the catalogue, say what it wants to know, and watch it being made.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { QueryView } from '../../../components/QueryView';
import { templateQuery } from '../../../data/pipelines';
import { TemplateForm } from './TemplateForm';
import { TemplatePicker } from './TemplatePicker';

interface FromTemplateProps {
  /** Chosen already, as on the page of the catalogue. */
  chosen: string | null;
  onClose: () => void;
}

export function FromTemplate({ chosen, onClose }: FromTemplateProps) {
  const [reference, setReference] = useState(chosen);
  if (reference === null) return <TemplatePicker onChoose={setReference} onCancel={onClose} />;
  return <WithTemplate reference={reference} onOther={() => setReference(null)} onClose={onClose} />;
}

function WithTemplate({
  reference,
  onOther,
  onClose,
}: {
  reference: string;
  onOther: () => void;
  onClose: () => void;
}) {
  const navigate = useNavigate();
  // Newer versions may come while somebody fills in the form; it stays that of the version they began with.
  const query = useQuery({ ...templateQuery(reference), staleTime: Number.POSITIVE_INFINITY });
  return (
    <QueryView query={query} what="the template">
      {(template) => (
        <TemplateForm
          template={template}
          other={
            <Button size="compact-sm" variant="default" onClick={onOther}>
              Another template
            </Button>
          }
          onCancel={onClose}
          onCreated={(projectId) => {
            onClose();
            void navigate({ to: '/projects/$projectId/progress', params: { projectId } });
          }}
        />
      )}
    </QueryView>
  );
}
