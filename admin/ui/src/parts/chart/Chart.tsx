import { Skeleton } from '@mantine/core';
import { type ComponentProps, lazy, Suspense } from 'react';
import { Empty } from '../Empty';

const DayBars = lazy(() => import('./DayBars'));

/** The chart of a series; it holds its place until it is loaded. */
export function Chart(props: ComponentProps<typeof DayBars>) {
  if (props.of.names.length === 0) {
    return (
      <Empty title="Nothing in these days" text="Requests show up here a second after they were answered." />
    );
  }
  return (
    <Suspense fallback={<Skeleton height={props.height ?? 220} />}>
      <DayBars {...props} />
    </Suspense>
  );
}
