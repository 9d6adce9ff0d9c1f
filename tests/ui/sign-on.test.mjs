// The doors: a password, an identity provider, a proxy that says who is there. What must not open them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { missing, startRig, UI_PASSWORD, UI_USER } from './rig/rig.mjs';

let rig;
const somebody = (url) => rig.somebody(url);

describe('signing in', { skip: missing() ?? false, concurrency: false }, () => {
  before(async () => {
    rig = await startRig();
    await rig.api('POST', '/team/new', { team_id: 'research', team_alias: 'Research' });
    await rig.api('POST', '/team/new', { team_id: 'secret', team_alias: 'Secret' });
  });
  after(() => rig?.stop());

  test('p37 a wrong password is refused; the password of the UI and the master key are taken', async () => {
    const walk = await somebody();
    await walk.open('/login', 'Sign in to Weir');
    await walk.looked('login');
    await walk.signIn(UI_USER, 'wrong');
    await walk.reads('Invalid credentials used to access UI.');
    await walk.looked('login-refused');
    await walk.signIn(UI_USER, UI_PASSWORD);
    await walk.sees('Home');
    const kept = await walk.page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]);
    assert.deepEqual(
      kept.filter((name) => name !== 'weir-colour-scheme'),
      [],
      'nothing but view preferences is kept in the browser',
    );
    assert.equal(await walk.page.evaluate(() => document.cookie), '', 'no script reads the session');
    await walk.signOut();
    await walk.sees('Sign in to Weir');
    await walk.signIn('admin', rig.weir.masterKey);
    await walk.sees('Home');
  });

  test('an invitation sets a password, which signs in', async () => {
    const made = await rig.api('POST', '/user/new', { user_email: 'ida@work.example', user_role: 'internal_user', auto_create_key: false });
    const { body } = await rig.api('POST', '/invitation/new', { user_id: made.body.user_id });
    const walk = await somebody();
    await walk.open(`/?invitation_id=${body.id}`, 'Welcome to Weir');
    await walk.looked('invitation');
    await walk.page.getByLabel(/^New password/).fill('correct horse battery');
    await walk.press('Set password');
    await walk.signIn('ida@work.example', 'correct horse battery');
    await walk.sees('Home');
    assert.equal((await walk.session()).role, 'internal_user');
    await walk.signOut();
    await walk.sees('Sign in to Weir');
    await walk.open(`/?invitation_id=${body.id}`, 'Welcome to Weir');
    await walk.page.getByLabel(/^New password/).fill('of somebody else');
    await walk.press('Set password');
    await walk.page.getByRole('alert').waitFor();
  });

  test('an admin of the realm comes in by single sign-on, and leaves both sessions', async () => {
    const walk = await somebody();
    await walk.open('/', 'Sign in to Weir');
    await walk.singleSignOn('grace');
    const { user_id, role } = await walk.session();
    assert.deepEqual([user_id, role], ['grace', 'proxy_admin']);
    await walk.open('/settings?tab=sign-on', 'Settings');
    await walk.reads(`${rig.url}/sso/callback`);
    await walk.reads('OpenID Connect');
    await walk.page.getByText(rig.identity.issuer, { exact: true }).waitFor();
    await walk.reads('realm_access.roles');
    await walk.signOut();
    await walk.page.waitForURL(`${rig.identity.issuer}/**`);
    await walk.page.getByRole('button', { name: 'Yes, sign me out' }).click();
    await walk.sees('Sign in to Weir');
  });

  test('groups are teams, and who has no role only looks on', async () => {
    const linus = await somebody();
    await linus.open('/', 'Sign in to Weir');
    await linus.singleSignOn('linus');
    assert.equal((await linus.session()).role, 'internal_user');
    await linus.open('/teams', 'Teams');
    await linus.page.getByRole('link', { name: 'Research' }).waitFor();
    await linus.reads('1–1 of 1');

    const vera = await somebody();
    await vera.open('/', 'Sign in to Weir');
    await vera.singleSignOn('vera');
    assert.equal((await vera.session()).role, 'internal_user_viewer');
    await vera.open('/keys', 'Keys');
    await vera.settled();
    assert.equal(await vera.page.getByRole('button', { name: 'New key' }).count(), 0);
  });

  test('where the operator wants it so, browsers go straight to the provider, but not who has just left', async () => {
    const walk = await somebody();
    await walk.page.route('**/ui/options', (route) => route.fulfill({ json: { sso: true, auto: true } }));
    await walk.page.goto(`${rig.url}/ui/keys`, { waitUntil: 'commit' });
    await walk.page.waitForURL(`${rig.identity.issuer}/**`);
    await walk.open('/?signed_out', 'Sign in to Weir');
    await walk.page.getByLabel(/^Password/).waitFor();
  });

  test('a team lead sees the own team and no other, and adds members by their address', async () => {
    const made = [
      { user_id: 'lea', user_role: 'internal_user', password: 'leads research' },
      { user_id: 'max', user_email: 'max@work.example', user_role: 'internal_user' },
    ];
    for (const user of made) await rig.api('POST', '/user/new', { auto_create_key: false, ...user });
    await rig.api('POST', '/team/member_add', { team_id: 'research', member: { role: 'admin', user_id: 'lea' } });
    const walk = await somebody();
    await walk.open('/', 'Sign in to Weir');
    await walk.signIn('lea', 'leads research');
    await walk.sees('Home');
    await walk.open('/teams', 'Teams');
    await walk.reads('1–1 of 1');
    await walk.page.getByRole('link', { name: 'Research' }).click();
    await walk.sees('Research');
    assert.equal(await walk.page.getByRole('button', { name: 'Edit', exact: true }).count(), 0);
    assert.equal(await walk.page.getByRole('link', { name: 'Chargeback of this month' }).count(), 0);
    await walk.press('Add member');
    await walk.fill({ User: 'max@work.example' });
    await walk.submit('Add');
    await walk.gone();
    await walk.page.getByRole('link', { name: 'max@work.example' }).waitFor();
    await walk.settled();
    assert.equal(await walk.page.getByRole('alert').count(), 0, 'nothing is asked for that is refused');
    await walk.open('/teams/secret', 'Team');
    await walk.page.getByRole('alert').waitFor();
  });

  test('p37 a sign-in that another browser began is refused', async () => {
    const walk = await somebody();
    await walk.page.goto(`${rig.url}/sso/callback?code=stolen&state=made-up`);
    await walk.page.getByRole('heading', { name: 'Not signed in' }).waitFor();
    await walk.accessible('not signed in', ['light']); // dark is the browser's own there, which axe takes for white
    await walk.page.getByRole('link', { name: 'Sign in again' }).click();
    await walk.sees('Sign in to Weir');
  });

  test('a proxy says who is there', async () => {
    const proxy = await rig.proxyFor({
      'x-forwarded-preferred-username': 'olga',
      'x-forwarded-email': 'olga@work.example',
      'x-forwarded-groups': 'research,others',
    });
    const walk = await somebody(proxy.url);
    await walk.open('/', 'Home');
    const { user_id, role } = await walk.session();
    assert.deepEqual([user_id, role], ['olga', 'internal_user_viewer']);
    await walk.open('/teams', 'Teams');
    await walk.page.getByRole('link', { name: 'Research' }).waitFor();
  });

  test('p37 a viewer is offered no writes, and what it asks for all the same is refused', async () => {
    await rig.api('POST', '/user/new', { user_id: 'auditor', user_role: 'proxy_admin_viewer', password: 'sees it all', auto_create_key: false });
    const walk = await somebody();
    await walk.open('/', 'Sign in to Weir');
    await walk.signIn('auditor', 'sees it all');
    await walk.sees('Home');
    await walk.settled();
    assert.equal(await walk.page.getByRole('alert').count(), 0, 'Home asks for nothing that is refused');
    for (const page of ['Keys', 'Teams', 'Users', 'Organizations', 'Models', 'Usage', 'Logs']) {
      await walk.open(`/${page.toLowerCase()}`, page.replace('z', 's'));
      await walk.settled();
      assert.equal(await walk.page.getByRole('button', { name: /^New / }).count(), 0, page);
      assert.equal(await walk.page.getByRole('alert').count(), 0, `${page} asks for nothing that is refused`);
    }
    const refused = await walk.page.evaluate(async () => {
      const { csrf } = await (await fetch('/ui/session')).json();
      const headers = { 'content-type': 'application/json', 'x-weir-csrf': csrf };
      const send = (path, body) => fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
      const raise = { user_id: 'auditor', user_role: 'proxy_admin' };
      const answers = [await send('/team/new', { team_alias: 'x' }), await send('/user/update', raise), await send('/key/generate', {})];
      return answers.map((answer) => answer.status);
    });
    assert.ok(refused.every((status) => status === 401 || status === 403), refused.join());
    assert.equal((await walk.session()).role, 'proxy_admin_viewer');
    await walk.open('/customers', 'Customers');
    await walk.page.getByRole('alert').waitFor();
    await walk.looked('refused');
  });

  test('p37 a write without the token of the session is refused', async () => {
    const walk = await somebody();
    await walk.open('/', 'Sign in to Weir');
    await walk.signIn(UI_USER, UI_PASSWORD);
    await walk.sees('Home');
    const statuses = await walk.page.evaluate(async () => {
      const send = async (more) => {
        const headers = { 'content-type': 'application/json', ...more };
        return (await fetch('/team/new', { method: 'POST', headers, body: '{}' })).status;
      };
      return [await send({}), await send({ 'x-weir-csrf': 'of another session' })];
    });
    assert.deepEqual(statuses, [403, 403]);
  });

  test('p37 who signs out everywhere is out in every browser', async () => {
    const [one, other] = [await somebody(), await somebody()];
    for (const walk of [one, other]) {
      await walk.open('/', 'Sign in to Weir');
      await walk.signIn('ida@work.example', 'correct horse battery');
      await walk.sees('Home');
    }
    await one.signOut('Sign out everywhere');
    await one.sees('Sign in to Weir');
    await other.open('/', 'Sign in to Weir');
  });

  test('nothing broke, and the content security policy stopped nothing', () => {
    assert.deepEqual(rig.problems, []);
  });
});
