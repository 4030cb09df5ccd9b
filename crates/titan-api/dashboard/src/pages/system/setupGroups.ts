// The variables of the setup in the order of interest: per provider the one to set, and apart from them all that are for
// special cases.
import type { Setup, SetupItem } from '../../api/types';

export interface ProviderSetup {
  title: string;
  main: SetupItem;
  /** Any of its variables is enough to try it. */
  set: boolean;
}

export interface SetupGroups {
  /** What is set comes first; otherwise in the server's order of preference. */
  providers: ProviderSetup[];
  others: SetupItem[];
}

export function groupSetup({ items }: Setup): SetupGroups {
  const providers = items
    .filter((item) => item.main && item.provider !== null)
    .map((main) => ({
      title: main.provider ?? main.variable,
      main,
      set: items.some((item) => item.provider === main.provider && item.set),
    }));
  return {
    providers: [...providers].sort((a, b) => Number(b.set) - Number(a.set)),
    others: items.filter((item) => !item.main),
  };
}

export const OFFLINE = 'offline';

/** Whether answers come from a model at all. */
export const answersOffline = ({ default_provider }: Setup): boolean =>
  default_provider === null || default_provider === OFFLINE;
