import { Button, PasswordInput, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import type { Options } from '@/api/answers';
import { address, call } from '@/api/client';
import { useAnswer } from '@/api/hooks';
import { SIGNED_OUT, useSignIn } from '@/api/session';
import { Notice } from '@/parts/Notice';
import css from './Login.module.css';

/** Seen whatever the address is while nobody is signed in; an invitation in the address comes first. */
export function Login() {
  const invitation = new URLSearchParams(window.location.search).get('invitation_id');
  const [accepted, setAccepted] = useState(false);
  if (invitation !== null && !accepted) return <Accept id={invitation} done={() => setAccepted(true)} />;
  return <SignIn fresh={accepted} />;
}

function Door({ title, text, children }: { title: string; text: string; children?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Weir`;
  }, [title]);
  return (
    <main className={css.door}>
      <div className={css.box}>
        <img src="favicon.svg" alt="" width={36} height={36} />
        <h1 className={css.title}>{title}</h1>
        <p className={css.text}>{text}</p>
        {children}
      </div>
    </main>
  );
}

/** One submit at a time, with its refusal. */
function useSubmit(run: () => Promise<unknown>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError('');
    run()
      .catch((refusal: Error) => setError(refusal.message))
      .finally(() => setBusy(false));
  };
  return { busy, error, submit };
}

const DOOR = address('/sso/key/generate');

/** Where the operator wants no page before the identity provider's. Whoever has just left stays here. */
function useStraightThere(options: Options | undefined, stays: boolean): boolean {
  const left = new URLSearchParams(window.location.search).has(SIGNED_OUT);
  const goes = options?.auto === true && !stays && !left;
  useEffect(() => {
    if (goes) window.location.replace(DOOR);
  }, [goes]);
  return goes;
}

function SignIn({ fresh }: { fresh: boolean }) {
  const { signIn } = useSignIn();
  const options = useAnswer('GET /ui/options');
  const leaves = useStraightThere(options.data, fresh);
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const { busy, error, submit } = useSubmit(() => signIn(username, password));
  if (leaves) return <Door title="Sign in to Weir" text="You are led to the identity provider …" />;
  return (
    <Door
      title="Sign in to Weir"
      text={fresh ? 'Your password is set. Sign in with it.' : 'The admin UI of this gateway.'}
    >
      <form className={css.form} onSubmit={submit}>
        <TextInput
          size="sm"
          label="User name or e-mail"
          autoComplete="username"
          required
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <PasswordInput
          size="sm"
          label="Password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {error !== '' && <Notice tone="bad" title={error} />}
        <Button type="submit" size="sm" fullWidth loading={busy}>
          Sign in
        </Button>
      </form>
      {options.data?.sso === true && (
        <Button component="a" href={DOOR} size="sm" variant="default" fullWidth>
          Sign in with single sign-on
        </Button>
      )}
    </Door>
  );
}

function Accept({ id, done }: { id: string; done: () => void }) {
  const [password, setPassword] = useState('');
  const { busy, error, submit } = useSubmit(async () => {
    await call('POST /ui/invitation', { body: { invitation_id: id, password } });
    window.history.replaceState(null, '', window.location.pathname);
    done();
  });
  return (
    <Door title="Welcome to Weir" text="You were invited. Choose the password that you will sign in with.">
      <form className={css.form} onSubmit={submit}>
        <PasswordInput
          size="sm"
          label="New password"
          description="At least 8 characters"
          autoComplete="new-password"
          required
          minLength={8}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {error !== '' && <Notice tone="bad" title={error} />}
        <Button type="submit" size="sm" fullWidth loading={busy}>
          Set password
        </Button>
      </form>
    </Door>
  );
}
