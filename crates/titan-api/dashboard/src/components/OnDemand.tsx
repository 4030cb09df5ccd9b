// Dialogs whose code comes when they are first opened: the first load of a page is short, and most visits open none of them.
import { type ComponentType, useEffect, useState } from 'react';
import { notifyError } from '../lib/notify';

interface Dialog {
  opened: boolean;
  onClose: () => void;
}

/** A dialog that is fetched with `load`. Code that does not come closes it and says so, and the next try fetches again. */
export function onDemand<Props extends Dialog>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  return function OnDemand(props: Props) {
    const { opened, onClose } = props;
    const [Fetched, setFetched] = useState<ComponentType<Props> | null>(null);
    // It is drawn closed first: what is opened from the beginning does not know where to give the focus back.
    const [shown, setShown] = useState(false);
    useEffect(() => setShown(opened && Fetched !== null), [opened, Fetched]);
    useEffect(() => {
      if (!opened || Fetched !== null) return;
      let gone = false;
      load().then(
        (component) => !gone && setFetched(() => component),
        (reason: unknown) => {
          if (gone) return;
          notifyError('Not opened', reason);
          onClose();
        },
      );
      return () => {
        gone = true;
      };
    }, [opened, onClose, Fetched]);
    return Fetched && <Fetched {...props} opened={shown} />;
  };
}
