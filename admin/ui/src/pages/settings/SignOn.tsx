import { Button } from '@mantine/core';
import type { SettingField, SignOnProvider } from '@/api/answers';
import { address } from '@/api/client';
import { useAnswer } from '@/api/hooks';
import { Copy } from '@/parts/Copy';
import { type Fact, Facts } from '@/parts/Facts';
import { Section } from '@/parts/Page';
import css from '@/parts/parts.module.css';
import { Status } from '@/parts/Status';
import { SettingsTable } from './SettingsTable';

const NAMES = /^(enable_(oauth2|jwt)|oauth2_|litellm_jwtauth|ui_access_mode)/;
const ofDoors = ({ field_name: name }: SettingField) => NAMES.test(name);
const ofSessions = ({ field_name: name }: SettingField) => /^(ui_|identity_)/.test(name);

const KINDS = { google: 'Google', microsoft: 'Microsoft', generic: 'OpenID Connect' };

/** Who the identity provider is. */
function about(provider: SignOnProvider): Fact[] {
  const { issuer, authorization_endpoint: door } = provider;
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
  ];
}

/** Who signs people in, and how to see whether that works. */
export function SignOn() {
  const options = useAnswer('GET /ui/options').data;
  const sso = options?.sso === true;
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
        <Facts
          of={[
            [
              'State',
              <Status key="state" tone={sso ? 'good' : 'plain'}>
                {sso ? 'set up' : 'not set up'}
              </Status>,
            ],
            ...(options?.provider ? about(options.provider) : []),
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
      </Section>
      <SettingsTable section="general_settings" wanted={ofDoors} />
      <SettingsTable section="weir_settings" wanted={ofSessions} />
    </div>
  );
}
