// Plans and charters for tests.
import type { Charter, CharterItem, Plan, PlanContent, PlanSummary } from '../api/types';

const AT = '2026-11-21T10:00:00.000Z';

export const aContent = (over: Partial<PlanContent> = {}): PlanContent => ({
  goal: 'A page for the tea shop.',
  resources: ['A list of teas'],
  gaps: [],
  assumptions: ['It is small'],
  questions: [
    { key: 'colour', question: 'Which colour?', choices: ['green', 'red'], blocks: ['page'] },
    { key: 'name', question: 'What is it called?', choices: [], blocks: [] },
  ],
  tasks: [
    {
      key: 'all',
      title: 'Everything',
      content: 'x',
      type: 'chat',
      execution_type: 'manual',
      needs: [],
      parent: null,
    },
    {
      key: 'texts',
      title: 'Write the texts',
      content: 'x',
      type: 'chat',
      execution_type: 'fully_automated',
      needs: [],
      parent: 'all',
    },
    {
      key: 'page',
      title: 'Make the page',
      content: 'x',
      type: 'chat',
      execution_type: 'manual',
      needs: ['texts'],
      parent: 'all',
    },
  ],
  risks: [{ risk: 'No photos', response: 'Drawings' }],
  cost: { currency: 'EUR', low: 0, high: 20, basis: 'a domain' },
  template: null,
  ...over,
});

export const aSummary = (over: Partial<PlanSummary> = {}): PlanSummary => ({
  id: 'plan1',
  version: 1,
  state: 'draft',
  author: 'openai:m',
  wish: 'A page',
  run_id: 'r1',
  questions: 2,
  answered: 0,
  tasks: 3,
  reason: null,
  created_at: AT,
  decided_at: null,
  ...over,
});

export const aPlan = (over: Partial<Plan> = {}): Plan => ({
  ...aSummary(),
  project_id: 'p1',
  content: aContent(),
  answers: [],
  ...over,
});

export const anItem = (over: Partial<CharterItem> = {}): CharterItem => ({
  key: 'page',
  task_id: 't-page',
  title: 'Make the page',
  execution_type: 'manual',
  execution_status: 'pending',
  parent_task_id: null,
  needs: [],
  progress: null,
  ...over,
});

export const aCharter = (items: CharterItem[]): Charter => ({
  id: 'ch1',
  project_id: 'p1',
  number: 1,
  plan_version: 1,
  wish: 'A page',
  content: aContent(),
  answers: [],
  items,
  progress: { total: items.length, completed: 0, failed: 0, canceled: 0 },
  created_at: AT,
});
