// Keys for the daily work. Single letters are silent while somebody types and can be turned off altogether.
import { useEffect } from 'react';
import { type KeyBindingMap, tinykeys } from 'tinykeys';
import { readStored, writeStored } from './storage';

const SETTING = 'titan.single-keys';

export const singleKeysOn = (): boolean => readStored(SETTING) !== 'off';
export const setSingleKeys = (on: boolean): void => writeStored(SETTING, on ? null : 'off');

/** Inputs that take no letters. */
const NOT_TYPED = ['button', 'checkbox', 'radio', 'range', 'reset', 'submit'];

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && NOT_TYPED.includes(target.type)) return false;
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
}

/** A dialog or a menu owns the keyboard while it is open. */
const layerOpen = () => document.querySelector('[role="dialog"], [role="alertdialog"], [role="menu"]') !== null;

/** `bindings` must keep its identity between renders, or the keys are bound anew each time. */
export function useShortcuts(bindings: Record<string, () => void>): void {
  useEffect(() => {
    const guarded: KeyBindingMap = {};
    for (const [key, act] of Object.entries(bindings)) {
      guarded[key] = (event) => {
        if (!singleKeysOn() || isTyping(event.target) || layerOpen()) return;
        event.preventDefault();
        act();
      };
    }
    return tinykeys(window, guarded);
  }, [bindings]);
}
