// The catalogue: what projects can be made of. What is looked for and which template is open stands in the address.
import { Button } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconDownload } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { GitSource } from '../../api/calls';
import type { TemplateEntry, TemplateList } from '../../api/types';
import { LoadMore } from '../../components/LoadMore';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { SearchBox } from '../../components/SearchBox';
import { templatesQuery } from '../../data/pipelines';
import { CreateDialog } from '../projects/CreateDialog';
import { InstallDialog, NOTHING } from './InstallDialog';
import { InstallsPanel } from './InstallsPanel';
import { NoTemplates } from './NoTemplates';
import classes from './Templates.module.css';
import { TemplateView } from './TemplateView';

export function TemplatesPage() {
  const { q = '', template } = useSearch({ from: '/templates' });
  const navigate = useNavigate({ from: '/templates' });
  const [used, setUsed] = useState<string | null>(null);
  const [installing, setInstalling] = useState<GitSource | null>(null);
  const query = useInfiniteQuery(templatesQuery(q));
  const search = (text: string) => void navigate({ search: text === '' ? {} : { q: text }, replace: true });
  const open = template ?? query.data?.pages[0]?.items[0]?.name;
  // On a phone what was chosen stands below the list, out of sight.
  const below = useMediaQuery('(max-width: 767px)');
  const view = useRef<HTMLDivElement>(null);
  const before = useRef(template);
  useEffect(() => {
    if (template === before.current) return;
    before.current = template;
    if (below && template !== undefined) view.current?.scrollIntoView({ block: 'start' });
  }, [template, below]);
  return (
    <div className={classes.page}>
      <div className={classes.header}>
        <h1 className={classes.title}>Templates</h1>
        <div className={classes.tools}>
          <SearchBox what="templates" q={q} onSearch={search} />
          <Button leftSection={<IconDownload size={16} aria-hidden />} onClick={() => setInstalling(NOTHING)}>
            Install
          </Button>
        </div>
      </div>
      <InstallsPanel onAgain={setInstalling} />
      <QueryView query={query} what="templates">
        {(data) => {
          const templates = data.pages.flatMap((page) => page.items);
          return (
            <>
              <div className={classes.columns}>
                <Panel title="Catalogue" flush testId="templates">
                  {templates.length === 0 && <NoTemplates filtered={q !== ''} onClear={() => search('')} />}
                  <ul className={classes.rows}>
                    {templates.map((entry) => (
                      <li key={entry.name}>
                        <Row entry={entry} q={q} open={entry.name === open?.split('@')[0]} />
                      </li>
                    ))}
                  </ul>
                  <LoadMore query={query} />
                </Panel>
                <div ref={view}>
                  {open !== undefined && <TemplateView key={open} reference={open} onUse={setUsed} />}
                </div>
              </div>
              <Broken broken={data.pages[0]?.broken ?? []} />
            </>
          );
        }}
      </QueryView>
      {installing !== null && (
        <InstallDialog
          initial={installing}
          onClose={() => setInstalling(null)}
          onInstalled={(reference) => {
            setInstalling(null);
            void navigate({ search: { template: reference.split('@')[0] ?? reference } });
          }}
        />
      )}
      {used !== null && <CreateDialog opened onClose={() => setUsed(null)} template={used} />}
    </div>
  );
}

function Row({ entry, q, open }: { entry: TemplateEntry; q: string; open: boolean }) {
  return (
    <Link
      to="/templates"
      search={{ ...(q === '' ? {} : { q }), template: entry.name }}
      resetScroll={false}
      className={classes.row}
      aria-current={open || undefined}
      data-testid="template-row"
    >
      <span className={classes.rowTitle}>{entry.title}</span>{' '}
      <span className={classes.muted}>
        {entry.name} {entry.version}
      </span>
      <span className={classes.rowText}>{entry.description}</span>
    </Link>
  );
}

function Broken({ broken }: { broken: TemplateList['broken'] }) {
  if (broken.length === 0) return null;
  return (
    <Panel title="Cannot be read" tone="person" testId="broken-templates">
      <ul className={classes.broken}>
        {broken.map(({ folder, problems }) => (
          <li key={folder}>
            <strong>{folder || 'TEMPLATES_DIR'}</strong>
            <ul>
              {problems.map(({ path, message }) => (
                <li key={`${path} ${message}`}>
                  <span className="mono">{path}</span> {message}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
