// `j` and `k` go from row to row of a list. What has the focus then is what opens the row, so that Enter does.
import { type RefObject, useMemo } from 'react';
import { useShortcuts } from './shortcuts';

/** In each row an element is marked with `data-opens`. */
export function useRowKeys(list: RefObject<HTMLElement | null>, rowSelector: string): void {
  const bindings = useMemo(() => {
    const rows = () => [...(list.current?.querySelectorAll<HTMLElement>(rowSelector) ?? [])];
    const at = () => rows().findIndex((row) => row.contains(document.activeElement));
    return {
      j: () => focusRow(rows()[Math.min(at() + 1, rows().length - 1)]),
      k: () => focusRow(rows()[Math.max(at() - 1, 0)]),
    };
  }, [list, rowSelector]);
  useShortcuts(bindings);
}

export function focusRow(row: HTMLElement | undefined): void {
  row?.querySelector<HTMLElement>('[data-opens]')?.focus();
}
