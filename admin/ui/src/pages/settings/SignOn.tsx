import { Button } from '@mantine/core';
import type { SettingField, SignOnProvider } from '@/api/answers';
import { address } from '@/api/client';
import { useAnswer } from '@/api/hooks';
import { roleLabel } from '@/api/rights';
import { Answered } from '@/parts/Answered';
import { Copy } from '@/parts/Copy';
import { type Fact, Facts } from '@/parts/Facts';
import { Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { Chip, Chips, Status } from '@/parts/Status';
import { SettingsTable } from './SettingsTable';

const NAMES = /^(enable_(oauth2|jwt)|oauth2_|litellm_jwtauth|ui_access_mode)/;
const ofDoors = ({ field_name: name }: SettingField) => NAMES.test(name);
const ofSessions = ({ field_name: name }: SettingField) => /^(ui_|identity_)/.test(name);

const KINDS = { google: 'Google', microsoft: 'Microsoft', generic: 'OpenID Connect' };

/** Who the identity provider is. */
function about(provider: SignOnProvider): Fact[] {
  const { issuer, authorization_endpoint: door, claims } = provider;
  const roles = Object.entries(claims.roles_by_group);
  return [
    ['Provider', KINDS[provider.kind]],
    ['Issuer', issuer && <code className={css.code}>{issuer}</code>],
    ['Signs in at', door && <code className={css.code}>{door}</code>],
    [
      'Client',
      <code key="client" className={css.code}>
        {provider.client_id}
      </code>,
    ],
    ['Scope', provider.scope],
    ['Claims of the user', <Chips key="id" of={claims.user_id} none="none" />],
    ['Claims of the e-mail', <Chips key="email" of={claims.email} none="none" />],
    ['Claim of the role', <Chip key="role">{claims.role}</Chip>],
    ['Claim of the groups', <Chip key="groups">{claims.groups}</Chip>],
    ...roles.map(
      ([role, groups]): Fact => [
        `${roleLabel(role)} are`,
        <Chips key={role} of={groups} none="no groups" most={8} />,
      ],
    ),
    ['May come in', provider.allowed_email_domains ?? 'whoever the provider knows'],
    ['Always an admin', provider.proxy_admin_id],
  ];
}

/** Who signs people in, and how to see whether that works. */
export function SignOn() {
  const answer = useAnswer('GET /ui/options');
  const sso = answer.data?.sso === true;
  const callback = new URL(address('/sso/callback'), window.location.origin).href;
  return (
    <div className={css.form}>
      <Section
        title="Single sign-on"
        actions={
          sso && (
            <Button component="a" href={address('/sso/debug/login')} target="_blank" variant="default">
              See what the identity provider says
            </Button>
          )
        }
      >
        <Answered of={answer}>
          {(options) => (
            <Facts
              of={[
                [
                  'State',
                  <Status key="state" tone={sso ? 'good' : 'plain'}>
                    {sso ? 'set up' : 'not set up'}
                  </Status>,
                ],
                [
                  'The way there',
                  options.sso &&
                    (options.auto ? 'straight, without a page before it' : 'a button of the page'),
                ],
                ...(options.provider ? about(options.provider) : []),
                [
                  'Address to register',
                  <span key="callback">
                    <code className={css.code}>{callback}</code> <Copy text={callback} what="the address" />
                  </span>,
                ],
                [
                  'Set by variables',
                  <span key="variables">
                    GENERIC_CLIENT_ID and GENERIC_ISSUER, or MICROSOFT_CLIENT_ID and MICROSOFT_TENANT, or
                    GOOGLE_CLIENT_ID; each with its secret
                  </span>,
                ],
              ]}
            />
          )}
        </Answered>
      </Section>
      <SettingsTable section="general_settings" wanted={ofDoors} />
      <SettingsTable section="weir_settings" wanted={ofSessions} />
    </div>
  );
}
