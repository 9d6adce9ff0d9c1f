import type { PartName } from '@/api/answers';
import type { Query } from '@/api/client';
import { useAnswer } from '@/api/hooks';
import { Answered } from './Answered';
import type { Dimension } from './activity';
import { series, total } from './activity';
import { Chart } from './chart/Chart';
import { compact, daysAgo, iso, money } from './format';
import { Section } from './Page';

interface Props {
  /** What narrows it to one. */
  query: Query<'GET /user/daily/activity'> | object;
  route?: Dimension['route'];
  part?: PartName;
}

/** 30 days of one key, team, user …, by model. */
export function SpendByDay({ query, route = 'GET /user/daily/activity', part = 'model_groups' }: Props) {
  const days = { start_date: daysAgo(29), end_date: iso(new Date()) };
  const use = useAnswer(route as 'GET /user/daily/activity', { query: { ...days, ...query } });
  return (
    <Answered of={use}>
      {(activity) => {
        const all = total(activity.results);
        return (
          <Section
            title="Spend"
            about={`30 days, by model: ${money(all.spend)}, ${compact(all.api_requests)} requests, ${compact(all.total_tokens)} tokens`}
          >
            <Chart
              of={series(activity, part, 'spend', days.start_date, days.end_date)}
              format={money}
              label="Spend in 30 days"
              height={180}
            />
          </Section>
        );
      }}
    </Answered>
  );
}
