import { Link } from 'react-router';
import { useAnswer } from '@/api/hooks';
import { useMay, useSession } from '@/api/session';
import { shortId } from './format';

const MOST = 100;

/** Keys and requests tell the ids of teams; the names of the first hundred are asked for once and kept for all. */
function useTeamName(id: string): string {
  const { user_id } = useSession();
  const own = useMay('see all') ? {} : { user_id };
  const teams = useAnswer('GET /v2/team/list', { query: { page_size: MOST, ...own } });
  return teams.data?.teams.find((team) => team.team_id === id)?.team_alias ?? shortId(id);
}

export function TeamLink({ id }: { id: string | null }) {
  return id ? <Named id={id} /> : <>–</>;
}

function Named({ id }: { id: string }) {
  return <Link to={`/teams/${encodeURIComponent(id)}`}>{useTeamName(id)}</Link>;
}
