// How deployments are: who gets no requests, over all replicas where they know of each other, and who failed at the replica
// that answers.
import type { Standing } from './answers';
import { useAnswer } from './hooks';
import { type DeploymentState, useSeen } from './seen';
import { useMay } from './session';

export interface State {
  word: DeploymentState;
  /** Since when, until when and why it gets no requests. */
  cooled?: Standing;
}

/** Deployments that get no requests for a while. `undefined` until they are known. */
export function useCooled() {
  const allowed = useMay('see health');
  const query = { state: 'cooled' };
  return useAnswer('GET /model/deployments/state', { query }, { enabled: allowed, every: 30_000 }).data;
}

export type States = (id: string) => State | undefined;

/** By the id of a deployment; `undefined` for those of which nothing is known yet. */
export function useStates(): { of: States; shared: boolean } {
  const told = useCooled();
  const seen = useSeen().data;
  const cooled = new Map(told?.data.map((row) => [row.model_id, row]));
  const of: States = (id) => {
    const row = cooled.get(id);
    if (row !== undefined) return { word: 'cooling down', cooled: row };
    const word = seen?.get(id);
    // The metric says so until the next success, also when its time is over.
    const over = word === 'cooling down' && told !== undefined;
    return word && { word: over ? 'failing' : word };
  };
  return { of, shared: told?.scope === 'shared' };
}
