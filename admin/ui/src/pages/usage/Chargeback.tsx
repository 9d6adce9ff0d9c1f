import { Button, Select } from '@mantine/core';
import { useMemo } from 'react';
import { Link, useParams as usePath } from 'react-router';
import type { Activity, ReportDay } from '@/api/answers';
import { useAnswer } from '@/api/hooks';
import { Answered } from '@/parts/Answered';
import { rows, total } from '@/parts/activity';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { Facts, Numbers } from '@/parts/Facts';
import { compact, count, day, exactMoney, iso, money } from '@/parts/format';
import { Icon } from '@/parts/Icon';
import { Page, Section } from '@/parts/Page';
import { useParams } from '@/parts/params';

const MONTHS = 24;
const title = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric', timeZone: 'UTC' });
const first = (shift: number) =>
  new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() - shift, 1));

const months = () =>
  Array.from({ length: MONTHS }, (_, at) => ({
    value: iso(first(at)).slice(0, 7),
    label: title.format(first(at)),
  }));

/** The whole month; the days that have not come yet cost nothing. */
function bounds(month: string) {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return { start_date: `${month}-01`, end_date: iso(new Date(Date.UTC(year, number, 0))) };
}

/** A month of one team, or of all, made to be printed. */
export default function Chargeback() {
  const { team = 'all' } = usePath();
  const choices = useMemo(months, []);
  const [{ month }, set] = useParams({ month: choices[0]?.value ?? '' });
  const days = bounds(month);
  const one = team === 'all' ? {} : { team_id: team };
  const report = useAnswer('GET /global/spend/report', { query: { ...days, group_by: 'team', ...one } });
  const use = useAnswer('GET /team/daily/activity', {
    query: { ...days, ...(team === 'all' ? {} : { team_ids: team }) },
  });
  return (
    <Page
      title="Chargeback"
      about={choices.find((row) => row.value === month)?.label ?? month}
      back={{ to: '/usage?by=team', label: 'Usage' }}
      actions={
        <>
          <Select
            aria-label="Month"
            data={choices}
            value={month}
            allowDeselect={false}
            onChange={(value) => set({ month: value ?? '' })}
          />
          <Button leftSection={<Icon name="print" size={14} />} onClick={() => window.print()}>
            Print
          </Button>
        </>
      }
    >
      <Answered of={use}>{(activity) => <Sums activity={activity} team={team} days={days} />}</Answered>
      <Answered of={report}>{(told) => <Lines report={told} one={team !== 'all'} />}</Answered>
    </Page>
  );
}

function Sums({
  activity,
  team,
  days,
}: {
  activity: Activity;
  team: string;
  days: { start_date: string; end_date: string };
}) {
  const all = total(activity.results);
  const teams = rows(activity, 'entities');
  return (
    <>
      <Facts
        of={[
          ['Team', team === 'all' ? 'all teams' : (teams[0]?.name ?? team)],
          ['Period', `${day(days.start_date)} to ${day(days.end_date)}, days in UTC`],
          ['Made on', day(iso(new Date()))],
        ]}
      />
      <Numbers
        of={[
          { label: 'Amount due', value: money(all.spend) },
          { label: 'Requests', value: count(all.api_requests) },
          { label: 'Tokens in', value: compact(all.prompt_tokens) },
          { label: 'Tokens out', value: compact(all.completion_tokens) },
        ]}
      />
    </>
  );
}

interface Line {
  id: string;
  team: string;
  key: string;
  model: string;
  tokens: number;
  spend: number;
}

/** The report tells days; a bill has a line for each team, key and model. */
function lines(report: ReportDay[]): Line[] {
  const found = new Map<string, Line>();
  for (const { teams } of report) {
    for (const row of Array.isArray(teams) ? teams : []) {
      const team = String(row['team_name']);
      for (const part of row.metadata) {
        const id = [team, part.api_key, part.model].join('\n');
        const line = found.get(id) ?? { id, team, key: part.api_key, model: part.model, tokens: 0, spend: 0 };
        found.set(id, { ...line, tokens: line.tokens + part.total_tokens, spend: line.spend + part.spend });
      }
    }
  }
  return [...found.values()].sort((a, b) => a.team.localeCompare(b.team) || b.spend - a.spend);
}

const TEAM: Column<Line> = {
  id: 'team',
  header: 'Team',
  accessorFn: (line) => line.team,
};

const COLUMNS: Column<Line>[] = [
  { id: 'key', header: 'Key', accessorFn: (line) => line.key, cell: ({ row }) => keyName(row.original.key) },
  { id: 'model', header: 'Model', accessorFn: (line) => line.model },
  {
    id: 'tokens',
    header: 'Tokens',
    accessorFn: (line) => line.tokens,
    cell: ({ row }) => count(row.original.tokens),
    meta: { number: true },
  },
  {
    id: 'spend',
    header: 'Spend',
    accessorFn: (line) => line.spend,
    cell: ({ row }) => exactMoney(row.original.spend),
    meta: { number: true },
  },
];

const keyName = (key: string) => (/^[0-9a-f]{64}$/.test(key) ? `${key.slice(0, 8)}…` : key);

function Lines({ report, one }: { report: ReportDay[]; one: boolean }) {
  return (
    <Section title="What it is made of" about="by key and model" bare>
      <DataTable
        label="Lines of the bill"
        columns={one ? COLUMNS : [TEAM, ...COLUMNS]}
        rows={lines(report)}
        empty={
          <Empty title="Nothing to bill in this month">
            <Link to="/usage">Usage of other days</Link>
          </Empty>
        }
      />
    </Section>
  );
}
