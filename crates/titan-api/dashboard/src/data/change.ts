// What a person does to something that is listed: the action waits for the server, then what shows it is fetched again.
import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import { notifyDone } from '../lib/notify';

/** `stale` are the keys of what shows it; `done` says in a few words what has happened, where the page does not show it. */
export function useChange<In, Out>(act: (input: In) => Promise<Out>, stale: QueryKey[], done?: (out: Out) => string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: (out) => {
      for (const queryKey of stale) void client.invalidateQueries({ queryKey });
      if (done) notifyDone(done(out));
    },
  });
}
