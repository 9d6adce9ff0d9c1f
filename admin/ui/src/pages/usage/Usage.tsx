import { Button, Menu, SegmentedControl, Select, TextInput } from '@mantine/core';
import { Link } from 'react-router';
import type { Activity } from '@/api/answers';
import { address, type Query } from '@/api/client';
import { useAnswer } from '@/api/hooks';
import { may } from '@/api/rights';
import { useMay, useSession } from '@/api/session';
import { Answered } from '@/parts/Answered';
import { DIMENSIONS, type Dimension, type Measure, rows, series, total } from '@/parts/activity';
import { Chart } from '@/parts/chart/Chart';
import { Numbers } from '@/parts/Facts';
import { compact, daysAgo, iso, money, percent } from '@/parts/format';
import { Icon } from '@/parts/Icon';
import { Page, Section } from '@/parts/Page';
import { useParams } from '@/parts/params';
import css from '@/parts/parts.module.css';
import { SearchBox } from '@/parts/SearchBox';
import { UseTable } from './UseTable';

const MEASURES: { value: Measure; label: string; format: (value: number) => string }[] = [
  { value: 'spend', label: 'Spend', format: money },
  { value: 'total_tokens', label: 'Tokens', format: compact },
  { value: 'api_requests', label: 'Requests', format: compact },
];

const SPANS = [
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: 'month', label: 'This month' },
  { value: 'last', label: 'Last month' },
  { value: 'own', label: 'From … to' },
];

const DEFAULTS = { by: 'model', only: '', span: '30', from: '', to: '', measure: 'spend', q: '' };

/** Months are the calendar's, UTC as the server's days are. */
function span(name: string, from: string, to: string): { start_date: string; end_date: string } {
  const now = new Date();
  const month = (shift: number) =>
    iso(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + shift, 1)));
  const before = (day: string) => iso(new Date(Date.parse(day) - 86_400_000));
  if (name === 'month') return { start_date: month(0), end_date: iso(now) };
  if (name === 'last') return { start_date: month(-1), end_date: before(month(0)) };
  if (name === 'own') return { start_date: from || daysAgo(29), end_date: to || iso(now) };
  return { start_date: daysAgo(Number(name) - 1 || 29), end_date: iso(now) };
}

export default function Usage() {
  const { role } = useSession();
  const [params, set] = useParams(DEFAULTS);
  const allowed = DIMENSIONS.filter((row) => row.right === undefined || may(role, row.right));
  const dimension = allowed.find((row) => row.by === params.by) ?? (allowed[0] as Dimension);
  const days = span(params.span, params.from, params.to);
  const narrowed =
    params.only !== '' && dimension.only !== undefined ? { [dimension.only]: params.only } : {};
  const query: Query<'GET /user/daily/activity'> = { ...days, ...narrowed };
  const use = useAnswer(dimension.route as 'GET /user/daily/activity', { query }, { every: 60_000 });
  return (
    <Page
      title="Usage"
      about={`${days.start_date} to ${days.end_date}, days in UTC`}
      actions={<Export dimension={dimension} days={days} />}
    >
      <div className={css.filters}>
        <Select
          aria-label="Days"
          w={118}
          data={SPANS}
          value={params.span}
          allowDeselect={false}
          onChange={(value) =>
            set(
              value === 'own'
                ? { span: value, from: days.start_date, to: days.end_date }
                : { span: value ?? '', from: undefined, to: undefined },
            )
          }
        />
        {params.span === 'own' && (
          <>
            <Day label="From" value={days.start_date} onChange={(from) => set({ from })} />
            <Day label="To" value={days.end_date} onChange={(to) => set({ to })} />
          </>
        )}
        <Select
          aria-label="By"
          w={130}
          data={allowed.map((row) => ({ value: row.by, label: `By ${row.label.toLowerCase()}` }))}
          value={dimension.by}
          allowDeselect={false}
          onChange={(by) => set({ by: by ?? '', only: undefined, q: undefined })}
        />
        <SegmentedControl
          aria-label="Measure"
          data={MEASURES.map(({ value, label }) => ({ value, label }))}
          value={params.measure}
          onChange={(measure) => set({ measure })}
        />
        <SearchBox
          label={`Find a ${dimension.label.toLowerCase()}`}
          value={params.q}
          onChange={(q) => set({ q })}
        />
        {params.only !== '' && (
          <Button
            variant="light"
            rightSection={<Icon name="close" size={12} />}
            onClick={() => set({ only: undefined })}
          >
            Only {params.only.slice(0, 24)}
          </Button>
        )}
      </div>
      <Answered of={use}>
        {(activity) => (
          <Told
            activity={activity}
            dimension={dimension}
            days={days}
            measure={params.measure}
            search={params.q}
            only={(id) => set({ only: id })}
          />
        )}
      </Answered>
    </Page>
  );
}

function Day({ label, value, onChange }: { label: string; value: string; onChange: (day: string) => void }) {
  return (
    <TextInput
      type="date"
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

interface ToldProps {
  activity: Activity;
  dimension: Dimension;
  days: { start_date: string; end_date: string };
  measure: string;
  search: string;
  only: (id: string) => void;
}

function Told({ activity, dimension, days, measure, search, only }: ToldProps) {
  const all = total(activity.results);
  const shown = MEASURES.find((row) => row.value === measure) ?? (MEASURES[0] as (typeof MEASURES)[0]);
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
        ]}
      />
      <Section title={`${shown.label} by day`} about={`by ${dimension.label.toLowerCase()}`}>
        <Chart
          of={series(activity, dimension.part, shown.value, days.start_date, days.end_date)}
          format={shown.format}
          label={shown.label}
        />
      </Section>
      <UseTable rows={found} dimension={dimension} whole={all.spend} only={only} />
    </>
  );
}

interface ExportProps {
  dimension: Dimension;
  days: { start_date: string; end_date: string };
}

/** What finance takes: the browser fetches the files itself. */
function Export({ dimension, days }: ExportProps) {
  const allowed = useMay('reports');
  if (!allowed) return null;
  const file = (format: string) =>
    address('/global/spend/report', {}, { ...days, group_by: dimension.report, format });
  const name = `weir-${dimension.by}-${days.start_date}-${days.end_date}`;
  return (
    <>
      <Button
        component={Link}
        to="/usage/chargeback/all"
        variant="default"
        leftSection={<Icon name="print" size={14} />}
      >
        Chargeback
      </Button>
      <Menu>
        <Menu.Target>
          <Button variant="default">Export</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component="a" href={file('csv')} download={`${name}.csv`}>
            CSV, by {dimension.label.toLowerCase()}
          </Menu.Item>
          <Menu.Item
            component="a"
            href={file('focus')}
            download={`weir-focus-${days.start_date}-${days.end_date}.csv`}
          >
            FOCUS 1.2
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
