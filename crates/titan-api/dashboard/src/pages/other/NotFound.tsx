// An address that leads nowhere, with the way back.
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Empty } from '../../components/Empty';

export function NotFound() {
  return (
    <Empty
      page
      title="There is no such page"
      action={
        <Button component={Link} to="/projects">
          Go to projects
        </Button>
      }
    >
      The address may be mistyped, or the page was moved.
    </Empty>
  );
}
