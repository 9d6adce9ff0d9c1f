import { ActionIcon, Menu, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { Suspense, useEffect, useRef, useState } from 'react';
import { NavLink, Outlet, useLocation, useNavigation } from 'react-router';
import { address } from '@/api/client';
import { may, roleLabel, userLabel } from '@/api/rights';
import { useSession, useSignIn } from '@/api/session';
import { Loading } from '@/parts/Answered';
import { Icon } from '@/parts/Icon';
import { Busy, Stale } from './Fresh';
import { PLACES } from './navigation';
import css from './Shell.module.css';

export function Shell() {
  const [open, setOpen] = useState(false);
  const location = useLocation();
  const main = useRef<HTMLElement>(null);
  const leaving = useNavigation().state === 'loading';

  // A new page starts at its top, and the phone's menu is out of its way.
  useEffect(() => {
    if (location.pathname === '') return;
    setOpen(false);
    main.current?.scrollTo(0, 0);
  }, [location.pathname]);

  useEffect(() => {
    if (!open) return;
    const close = ({ key }: KeyboardEvent) => key === 'Escape' && setOpen(false);
    window.addEventListener('keydown', close);
    return () => window.removeEventListener('keydown', close);
  }, [open]);

  return (
    <div className={css.shell} data-open={open}>
      <button type="button" className={css.skip} onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <header className={css.top}>
        <ActionIcon aria-label="Menu" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name={open ? 'close' : 'menu'} />
        </ActionIcon>
        <Brand />
      </header>
      <div className={css.side}>
        <div className={css.brand}>
          <Brand />
        </div>
        <Places />
        <Me />
      </div>
      <main id="main" ref={main} className={css.main} tabIndex={-1} aria-busy={leaving}>
        <Busy />
        <Stale />
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
    </div>
  );
}

function Brand() {
  return (
    <NavLink to="/" className={css.name}>
      <img src="favicon.svg" alt="" width={20} height={20} />
      Weir
    </NavLink>
  );
}

function Places() {
  const { role } = useSession();
  return (
    <nav aria-label="Pages" className={css.places}>
      {PLACES.map((group) => (
        <div key={group.label} className={css.group}>
          <div className={css.label}>{group.label}</div>
          {group.places
            .filter((place) => place.right === undefined || may(role, place.right))
            .map((place) => (
              <NavLink key={place.path} to={place.path} end={place.path === '/'} className={css.place}>
                <Icon name={place.icon} />
                {place.label}
              </NavLink>
            ))}
        </div>
      ))}
    </nav>
  );
}

function Me() {
  const session = useSession();
  const { signOut, signOutEverywhere } = useSignIn();
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme('light') === 'dark';
  return (
    <div className={css.me}>
      <div className={css.who}>
        <div className={css.user}>{userLabel(session.user_id)}</div>
        <div className={css.role}>{roleLabel(session.role)}</div>
      </div>
      <ActionIcon
        aria-label={dark ? 'Light colours' : 'Dark colours'}
        onClick={() => setColorScheme(dark ? 'light' : 'dark')}
      >
        <Icon name={dark ? 'sun' : 'moon'} />
      </ActionIcon>
      <Menu position="top-end">
        <Menu.Target>
          <ActionIcon aria-label="Account">
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setColorScheme('auto')}>Colours of the system</Menu.Item>
          <Menu.Item component="a" href={address('/docs')} target="_blank">
            API documentation
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item onClick={signOut}>Sign out</Menu.Item>
          <Menu.Item onClick={signOutEverywhere}>Sign out everywhere</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}
