// All keys in one place, and the switch that turns the single ones off.
import { Kbd, Modal, Switch } from '@mantine/core';
import { useState } from 'react';
import { setSingleKeys, singleKeysOn } from '../lib/shortcuts';
import classes from './HelpDialog.module.css';

const GROUPS: { title: string; keys: [string, string][] }[] = [
  {
    title: 'Everywhere',
    keys: [
      ['?', 'This help'],
      ['g p', 'Projects'],
      ['g t', 'Templates'],
      ['g q', 'Queue'],
      ['g o', 'Ops'],
      ['g s', 'System'],
      ['[', 'Narrow or widen the menu'],
    ],
  },
  {
    title: 'In a project',
    keys: [
      ['1 … 5', 'Progress, Input, Logs, Output, Sales'],
      ['c', 'Write a message'],
    ],
  },
  {
    title: 'Input',
    keys: [
      ['Ctrl Enter', 'Send'],
      ['Esc', 'Stop the answer'],
    ],
  },
  {
    title: 'Logs',
    keys: [
      ['/', 'Search'],
      ['f', 'Follow or pause'],
      ['w', 'Wrap lines'],
      ['Shift G', 'Jump to the end'],
    ],
  },
  {
    title: 'Output',
    keys: [
      ['j / k', 'Next, previous'],
      ['a', 'Approve'],
      ['r', 'Reject'],
    ],
  },
  {
    title: 'Ops',
    keys: [
      ['j / k', 'Next, previous proposal or file'],
      ['Enter', 'Open'],
    ],
  },
];

export function HelpDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [on, setOn] = useState(singleKeysOn);
  const change = (next: boolean) => {
    setSingleKeys(next);
    setOn(next);
  };
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Keys"
      size="lg"
      closeOnClickOutside
      closeButtonProps={{ 'aria-label': 'Close the help' }}
    >
      <div className={classes.groups}>
        {GROUPS.map((group) => (
          <section key={group.title}>
            <h3 className={classes.title}>{group.title}</h3>
            <dl className={classes.keys}>
              {group.keys.map(([key, meaning]) => (
                <div key={key} className={classes.row}>
                  <dt>
                    <Kbd size="sm">{key}</Kbd>
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <Switch
        checked={on}
        onChange={(event) => change(event.currentTarget.checked)}
        label="Single-key shortcuts"
        description="Keys are always silent while you type in a field."
      />
    </Modal>
  );
}
