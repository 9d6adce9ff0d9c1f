import { isRouteErrorResponse, Link, useRouteError } from 'react-router';
import { Empty } from '@/parts/Empty';

/** An address that is no page, or a page that broke. A chunk that is gone means that the gateway was updated. */
export function Lost() {
  const error = useRouteError();
  const broken = error instanceof Error && !isRouteErrorResponse(error);
  const updated = broken && /dynamically imported|module script/i.test(error.message);
  const title = updated ? 'The gateway was updated' : broken ? 'This page broke' : 'There is no such page';
  const text = updated ? 'Load the page again to get the new version.' : broken ? error.message : undefined;
  return (
    <Empty title={title} text={text}>
      {updated ? <a href={window.location.href}>Load again</a> : <Link to="/">Back to Home</Link>}
    </Empty>
  );
}
