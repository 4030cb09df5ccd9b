import { screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { renderPage } from '../test/render';
import MarkdownRendered from './MarkdownRendered';

async function rendered(text: string): Promise<HTMLElement> {
  await renderPage(
    <div data-testid="box">
      <MarkdownRendered text={text} />
    </div>,
  );
  return screen.getByTestId('box');
}

describe('Markdown of models', () => {
  it('runs no script and keeps no raw HTML', async () => {
    const box = await rendered(
      '<script>alert(1)</script><img src=x onerror=alert(1)>\n\n**bold** <b onclick="x()">raw</b> [go](javascript:alert(1))',
    );
    expect(box.querySelector('script, img')).toBeNull();
    expect(box.querySelector('strong')?.textContent).toBe('bold');
    expect(box.innerHTML).not.toContain('javascript:');
  });

  it('fetches no remote image but names where it is', async () => {
    const box = await rendered('![a cat](https://example.com/cat.png)');
    expect(box.querySelector('img')).toBeNull();
    expect(box.textContent).toContain('https://example.com/cat.png');
  });

  it('colours code of a known language', async () => {
    const box = await rendered('```js\nconst a = 1;\n```');
    expect(box.querySelector('.hljs-keyword')?.textContent).toBe('const');
  });
});
