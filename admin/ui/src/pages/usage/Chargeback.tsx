import { Button, Select } from '@mantine/core';
import { useMemo } from 'react';
import { Link, useParams as usePath } from 'react-router';
import type { Activity, ReportDay } from '@/api/answers';
import { address } from '@/api/client';
import { useAnswer } from '@/api/hooks';
import { Answered } from '@/parts/Answered';
import { rows, total, UNASSIGNED } from '@/parts/activity';
import { numberColumn } from '@/parts/columns';
import { type Column, DataTable } from '@/parts/DataTable';
import { Empty } from '@/parts/Empty';
import { Facts, Numbers } from '@/parts/Facts';
import { addMoney, compact, count, day, exactColumn, iso, money } from '@/parts/format';
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
  const all = team === 'all';
  const asked = { ...days, group_by: 'team', ...(all ? {} : { team_id: team }) };
  const report = useAnswer('GET /global/spend/report', { query: asked });
  // Of all: also what no team has used, as the report has it.
  const route = all ? 'GET /user/daily/activity' : 'GET /team/daily/activity';
  const use = useAnswer(route, { query: { ...days, ...(all ? {} : { team_ids: team }) } });
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
          <Button
            component="a"
            variant="default"
            href={address('/global/spend/report', {}, { ...asked, format: 'csv' })}
            download={`weir-chargeback-${all ? 'all' : 'team'}-${month}.csv`}
          >
            CSV
          </Button>
          <Button leftSection={<Icon name="print" size={14} />} onClick={() => window.print()}>
            Print
          </Button>
        </>
      }
    >
      <Answered of={use}>{(activity) => <Sums activity={activity} team={team} days={days} />}</Answered>
      <Answered of={report}>
        {(told) => {
          const bill = lines(told);
          return (
            <>
              {all && <Teams bill={bill} />}
              <Lines bill={bill} one={!all} />
            </>
          );
        }}
      </Answered>
    </Page>
  );
}

interface SumsProps {
  activity: Activity;
  team: string;
  days: { start_date: string; end_date: string };
}

function Sums({ activity, team, days }: SumsProps) {
  const all = total(activity.results);
  const teams = rows(activity, 'entities');
  return (
    <>
      <Facts
        of={[
          ['Team', team === 'all' ? 'all teams' : (teams[0]?.name ?? team)],
          ['Period', `${day(days.start_date)} to ${day(days.end_date)}, days in UTC`],
          [
            'Made on',
            `${day(iso(new Date()))}${iso(new Date()) <= days.end_date ? ', before the month was over' : ''}`,
          ],
          ['Amounts', 'US dollars, at the prices that held when each request was made'],
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

/** One line for each name, with what belongs to it added up. */
function merged(all: Line[], name: (line: Line) => string): Line[] {
  const found = new Map<string, Line>();
  for (const line of all) {
    const sum = found.get(name(line)) ?? { ...line, id: name(line), tokens: 0, spend: 0 };
    const [tokens, spend] = [sum.tokens + line.tokens, addMoney(sum.spend, line.spend)];
    found.set(sum.id, { ...sum, tokens, spend });
  }
  return [...found.values()];
}

/** The report tells days; a bill has a line for each team, key and model that something was used of. */
function lines(report: ReportDay[]): Line[] {
  const told = report.flatMap(({ teams = [] }) =>
    teams.flatMap(({ team_name: team = '', metadata }) =>
      metadata.map((part) => ({
        id: '',
        team: team === UNASSIGNED ? 'no team' : team,
        key: part.api_key,
        model: part.model,
        tokens: part.total_tokens,
        spend: part.spend,
      })),
    ),
  );
  const all = merged(told, ({ team, key, model }) => [team, key, model].join('\n'));
  const used = all.filter(({ tokens, spend }) => tokens > 0 || spend > 0);
  return used.sort((a, b) => a.team.localeCompare(b.team) || b.spend - a.spend);
}

const TEAM: Column<Line> = {
  id: 'team',
  header: 'Team',
  accessorFn: (line) => line.team,
};

const KEY: Column<Line> = {
  id: 'key',
  header: 'Key',
  accessorFn: (line) => line.key,
  cell: ({ row }) => keyName(row.original.key),
};

const MODEL: Column<Line> = { id: 'model', header: 'Model', accessorFn: (line) => line.model };

/** Tokens and amounts, with what they come to. */
function priced(lines: Line[]) {
  const sum = lines.reduce((all, line) => addMoney(all, line.spend), 0);
  const money = exactColumn([...lines.map((line) => line.spend), sum]);
  const columns = [
    numberColumn<Line>({ id: 'tokens', header: 'Tokens', read: (line) => line.tokens, major: true }),
    numberColumn<Line>({
      id: 'spend',
      header: 'Spend',
      read: (line) => line.spend,
      tell: money,
      major: true,
    }),
  ];
  const tokens = lines.reduce((all, line) => all + line.tokens, 0);
  return { columns, sums: { tokens: count(tokens), spend: money(sum) } };
}

const keyName = (key: string) => (/^[0-9a-f]{64}$/.test(key) ? `${key.slice(0, 8)}…` : key);

/** What each team owes: the first page of the bill of all. */
function Teams({ bill }: { bill: Line[] }) {
  const teams = merged(bill, ({ team }) => team).sort((a, b) => b.spend - a.spend);
  if (teams.length === 0) return null;
  const { columns, sums } = priced(teams);
  return (
    <Section title="Teams" about={count(teams.length)} bare>
      <DataTable
        label="Teams"
        columns={[TEAM, ...columns]}
        rows={teams}
        sums={{ team: 'Sum', ...sums }}
        empty={null}
      />
    </Section>
  );
}

function Lines({ bill, one }: { bill: Line[]; one: boolean }) {
  const { columns, sums } = priced(bill);
  return (
    <Section title="What it is made of" about="by key and model" bare>
      <DataTable
        label="Lines of the bill"
        columns={[...(one ? [] : [TEAM]), KEY, MODEL, ...columns]}
        rows={bill}
        sums={{ [one ? 'key' : 'team']: 'Sum', ...sums }}
        empty={
          <Empty title="Nothing to bill in this month">
            <Link to="/usage">Usage of other days</Link>
          </Empty>
        }
      />
    </Section>
  );
}
