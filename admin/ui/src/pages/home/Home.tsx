import { Link } from 'react-router';
import type { Metrics } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { useMay } from '@/api/session';
import { Answered } from '@/parts/Answered';
import { rows, series, total } from '@/parts/activity';
import { Chart } from '@/parts/chart/Chart';
import { Numbers } from '@/parts/Facts';
import { compact, daysAgo, iso, mean, money, percent } from '@/parts/format';
import { quantiles, type Spread, spreadsOf } from '@/parts/latency';
import { Page, Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { withRest } from '@/parts/rest';
import { Attention } from './Attention';
import { Budgets } from './Budgets';
import { Recent } from './Recent';
import { Top } from './Top';

const today = () => iso(new Date());
const monthStart = () => `${today().slice(0, 8)}01`;
const DAYS = 30;

/** What a number is, and its quantiles where they are known. */
const noted = (what: string, of: Spread) => [what, quantiles(of)].filter(Boolean).join('; ');

/** How many failed, with the way to which. */
function Failed({ of }: { of: Metrics }) {
  const text = `${compact(of.failed_requests)} of ${compact(of.api_requests)}`;
  if (!useMay('see logs') || of.failed_requests === 0) return text;
  return (
    <Link className={css.link} to="/logs?status=failure&span=1440">
      {text}
    </Link>
  );
}

export default function Home() {
  const seesAll = useMay('see all');
  const days = { start_date: daysAgo(DAYS - 1), end_date: today() };
  // A month may have a day more than what is shown.
  const month = { start_date: monthStart(), end_date: today() };
  const use = useAnswer('GET /user/daily/activity', { query: days }, { every: 30_000 });
  const ofMonth = useAnswer('GET /user/daily/activity', { query: month }, { every: 60_000 });
  const teams = useAnswer('GET /team/daily/activity', { query: days }, { every: 60_000 });
  return (
    <Page title="Home" about={seesAll ? 'What this gateway does.' : 'What is yours on this gateway.'}>
      <Attention />
      <Answered of={use}>
        {(activity) => {
          const now = total(activity.results.filter((day) => day.date === today()));
          const spreads = spreadsOf(activity);
          const [latency, first] = [spreads('latency', now), spreads('first_token', now)];
          return (
            <>
              <Numbers
                of={[
                  { label: 'Spend today', value: money(now.spend) },
                  {
                    label: 'Spend this month',
                    value: ofMonth.data === undefined ? '…' : money(total(ofMonth.data.results).spend),
                  },
                  { label: 'Requests today', value: compact(now.api_requests) },
                  { label: 'Tokens today', value: compact(now.total_tokens) },
                  {
                    label: 'Failed today',
                    value: percent(now.failed_requests, now.api_requests),
                    note: <Failed of={now} />,
                  },
                  { label: 'Latency today', value: mean(latency.mean), note: noted('mean', latency) },
                  {
                    label: 'First token today',
                    value: mean(first.mean),
                    note: noted('mean of streams', first),
                  },
                ]}
              />
              <Recent />
              <Budgets />
              <Section title="Spend" about="30 days, by model" actions={<Link to="/usage">All usage</Link>}>
                <Chart
                  of={series(activity, 'model_groups', 'spend', days.start_date, days.end_date)}
                  format={money}
                  label="Spend in 30 days"
                />
              </Section>
              <div className={css.columns}>
                <Answered of={teams}>
                  {(of) => (
                    <Top
                      title="Teams"
                      rows={rows(seesAll ? withRest(of, activity) : of, 'entities')}
                      page="/teams"
                      by="team"
                    />
                  )}
                </Answered>
                <Top title="Keys" rows={rows(activity, 'api_keys')} page="/keys" by="key" />
                <Top title="Models" rows={rows(activity, 'model_groups')} by="model" />
              </div>
            </>
          );
        }}
      </Answered>
    </Page>
  );
}
