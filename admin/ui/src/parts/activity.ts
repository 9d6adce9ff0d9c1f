// Days of use, added up the ways that pages show them.
import type { Activity, Day, Metrics, PartName, Times } from '@/api/answers';
import type { Route } from '@/api/client';
import type { Right } from '@/api/rights';
import { addMoney } from './format';

export type By = 'model' | 'team' | 'key' | 'user' | 'provider' | 'tag' | 'customer' | 'organization';

export interface Dimension {
  by: By;
  label: string;
  plural: string;
  route: Extract<Route, `GET /${string}/daily/activity`>;
  part: PartName;
  /** Parameter that narrows the days to one, and the same of a report. */
  only: string;
  narrows: string;
  /** How `/global/spend/report` calls it. */
  report: string;
  right?: Right;
  /** Where one of them has its page. */
  page?: string;
}

export const DIMENSIONS: Dimension[] = [
  {
    by: 'model',
    label: 'Model',
    plural: 'models',
    route: 'GET /user/daily/activity',
    part: 'model_groups',
    only: 'model',
    narrows: 'model',
    report: 'model',
  },
  {
    by: 'team',
    label: 'Team',
    plural: 'teams',
    route: 'GET /team/daily/activity',
    part: 'entities',
    only: 'team_ids',
    narrows: 'team_id',
    report: 'team',
    page: '/teams',
  },
  {
    by: 'key',
    label: 'Key',
    plural: 'keys',
    route: 'GET /user/daily/activity',
    part: 'api_keys',
    only: 'api_key',
    narrows: 'api_key',
    report: 'api_key',
    page: '/keys',
  },
  {
    by: 'user',
    label: 'User',
    plural: 'users',
    route: 'GET /user/daily/activity',
    part: 'entities',
    only: 'user_id',
    narrows: 'internal_user_id',
    report: 'user',
    page: '/users',
  },
  {
    by: 'provider',
    label: 'Provider',
    plural: 'providers',
    route: 'GET /user/daily/activity',
    part: 'providers',
    only: 'provider',
    narrows: 'provider',
    report: 'provider',
  },
  {
    by: 'tag',
    label: 'Tag',
    plural: 'tags',
    route: 'GET /tag/daily/activity',
    part: 'entities',
    only: 'tags',
    narrows: 'tag',
    report: 'tag',
    right: 'see usage of organizations',
  },
  {
    by: 'customer',
    label: 'Customer',
    plural: 'customers',
    route: 'GET /customer/daily/activity',
    part: 'entities',
    only: 'end_user_ids',
    narrows: 'customer_id',
    report: 'customer',
    right: 'see usage of customers',
    page: '/customers',
  },
  {
    by: 'organization',
    label: 'Organisation',
    plural: 'organisations',
    route: 'GET /organization/daily/activity',
    part: 'entities',
    only: 'organization_ids',
    narrows: 'organization_id',
    report: 'organization',
    right: 'see usage of organizations',
    page: '/organizations',
  },
];

/** Sums are kept in three tables, each told apart by these. */
const TABLES: By[][] = [
  ['model', 'provider', 'key', 'team', 'user', 'organization'],
  ['model', 'provider', 'key', 'tag'],
  ['model', 'provider', 'key', 'customer'],
];

/** Whether sums can be told apart by all of these at once. */
export const together = (all: By[]) => TABLES.some((table) => all.every((by) => table.includes(by)));

/** What days are narrowed to, by dimension. */
export type Only = Partial<Record<By, string>>;

/** Days of these holders hold everything that is theirs, also what is no spend of whoever asks. */
export const HOLDERS: By[] = ['tag', 'customer', 'team', 'organization'];

/** Whose days tell a dimension apart: its own where it is a holder, else those of what they are narrowed to. */
export function daysOf(dimension: Dimension, only: Only): Pick<Dimension, 'route'> {
  if (dimension.part === 'entities') return dimension;
  const holder = HOLDERS.find((by) => only[by] !== undefined);
  return DIMENSIONS.find((row) => row.by === holder) ?? dimension;
}

/** The same as parameters: of days, or of a report. */
export function narrowing(only: Only, name: 'only' | 'narrows'): Record<string, string> {
  return Object.fromEntries(
    DIMENSIONS.flatMap((row) => {
      const id = only[row.by];
      return id === undefined ? [] : [[row[name], id]];
    }),
  );
}

const UNTIMED: Times = {
  timed_requests: 0,
  duration_us: 0,
  streamed_requests: 0,
  time_to_first_token_us: 0,
};

const NOTHING: Metrics = {
  spend: 0,
  prompt_tokens: 0,
  completion_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
  total_tokens: 0,
  successful_requests: 0,
  failed_requests: 0,
  api_requests: 0,
  weir: UNTIMED,
};

