import { createBrowserRouter, Navigate, type RouteObject } from 'react-router';
import { ROOT } from '@/api/root';
import { Lost } from './Lost';
import { Shell } from './Shell';

/** Each page is a chunk of its own, loaded when it is visited. */
const page = (path: string, load: () => Promise<{ default: React.ComponentType }>): RouteObject => ({
  path,
  lazy: async () => ({ Component: (await load()).default }),
});

export const router = createBrowserRouter(
  [
    {
      Component: Shell,
      ErrorBoundary: Lost,
      HydrateFallback: () => null,
      children: [
        {
          ErrorBoundary: Lost,
          children: [
            page('/', () => import('@/pages/home/Home')),
            page('/usage', () => import('@/pages/usage/Usage')),
            page('/usage/chargeback/:team', () => import('@/pages/usage/Chargeback')),
            page('/logs', () => import('@/pages/logs/Logs')),
            page('/logs/:id', () => import('@/pages/logs/Exchange')),
            page('/keys', () => import('@/pages/keys/Keys')),
            page('/keys/:id', () => import('@/pages/keys/Key')),
            page('/teams', () => import('@/pages/teams/Teams')),
            page('/teams/:id', () => import('@/pages/teams/Team')),
            page('/users', () => import('@/pages/users/Users')),
            page('/users/:id', () => import('@/pages/users/User')),
            page('/organizations', () => import('@/pages/organizations/Organizations')),
            page('/organizations/:id', () => import('@/pages/organizations/Organization')),
            page('/customers', () => import('@/pages/customers/Customers')),
            page('/customers/:id', () => import('@/pages/customers/Customer')),
            page('/models', () => import('@/pages/models/Models')),
            page('/models/:id', () => import('@/pages/models/Deployment')),
            page('/playground', () => import('@/pages/playground/Playground')),
            page('/settings', () => import('@/pages/settings/Settings')),
            { path: '/login', element: <Navigate to="/" replace /> }, // where LiteLLM's bookmarks lead
            { path: '*', Component: Lost },
          ],
        },
      ],
    },
  ],
  { basename: `${ROOT}ui` },
);
