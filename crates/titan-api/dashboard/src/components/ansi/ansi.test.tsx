import { render, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { onlyColours } from './escapes';
import { LogText } from './LogText';

const partsOf = async (text: string, search = '') => {
  const { container } = render(<LogText text={text} search={search} />);
  await screen.findAllByText(/./, { selector: 'span' });
  return [...container.querySelectorAll('span')];
};

describe('colours of log lines', () => {
  it('shows a line without escapes as it is', () => {
    const { container } = render(<LogText text="plain <b>text</b>" />);
    expect(container.innerHTML).toBe('plain &lt;b&gt;text&lt;/b&gt;');
  });

  it('renders colours, bold, dim and their end', async () => {
    const parts = await partsOf('\u001b[1;31mred\u001b[0m plain \u001b[2mdim\u001b[22m \u001b[96mcyan\u001b[39m end');
    expect(parts.map((part) => [part.textContent, part.dataset.colour, part.dataset.bold, part.dataset.dim])).toEqual([
      ['red', 'red', 'true', undefined],
      [' plain ', undefined, undefined, undefined],
      ['dim', undefined, undefined, 'true'],
      [' ', undefined, undefined, undefined],
      ['cyan', 'bright-cyan', undefined, undefined],
      [' end', undefined, undefined, undefined],
    ]);
  });

  it('makes no markup of what a line holds', async () => {
    const parts = await partsOf('\u001b[32m<img src=x onerror=alert(1)>\u001b[0m');
    expect(parts[0]?.innerHTML).toBe('&lt;img src=x onerror=alert(1)&gt;');
  });

  it('marks what was searched for within a colour', async () => {
    const parts = await partsOf('\u001b[33mone warning\u001b[0m', 'WARN');
    expect(parts[0]?.innerHTML).toBe('one <mark>warn</mark>ing');
  });

  it.each([
    ['moves of the cursor', '\u001b[2K\u001b[1Gdone\u001b[1A', 'done'],
    ['a hidden cursor', '\u001b[?25lworking\u001b[?25h', 'working'],
    ['the title of a window', '\u001b]0;npm ci\u0007built', 'built'],
    ['a link, but not its words', '\u001b]8;;https://example.com\u001b\\docs\u001b]8;;\u001b\\', 'docs'],
    ['the begin of a title that never ends', '\u001b]0;a title, and words', 'a title, and words'],
    ['a character set', '\u001b(Btext', 'text'],
    ['a sequence that was cut off', 'text\u001b[', 'text'],
    ['a lone escape', 'text\u001b', 'text'],
  ])('drops %s', (_what, text, left) => {
    expect(onlyColours(text)).toBe(left);
  });

  it('keeps colours of either notation', () => {
    expect(onlyColours('\u001b[38:5:9mx\u001b[m')).toBe('\u001b[38;5;9mx\u001b[m');
  });
});
