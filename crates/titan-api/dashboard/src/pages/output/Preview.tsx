// Shows what an output holds. Everything here is untrusted: text is text, Markdown is sanitised, SVG and HTML are shown
// as source, and a link shows where it leads before it is followed.
import { Anchor, Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { outputContentUrl } from '../../api/calls';
import { ApiError } from '../../api/errors';
import { timedFetch } from '../../api/http';
import type { Output } from '../../api/types';
import { Empty } from '../../components/Empty';
import { Markdown } from '../../components/Markdown';
import { Patch } from '../../components/Patch';
import { QueryView } from '../../components/QueryView';
import { keys } from '../../data/keys';
import { formatBytes } from '../../lib/format';
import classes from './OutputPage.module.css';
import { canShowText, fence, isDiff, isMarkdown, isPdf, isSafeImage, safeLink } from './previewKind';

const FULL_TEXT_LIMIT = 512 * 1024;

export function Preview({ output }: { output: Output }) {
  if (output.kind === 'link') return <LinkPreview uri={output.uri} />;
  if (isSafeImage(output.media_type)) return <ImagePreview output={output} />;
  if (isPdf(output.media_type)) return <PdfPreview output={output} />;
  if (canShowText(output)) return <TextPreview output={output} />;
  return (
    <Empty title="There is no preview for this kind of file">
      {output.media_type}, {formatBytes(output.size)}. Download it to open it.
    </Empty>
  );
}

function LinkPreview({ uri }: { uri: string | null }) {
  const target = safeLink(uri);
  if (target === null)
    return <Empty title="This link cannot be opened">It is not a web address: {uri ?? 'nothing'}</Empty>;
  return (
    <div className={classes.preview}>
      <p className={classes.linkHost}>{target.host}</p>
      <Anchor href={target.href} target="_blank" rel="noopener noreferrer nofollow" className={classes.linkText ?? ''}>
        {target.href}
      </Anchor>
    </div>
  );
}

function ImagePreview({ output }: { output: Output }) {
  const [broken, setBroken] = useState(false);
  if (broken) return <Empty title="The image could not be shown">Download it to look at it.</Empty>;
  return (
    <div className={classes.preview}>
      <img
        src={outputContentUrl(output.id)}
        alt={output.name}
        className={classes.image}
        onError={() => setBroken(true)}
      />
    </div>
  );
}

/** In a frame of its own, by the viewer of the browser; the server sandboxes what is in it. */
function PdfPreview({ output }: { output: Output }) {
  return (
    <div className={classes.preview}>
      <iframe src={outputContentUrl(output.id)} title={output.name} className={classes.pdf} data-testid="pdf" />
      <p className={classes.partial}>
        If nothing is shown here, your browser has no viewer for PDF. Download it to read it.
      </p>
    </div>
  );
}

function TextPreview({ output }: { output: Output }) {
  const start = output.preview ?? '';
  const partial = output.preview === null || new TextEncoder().encode(start).length < output.size;
  const [whole, setWhole] = useState(output.preview === null && output.size <= FULL_TEXT_LIMIT);
  const full = useQuery({
    queryKey: [...keys.output(output.id), 'content'],
    enabled: whole,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }): Promise<string> => {
      const response = await timedFetch(outputContentUrl(output.id), { signal });
      if (!response.ok) throw await ApiError.fromResponse(response);
      return response.text();
    },
  });
  if (whole && full.data === undefined && !start) {
    return (
      <QueryView query={full} what="the content">
        {(text: string) => <Text output={output} text={text} />}
      </QueryView>
    );
  }
  return (
    <>
      <Text output={output} text={full.data ?? start} />
      {partial && full.data === undefined && (
        <p className={classes.partial}>
          This is the beginning of {formatBytes(output.size)}.{' '}
          {output.size <= FULL_TEXT_LIMIT ? (
            <Button size="compact-sm" variant="default" loading={full.isFetching} onClick={() => setWhole(true)}>
              Show all of it
            </Button>
          ) : (
            'Download it to read all of it.'
          )}
        </p>
      )}
    </>
  );
}

function Text({ output, text }: { output: Output; text: string }) {
  if (text.trim() === '') return <Empty title="This output is empty" />;
  if (isMarkdown(output)) {
    return (
      <div className={classes.preview} data-testid="preview">
        <Markdown text={text} />
      </div>
    );
  }
  if (isDiff(output)) {
    return (
      <div className={classes.preview} data-testid="preview">
        <Patch patch={text} />
      </div>
    );
  }
  if (output.kind === 'code') {
    return (
      <div className={classes.preview} data-testid="preview">
        <Markdown text={fence(text, output.name)} />
      </div>
    );
  }
  return (
    <pre className={`${classes.preview} ${classes.plain} mono`} data-testid="preview">
      {text}
    </pre>
  );
}
