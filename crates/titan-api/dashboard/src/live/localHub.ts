// The hub of one page, for browsers without SharedWorker. A file of its own, because the others need not fetch it.
import { Hub } from './hub';
import { hubDeps } from './hubDeps';

export const newHub = () => new Hub(hubDeps);
