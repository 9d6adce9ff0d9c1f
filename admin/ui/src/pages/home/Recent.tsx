import { Link } from 'react-router';
import type { Entry } from '@/api/answers';
import { useMay } from '@/api/session';
import { Answered } from '@/parts/Answered';
import { Numbers } from '@/parts/Facts';
import { between, milliseconds } from '@/parts/format';
import { Section } from '@/parts/Page';
import { useEntries } from '../logs/entries';

const LAST = 100;

function quantile(values: number[], share: number): string {
  const sorted = [...values].sort((one, other) => one - other);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return value === undefined ? '–' : milliseconds(value);
}

/** How the last requests went: the sums of days are too slow to tell. */
export function Recent() {
  return useMay('see logs') ? <Latency /> : null;
}

function Latency() {
  const last = useEntries({}, LAST, 15_000);
  return (
    <Answered of={last} lines={2}>
      {({ rows: data }) => {
        // As the sums of days have it: the cache says nothing of a model.
        const served = data.filter(({ status, cache_hit }) => status === 'success' && cache_hit !== 'True');
        const took = served.map((entry: Entry) => between(entry.startTime, entry.endTime));
        const first = served
          .filter((entry) => entry.metadata.weir?.stream === true)
          .map((entry) => between(entry.startTime, entry.completionStartTime));
        if (data.length === 0) return null;
        return (
          <Section
            title="Latency"
            about={`of the last ${data.length} requests`}
            actions={<Link to="/logs">Logs</Link>}
            bare
          >
            <Numbers
              of={[
                { label: 'Median', value: quantile(took, 0.5) },
                { label: '95 of 100 within', value: quantile(took, 0.95) },
                { label: 'Time to first token', value: quantile(first, 0.5), note: 'median of streams' },
              ]}
            />
          </Section>
        );
      }}
    </Answered>
  );
}
