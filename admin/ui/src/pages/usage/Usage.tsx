import { Select } from '@mantine/core';
import type { Activity, Metrics } from '@/api/answers';
import type { Query } from '@/api/client';
import { useAnswer } from '@/api/hooks';
import { may } from '@/api/rights';
import { useMay, useSession } from '@/api/session';
import { Answered } from '@/parts/Answered';
import {
  type By,
  DIMENSIONS,
  type Dimension,
  daysOf,
  type Measure,
  narrowing,
  type Only,
  rows,
  series,
  total,
} from '@/parts/activity';
import { Chart } from '@/parts/chart/Chart';
import { DayInput } from '@/parts/DayInput';
import { Numbers } from '@/parts/Facts';
import { compact, mean, milliseconds, money, percent, shortId } from '@/parts/format';
import { quantiles, type Spreads, spreadByDay, spreadsOf, type Time } from '@/parts/latency';
import { Narrowed } from '@/parts/Narrowed';
import { Page, Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { leavesOut, withRest } from '@/parts/rest';
import { SearchBox } from '@/parts/SearchBox';
import { Export } from './Export';
import { type Days, SPANS, useUsage } from './params';
import { UseTable } from './UseTable';

interface Shown {
  value: string;
  label: string;
  format: (value: number) => string;
  /** What is added up and told apart by name, or how long it took. */
  of: Measure | Time;
}

/** On an axis, which begins at nothing. */
const duration = (value: number) => (value === 0 ? '0' : milliseconds(value));

const TIMES: Time[] = ['latency', 'first_token'];

/** The time that is looked at, where it is one. */
const timeOf = (of: string) => TIMES.find((time) => time === of);

const MEASURES: Shown[] = [
  { value: 'spend', label: 'Spend', format: money, of: 'spend' },
  { value: 'total_tokens', label: 'Tokens', format: compact, of: 'total_tokens' },
  { value: 'api_requests', label: 'Requests', format: compact, of: 'api_requests' },
  { value: 'latency', label: 'Latency', format: duration, of: 'latency' },
  { value: 'first_token', label: 'Time to first token', format: duration, of: 'first_token' },
];

export default function Usage() {
  const { role } = useSession();
  const allowed = DIMENSIONS.filter((row) => row.right === undefined || may(role, row.right));
  const { params, set, only, narrow, days } = useUsage();
  const dimension = allowed.find((row) => row.by === params.by) ?? (allowed[0] as Dimension);
  const query: Query<'GET /user/daily/activity'> = { ...days, ...narrowing(only, 'only') };
  const { route } = daysOf(dimension, only);
  const use = useAnswer(route as 'GET /user/daily/activity', { query }, { every: 60_000 });
  const whole = useWhole(dimension, only, query);
  return (
    <Page
      title="Usage"
      about={`${days.start_date} to ${days.end_date}, days in UTC`}
      actions={<Export dimension={dimension} days={days} only={only} />}
    >
      <div className={css.filters}>
        <Span value={params.span} days={days} set={set} />
        <Select
          aria-label="By"
          w={130}
          data={allowed.map((row) => ({ value: row.by, label: `By ${row.label.toLowerCase()}` }))}
          value={dimension.by}
          allowDeselect={false}
          onChange={(by) => narrow({ by: by as By })}
        />
        <Select
          aria-label="Measure"
          w={160}
          data={MEASURES.map(({ value, label }) => ({ value, label }))}
          value={params.measure}
          allowDeselect={false}
          onChange={(measure) => set({ measure: measure ?? '' })}
        />
        <SearchBox
          label={`Find a ${dimension.label.toLowerCase()}`}
          value={params.q}
          onChange={(q) => set({ q })}
        />
        {DIMENSIONS.filter((row) => only[row.by] !== undefined).map((row) => (
          <Narrowed
            key={row.by}
            label={row.label}
            value={nameIn(use.data, row, only[row.by] ?? '')}
            title={`All ${row.plural} again`}
            onClear={() => set({ [row.by]: undefined })}
          />
        ))}
      </div>
      <Answered of={use}>
        {(activity) => (
          <Told
            activity={whole === undefined ? activity : withRest(activity, whole)}
            dimension={dimension}
            days={days}
            measure={params.measure}
            search={params.q}
            only={(id) => narrow({ only: { by: dimension.by, id } })}
          />
        )}
      </Answered>
    </Page>
  );
}

/** Everything that was used, where the days of a dimension leave out what is nobody's. */
function useWhole(dimension: Dimension, only: Only, query: Query<'GET /user/daily/activity'>) {
  // Of others the days of users hold what is their own, and no more.
  const enabled = useMay('see all') && leavesOut(dimension, only);
  const { data } = useAnswer('GET /user/daily/activity', { query }, { enabled, every: 60_000 });
  return enabled ? data : undefined;
}

/** Its name, where the days tell it. */
function nameIn(activity: Activity | undefined, { part, by }: Dimension, id: string): string {
  const told = activity === undefined ? [] : rows(activity, part);
  const named = by === 'team' || by === 'key' ? told.find((row) => row.id === id)?.name : undefined;
  return named ?? shortId(id);
}

interface SpanProps {
  value: string;
  days: Days;
  set: ReturnType<typeof useUsage>['set'];
}

function Span({ value, days, set }: SpanProps) {
  const choose = (span: string | null) =>
    span === 'own'
      ? set({ span, from: days.start_date, to: days.end_date })
      : set({ span: span ?? '', from: undefined, to: undefined });
  return (
    <>
      <Select aria-label="Days" w={118} data={SPANS} value={value} allowDeselect={false} onChange={choose} />
      {value === 'own' && (
        <>
          <DayInput label="From" value={days.start_date} onChange={(from) => set({ from })} />
          <DayInput label="To" value={days.end_date} onChange={(to) => set({ to })} />
        </>
      )}
    </>
  );
}

interface ToldProps {
  activity: Activity;
  dimension: Dimension;
  days: Days;
  measure: string;
  search: string;
  only: (id: string) => void;
}

function Told({ activity, dimension, days, measure, search, only }: ToldProps) {
  const all = total(activity.results);
  const spreads = spreadsOf(activity);
  const shown = MEASURES.find((row) => row.value === measure) ?? (MEASURES[0] as Shown);
  const time = timeOf(shown.of);
  const found = rows(activity, dimension.part).filter((row) =>
    `${row.name} ${row.id}`.toLowerCase().includes(search.toLowerCase()),
  );
  return (
    <>
      <Numbers
        of={[
          { label: 'Spend', value: money(all.spend) },
          { label: 'Requests', value: compact(all.api_requests) },
          { label: 'Tokens in', value: compact(all.prompt_tokens) },
          { label: 'Tokens out', value: compact(all.completion_tokens) },
          {
            label: 'Read from cache',
            value: percent(all.cache_read_input_tokens, all.prompt_tokens),
            note: `${compact(all.cache_read_input_tokens)} tokens`,
          },
          { label: 'Failed', value: percent(all.failed_requests, all.api_requests) },
          timed(time ?? 'latency', all, spreads),
        ]}
      />
      <ByDay activity={activity} dimension={dimension} days={days} shown={shown} />
      <UseTable
        rows={found}
        dimension={dimension}
        whole={all.spend}
        only={only}
        spreads={spreads}
        time={time}
      />
    </>
  );
}

/** The mean, and beside it quantiles; of days that have none, the other mean. */
function timed(time: Time, all: Metrics, spreads: Spreads) {
  const [latency, first] = [spreads('latency', all), spreads('first_token', all)];
  if (time === 'first_token') {
    return { label: 'First token, mean', value: mean(first.mean), note: quantiles(first) };
  }
  const note = quantiles(latency) ?? `first token ${mean(first.mean)}`;
  return { label: 'Latency, mean', value: mean(latency.mean), note };
}

interface ByDayProps extends Pick<ToldProps, 'activity' | 'dimension' | 'days'> {
  shown: Shown;
}

function ByDay({ activity, dimension, days, shown: { label, format, of } }: ByDayProps) {
  const { start_date: from, end_date: until } = days;
  const time = timeOf(of);
  return (
    <Section
      title={`${label} by day`}
      about={
        time === undefined
          ? `by ${dimension.label.toLowerCase()}`
          : 'of what went well; quantiles are estimates'
      }
    >
      <Chart
        of={
          time === undefined
            ? series(activity, dimension.part, of as Measure, from, until)
            : spreadByDay(activity, time, from, until)
        }
        format={format}
        label={label}
      />
    </Section>
  );
}
