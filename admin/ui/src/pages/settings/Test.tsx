import { Button } from '@mantine/core';
import { useState } from 'react';
import { call } from '@/api/client';
import css from '@/parts/parts.module.css';
import { Status } from '@/parts/Status';
import own from './settings.module.css';

/** Sends something to a callback or a channel for alerts, and says what came of it. */
export function Test({ service }: { service: string }) {
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<{ good: boolean; text: string } | null>(null);
  const run = async () => {
    setBusy(true);
    const answer = call('GET /health/services', { query: { service } });
    setResult(
      await answer
        .then(({ message }) => ({ good: true, text: message }))
        .catch((error: Error) => ({ good: false, text: error.message })),
    );
    setBusy(false);
  };
  return (
    <span className={css.filters}>
      <Button
        variant="default"
        size="compact-xs"
        loading={busy}
        aria-label={`Send a test to ${service}`}
        onClick={run}
      >
        Send a test
      </Button>
      {result !== null && (
        <span role="status" className={own.answer}>
          <Status tone={result.good ? 'good' : 'bad'}>{result.text}</Status>
        </span>
      )}
    </span>
  );
}
