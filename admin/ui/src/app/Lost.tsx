import { Button } from '@mantine/core';
import { isRouteErrorResponse, Link, useRouteError } from 'react-router';
import { Empty } from '@/parts/Empty';
import { Page } from '@/parts/Page';

/** An address that is no page, or a page that broke. A chunk that is gone means that the gateway was updated. */
export function Lost() {
  const error = useRouteError();
  const broken = error instanceof Error && !isRouteErrorResponse(error);
  const updated = broken && /dynamically imported|module script/i.test(error.message);
  const title = updated ? 'The gateway was updated' : broken ? 'This page broke' : 'There is no such page';
  const text = updated
    ? 'Load the page again to get the new version.'
    : broken
      ? `Load it again. If it breaks again, this is what to report: ${error.message}`
      : 'The address is not quite right, or the page was moved.';
  return (
    <Page title={title}>
      <Empty text={text}>
        {broken ? (
          <Button component="a" href={window.location.href}>
            Load again
          </Button>
        ) : (
          <Button component={Link} to="/">
            Back to Home
          </Button>
        )}
      </Empty>
    </Page>
  );
}
