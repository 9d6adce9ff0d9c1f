import { Skeleton } from '@mantine/core';
import { type ComponentProps, lazy, Suspense } from 'react';
import { Empty } from '../Empty';

const DayBars = lazy(() => import('./DayBars'));

/** The chart of a series; it holds its place until it is loaded. */
export function Chart(props: ComponentProps<typeof DayBars>) {
  const { names, points } = props.of;
  if (names.length === 0) {
    return (
      <Empty title="Nothing in these days" text="Requests show up here a second after they were answered." />
    );
  }
  if (!points.some((point) => names.some((name) => Number(point[name] ?? 0) > 0))) {
    return (
      <Empty
        title={`${props.label}: none in these days`}
        text="There were requests, which came to nothing."
      />
    );
  }
  return (
    <Suspense fallback={<Skeleton height={props.height ?? 220} />}>
      <DayBars {...props} />
    </Suspense>
  );
}
