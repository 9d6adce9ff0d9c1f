// How the replica that answers is doing; behind a balancer each answers for itself.
import { useAnswer } from './hooks';
import { useMay } from './session';

export function useReplica() {
  return useAnswer('GET /health/replica', {}, { enabled: useMay('see all'), every: 30_000 });
}
