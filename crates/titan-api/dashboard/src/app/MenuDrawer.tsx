// The left bar as a drawer, for screens that have no room for it.
import { Drawer } from '@mantine/core';
import { NavBar } from './NavBar';

export function MenuDrawer({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      title="Titan"
      size={260}
      closeButtonProps={{ 'aria-label': 'Close the menu' }}
    >
      <NavBar narrow={false} />
    </Drawer>
  );
}
