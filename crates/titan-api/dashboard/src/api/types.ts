// The shapes of the HTTP contract, by one name each. They are generated from the OpenAPI document (`npm run generate`);
// pages import them from here, so that a renamed schema is a change in one file.
import type { components } from './schema';

type Schemas = components['schemas'];

export type Agent = Schemas['Agent'];
export type Attachment = Schemas['Attachment'];
export type Project = Schemas['Project'];
export type ProjectStats = Schemas['Stats'];
export type Task = Schemas['Task'];
export type ExecutionStatus = Schemas['ExecutionStatus'];
export type TaskLogEntry = Schemas['TaskLogEntry'];
export type Hint = Schemas['RunHint'];
export type Run = Schemas['Run'];
export type RunStatus = Schemas['RunStatus'];
export type Stage = Schemas['RunStage'];
export type Step = Schemas['Step'];
export type RunEvent = Schemas['RunEvent'];
export type RunEventPage = Schemas['EventPage'];
export type Heartbeat = Schemas['Heartbeat'];
export type ChangeHint = Schemas['ChangeHint'];
export type LogLevel = Schemas['Level'];
export type LogLine = Schemas['LogLine'];
export type LogPage = Schemas['Lines'];
export type Output = Schemas['Output'];
export type Review = Schemas['Review'];
export type Memory = Schemas['Memory'];
export type MemoryScope = Schemas['MemoryScope'];
export type MemoryInput = Schemas['NewMemoryBody'];
export type MemoryPatch = Schemas['MemoryPatchBody'];
export type MemoryHit = Schemas['Hit'];
export type MemorySearch = Schemas['MemorySearch'];
export type ErasedMemories = Schemas['ErasedMemories'];
export type FileEntry = Schemas['FileEntry'];
export type FileList = Schemas['Files'];
export type FileBody = Schemas['FileBody'];
export type GitStatus = Schemas['GitStatus'];
export type GitDiff = Schemas['GitDiff'];
export type Commit = Schemas['Commit'];
export type Spending = Schemas['Spending'];
export type Budget = Schemas['Budget'];
export type BudgetScope = Schemas['Scope'];
export type BudgetPeriod = Schemas['Period'];
export type BudgetInput = Schemas['BudgetBody'];
export type Call = Schemas['Call'];
export type Message = Schemas['Message'];
export type Model = Schemas['Model'];
export type Provider = Schemas['Provider'];
export type Worker = Schemas['Worker'];
export type WorkerHealth = Schemas['WorkerHealth'];
export type Queue = Schemas['Queue'];
export type QueueMinute = Schemas['Minute'];
export type Job = Schemas['Job'];
export type JobState = Schemas['JobState'];
export type BulkAction = Schemas['Action'];
export type BulkFilter = Schemas['BulkFilterBody'];
export type BulkResult = Schemas['BulkResult'];
export type Limit = Schemas['Limit'];
export type LimitInput = Schemas['LimitBody'];
export type Health = Schemas['Health'];
export type Setup = Schemas['Setup'];
export type SetupItem = Schemas['SetupItem'];
export type Problem = Schemas['Problem'];
export type FieldError = Schemas['FieldError'];

/** One page of a list; the document has one schema for each kind of item. */
export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}