type Counts = number[] | undefined;

/** Those of the longer of the two say how many spans there are. */
function addedCounts(sum: Counts, more: Counts): Counts {
  if (sum === undefined || more === undefined) return sum ?? more;
  const [long, short] = sum.length < more.length ? [more, sum] : [sum, more];
  return long.map((count, at) => count + (short[at] ?? 0));
}

function addedTimes(sum: Times, more: Times): Times {
  return {
    timed_requests: sum.timed_requests + more.timed_requests,
    duration_us: sum.duration_us + more.duration_us,
    streamed_requests: sum.streamed_requests + more.streamed_requests,
    time_to_first_token_us: sum.time_to_first_token_us + more.time_to_first_token_us,
    duration_counts: addedCounts(sum.duration_counts, more.duration_counts),
    time_to_first_token_counts: addedCounts(sum.time_to_first_token_counts, more.time_to_first_token_counts),
  };
}

function added<T extends Record<string, number>>(sum: T, more: T): T {
  const all = Object.entries(sum).map(([name, value]) => [name, value + (more[name] ?? 0)]);
  return Object.fromEntries(all) as T;
}

function add({ weir: times, ...sum }: Metrics, { weir, ...more }: Metrics): Metrics {
  return {
    ...added(sum, more),
    spend: addMoney(sum.spend, more.spend),
    // A replica that was not updated yet tells of none.
    weir: addedTimes(times, weir ?? UNTIMED),
  };
}

export const sum = (all: Metrics[]): Metrics => all.reduce(add, NOTHING);

export const total = (days: Day[]): Metrics => sum(days.map((day) => day.metrics));

export interface Row {
  id: string;
  name: string;
  metrics: Metrics;
}

/** What the server calls those who are nobody. */
export const UNASSIGNED = 'Unassigned';
const NOBODY: Partial<Record<PartName, string>> = { entities: UNASSIGNED, providers: 'unknown' };

function partOf(day: Day, part: PartName) {
  return Object.entries(day.breakdown[part] ?? {}).map(
    ([id, told]) => [id === NOBODY[part] ? '' : id, told] as const,
  );
}

/** One row for each name in a breakdown, the dearest first; nobody's has no id. */
export function rows(activity: Activity, part: PartName): Row[] {
  const found = new Map<string, Row>();
  for (const day of activity.results) {
    for (const [id, told] of partOf(day, part)) {
      const row = found.get(id) ?? { id, name: nameOf(id, told.metadata), metrics: NOTHING };
      found.set(id, { ...row, metrics: add(row.metrics, told.metrics) });
    }
  }
  const byUse = (one: Row, other: Row) =>
    other.metrics.spend - one.metrics.spend || other.metrics.api_requests - one.metrics.api_requests;
  return [...found.values()].sort(byUse);
}

function nameOf(
  id: string,
  metadata: { key_alias?: string | null; team_alias?: string | null; alias?: string },
) {
  const name = metadata.key_alias ?? metadata.team_alias ?? metadata.alias;
  if (name) return name;
  if (id === '') return 'none';
  return /^[0-9a-f]{64}$/.test(id) ? `${id.slice(0, 8)}…` : id;
}

export type Measure = 'spend' | 'total_tokens' | 'api_requests';

export interface Series {
  names: string[];
  /** Each with its day and a value for each name. */
  points: Record<string, string | number>[];
  /** The values of a day are no parts of a whole: they stand side by side. */
  apart?: boolean;
}

const REST = 'others';

/** Days without a gap, told apart by the largest names; the rest of them together. */
export function series(
  activity: Activity,
  part: PartName,
  measure: Measure,
  from: string,
  until: string,
  most = 7,
): Series {
  const all = rows(activity, part);
  const kept = new Map(all.slice(0, most).map((row) => [row.id, row.name]));
  const byDate = new Map(activity.results.map((day) => [day.date, day]));
  const points = days(from, until).map((date) => {
    const point: Record<string, string | number> = { date };
    const day = byDate.get(date);
    for (const [id, told] of day === undefined ? [] : partOf(day, part)) {
      const name = kept.get(id) ?? REST;
      point[name] = Number(point[name] ?? 0) + told.metrics[measure];
    }
    return point;
  });
  return { names: [...new Set(kept.values()), ...(all.length > most ? [REST] : [])], points };
}

/** At most two years of them. */
export function days(from: string, until: string): string[] {
  const list: string[] = [];
  for (let at = Date.parse(from); at <= Date.parse(until) && list.length < 732; at += 86_400_000) {
    list.push(new Date(at).toISOString().slice(0, 10));
  }
  return list;
}
