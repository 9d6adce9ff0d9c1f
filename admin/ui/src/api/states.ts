// How deployments are: who gets no requests, over all replicas where they know of each other, and who failed at the replica
// that answers.
import type { Check, Standing } from './answers';
import { useAnswer } from './hooks';
import { type DeploymentState, useSeen } from './seen';
import { useMay } from './session';

export interface State {
  word: DeploymentState;
  /** Since when, until when and why it gets no requests. */
  cooled?: Standing;
  /** Where deployments are asked in the background. */
  check?: Check | undefined;
}

/** Deployments that get no requests for a while. `undefined` until they are known. */
export function useCooled() {
  const allowed = useMay('see health');
  const query = { state: 'cooled' };
  return useAnswer('GET /model/deployments/state', { query }, { enabled: allowed, every: 30_000 }).data;
}

/** What deployments answered in the background; none where nobody asks them. */
function useChecks(): Map<string, Check | null> {
  const allowed = useMay('see health');
  const query = { state: 'checked' };
  const told = useAnswer('GET /model/deployments/state', { query }, { enabled: allowed, every: 30_000 }).data;
  return new Map(told?.data.map((row) => [row.model_id, row.check]));
}

export type States = (id: string) => State | undefined;

/** By the id of a deployment; `undefined` for those of which nothing is known yet. */
export function useStates(): { of: States; shared: boolean } {
  const told = useCooled();
  const seen = useSeen().data;
  const checks = useChecks();
  const cooled = new Map(told?.data.map((row) => [row.model_id, row]));
  const of: States = (id) => {
    const row = cooled.get(id);
    const check = checks.get(id) ?? undefined;
    if (row !== undefined) return { word: 'cooling down', cooled: row, check };
    const word = seen?.get(id) ?? (check && (check.error === null ? 'healthy' : 'failing'));
    // The metric says so until the next success, also when its time is over.
    const over = word === 'cooling down' && told !== undefined;
    return word && { word: over ? 'failing' : word, check };
  };
  return { of, shared: told?.scope === 'shared' };
}
