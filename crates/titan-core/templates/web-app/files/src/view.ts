// The list as elements of the page. Texts are set as texts, never as HTML.

import type { Progress } from './plan';

export function show(
  root: HTMLElement,
  features: readonly string[],
  done: ReadonlySet<string>,
  { done: count, total }: Progress,
  toggle: (feature: string) => void,
): void {
  const focused = root.contains(document.activeElement) ? document.activeElement?.id : undefined;
  const summary = document.createElement('p');
  summary.setAttribute('role', 'status');
  summary.textContent = total === 0 ? 'Nothing is planned yet.' : `${count} of ${total} done`;
  const list = document.createElement('ul');
  list.append(...features.map((feature, index) => item(feature, index, done.has(feature), toggle)));
  root.replaceChildren(summary, list);
  // Whoever ticks with the keyboard stays where she was.
  if (focused) document.getElementById(focused)?.focus();
}

function item(feature: string, index: number, checked: boolean, toggle: (feature: string) => void): HTMLLIElement {
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.id = `feature-${index}`;
  box.checked = checked;
  box.addEventListener('change', () => toggle(feature));
  const label = document.createElement('label');
  label.htmlFor = box.id;
  label.textContent = feature;
  const entry = document.createElement('li');
  entry.append(box, label);
  return entry;
}
