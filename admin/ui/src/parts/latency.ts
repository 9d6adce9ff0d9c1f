// How long answers took: a mean for whoever asks, quantiles where the days have counts.
import type { Activity, Metrics, Times } from '@/api/answers';
import { days, type Series, sum } from './activity';
import { milliseconds } from './format';

export type Time = 'latency' | 'first_token';

/** Milliseconds; absent where nothing was timed, or nothing was counted. */
export interface Spread {
  mean?: number;
  p50?: number;
  p95?: number;
  /** Whether the quantiles are of fewer requests than the mean. */
  partly?: boolean;
}

type Sums = Pick<Times, 'duration_us' | 'timed_requests'>;

const read: Record<Time, (of: Times) => Sums & { counts?: number[] }> = {
  latency: (of) => ({ ...of, counts: of.duration_counts }),
  first_token: (of) => ({
    duration_us: of.time_to_first_token_us,
    timed_requests: of.streamed_requests,
    counts: of.time_to_first_token_counts,
  }),
};

/** Reads what these days tell. */
export type Spreads = (time: Time, of: Metrics) => Spread;

export function spreadsOf({ metadata }: Pick<Activity, 'metadata'>): Spreads {
  const bounds = metadata.weir?.count_bounds_us ?? [];
  return (time, { weir }) => {
    const { duration_us: micros, timed_requests: requests, counts = [] } = read[time](weir);
    if (requests === 0) return {};
    const quantile = (share: number) => quantileOf(counts, bounds, share);
    return {
      mean: micros / requests / 1000,
      p50: quantile(0.5),
      p95: quantile(0.95),
      partly: amount(counts) < requests,
    };
  };
}

const amount = (counts: number[]) => counts.reduce((all, count) => all + count, 0);

/** By when such a share of all was done. Of a span it is known only how many ended in it: they count as spread evenly. */
function quantileOf(counts: number[], bounds: number[], share: number): number | undefined {
  let left = amount(counts) * share;
  if (left === 0 || bounds.length === 0) return undefined;
  for (const [at, count] of counts.entries()) {
    if (left <= count) {
      const from = bounds[at - 1] ?? 0;
      const until = bounds[at] ?? from; // of what took longer than the last bound no more is known
      return (from + (until - from) * (left / count)) / 1000;
    }
    left -= count;
  }
  return undefined;
}

const QUANTILES = ['p50', 'p95'] as const;

/** In a few words, beside the mean. */
export function quantiles(of: Spread): string | undefined {
  const told = QUANTILES.flatMap((name) => {
    const value = of[name];
    return value === undefined ? [] : [`${name} ${milliseconds(value)}`];
  });
  if (told.length === 0) return undefined;
  return `${told.join(', ')}${of.partly ? ' of those counted' : ''}`;
}

/** Each day by itself: of all names together, since neither means nor quantiles are parts of a whole. */
export function spreadByDay(activity: Activity, time: Time, from: string, until: string): Series {
  const spreads = spreadsOf(activity);
  // Added to nothing, so that a replica that tells no times does not matter.
  const byDate = new Map(activity.results.map((day) => [day.date, spreads(time, sum([day.metrics]))]));
  const names = (['mean', ...QUANTILES] as const).filter((name) =>
    [...byDate.values()].some((of) => of[name] !== undefined),
  );
  const points = days(from, until).map((date) => {
    const of = byDate.get(date);
    return { date, ...Object.fromEntries(names.map((name) => [name, of?.[name] ?? 0])) };
  });
  return { names, points, apart: true };
}
