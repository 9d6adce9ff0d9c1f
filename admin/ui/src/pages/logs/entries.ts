import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Entry } from '@/api/answers';
import { call, type Query } from '@/api/client';
import { useMay } from '@/api/session';

export type EntryQuery = Pick<
  Query<'GET /ui/entries'>,
  'page' | 'status_filter' | 'start_date' | 'end_date' | 'request_id' | 'model' | 'api_key'
>;

interface Page {
  rows: Entry[];
  total: number;
}

async function pageOfAll(query: EntryQuery, size: number, signal: AbortSignal): Promise<Page> {
  const answer = await call('GET /ui/entries', { query: { ...query, page_size: size }, signal });
  return { rows: answer.data, total: answer.total };
}

/** Whoever may not see all has its own, in pages without a total: a full page has another one behind it. */
async function pageOfOwn(query: EntryQuery, size: number, signal: AbortSignal): Promise<Page> {
  const told = await call('GET /spend/logs', { query: { ...query, limit: size, summarize: false }, signal });
  const rows = told.filter((row): row is Entry => 'request_id' in row);
  const before = ((query.page ?? 1) - 1) * size;
  return { rows, total: before + rows.length + (rows.length === size ? 1 : 0) };
}

/** Asks for a page of the entries that whoever is signed in may see. */
export function useEntryPage() {
  return useMay('see all logs') ? pageOfAll : pageOfOwn;
}

export function useEntries(query: EntryQuery, size: number, every: number | false = false) {
  const seesAll = useMay('see all logs');
  const ask = useEntryPage();
  return useQuery({
    queryKey: ['entries', seesAll, query, size],
    queryFn: ({ signal }) => ask(query, size, signal),
    placeholderData: keepPreviousData,
    refetchInterval: every,
  });
}
