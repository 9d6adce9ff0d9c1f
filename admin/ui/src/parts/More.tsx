import { Link } from 'react-router';
import { useMay } from '@/api/session';
import type { By } from './activity';
import css from './parts.module.css';

/** How the logs call what they are narrowed by; those of organisations, providers and tags are not told by themselves. */
const LOGS: Partial<Record<By, string>> = {
  key: 'api_key',
  team: 'team_id',
  user: 'user_id',
  customer: 'end_user',
  model: 'model',
};

interface Props {
  of: By;
  id: string;
  /** The record's id, where it is another one. */
  record?: string;
}

/** Where more is told of a record: its requests, its usage, and who changed it. */
export function More({ of, id, record = id }: Props) {
  const [logs, audit] = [useMay('see logs'), useMay('settings')];
  const name = encodeURIComponent(id);
  const param = LOGS[of];
  return (
    <nav className={css.links} aria-label="More about it">
      {logs && param !== undefined && (
        <Link className={css.link} to={`/logs?${param}=${name}`}>
          Requests of this {of} in the logs
        </Link>
      )}
      <Link className={css.link} to={`/usage?by=${of === 'model' ? 'key' : 'model'}&${of}=${name}`}>
        Usage in detail
      </Link>
      {audit && (
        <Link className={css.link} to={`/settings?tab=audit&object=${encodeURIComponent(record)}`}>
          Who changed it
        </Link>
      )}
    </nav>
  );
}
