// Where there are no proposals: how one is made, to be copied.
import { Button } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { Empty } from '../../components/Empty';
import { ScrollBox } from '../../components/ScrollBox';
import classes from './Ops.module.css';

/** The same as in docs/OPS.md, for this Titan. */
const curl = (origin: string) =>
  `curl -X POST ${origin}/api/ops/propose -H "Content-Type: application/json" -H "X-OPS-TOKEN: your-ops-token" -d '{
  "title": "Update README", "description": "Add deployment instructions",
  "patches": [{"path": "README.md", "content": "# My Project\\n\\n## Deployment\\n\\n..."}]}'`;

export function NoProposals() {
  const clipboard = useClipboard({ timeout: 2000 });
  const command = curl(window.location.origin);
  const copy = (
    <Button size="compact-sm" variant="default" onClick={() => clipboard.copy(command)}>
      {clipboard.copied ? 'Copied' : clipboard.error ? 'Not allowed here' : 'Copy the command'}
    </Button>
  );
  return (
    <>
      <Empty title="No proposals yet" action={copy}>
        A proposal is a change to Titan’s own code: it is tested, shown, tried out beside production, and promoted or
        taken back. Whoever has a token of OPS_TOKEN makes one. docs/OPS.md says the rest.
      </Empty>
      <ScrollBox label="How to propose a change" className={classes.command} testId="propose-command">
        <pre className="mono">{command}</pre>
      </ScrollBox>
    </>
  );
}
