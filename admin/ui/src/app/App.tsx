import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from 'react-router';
import { ApiError } from '@/api/client';
import { SessionProvider, useSignedIn } from '@/api/session';
import { Login } from '@/pages/login/Login';
import { Failed } from '@/parts/Answered';
import { router } from './routes';
import { colourScheme, theme } from './theme';

// A refusal stays a refusal; only what never arrived, or broke on the way, is tried once more.
const again = (failures: number, error: Error) =>
  failures < 1 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 502);

const queries = new QueryClient({
  defaultOptions: { queries: { retry: again, staleTime: 5_000, refetchOnWindowFocus: true } },
});

export function App() {
  return (
    <MantineProvider
      theme={theme}
      colorSchemeManager={colourScheme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <QueryClientProvider client={queries}>
        <Door />
      </QueryClientProvider>
    </MantineProvider>
  );
}

function Door() {
  const session = useSignedIn();
  if (session.isError) return <Failed error={session.error} retry={session.refetch} />;
  if (session.data === undefined) return null;
  if (session.data === null) return <Login />;
  return (
    <SessionProvider session={session.data}>
      <RouterProvider router={router} />
    </SessionProvider>
  );
}
