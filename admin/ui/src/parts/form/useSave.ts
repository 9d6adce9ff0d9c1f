import type { Route } from '@/api/client';
import { asBody, useChange } from '@/api/hooks';
import type { Values } from './fields';

/** Makes a record, or changes the one that these fields name. */
export function useSave(make: Route, change: Route, which: Values | undefined, onClose: () => void) {
  const made = useChange(make);
  const changed = useChange(change);
  return async (values: Values) => {
    if (which === undefined) await made.mutateAsync({ body: asBody(values) });
    else await changed.mutateAsync({ body: asBody({ ...which, ...values }) });
    onClose();
  };
}
