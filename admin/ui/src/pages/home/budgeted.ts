import type { Limits } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { useMay } from '@/api/session';
import { shortId } from '@/parts/format';

/** Whoever has spent most comes first, so that those who are near a budget that matters are among them. */
const DEAREST = { sort_by: 'spend', sort_order: 'desc' };
const LOOKED_AT = 100;

export interface Budgeted {
  kind: 'Team' | 'Key' | 'User';
  name: string;
  to: string;
  spend: number;
  budget: number;
}

type Record = Pick<Limits, 'max_budget'> & { spend: number };

function row(kind: Budgeted['kind'], name: string, to: string, of: Record): Budgeted[] {
  return of.max_budget === null ? [] : [{ kind, name, to, spend: of.spend, budget: of.max_budget }];
}

export const share = ({ spend, budget }: Budgeted) => (budget === 0 ? 1 : spend / budget);

/** Teams, keys and users that have a budget, the fullest first. */
export function useBudgeted(): Budgeted[] {
  const seesAll = useMay('see all');
  const [size, enabled] = [LOOKED_AT, { enabled: seesAll }];
  const keys = useAnswer('GET /key/list', { query: { size, return_full_object: true, ...DEAREST } });
  const teams = useAnswer('GET /v2/team/list', { query: { page_size: size, ...DEAREST } }, enabled);
  const users = useAnswer('GET /user/list', { query: { page_size: size, ...DEAREST } }, enabled);
  const id = encodeURIComponent;
  const all = [
    ...(teams.data?.teams ?? []).flatMap((of) =>
      row('Team', of.team_alias ?? of.team_id, `/teams/${id(of.team_id)}`, of),
    ),
    ...(keys.data?.keys ?? []).flatMap((of) =>
      row('Key', of.key_alias ?? shortId(of.token), `/keys/${of.token}`, of),
    ),
    ...(users.data?.users ?? []).flatMap((of) =>
      row('User', of.user_email ?? of.user_id, `/users/${id(of.user_id)}`, of),
    ),
  ];
  return all.sort((one, other) => share(other) - share(one));
}
