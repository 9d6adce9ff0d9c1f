import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { call, type Route, type Sent } from './client';

interface Options {
  enabled?: boolean;
  /** Milliseconds until it is asked again; false: not by itself. */
  every?: number | false;
}

/** The answer to a route; the last one stays in view while another page or filter is loaded. */
export function useAnswer<R extends Route>(route: R, sent: Sent<R> = {}, options: Options = {}) {
  return useQuery({
    queryKey: [route, sent.path, sent.query],
    queryFn: ({ signal }) => call(route, { ...sent, signal }),
    placeholderData: keepPreviousData,
    enabled: options.enabled ?? true,
    refetchInterval: options.every ?? false,
  });
}

/**
 * A change. Everything that is in view is asked for anew afterwards: what is shown after a write is what the server
 * keeps, not what this page believes.
 */
export function useChange<R extends Route>(route: R) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (sent: Sent<R>) => call(route, sent),
    onSuccess: () => queries.invalidateQueries(),
  });
}

/** Forms keep what was typed as plain values; the names in them are checked against the body where a form is described. */
export function asBody<B>(values: object): B {
  return values as B;
}
