import { describe, expect, it } from 'vitest';
import { statusOfWait } from './waiting/wait';

describe('how a run that waits looks', () => {
  it('is not as if a person had to do something where time or others will', () => {
    expect(['timer', 'child', 'event'].map(statusOfWait)).toEqual(['retrying', 'retrying', 'retrying']);
    expect(['approval', 'input', 'budget'].map(statusOfWait)).toEqual(['waiting', 'waiting', 'waiting']);
  });
});
