// What belongs to nobody: days of teams, organisations and customers leave it out.
import type { Activity, Day, Metrics } from '@/api/answers';
import { type By, type Dimension, HOLDERS, type Only, sum, UNASSIGNED } from './activity';
import { addMoney } from './format';

const NOTHING = sum([]);

type Numbers = Record<string, number>;

function less<T extends Numbers>(whole: T, part: T): T {
  const left = Object.entries(whole).map(([name, value]) => [name, Math.max(0, value - (part[name] ?? 0))]);
  return Object.fromEntries(left) as T;
}

/** Of times the sums alone: those of nobody are not counted by themselves. */
const timesOf = ({ weir }: Metrics) => {
  const { timed_requests, duration_us, streamed_requests, time_to_first_token_us } = weir ?? NOTHING.weir;
  return { timed_requests, duration_us, streamed_requests, time_to_first_token_us };
};

function without(all: Metrics, some: Metrics): Metrics {
  const [{ weir: _, ...whole }, { weir: __, ...part }] = [all, some];
  return {
    ...less(whole, part),
    spend: Math.max(0, addMoney(all.spend, -some.spend)),
    weir: less(timesOf(all), timesOf(some)),
  };
}

/** Holders of whom a request has one at most: what is nobody's can be told by what is left. */
const SINGLE: By[] = ['team', 'organization', 'customer'];

/** Whether the days of a dimension leave out what belongs to none of it. */
export const leavesOut = ({ by }: Dimension, only: Only) =>
  SINGLE.includes(by) && !HOLDERS.some((holder) => only[holder] !== undefined);

/** Days of holders with what belongs to none of them, so that they add up to what was spent. */
export function withRest(of: Activity, whole: Activity): Activity {
  const byDate = new Map(of.results.map((day) => [day.date, day]));
  const results = whole.results.map((all): Day => {
    const day = byDate.get(all.date);
    const rest = without(all.metrics, day?.metrics ?? NOTHING);
    const entities = { ...day?.breakdown.entities };
    if (rest.api_requests > 0) entities[UNASSIGNED] = { metrics: rest, metadata: {}, api_key_breakdown: {} };
    return { ...all, breakdown: { ...all.breakdown, entities } };
  });
  return { ...of, results };
}
