// The catalogue as a list to choose from.
import { Button, UnstyledButton } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { LoadMore } from '../../../components/LoadMore';
import { QueryView } from '../../../components/QueryView';
import { ScrollBox } from '../../../components/ScrollBox';
import { SearchBox } from '../../../components/SearchBox';
import { templatesQuery } from '../../../data/pipelines';
import { NoTemplates } from '../../templates/NoTemplates';
import classes from './Template.module.css';

interface TemplatePickerProps {
  onChoose: (reference: string) => void;
  onCancel: () => void;
}

export function TemplatePicker({ onChoose, onCancel }: TemplatePickerProps) {
  const [q, setQ] = useState('');
  const query = useInfiniteQuery(templatesQuery(q));
  return (
    <div className={classes.fields}>
      <SearchBox what="templates" q={q} onSearch={setQ} />
      <QueryView query={query} what="templates">
        {(data) => {
          const templates = data.pages.flatMap((page) => page.items);
          if (templates.length === 0) return <NoTemplates filtered={q !== ''} onClear={() => setQ('')} />;
          return (
            <ScrollBox className={classes.list} label="Templates">
              <ul className={classes.choices}>
                {templates.map((template) => (
                  <li key={template.name}>
                    <UnstyledButton
                      className={classes.choice}
                      onClick={() => onChoose(template.name)}
                      data-testid="template-choice"
                    >
                      <span className={classes.choiceTitle}>{template.title}</span>{' '}
                      <span className={classes.muted}>
                        {template.name} {template.version}
                      </span>
                      <span className={classes.choiceText}>{template.description}</span>
                    </UnstyledButton>
                  </li>
                ))}
              </ul>
              <LoadMore query={query} />
            </ScrollBox>
          );
        }}
      </QueryView>
      <div className={classes.buttons}>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </div>
  );
}
