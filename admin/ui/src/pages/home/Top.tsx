import { Link } from 'react-router';
import type { Row } from '@/parts/activity';
import { Empty } from '@/parts/Empty';
import { compact, money } from '@/parts/format';
import { Section } from '@/parts/Page';
import parts from '@/parts/parts.module.css';
import css from './home.module.css';

interface Props {
  title: string;
  rows: Row[];
  by: string;
  /** Where one of them has its page; others lead to who uses them. */
  page?: string;
}

const MOST = 6;

/** The dearest of 30 days. */
export function Top({ title, rows, by, page }: Props) {
  const largest = Math.max(...rows.map((row) => row.metrics.spend), 0);
  const to = ({ id }: Row) => {
    if (id === '') return `/usage?by=${by}`;
    const name = encodeURIComponent(id);
    return page === undefined ? `/usage?by=key&${by}=${name}` : `${page}/${name}`;
  };
  return (
    <Section title={title} about="30 days" actions={<Link to={`/usage?by=${by}`}>All</Link>}>
      {rows.length === 0 && <Empty title="Nothing yet" />}
      <ol className={`${parts.stack} ${css.top}`}>
        {rows.slice(0, MOST).map((row) => (
          <li key={row.id}>
            <Link to={to(row)} className={css.row}>
              <span className={`${parts.cut} ${css.name}`}>{row.name}</span>
              <span className={parts.small}>{compact(row.metrics.api_requests)} requests</span>
              <span>{money(row.metrics.spend)}</span>
              <span
                className={css.share}
                style={{ width: `${largest === 0 ? 0 : (row.metrics.spend / largest) * 100}%` }}
              />
            </Link>
          </li>
        ))}
      </ol>
    </Section>
  );
}
