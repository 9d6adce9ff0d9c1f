// An identity provider set up as Keycloak is: roles of the realm in `realm_access.roles`, groups as paths, the name in
// `preferred_username`; whoever signs in is somebody of PEOPLE.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

export const CLIENT = { id: 'weir', secret: 'not-a-secret-of-anybody' };

/** Realm roles and groups of whoever may sign in. */
export const PEOPLE = {
  grace: { roles: ['offline_access', 'proxy_admin'], groups: ['/admins'] },
  linus: { roles: ['offline_access', 'internal_user'], groups: ['/research'] },
  vera: { roles: ['offline_access'], groups: [] },
};

const account = (name) => ({
  accountId: name,
  claims: () => ({
    sub: name,
    preferred_username: name,
    name: `${name[0].toUpperCase()}${name.slice(1)} Doe`,
    email: `${name}@work.example`,
    email_verified: true,
    realm_access: { roles: PEOPLE[name].roles },
    groups: PEOPLE[name].groups,
  }),
});

/** `gateways`: addresses that people come from and go back to. */
export async function identityProvider(port, gateways) {
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: gateways.map((url) => `${url}/sso/callback`),
        post_logout_redirect_uris: gateways.map((url) => `${url}/ui/`),
      },
    ],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['preferred_username', 'name', 'realm_access', 'groups'],
    },
    conformIdTokenClaims: false, // Keycloak writes them into the id token, too
    cookies: { keys: ['of nobody'] },
    findAccount: (_, name) => (name in PEOPLE ? account(name) : undefined),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'one' }] },
    pkce: { required: () => true },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  });
  const server = createServer(provider.callback());
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    issuer,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
