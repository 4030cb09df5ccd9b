// One template: what it wants to know, what it does with that, and where the result can go.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { asApiError } from '../../api/errors';
import type { TemplateDetails, TemplateOffer, TemplateStep } from '../../api/types';
import { Empty } from '../../components/Empty';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { fieldsOf, type SchemaField } from '../../components/schema/schema';
import { templateQuery } from '../../data/pipelines';
import { formatBytes, formatLimit, plural } from '../../lib/format';
import { TARGETS, targetsOf } from '../projects/template/targets';
import { checkText, commandOf, SOURCES, sourceText } from './describe';
import classes from './Templates.module.css';
import { UninstallDialog } from './UninstallDialog';

export function TemplateView({ reference, onUse }: { reference: string; onUse: (reference: string) => void }) {
  const query = useQuery(templateQuery(reference));
  if (query.error && query.data === undefined && asApiError(query.error).status === 404) {
    return <Empty title="There is no such template">It was removed, or the address is from another Titan.</Empty>;
  }
  return (
    <Panel
      title={query.data?.manifest.title ?? reference}
      testId="template"
      aside={
        query.data && (
          <Button size="compact-md" onClick={() => onUse(reference)}>
            Use it
          </Button>
        )
      }
    >
      <QueryView query={query} what="the template">
        {(template) => <Template template={template} />}
      </QueryView>
    </Panel>
  );
}

function Template({ template }: { template: TemplateDetails }) {
  const { manifest, reference, offer, versions, files } = template;
  const { steps, checks } = manifest;
  return (
    <div className={classes.template}>
      <p className={classes.lead}>{manifest.description}</p>
      <p className={classes.muted}>
        {reference}, {SOURCES[offer.source]}
        {manifest.tags.map((tag) => (
          <span key={tag} className={classes.tag}>
            {tag}
          </span>
        ))}
      </p>
      {(versions.length > 1 || offer.source === 'installed') && (
        <Section title={plural(versions.length, 'version')}>
          {versions.map((version) => (
            <VersionRow
              key={`${version.version} ${version.source} ${version.origin}`}
              name={manifest.name}
              offer={version}
              isLast={versions.length === 1}
            />
          ))}
        </Section>
      )}
      <Section title="Wants to know">
        {fieldsOf(manifest.inputs).map((field) => (
          <li key={field.name}>
            <strong>{field.label}</strong> <span className={classes.muted}>{inputText(field)}</span>
            {field.description && <p className={classes.small}>{field.description}</p>}
          </li>
        ))}
      </Section>
      <Section title="Builds with">{steps.build.map(stepRow)}</Section>
      <Section title="Verifies with">{steps.verify.map(stepRow)}</Section>
      <Section title="Before it is published">{steps.publish.map(stepRow)}</Section>
      <Section title="Checks">
        {checks.map((check) => (
          <li key={check.name}>
            <strong>{check.name}</strong>
            <p className={classes.code}>{checkText(check)}</p>
          </li>
        ))}
      </Section>
      <Section title="Can be deployed to">
        {targetsOf(template).map((target) => (
          <li key={target}>
            <strong>{TARGETS[target].label}</strong>
            <p className={classes.small}>{TARGETS[target].description}</p>
          </li>
        ))}
      </Section>
      <Section title={plural(files.length, 'file')}>
        {files.map((file) => (
          <li key={file.path}>
            <span className="mono">{file.to ?? file.path}</span>{' '}
            <span className={classes.muted}>
              {formatBytes(file.size)}
              {file.rendered && ', filled in'}
            </span>
          </li>
        ))}
      </Section>
    </div>
  );
}

interface VersionRowProps {
  name: string;
  offer: TemplateOffer;
  /** Nothing of the template is left without it. */
  isLast: boolean;
}

function VersionRow({ name, offer, isLast }: VersionRowProps) {
  const [asked, setAsked] = useState(false);
  const navigate = useNavigate({ from: '/templates' });
  const reference = `${name}@${offer.version}`;
  const close = () => setAsked(false);
  const gone = () => {
    close();
    if (isLast) void navigate({ search: ({ q }) => (q === undefined ? {} : { q }), replace: true });
  };
  return (
    <li className={classes.version}>
      <span>
        <strong>{offer.version}</strong> <span className={classes.muted}>{sourceText(offer)}</span>
      </span>
      {offer.source === 'installed' && (
        <Button
          variant="default"
          size="compact-sm"
          aria-label={`Uninstall ${reference}`}
          onClick={() => setAsked(true)}
        >
          Uninstall
        </Button>
      )}
      {asked && <UninstallDialog reference={reference} onClose={close} onGone={gone} />}
    </li>
  );
}

function Section({ title, children }: { title: string; children: ReactNode[] }) {
  if (children.length === 0) return null;
  return (
    <section aria-label={title}>
      <h3 className={classes.heading}>{title}</h3>
      <ul className={classes.items}>{children}</ul>
    </section>
  );
}

function stepRow(step: TemplateStep, index: number) {
  const facts = [
    `at most ${formatLimit(step.timeout_seconds)}`,
    step.network === 'registries' ? 'fetches packages' : 'without network',
  ];
  const command = commandOf(step);
  return (
    <li key={index}>
      <strong>{step.name === command ? 'Command' : step.name}</strong>{' '}
      <span className={classes.muted}>{facts.join(', ')}</span>
      <p className={classes.code}>{command}</p>
    </li>
  );
}

const KINDS: Record<SchemaField['kind'], string> = {
  line: 'text',
  text: 'long text',
  number: 'number',
  boolean: 'yes or no',
  choice: 'one of',
  lines: 'list of texts',
  json: 'JSON',
};

function inputText({ kind, required, choices }: SchemaField): string {
  const what = kind === 'choice' ? `one of ${choices.join(', ')}` : KINDS[kind];
  return required ? `${what}, needed` : what;
}
