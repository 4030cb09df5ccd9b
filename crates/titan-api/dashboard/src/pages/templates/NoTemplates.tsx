// Where no template is listed: because there is none, or because none has the words.
import { Button } from '@mantine/core';
import { Empty } from '../../components/Empty';

export function NoTemplates({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (!filtered) return <Empty title="No templates">Some come with Titan; none of them can be read now.</Empty>;
  return (
    <Empty
      title="No template matches"
      action={
        <Button variant="default" onClick={onClear}>
          Show all templates
        </Button>
      }
    >
      None has these words in its name, title, description or tags.
    </Empty>
  );
}
