import { Button, Menu } from '@mantine/core';
import { Link } from 'react-router';
import { address } from '@/api/client';
import { useMay } from '@/api/session';
import { type By, type Dimension, narrowing, type Only, together } from '@/parts/activity';
import { Icon } from '@/parts/Icon';
import type { Days } from './params';

interface Props {
  dimension: Dimension;
  days: Days;
  only: Only;
}

/** What finance takes, of what is looked at: the browser fetches the files itself. */
export function Export({ dimension, days, only }: Props) {
  const allowed = useMay('reports');
  if (!allowed) return null;
  const file = (format: string) =>
    address(
      '/global/spend/report',
      {},
      {
        ...days,
        group_by: dimension.report,
        ...narrowing(only, 'narrows'),
        format,
      },
    );
  const name = `weir-${dimension.by}-${days.start_date}-${days.end_date}`;
  // A line of FOCUS is of a team and a key: it knows neither tags nor customers.
  const focus = together(['team', ...(Object.keys(only) as By[])]);
  return (
    <>
      <Button
        component={Link}
        to={`/usage/chargeback/${encodeURIComponent(only.team ?? 'all')}`}
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
          {focus && (
            <Menu.Item
              component="a"
              href={file('focus')}
              download={`weir-focus-${days.start_date}-${days.end_date}.csv`}
            >
              FOCUS 1.2
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
