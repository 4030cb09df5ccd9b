// The lazy half of Markdown: no raw HTML, everything sanitised, and remote images only as links, so that showing a text
// contacts no other host.
import ReactMarkdown, { type Components } from 'react-markdown';
import rehypeHighlight from 'rehype-highlight';
import rehypeSanitize from 'rehype-sanitize';
import remarkGfm from 'remark-gfm';
import './highlight.css';
import { ScrollBox } from './ScrollBox';

const components: Components = {
  a: ({ href, children }) => (
    <a href={href} title={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  ),
  img: ({ src, alt }) => (
    <a href={typeof src === 'string' ? src : undefined} target="_blank" rel="noopener noreferrer nofollow">
      Image{alt ? `: ${alt}` : ''} (opens {typeof src === 'string' ? src : 'nothing'})
    </a>
  ),
  pre: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: long lines scroll sideways, which must be possible by keyboard
    <pre tabIndex={0}>{children}</pre>
  ),
  table: ({ children }) => (
    <ScrollBox className="table-scroll" label="Table">
      <table>{children}</table>
    </ScrollBox>
  ),
};

export default function MarkdownRendered({ text }: { text: string }) {
  return (
    <ReactMarkdown
      remarkPlugins={[remarkGfm]}
      rehypePlugins={[rehypeSanitize, [rehypeHighlight, { detect: false }]]}
      components={components}
    >
      {text}
    </ReactMarkdown>
  );
}
