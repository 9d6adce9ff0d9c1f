import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useMay } from '@/api/session';
import { count, milliseconds, money } from '@/parts/format';
import parts from '@/parts/parts.module.css';
import { useEntryPage } from '../logs/entries';
import css from './playground.module.css';
import type { Turn } from './useChat';

/** Entries come a second after the answer; where they do not come soon, they are not waited for. */
const TRIES = 6;
const WAIT = 700;

/** What was booked for a call; `undefined` until it is. */
function useBooked(callId: string | null) {
  const ask = useEntryPage();
  const enabled = useMay('see logs') && callId !== null;
  const booked = useQuery({
    queryKey: ['booked', callId],
    queryFn: async ({ signal }) => {
      const { rows } = await ask({ request_id: callId ?? '' }, 1, signal);
      if (rows[0] === undefined) throw new Error('It is not booked yet.');
      return rows[0];
    },
    enabled,
    retry: TRIES,
    retryDelay: WAIT,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return booked.data;
}

/** How long it took, and what it cost: as it was booked, before that by the price of the model's name. */
export function Measured({ of }: { of: NonNullable<Turn['told']> }) {
  const booked = useBooked(of.callId);
  const spend = booked?.metadata.weir.unpriced ? null : (booked?.spend ?? of.cost);
  const told = [
    of.first !== null && `first token ${milliseconds(of.first)}`,
    `${milliseconds(of.took)} in all`,
    of.usage !== null && `${count(of.usage.prompt_tokens)} in, ${count(of.usage.completion_tokens)} out`,
    spend === null ? 'no price' : money(spend),
  ];
  return (
    <footer className={`${parts.small} ${css.measured}`}>
      {told.filter(Boolean).join(' · ')}
      {booked !== undefined && (
        <>
          {' · '}
          <Link className={css.log} to={`/logs/${encodeURIComponent(booked.request_id)}`}>
            Log
          </Link>
        </>
      )}
    </footer>
  );
}
