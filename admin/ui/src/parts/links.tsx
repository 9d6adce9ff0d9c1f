// Links to records by their names, where only an id is told.
import { Link } from 'react-router';
import { useAnswer } from '@/api/hooks';
import { useMay, useSession } from '@/api/session';
import { shortId } from './format';

const MOST = 100;

const path = (page: string, id: string) => `/${page}/${encodeURIComponent(id)}`;

/** A key by itself tells the id of its team only; the names of the first hundred are asked for once and kept for all. */
function useTeamName(id: string): string {
  const { user_id } = useSession();
  const own = useMay('see all') ? {} : { user_id };
  const teams = useAnswer('GET /v2/team/list', { query: { page_size: MOST, ...own } });
  return teams.data?.teams.find((team) => team.team_id === id)?.team_alias ?? shortId(id);
}

interface Props {
  id: string | null;
  /** Where the server tells it. */
  alias?: string | null | undefined;
}

export function TeamLink({ id, alias }: Props) {
  if (!id) return <>–</>;
  return alias ? <To id={id} name={alias} /> : <Named id={id} />;
}

function Named({ id }: { id: string }) {
  return <To id={id} name={useTeamName(id)} />;
}

function To({ id, name }: { id: string; name: string }) {
  return <Link to={path('teams', id)}>{name}</Link>;
}

/** By name, for those who may see organisations; others are told the id alone. */
export function OrganizationLink({ id }: { id: string }) {
  const allowed = useMay('see organizations');
  const query = { organization_id: id };
  const found = useAnswer('GET /organization/info', { query }, { enabled: allowed });
  const name = found.data?.organization_alias ?? shortId(id);
  return allowed ? <Link to={path('organizations', id)}>{name}</Link> : <code>{name}</code>;
}
