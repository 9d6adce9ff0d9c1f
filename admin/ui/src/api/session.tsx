import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect } from 'react';
import type { Session } from './answers';
import { ApiError, call, carry, whenUnauthorised } from './client';
import { may, type Right } from './rights';
import { ROOT } from './root';

const QUERY = ['session'];

/** Whoever has signed out is not signed in again at once, where browsers are sent to the identity provider unasked. */
export const SIGNED_OUT = 'signed_out';
const LEFT = `${ROOT}ui/?${SIGNED_OUT}`;
const Current = createContext<Session | null>(null);

/** Who is signed in: `null` for nobody, `undefined` while it is being asked. */
export function useSignedIn() {
  const queries = useQueryClient();
  const query = useQuery({ queryKey: QUERY, queryFn: ask, staleTime: Number.POSITIVE_INFINITY, retry: 1 });
  useEffect(() => whenUnauthorised(() => queries.invalidateQueries({ queryKey: QUERY })), [queries]);
  return query;
}

async function ask(): Promise<Session | null> {
  try {
    const session = await call('GET /ui/session');
    carry(session.csrf);
    return session;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

export function SessionProvider({ session, children }: { session: Session; children: ReactNode }) {
  return <Current.Provider value={session}>{children}</Current.Provider>;
}

export function useSession(): Session {
  const session = useContext(Current);
  if (session === null) throw new Error('useSession outside of a session');
  return session;
}

/** Whether to show what needs this right. The server decides; this only spares people what it would refuse. */
export function useMay(right: Right): boolean {
  return may(useSession().role, right);
}

export function useSignIn() {
  const queries = useQueryClient();
  const set = (session: Session | null) => queries.setQueryData(QUERY, session);
  return {
    async signIn(username: string, password: string) {
      const session = await call('POST /ui/session', { body: { username, password } });
      carry(session.csrf);
      set(session);
    },
    async signOut() {
      const ended = await call('DELETE /ui/session');
      // Loaded anew, nothing is left in memory of what was seen. The identity provider may have a session to end, too.
      window.location.assign(ended?.logout_url ?? LEFT);
    },
    /** Ends every session of this user, in whatever browser. */
    async signOutEverywhere() {
      await call('DELETE /ui/sessions');
      window.location.assign(LEFT);
    },
  };
}
