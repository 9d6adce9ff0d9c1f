import { useElementSize } from '@mantine/hooks';
import { Bar, BarChart, CartesianGrid, Tooltip, XAxis, YAxis } from 'recharts';
import type { Series } from '../activity';
import { shortDay } from '../format';
import parts from '../parts.module.css';
import css from './chart.module.css';

interface Props {
  of: Series;
  format: (value: number) => string;
  label: string;
  height?: number;
}

const colour = (at: number) => `var(--chart-${(at % 8) + 1})`;

/** Days as bars, stacked by name or side by side. Recharts is the bulk of it, so that it is loaded only where a chart is. */
export default function DayBars({ of, format, label, height = 220 }: Props) {
  // Recharts' own container puts a style element into the page; the width alone is wanted here.
  const { ref, width } = useElementSize();
  return (
    <figure className={css.chart} ref={ref}>
      <figcaption className={parts.unseen}>{label}</figcaption>
      <div role="img" aria-label={`${label}, by day`} className={css.canvas}>
        {width > 0 && (
          <BarChart
            width={width}
            height={height}
            data={of.points}
            margin={{ top: 6, right: 4, bottom: 0, left: 0 }}
            accessibilityLayer={false}
            barCategoryGap="22%"
          >
            <CartesianGrid vertical={false} stroke="var(--line)" />
            <XAxis
              dataKey="date"
              tickFormatter={shortDay}
              tickLine={false}
              axisLine={{ stroke: 'var(--line-strong)' }}
              tick={{ fill: 'var(--ink-2)', fontSize: 11 }}
              minTickGap={28}
            />
            <YAxis
              width={74}
              tickFormatter={format}
              tickLine={false}
              axisLine={false}
              tick={{ fill: 'var(--ink-2)', fontSize: 11 }}
            />
            <Tooltip
              cursor={{ fill: 'var(--hover)' }}
              content={({ active, payload, label: day }) =>
                active ? (
                  <Tip day={String(day)} rows={payload as never} format={format} apart={of.apart} />
                ) : null
              }
              isAnimationActive={false}
            />
            {of.names.map((name, at) => (
              <Bar
                key={name}
                dataKey={(point: Record<string, number>) => point[name] ?? 0}
                name={name}
                stackId={of.apart ? name : 'day'}
                fill={colour(at)}
                maxBarSize={34}
                isAnimationActive={false}
              />
            ))}
          </BarChart>
        )}
      </div>
      <Legend names={of.names} />
    </figure>
  );
}

function Legend({ names }: { names: string[] }) {
  if (names.length < 2) return null;
  return (
    <ul className={css.legend}>
      {names.map((name, at) => (
        <li key={name}>
          <i style={{ background: colour(at) }} />
          <span className={css.name} title={name}>
            {name}
          </span>
        </li>
      ))}
    </ul>
  );
}

interface TipProps {
  day: string;
  rows: { name: string; value: number; color: string }[];
  format: (value: number) => string;
  apart?: boolean;
}

function Tip({ day, rows, format, apart = false }: TipProps) {
  const told = rows.filter((row) => row.value > 0);
  const sum = told.reduce((all, row) => all + row.value, 0);
  return (
    <div className={css.tip}>
      <div className={css.tipHead}>
        <span>{shortDay(day)}</span>
        {(!apart || told.length === 1) && <b>{format(sum)}</b>}
      </div>
      {told.length > 1 &&
        told.map((row) => (
          <div key={row.name} className={css.tipRow}>
            <i style={{ background: row.color }} />
            <span className={css.name}>{row.name}</span>
            <span>{format(row.value)}</span>
          </div>
        ))}
    </div>
  );
}
