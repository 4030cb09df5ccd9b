// A dialog that is open as long as it is rendered. Mantine gives the focus back when one is told to close, not when it is
// taken away; here it goes back to what opened it, or, when that has gone as well, to the page.
import { Modal, type ModalProps } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';

interface DialogProps {
  title: string;
  size?: ModalProps['size'];
  onClose: () => void;
  children: ReactNode;
}

export function Dialog({ title, size, onClose, children }: DialogProps) {
  useFocusReturn();
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      closeButtonProps={{ 'aria-label': 'Close the dialog' }}
      {...(size === undefined ? {} : { size })}
    >
      {children}
    </Modal>
  );
}

function useFocusReturn(): void {
  const [opener] = useState(() => openerOf(document.activeElement));
  useEffect(
    () => () => {
      // Whoever closed it may have found a better place.
      setTimeout(() => {
        if (document.activeElement !== null && document.activeElement !== document.body) return;
        const back = opener?.isConnected ? opener : document.querySelector('main');
        back?.focus({ preventScroll: true });
      });
    },
    [opener],
  );
}

/** An item of a menu goes away with the menu; the button of the menu stays. */
function openerOf(element: Element | null): HTMLElement | null {
  const menu = element?.closest('[role="menu"]');
  const opener = menu ? document.getElementById(menu.getAttribute('aria-labelledby') ?? '') : element;
  return opener instanceof HTMLElement && opener !== document.body ? opener : null;
}
